//! Asking a service for one batch of keys: again where it fails, in halves where it is too much, in pieces where a key spoils it.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use vardelta_engine::contract::{lookup::LookupValue, stage::StageError};

use super::{
    clock::{Clock, micros, seconds},
    host::{Held, Host},
    http::{Http, Message, NoResponse, Response, host_name},
    plan::Plan,
    reading::{Body, Said},
    retry::{backoff, random, retry_after},
    setting::Resolved,
};
use crate::address::encoded;

/// What came of asking for a key.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The service answered.
    Answered {
        /// The values; `None` where it does not know the key.
        values: Option<Vec<Option<LookupValue>>>,
        /// The release it names.
        release: Option<String>,
    },
    /// It did not.
    Failed {
        /// In words.
        reason: String,
        /// When it wants to be asked again, in seconds since 1970.
        next_try_s: Option<i64>,
    },
}

/// Asks one service, from any number of threads.
#[derive(Debug)]
pub(super) struct Fetcher {
    plan: Arc<Plan>,
    parameters: Resolved,
    headers: Resolved,
    pub http: Http,
    host: Arc<Host>,
    /// The folder of the hosts' slots.
    slots: PathBuf,
    pub clock: Arc<dyn Clock>,
    /// Keys that the service takes at once, as far as it has said.
    batch_max: AtomicUsize,
}

/// What came of sending one request, with its retries.
enum Sent {
    /// An answer.
    Body(Body),
    /// It is too long for the service.
    TooLong(String),
    /// The service does not take it: the fault is in a key, or in all of it.
    Refused(String),
    /// The service fails at it, which may be for a key.
    Suspect(String),
    /// The service cannot be asked now.
    Down { reason: String, next_try_s: Option<i64> },
}

/// A batch that a service fails at is divided after so many retries: it may be for a key.
const RETRIES_BEFORE_DIVIDING: u32 = 2;
/// A batch of which no piece gets through after it was divided so many times fails as a whole.
const DIVISIONS_IN_VAIN: u32 = 3;

impl Fetcher {
    /// A fetcher; secrets come from the environment.
    pub fn new(
        plan: Arc<Plan>,
        stage: &str,
        slots: PathBuf,
        clock: Arc<dyn Clock>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Fetcher, StageError> {
        let asking = &plan.asking;
        let name = host_name(&asking.url.fill(&[]))
            .map_err(|why| StageError::new(format!("look-up `{stage}` cannot ask: {why}")))?;
        let http = Http::new(asking.connect_timeout, asking.concurrency, asking.response_bytes_max);
        Ok(Fetcher {
            parameters: asking.parameters.resolve(stage, environment)?,
            headers: asking.headers.resolve(stage, environment)?,
            host: Host::shared(&slots, &name, asking.rate_per_s),
            batch_max: AtomicUsize::new(asking.batch),
            http,
            slots,
            clock,
            plan,
        })
    }

    /// Asks for keys, at most a batch of them; hands on what came of each, once.
    pub fn batch(&self, keys: &[Arc<str>], stop: &AtomicBool, tell: &mut dyn FnMut(&Arc<str>, Outcome)) {
        let deadline_us = self.clock.now_us().saturating_add(micros(self.plan.asking.deadline));
        let mut level: Vec<&[Arc<str>]> = keys.chunks(self.batch_max.load(Ordering::Relaxed).max(1)).collect();
        let (mut divided, mut in_vain) = (0, 0);
        while !level.is_empty() && !stop.load(Ordering::Relaxed) {
            let (mut next, mut progress, mut last) = (Vec::new(), false, String::new());
            for piece in level {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                match self.ask(piece, divided, deadline_us, stop) {
                    Sent::Body(body) => {
                        progress = true;
                        tell_all(piece, body, tell);
                    }
                    Sent::Down { reason, next_try_s } => {
                        if !stop.load(Ordering::Relaxed) {
                            fail(piece, &reason, next_try_s, tell);
                        }
                    }
                    Sent::TooLong(reason) | Sent::Refused(reason) | Sent::Suspect(reason) if piece.len() == 1 => {
                        fail(piece, &reason, None, tell);
                    }
                    Sent::TooLong(reason) => {
                        // That is no fault of a key, and the next batches need not be so long.
                        progress = true;
                        let half = piece.len().div_ceil(2);
                        self.batch_max.fetch_min(half, Ordering::Relaxed);
                        next.extend(piece.chunks(half));
                        last = reason;
                    }
                    Sent::Refused(reason) | Sent::Suspect(reason) => {
                        next.extend(piece.chunks(piece.len().div_ceil(2)));
                        last = reason;
                    }
                }
            }
            divided += 1;
            in_vain = if progress { 0 } else { in_vain + 1 };
            if in_vain > DIVISIONS_IN_VAIN {
                next.iter().for_each(|piece| fail(piece, &last, None, tell));
                return;
            }
            level = next;
        }
    }

    /// Asks for these keys in one request, and again for as long as that may help.
    fn ask(&self, keys: &[Arc<str>], divided: u32, deadline_us: u64, stop: &AtomicBool) -> Sent {
        let message = self.message(keys);
        let retries = self.plan.asking.retries;
        let mut tried = 0;
        loop {
            tried += 1;
            let other_host = |name: &str| Host::shared(&self.slots, name, self.plan.asking.rate_per_s);
            let sent = self.http.send(&message, &self.host, &other_host, self.clock.as_ref(), deadline_us, stop);
            let trouble = match sent {
                Ok(response) => match self.judge(response, keys, divided) {
                    Judged::Done(sent) => return sent,
                    Judged::Again(trouble) => trouble,
                },
                Err(NoResponse::Held(held)) => return self.held(held),
                Err(NoResponse::Useless(reason)) => {
                    self.host.failed(self.clock.as_ref());
                    return Sent::Refused(self.said(&reason));
                }
                Err(NoResponse::Broken(reason)) => {
                    self.host.failed(self.clock.as_ref());
                    Trouble { sent: Sent::Down { reason: self.said(&reason), next_try_s: None }, pause: None }
                }
            };
            let is_suspect = matches!(trouble.sent, Sent::Suspect(_));
            let most = match is_suspect {
                true if divided > 0 => 0,
                true if keys.len() > 1 => retries.min(RETRIES_BEFORE_DIVIDING),
                _ => retries,
            };
            let wait = trouble.pause.unwrap_or_else(|| backoff(tried, random()));
            let again_us = self.clock.now_us().saturating_add(micros(wait));
            if tried > most || again_us >= deadline_us || stop.load(Ordering::Relaxed) {
                return trouble.sent;
            }
            self.clock.wait_until(again_us, stop);
        }
    }

    /// What a response means.
    fn judge(&self, response: Response, keys: &[Arc<str>], divided: u32) -> Judged {
        let status = response.status;
        let clock = self.clock.as_ref();
        let told = || self.said(&format!("it answered with status {status}{}", excerpt(&response.body)));
        let down = |reason: String| Sent::Down { reason, next_try_s: None };
        match status {
            200..=299 => match self.plan.reading.read(&response.body, keys) {
                Ok(body) => {
                    self.host.succeeded();
                    Judged::Done(Sent::Body(body))
                }
                Err(why) => self.suspect(self.said(&why), divided),
            },
            413 | 414 => {
                self.host.succeeded();
                Judged::Done(Sent::TooLong(told()))
            }
            429 | 503 if response.retry_after.is_some() || status == 429 => {
                let pause = response.retry_after.and_then(|text| retry_after(&text, clock.now_us()));
                let next_try_s = pause.map(|pause| seconds(clock.now_us().saturating_add(micros(pause))));
                let pause = pause.unwrap_or_else(|| backoff(3, random()));
                self.host.pause(clock, pause);
                match status {
                    // Whoever asks for patience is there.
                    429 => self.host.succeeded(),
                    _ => self.host.failed(clock),
                }
                Judged::Again(Trouble { sent: Sent::Down { reason: told(), next_try_s }, pause: Some(pause) })
            }
            401 | 403 | 407 => {
                self.host.failed(clock);
                Judged::Done(down(format!("{}; see to the secrets in `parameters` and `headers`", told())))
            }
            status if keys.len() == 1 && self.plan.reading.absent_status.contains(&status) => {
                self.host.succeeded();
                Judged::Done(Sent::Body(Body { said: vec![Said::Absent], release: None }))
            }
            408 | 425 | 502 | 503 | 504 => {
                self.host.failed(clock);
                Judged::Again(Trouble { sent: down(told()), pause: None })
            }
            500..=599 => self.suspect(told(), divided),
            _ => {
                self.host.succeeded();
                Judged::Done(Sent::Refused(told()))
            }
        }
    }

    /// A service that fails, or a key that it fails at: pieces of a batch say nothing of the host.
    fn suspect(&self, reason: String, divided: u32) -> Judged {
        if divided == 0 {
            self.host.failed(self.clock.as_ref());
        }
        Judged::Again(Trouble { sent: Sent::Suspect(reason), pause: None })
    }

    fn held(&self, held: Held) -> Sent {
        match held {
            Held::Late(at_us) => Sent::Down {
                reason: self.said("its turn comes after the deadline, or it asked for a longer pause"),
                next_try_s: Some(seconds(at_us)),
            },
            Held::Open(_) => Sent::Down {
                reason: self.said("it failed time after time and is left alone for a while"),
                next_try_s: None,
            },
            Held::Stopped => Sent::Down { reason: "the run was ended".into(), next_try_s: None },
        }
    }

    fn said(&self, what: &str) -> String {
        let message = format!("{}: {what}", self.host.name());
        vardelta_engine::edge::secret::hide(&message).into_owned()
    }

    fn message(&self, keys: &[Arc<str>]) -> Message {
        let asking = &self.plan.asking;
        let mut url = asking.url.fill(keys);
        for (name, value) in &self.parameters.0 {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&format!("{}={}", encoded(name), encoded(value)));
        }
        let mut headers = self.headers.clone();
        let has = |name: &str| self.headers.0.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        if asking.body.is_some() && !has("content-type") {
            headers.0.push(("Content-Type".into(), "application/json".into()));
        }
        if !has("accept") {
            headers.0.push(("Accept".into(), "application/json".into()));
        }
        Message { method: asking.method, url, headers, body: asking.body.as_ref().map(|body| body.fill(keys)) }
    }
}

/// A response is an end, or a reason to try again.
enum Judged {
    Done(Sent),
    Again(Trouble),
}

/// What it comes to if trying again does not help, and how long to wait before, where the service says so.
struct Trouble {
    sent: Sent,
    pause: Option<std::time::Duration>,
}

/// The beginning of an error's body.
fn excerpt(body: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(&body[..body.len().min(800)])
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(160)
        .collect();
    match text.trim() {
        "" => String::new(),
        text => format!(": {text}"),
    }
}

fn tell_all(keys: &[Arc<str>], body: Body, tell: &mut dyn FnMut(&Arc<str>, Outcome)) {
    for (key, said) in keys.iter().zip(body.said) {
        let release = body.release.clone();
        tell(
            key,
            match said {
                Said::Found(values) => Outcome::Answered { values: Some(values), release },
                Said::Absent => Outcome::Answered { values: None, release },
                Said::Unusable(reason) => Outcome::Failed { reason, next_try_s: None },
            },
        );
    }
}

fn fail(keys: &[Arc<str>], reason: &str, next_try_s: Option<i64>, tell: &mut dyn FnMut(&Arc<str>, Outcome)) {
    for key in keys {
        tell(key, Outcome::Failed { reason: reason.to_owned(), next_try_s });
    }
}
