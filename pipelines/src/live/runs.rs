//! Runs as they are under way, and as they ended.

use std::time::Instant;

use vardelta_engine::{error::RunErrorKind, event::RunEvent, report::RunReport};

use crate::operate::ended::Ended;

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

    /// Seconds since it began.
    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// How it ended; `None` while it goes on.
    pub fn ended(&self) -> Option<Ended> {
        Ended::of(&self.events)
    }
}

impl FinishedRun {
    /// What is kept of a run; nothing of one that found nothing to do.
    pub fn worth_keeping(started_s: u64, ended_s: u64, ended: Ended) -> Option<FinishedRun> {
        let Ended { report, failure, seconds } = ended;
        let is_worth_it = failure.is_some() || report.as_ref().is_some_and(|report| report.committed);
        let failed = failure.map(|failure| (failure.kind, failure.message));
        is_worth_it.then_some(FinishedRun { started_s, ended_s, seconds, report, failed })
    }
}
