//! The answers of health as they were written last. Probes come often, what they hear changes every few seconds, and to write it
//! down costs more than to answer.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

use axum::{
    body::Bytes,
    http::{StatusCode, header},
};
use serde_json::Value;
use vardelta_engine::locks::Locked as _;

use super::reply::{self, Reply};
use crate::operate::{clock::now_s, health::Check};

/// What an answer is made of: whether the folders have been looked at, and the checks of every pipeline.
type Made = (Option<bool>, Vec<Arc<Vec<Check>>>);

/// One answer.
struct Answer {
    made: Made,
    code: StatusCode,
    body: Bytes,
    /// How it begins where it is sent by itself: the line of its status and its headers, but for those that are of one request.
    head: String,
}

impl Answer {
    fn write(made: Made, code: StatusCode, value: &Value) -> Answer {
        let body = Bytes::from(reply::safe(value));
        let mut head = format!("HTTP/1.1 {code}\r\n{}: {}\r\n", header::CONTENT_LENGTH, body.len());
        for (name, value) in reply::guarded(reply::of(code, reply::JSON, body.clone())).headers() {
            let _ = write!(head, "{name}: {}\r\n", value.to_str().unwrap_or_default());
        }
        Answer { made, code, body, head }
    }

    fn reply(&self) -> Reply {
        reply::of(self.code, reply::JSON, self.body.clone())
    }

    fn is_made_of(&self, has_looked: Option<bool>, checks: &[Arc<Vec<Check>>]) -> bool {
        let (looked, known) = &self.made;
        *looked == has_looked
            && known.len() == checks.len()
            && known.iter().zip(checks).all(|(known, check)| Arc::ptr_eq(known, check))
    }
}

/// The last answer to one question.
#[derive(Default)]
pub struct Written {
    last: Mutex<Option<Answer>>,
}

impl Written {
    /// The last answer, where it was made of the very same checks; else one that is written now.
    pub fn reply(
        &self,
        has_looked: Option<bool>,
        checks: Vec<Arc<Vec<Check>>>,
        write: impl FnOnce(&[Arc<Vec<Check>>]) -> (StatusCode, Value),
    ) -> Reply {
        let mut last = self.last.locked();
        if let Some(answer) = last.as_ref().filter(|answer| answer.is_made_of(has_looked, &checks)) {
            return answer.reply();
        }
        let (code, value) = write(&checks);
        last.insert(Answer::write((has_looked, checks), code, &value)).reply()
    }

    /// The bytes of the last answer as they go over a connection, where it was made of the very same checks. `is_last`: it tells the
    /// client that the connection ends with it.
    pub fn text(&self, has_looked: Option<bool>, checks: &[Arc<Vec<Check>>], is_last: bool) -> Option<Vec<u8>> {
        let last = self.last.locked();
        let answer = last.as_ref().filter(|answer| answer.is_made_of(has_looked, checks))?;
        let end = if is_last { "connection: close\r\n" } else { "" };
        let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(now_s()));
        let mut text = format!("{}date: {date}\r\n{end}\r\n", answer.head).into_bytes();
        text.extend_from_slice(&answer.body);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_written_anew_where_anything_it_is_made_of_is_another() {
        let (written, times) = (Written::default(), std::cell::Cell::new(0));
        let checks = |count: usize| (0..count).map(|_| Arc::new(vec![Check::late()])).collect::<Vec<_>>();
        let ask = |looked, checks: &[Arc<Vec<Check>>]| {
            let reply = written.reply(looked, checks.to_vec(), |checks| {
                times.set(times.get() + 1);
                (StatusCode::SERVICE_UNAVAILABLE, json!(checks.len()))
            });
            assert_eq!(reply.status(), StatusCode::SERVICE_UNAVAILABLE);
            times.get()
        };
        let (one, two) = (checks(1), checks(2));
        assert_eq!([ask(None, &one), ask(None, &one), ask(None, &one)], [1, 1, 1]);
        assert_eq!([ask(Some(false), &one), ask(Some(true), &one), ask(Some(true), &one)], [2, 3, 3]);
        assert_eq!([ask(Some(true), &two), ask(Some(true), &two), ask(Some(true), &two[..1])], [4, 4, 5]);
        // The same words, found again.
        assert_eq!([ask(Some(true), &checks(1)), ask(Some(true), &checks(1))], [6, 7]);
    }
}
