//! A message to a Slack channel, by its incoming webhook.

use std::time::Duration;

use serde_json::json;
use ureq::Agent;
use vardelta_engine::plan::SlackOptions;

use super::{message::Message, undelivered::Undelivered};

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read.
const ANSWER_BYTES: u64 = 200;

/// Posts a message; yields what Slack answers.
///
/// # Errors
/// Why it did not take it.
pub fn send(options: &SlackOptions, message: &Message, left: Duration) -> Result<String, Undelivered> {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(left.min(PATIENCE)))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("vardelta/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let body = json!({ "text": format!("*{}*\n{}", escaped(&message.subject), escaped(&message.text)) }).to_string();
    // The client's words may name the address, which is the secret; outputs hide it.
    let unreachable = |error: ureq::Error| Undelivered {
        why: format!("Slack cannot be reached: {error}"),
        is_passing: true,
        wait: None,
    };
    let sent = agent.post(&options.webhook.0).header("content-type", "application/json").send(&body);
    let mut response = sent.map_err(unreachable)?;
    let status = response.status().as_u16();
    let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let answer = response.body_mut().with_config().limit(ANSWER_BYTES).read_to_string().unwrap_or_default();
    let answer = format!("{status} {}", answer.lines().next().unwrap_or_default());
    match status {
        200..=299 => Ok(answer.trim_end().to_owned()),
        _ => Err(Undelivered {
            why: format!("Slack refused the message: {}", answer.trim_end()),
            is_passing: status == 429 || status >= 500,
            wait: wait.map(Duration::from_secs),
        }),
    }
}

/// A text in Slack's markup: three characters mean something there.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
