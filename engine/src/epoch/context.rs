//! What every verb needs beside its options.

use std::time::Instant;

use vardelta_schemas::ledger::Epoch;

use crate::{abort::Abort, error::RunError, event::RunEvent, plan::Plan, report::RunReport};

/// What a run needs beside its options.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Ends the run early.
    pub abort: &'a Abort,
    /// Watches it.
    pub observer: &'a dyn crate::observer::Observer,
}

impl Context<'_> {
    /// The result of a verb that writes: an error says what of the run is written.
    pub(crate) fn told<T>(self, result: Result<T, RunError>) -> Result<T, RunError> {
        result.map_err(|error| error.or_written(self.abort.written()))
    }

    /// Begins the report of a run on top of this epoch.
    pub(crate) fn start(self, epoch: Epoch, workers: usize, dry_run: bool) -> RunReport {
        let pipeline = &self.plan.pipeline.name;
        self.observer.event(&RunEvent::Started { pipeline: pipeline.clone(), epoch, workers, dry_run });
        RunReport { dry_run, ..RunReport::new(pipeline, epoch, workers) }
    }

    /// Passes on what happened: to the report and to whoever watches.
    pub(crate) fn tell(self, report: &mut RunReport, event: RunEvent) {
        report.add(&event);
        self.observer.event(&event);
    }

    /// Carries a run out and reports how it ended; an error says what of the run is written.
    pub(crate) fn to_the_end(self, run: impl FnOnce() -> Result<RunReport, RunError>) -> Result<RunReport, RunError> {
        let started = Instant::now();
        let mut result = self.told(run());
        let seconds = started.elapsed().as_secs_f64();
        match &mut result {
            Ok(report) => self.tell(report, RunEvent::Finished { seconds }),
            Err(error) => self.observer.event(&RunEvent::failed(error, seconds)),
        }
        result
    }
}
