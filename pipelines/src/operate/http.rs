//! A POST to whoever hears of runs: a Pushgateway, a lineage service, a channel of Slack.

use std::{io::Read as _, time::Duration};

use ureq::Agent;

/// Bytes of an answer that are read: its first line is enough.
const ANSWER_BYTES: u64 = 200;

/// Posts texts.
pub struct Poster(Agent);

/// What came back.
pub struct Answer {
    status: u16,
    /// How long the other side wants to be left alone, where it says so in whole seconds.
    pub retry_after: Option<Duration>,
    /// The first line of the body.
    line: String,
}

impl Poster {
    /// One whose every post takes so long at the most. Proxies are those of the usual variables.
    pub fn new(within: Duration) -> Poster {
        Poster(config(within).build().into())
    }

    /// The same for what is in this network: it goes through no proxy.
    pub fn without_proxy(within: Duration) -> Poster {
        Poster(config(within).proxy(None).build().into())
    }

    /// Posts a text. A status that is no success is an answer.
    ///
    /// # Errors
    /// When nothing comes back.
    pub fn post(&self, url: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer, ureq::Error> {
        let request = headers.iter().fold(self.0.post(url), |request, (name, value)| request.header(*name, *value));
        let mut response = request.send(body)?;
        let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let mut start = Vec::new();
        // Whatever of the answer cannot be read, its status was.
        let _ = response.body_mut().as_reader().take(ANSWER_BYTES).read_to_end(&mut start);
        let line = String::from_utf8_lossy(&start).lines().next().unwrap_or_default().to_owned();
        Ok(Answer { status: response.status().as_u16(), retry_after: retry_after.map(Duration::from_secs), line })
    }
}

impl Answer {
    /// Whether it was taken.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether it may be taken later.
    pub fn is_passing(&self) -> bool {
        self.status == 429 || self.status >= 500
    }

    /// The answer in a line: `400 why`.
    pub fn said(&self) -> String {
        format!("{} {}", self.status, self.line).trim_end().to_owned()
    }
}

fn config(within: Duration) -> ureq::config::ConfigBuilder<ureq::typestate::AgentScope> {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(within))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("vardelta/", env!("CARGO_PKG_VERSION")))
}
