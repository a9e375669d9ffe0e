//! A message to a Slack channel, by its incoming webhook.

use std::time::Duration;

use serde_json::json;
use vardelta_engine::plan::SlackOptions;

use super::{message::Message, undelivered::Undelivered};
use crate::operate::http::Poster;

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Posts a message; yields what Slack answers.
///
/// # Errors
/// Why it did not take it.
pub fn send(options: &SlackOptions, message: &Message, left: Duration) -> Result<String, Undelivered> {
    let body = json!({ "text": format!("*{}*\n{}", escaped(&message.subject), escaped(&message.text)) }).to_string();
    // The client's words may name the address, which is the secret; outputs hide it.
    let unreachable = |error: ureq::Error| Undelivered {
        why: format!("Slack cannot be reached: {error}"),
        is_passing: true,
        wait: None,
    };
    let poster = Poster::new(left.min(PATIENCE));
    let sent = poster.post(&options.webhook.0, &[("content-type", "application/json")], &body);
    let answer = sent.map_err(unreachable)?;
    if answer.is_success() {
        return Ok(answer.said());
    }
    Err(Undelivered {
        why: format!("Slack refused the message: {}", answer.said()),
        is_passing: answer.is_passing(),
        wait: answer.retry_after,
    })
}

/// A text in Slack's markup: three characters mean something there.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
