//! Telling channels and the log what one look at the alerts found.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use serde_json::json;
use vardelta_engine::{
    locks::Locked as _,
    plan::{AlertOptions, Plan, Severity},
};
use vardelta_schemas::ledger::Epoch;

use super::{
    alert::{Alert, Detail, Verdict},
    channel::{BETWEEN, Channel},
    digest,
    memory::{Changed, Memory, Told},
    message::{Item, Message},
};
use crate::operate::{clock, ended::Ended, log::LogWriter};

/// One look, while it is reported.
pub struct Telling<'a> {
    plan: &'a Plan,
    options: &'a AlertOptions,
    verdicts: BTreeMap<Alert, Verdict>,
    /// What is known from earlier looks, and from this one.
    pub memory: Memory,
    /// The epoch that the run committed.
    epoch: Option<Epoch>,
    /// What that epoch reclassified.
    reclassified: Option<Item>,
    /// What is to be said to whoever is here.
    pub lines: Vec<String>,
}

impl<'a> Telling<'a> {
    /// A look with these verdicts.
    pub fn new(
        plan: &'a Plan,
        options: &'a AlertOptions,
        verdicts: BTreeMap<Alert, Verdict>,
        memory: Memory,
    ) -> Telling<'a> {
        Telling { plan, options, verdicts, memory, epoch: None, reclassified: None, lines: Vec::new() }
    }

    /// Takes the verdicts into the memory, and writes to the log what began and what ended.
    pub fn log_changes(&mut self, log: Option<&LogWriter>) {
        let Changed { began, ended } = self.memory.take(&self.verdicts);
        let began = began.into_iter().map(|alert| self.firing(alert));
        let ended = ended.into_iter().map(|(alert, since)| Item::Resolved(alert, since.since));
        let items: Vec<Item> = began.chain(ended).collect();
        items.iter().for_each(|item| self.log(item, log));
    }

    /// Finds what the run's epoch reclassified, and writes it to the log.
    pub fn find_reclassified(&mut self, ended: &Ended, log: Option<&LogWriter>) {
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
    fn digest(&mut self, from: Epoch, to: Epoch) -> Option<Item> {
        let found = digest::read(self.plan, self.options.reclassification.as_ref()?, from..=to);
        found.unwrap_or_else(|error| {
            self.lines.push(format!("notice: reclassified variants cannot be reported: {}", error.message));
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
            // It began earlier, when this channel could not be reached; nobody knows any more in which words.
            _ => {
                let since = self.memory.firing.get(alert.name()).map(|since| since.since.clone()).unwrap_or_default();
                Item::Firing(alert, Detail::plain(format!("since {since}")))
            }
        }
    }

    /// Sends the channels what they do not know yet, and remembers what they know then.
    pub fn tell(&mut self) {
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
                        pause(channel.name(), known.sent_at_ms);
                        let result = channel.deliver(&Message::of(name, &items, redact));
                        known.sent_at_ms = now_ms();
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
            let line = format!("notice: which alerts were sent cannot be remembered, and they may come again: {error}");
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
                // An earlier run could not report what it reclassified.
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

/// When this process has sent something to a channel last, whatever the pipeline, in milliseconds since 1970.
static SENT_AT_MS: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

/// Waits until a channel may be sent the next message, and takes its turn.
fn pause(channel: &'static str, sent_at_ms: u64) {
    let mut turns = SENT_AT_MS.locked();
    let now_ms = now_ms();
    let between_ms = u64::try_from(BETWEEN.as_millis()).unwrap_or(u64::MAX);
    let last_ms = turns.get(channel).copied().unwrap_or_default().max(sent_at_ms);
    // A clock that was put back makes nobody wait longer.
    let turn_ms = if last_ms > now_ms + between_ms { now_ms } else { now_ms.max(last_ms + between_ms) };
    turns.insert(channel, turn_ms);
    drop(turns);
    std::thread::sleep(Duration::from_millis(turn_ms - now_ms));
}

fn now_ms() -> u64 {
    u64::try_from(clock::since_1970().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_channel_gets_one_message_a_second_whoever_sends() {
        let started = Instant::now();
        pause("a channel of this test", 0);
        assert!(started.elapsed() < BETWEEN);
        pause("a channel of this test", 0);
        assert!(started.elapsed() >= BETWEEN);
        let started = Instant::now();
        pause("another channel of this test", now_ms() + 3_600_000);
        assert!(started.elapsed() < BETWEEN, "the clock was put back");
    }
}
