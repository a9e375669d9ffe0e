//! Alerts: what is wrong with a pipeline, told when it begins and when it is over, in one message a run. They never fail a
//! load.
//!
//! A run, or `vardelta alert check`, looks at every alert (`run`, `standing`). What was known before is in `memory`; so is what
//! each channel was told, so that a channel that could not be reached is told the next time, and one that was is not told twice.

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

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;
use vardelta_engine::{
    event::RunEvent,
    plan::{AlertOptions, Plan, Severity},
};

use self::{
    alert::{Alert, Verdict},
    channel::{BETWEEN, Channel},
    memory::{Changed, Memory, Told},
    message::{Item, Message},
    run::Ended,
};
use crate::operate::{log::LogWriter, moment};

/// How one alert stands.
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

/// Judges a run that has ended and tells who wants to know. What there is to say to whoever is here comes back as lines,
/// the log apart.
pub fn settle(plan: &Plan, events: &[RunEvent], log: Option<&LogWriter>) -> Vec<String> {
    let Some(options) = &plan.operate.alerts else { return Vec::new() };
    let Some(ended) = Ended::of(events).filter(|ended| !ended.is_by_hand()) else { return Vec::new() };
    let mut memory = Memory::read(plan);
    let mut verdicts = run::judge(plan, options, &ended, &memory.runs);
    verdicts.extend(standing::judge(plan, options, ended.committed().is_some()));
    ended.pace().into_iter().for_each(|run| memory.remember(run));
    let mut telling = Telling { plan, options, verdicts, memory, epoch: None, reclassified: None, lines: Vec::new() };
    telling.log_changes(log);
    telling.reclassified(&ended, log);
    telling.tell();
    telling.lines
}

/// Judges what stands without a run, and tells who wants to know. Yields how every alert stands, and what else is to be
/// said.
pub fn check(plan: &Plan, options: &AlertOptions) -> (Vec<Standing>, Vec<String>) {
    let memory = Memory::read(plan);
    let verdicts = standing::judge(plan, options, false);
    let mut telling = Telling { plan, options, verdicts, memory, epoch: None, reclassified: None, lines: Vec::new() };
    telling.log_changes(None);
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

/// One look, while it is told.
struct Telling<'a> {
    plan: &'a Plan,
    options: &'a AlertOptions,
    verdicts: BTreeMap<Alert, Verdict>,
    memory: Memory,
    /// The epoch that the run committed.
    epoch: Option<u64>,
    /// What that epoch reclassified.
    reclassified: Option<Item>,
    lines: Vec<String>,
}

impl Telling<'_> {
    /// Takes the verdicts into the memory, and writes to the log what began and what ended.
    fn log_changes(&mut self, log: Option<&LogWriter>) {
        let Changed { began, ended } = self.memory.take(&self.verdicts);
        let began = began.into_iter().map(|alert| self.firing(alert));
        let ended = ended.into_iter().map(|(alert, since)| Item::Resolved(alert, since.since));
        let items: Vec<Item> = began.chain(ended).collect();
        items.iter().for_each(|item| self.log(item, log));
    }

    /// Finds what the run's epoch reclassified, and writes it to the log.
    fn reclassified(&mut self, ended: &Ended, log: Option<&LogWriter>) {
        let Some(report) = ended.committed() else { return };
        self.epoch = Some(report.epoch);
        let Some(options) = &self.options.reclassification else { return };
        if report.tables.iter().any(|table| table.name == options.table.value && table.updated > 0) {
            self.reclassified = self.digest(report.epoch, report.epoch);
        }
        if let Some(item) = self.reclassified.clone() {
            self.log(&item, log);
        }
    }

    /// What these epochs reclassified.
    fn digest(&mut self, from: u64, to: u64) -> Option<Item> {
        let found = digest::read(self.plan, self.options.reclassification.as_ref()?, from..=to);
        found.unwrap_or_else(|error| {
            self.lines.push(format!("notice: reclassified variants cannot be told: {}", error.message));
            None
        })
    }

    fn log(&mut self, item: &Item, log: Option<&LogWriter>) {
        let (alert, state, words) = match item {
            Item::Firing(alert, detail) => (alert.name(), "firing", detail.said(self.options.redact)),
            Item::Resolved(alert, since) => (alert.name(), "resolved", since.as_str()),
            Item::Reclassified(_, detail) => ("clinvar_reclassification", "firing", detail.said(self.options.redact)),
            Item::Test => return,
        };
        let severity = item.severity();
        let Some(log) = log else {
            let words = words.lines().next().unwrap_or_default();
            let words = if state == "resolved" { format!("it was firing since {words}") } else { words.to_owned() };
            self.lines.push(format!("alert: {}: {words}", item.headline()));
            return;
        };
        let level = match (state, severity) {
            ("resolved", _) => "info",
            (_, Severity::Critical) => "error",
            (_, Severity::Warning) => "warn",
        };
        let facts = json!({ "alert": alert, "severity": severity.as_str(), "state": state, "detail": words });
        log.alert(level, &item.headline(), facts);
    }

    fn firing(&self, alert: Alert) -> Item {
        match self.verdicts.get(&alert) {
            Some(Verdict::Firing(detail)) => Item::Firing(alert, detail.clone()),
            // It began earlier, where this channel could not be told; nobody knows any more in which words.
            _ => {
                let since = self.memory.firing.get(alert.name()).map(|since| since.since.clone()).unwrap_or_default();
                Item::Firing(alert, alert::Detail::plain(format!("since {since}")))
            }
        }
    }

    /// Tells the channels what they do not know yet, and remembers what they know then.
    fn tell(&mut self) {
        let channels = Channel::all(self.plan, self.options);
        let mut told = std::mem::take(&mut self.memory.channels);
        told.retain(|name, _| channels.iter().any(|channel| channel.name() == name));
        let mut work: Vec<(Channel<'_>, Told, Vec<Item>)> = Vec::new();
        for channel in channels {
            let known = told.remove(channel.name()).unwrap_or_default();
            let (known, items) = self.news(channel, known);
            work.push((channel, known, items));
        }
        let (name, redact, firing) = (&self.plan.pipeline.name, self.options.redact, &self.memory.firing);
        let results: Vec<(&str, Told, Option<String>)> = std::thread::scope(|scope| {
            let threads: Vec<_> = work
                .into_iter()
                .map(|(channel, mut known, items)| {
                    scope.spawn(move || {
                        if items.is_empty() {
                            return (channel.name(), known, None);
                        }
                        pause(known.sent_at_ms);
                        let result = channel.deliver(&Message::of(name, &items, redact));
                        known.sent_at_ms = u64::try_from(moment::since_1970().as_millis()).unwrap_or(u64::MAX);
                        if result.is_ok() {
                            let is_meant = |name: &&String| {
                                Alert::named(name).is_some_and(|alert| channel.takes(alert.severity()))
                            };
                            let told = firing.iter().filter(|(name, _)| is_meant(name));
                            known.firing = told.map(|(name, since)| (name.clone(), since.since.clone())).collect();
                            known.epoch_to_tell = None;
                        }
                        (channel.name(), known, result.err())
                    })
                })
                .collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        for (channel, known, trouble) in results {
            self.memory.channels.insert(channel.to_owned(), known);
            if let Some(trouble) = trouble {
                self.lines.push(format!(
                    "notice: the alert could not be sent by {channel}, and will be tried again: {trouble}"
                ));
            }
        }
        if let Err(error) = self.memory.write(self.plan) {
            let line = format!("notice: what alerts were told cannot be remembered, and they may come again: {error}");
            self.lines.push(line);
        }
    }

    /// What a channel does not know yet, the worst first.
    fn news(&mut self, channel: Channel<'_>, mut known: Told) -> (Told, Vec<Item>) {
        let mut items = Vec::new();
        for alert in Alert::ALL.into_iter().filter(|alert| channel.takes(alert.severity())) {
            match (self.memory.firing.contains_key(alert.name()), known.firing.get(alert.name())) {
                (true, None) => items.push(self.firing(alert)),
                (false, Some(since)) => items.push(Item::Resolved(alert, since.clone())),
                _ => {}
            }
        }
        if channel.takes(Severity::Warning) {
            match (known.epoch_to_tell, self.epoch) {
                // An earlier run could not tell what it reclassified.
                (Some(from), to) => items.extend(self.digest(from, to.unwrap_or(from))),
                (None, Some(epoch)) if self.reclassified.is_some() => {
                    known.epoch_to_tell = Some(epoch);
                    items.extend(self.reclassified.clone());
                }
                (None, _) => {}
            }
        }
        (known, items)
    }
}

/// Waits until a channel may be sent the next message.
fn pause(sent_at_ms: u64) {
    let sent_at = Duration::from_millis(sent_at_ms);
    // A clock that was put back makes nobody wait longer.
    let since = moment::since_1970().checked_sub(sent_at).unwrap_or(BETWEEN);
    if let Some(rest) = BETWEEN.checked_sub(since) {
        std::thread::sleep(rest);
    }
}
