//! Runs as they are under way, and as they ended.

use std::time::Instant;

use vardelta_engine::{error::RunErrorKind, event::RunEvent, report::RunReport};

/// Finished runs that are kept.
pub const KEPT: usize = 200;

/// A run under way.
pub struct RunUnderWay {
    /// When it began, in seconds since 1970.
    pub started_s: u64,
    /// Records read so far.
    pub records: u64,
    /// Drops that it loads.
    pub drops: Vec<(String, String)>,
    began: Instant,
    events: Vec<RunEvent>,
}

/// A run that committed or failed.
#[derive(Clone)]
pub struct FinishedRun {
    /// When it began, in seconds since 1970.
    pub started_s: u64,
    /// When it ended, in seconds since 1970.
    pub ended_s: u64,
    /// How long it took.
    pub seconds: f64,
    /// What it did; `None` where it failed before it began.
    pub report: Option<RunReport>,
    /// Why it failed: the sort of error, and what happened.
    pub failed: Option<(RunErrorKind, String)>,
}

impl RunUnderWay {
    /// One that begins now.
    pub fn start(started_s: u64) -> RunUnderWay {
        RunUnderWay { started_s, records: 0, drops: Vec::new(), began: Instant::now(), events: Vec::new() }
    }

    /// Takes an event.
    pub fn hear(&mut self, event: &RunEvent) {
        match event {
            RunEvent::ChunkDone { records, .. } => self.records = *records,
            RunEvent::Discovered { drop, source, .. } => self.drops.push((source.clone(), drop.clone())),
            event => self.events.push(event.clone()),
        }
    }

    /// What happened so far, without its progress.
    pub fn events(&self) -> &[RunEvent] {
        &self.events
    }

    /// Seconds since it began.
    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// What it has told so far as a report.
    pub fn report(&self) -> Option<RunReport> {
        RunReport::of(&self.events)
    }

    /// What is kept of it; nothing of one that found nothing to do.
    pub fn finish(self, ended_s: u64) -> Option<FinishedRun> {
        let report = self.report();
        let end = self.events.iter().rev().find_map(|event| match event {
            RunEvent::Finished { seconds } => Some((*seconds, None)),
            RunEvent::Failed { kind, message, seconds, .. } => Some((*seconds, Some((*kind, message.clone())))),
            _ => None,
        });
        let (seconds, failed) = end?;
        let is_worth_it = failed.is_some() || report.as_ref().is_some_and(|report| report.committed);
        is_worth_it.then_some(FinishedRun { started_s: self.started_s, ended_s, seconds, report, failed })
    }
}
