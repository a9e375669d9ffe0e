//! Alerts: what is wrong with a pipeline, reported when it begins and when it is over, in one message a run. They never fail a
//! load.
//!
//! A run, or `vardelta alert check`, looks at every alert (`run`, `standing`). What was known before is in `memory`; so is what
//! each channel got, so that a channel that could not be reached gets it the next time, and one that was does not get it twice.

mod alert;
mod channel;
mod digest;
mod email;
mod memory;
mod message;
mod run;
mod slack;
mod slow;
mod standing;
mod tell;
mod undelivered;

use vardelta_engine::plan::{AlertOptions, Plan};

use self::{
    alert::{Alert, Verdict},
    channel::Channel,
    memory::Memory,
    message::{Item, Message},
    tell::Telling,
};
pub use self::{
    run::VOCABULARY_REASONS,
    standing::{InLoop, Waits},
};
use crate::operate::{ended::Ended, log::LogWriter};

/// The state of one alert.
#[derive(Debug, serde::Serialize)]
pub struct Standing {
    /// Its name.
    pub alert: &'static str,
    /// `critical` or `warning`.
    pub severity: &'static str,
    /// `firing` or `resolved`.
    pub state: &'static str,
    /// Since when it is firing, UTC, RFC 3339.
    pub since: Option<String>,
}

/// What a channel answered to a test.
#[derive(Debug, serde::Serialize)]
pub struct Tried {
    /// `slack` or `email`.
    pub channel: &'static str,
    /// Whether it took the message.
    pub ok: bool,
    /// What it said, or why it was not reached.
    pub answer: String,
}

/// Judges a run that has ended and notifies who wants to know. `is_in_loop`: files that made a run fail may be set aside still, so
/// that the end of this one ends no failure; the loop's own look does ([`check`]). What there is to say to whoever is here comes
/// back as lines, the log apart.
pub fn settle(plan: &Plan, ended: &Ended, is_in_loop: bool, log: Option<&LogWriter>) -> Vec<String> {
    let Some(options) = &plan.operate.alerts else { return Vec::new() };
    if ended.is_by_hand() {
        return Vec::new();
    }
    let mut memory = Memory::read(plan);
    let mut verdicts = run::judge(plan, options, ended, &memory.runs);
    if is_in_loop && ended.failure.is_none() {
        verdicts.insert(Alert::RunFailed, Verdict::Unknown);
    }
    verdicts.extend(standing::judge(plan, options, ended.committed().is_some()));
    run::pace(ended).into_iter().for_each(|run| memory.remember(run));
    let mut telling = Telling::new(plan, options, verdicts, memory);
    telling.log_changes(log);
    telling.find_reclassified(ended, log);
    telling.tell();
    telling.lines
}

/// Judges how things are without a run, and notifies who wants to know, the log first; `in_loop` is how it is with the loop that
/// asks, where there is one. Yields the state of every alert, and what else is to be said.
pub fn check(
    plan: &Plan,
    options: &AlertOptions,
    in_loop: Option<&InLoop>,
    log: Option<&LogWriter>,
) -> (Vec<Standing>, Vec<String>) {
    let memory = Memory::read(plan);
    let mut verdicts = standing::judge(plan, options, false);
    if let Some(InLoop { waits, is_well }) = in_loop {
        verdicts.insert(Alert::CannotLoad, standing::can_load(options, waits));
        verdicts.insert(Alert::RunFailed, if *is_well { Verdict::Fine } else { Verdict::Unknown });
    }
    let mut telling = Telling::new(plan, options, verdicts, memory);
    telling.log_changes(log);
    telling.tell();
    let of = |alert: Alert| {
        let since = telling.memory.firing.get(alert.name()).map(|since| since.since.clone());
        let state = if since.is_some() { "firing" } else { "resolved" };
        Standing { alert: alert.name(), severity: alert.severity().as_str(), state, since }
    };
    (Alert::ALL.into_iter().map(of).collect(), telling.lines)
}

/// Sends a message to every channel that says nothing but that it came.
pub fn test(plan: &Plan, options: &AlertOptions) -> Vec<Tried> {
    let message = Message::of(&plan.pipeline.name, &[Item::Test], options.redact);
    let channels = Channel::all(plan, options);
    let send = |channel: Channel<'_>| {
        let (ok, answer) = match channel.deliver(&message) {
            Ok(answer) => (true, answer),
            Err(why) => (false, why),
        };
        Tried { channel: channel.name(), ok, answer }
    };
    channels.into_iter().map(send).collect()
}
