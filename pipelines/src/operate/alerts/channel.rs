//! Where alerts go beside the log, and how a message gets there.

use std::time::{Duration, Instant};

use vardelta_engine::plan::{AlertOptions, Plan, Severity};

use super::{email, message::Message, slack, undelivered::Undelivered};

/// How long a channel may take for one message, all attempts together.
const WITHIN: Duration = Duration::from_secs(10);
/// The wait before the second attempt; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The least time between two messages to one channel.
pub const BETWEEN: Duration = Duration::from_secs(1);

/// A channel.
#[derive(Clone, Copy)]
pub enum Channel<'a> {
    /// Slack.
    Slack(&'a vardelta_engine::plan::SlackOptions),
    /// E-mail, with the pipeline whose paths it has.
    Email(&'a vardelta_engine::plan::EmailOptions, &'a Plan),
}

impl<'a> Channel<'a> {
    /// The channels of a pipeline.
    pub fn all(plan: &'a Plan, options: &'a AlertOptions) -> Vec<Channel<'a>> {
        let slack = options.slack.as_ref().map(Channel::Slack);
        let email = options.email.as_ref().map(|email| Channel::Email(email, plan));
        email.into_iter().chain(slack).collect()
    }

    /// Its name in messages and the memory.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Slack(_) => "slack",
            Channel::Email(..) => "email",
        }
    }

    /// Whether alerts of this severity go there.
    pub fn takes(self, severity: Severity) -> bool {
        match self {
            Channel::Slack(options) => options.on.contains(&severity),
            Channel::Email(options, _) => options.on.contains(&severity),
        }
    }

    /// Sends a message, again where that may help, for a bounded time. Yields what the other side answered.
    ///
    /// # Errors
    /// Why it did not get there, in words.
    pub fn deliver(self, message: &Message) -> Result<String, String> {
        deliver(&|left| self.send(message, left), WITHIN, FIRST_WAIT)
    }

    fn send(self, message: &Message, left: Duration) -> Result<String, Undelivered> {
        match self {
            Channel::Slack(options) => slack::send(options, message, left),
            Channel::Email(options, plan) => email::send(options, plan, message, left),
        }
    }
}

fn deliver(
    send: &dyn Fn(Duration) -> Result<String, Undelivered>,
    within: Duration,
    first_wait: Duration,
) -> Result<String, String> {
    let (started, mut wait, mut attempts) = (Instant::now(), first_wait, 0);
    loop {
        attempts += 1;
        let failed = match send(within.saturating_sub(started.elapsed())) {
            Ok(answer) => return Ok(answer),
            Err(failed) => failed,
        };
        let next = failed.wait.unwrap_or(wait);
        if !failed.is_passing || started.elapsed() + next >= within {
            let s = if attempts == 1 { "" } else { "s" };
            return Err(format!("{} ({attempts} attempt{s})", failed.why));
        }
        std::thread::sleep(next);
        wait *= 2;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn attempts_end_with_success_with_what_will_not_pass_and_with_the_time() {
        let attempts = Cell::new(0);
        let try_it = |is_passing: bool, good: u32, wait_ms: Option<u64>| {
            attempts.set(0);
            let send = |_: Duration| {
                attempts.set(attempts.get() + 1);
                match attempts.get() == good {
                    true => Ok("ok".to_owned()),
                    false => {
                        Err(Undelivered { why: "no".into(), is_passing, wait: wait_ms.map(Duration::from_millis) })
                    }
                }
            };
            (deliver(&send, Duration::from_millis(200), Duration::from_millis(1)), attempts.get())
        };
        assert_eq!(try_it(true, 3, None), (Ok("ok".into()), 3));
        assert_eq!(try_it(false, 3, None), (Err("no (1 attempt)".into()), 1));
        let (result, made) = try_it(true, 0, None);
        assert!(result == Err(format!("no ({made} attempts)")) && (2..=9).contains(&made), "{result:?}");
        assert_eq!(try_it(true, 2, Some(1_000)).1, 1, "the other side wants more time than there is");
        assert_eq!(try_it(true, 2, Some(5)).0, Ok("ok".into()));
    }
}
