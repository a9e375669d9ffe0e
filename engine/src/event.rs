//! What happens in a run, as one stream: the report is what these events add up to, and logs and metrics are made of the same
//! ones, so that they cannot tell another story.

use std::path::PathBuf;

use vardelta_schemas::ledger::{Epoch, TableCounts, WarningRow};

use crate::{
    error::{RunError, RunErrorKind},
    report::{DropReport, LookupReport, ReaderReport, RunReport, StageReport, TimeReport, WorkerReport},
};

/// One thing that happened. Where a later event speaks of the same drop, table, stage or reason, it is the one that counts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RunEvent {
    /// A run begins.
    Started {
        /// The pipeline's name.
        pipeline: String,
        /// The epoch that the sink is at.
        epoch: Epoch,
        /// Worker threads.
        workers: usize,
        /// Whether nothing is to be written.
        dry_run: bool,
    },
    /// A file to be loaded was found.
    Discovered {
        /// The drop's name.
        drop: String,
        /// The source stage.
        source: String,
        /// Bytes of the file.
        bytes: u64,
        /// The file.
        path: PathBuf,
    },
    /// A dataflow is done.
    ChunkDone {
        /// Its number, from 0.
        chunk: u64,
        /// Records read so far, of all drops.
        records: u64,
        /// Seconds that it took.
        seconds: f64,
    },
    /// What became of a drop.
    Drop(DropReport),
    /// Rejects for a reason, over the whole run.
    Rejected {
        /// The reason code.
        reason: String,
        /// How many.
        count: u64,
    },
    /// Something was adapted.
    Warned(WarningRow),
    /// Something worth saying.
    Notice(String),
    /// The sink gave way to another client or lost its connection, and the transaction waits before it is run again.
    Waiting {
        /// Why, in the sink's words.
        cause: String,
    },
    /// The sink's transaction is run again.
    Retry {
        /// How often it was by now.
        attempt: u64,
    },
    /// What a look-up stage asked for.
    Lookup(LookupReport),
    /// What a stage did.
    Stage(StageReport),
    /// What the readers of a source did.
    Reader(ReaderReport),
    /// How a worker spent its time.
    Worker(WorkerReport),
    /// What became of a table's rows.
    Table(TableCounts),
    /// The epoch is committed.
    Committed {
        /// The epoch.
        epoch: Epoch,
        /// How often the transaction was run again.
        retries: u64,
        /// Rows that the sink took while others were still computed.
        rows_ahead: u64,
        /// How long committing took.
        times: TimeReport,
    },
    /// The run ended without an error.
    Finished {
        /// Seconds of the whole run.
        seconds: f64,
    },
    /// The run ended with an error.
    Failed {
        /// The sort of error.
        kind: RunErrorKind,
        /// What happened.
        message: String,
        /// What to do.
        hint: Option<String>,
        /// Seconds of the whole run.
        seconds: f64,
    },
}

impl RunEvent {
    /// The end of a run that failed after so many seconds.
    pub fn failed(error: &RunError, seconds: f64) -> RunEvent {
        RunEvent::Failed { kind: error.kind, message: error.message.clone(), hint: error.hint.clone(), seconds }
    }
}

impl RunReport {
    /// The report that these events add up to; `None` where the run did not start.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a RunEvent>) -> Option<RunReport> {
        let mut report: Option<RunReport> = None;
        for event in events {
            match event {
                RunEvent::Started { pipeline, epoch, workers, dry_run } => {
                    let started = RunReport::new(pipeline, *epoch, *workers);
                    report = Some(RunReport { dry_run: *dry_run, ..started });
                }
                event => report.iter_mut().for_each(|report| report.add(event)),
            }
        }
        report
    }

    /// Adds what an event says.
    pub(crate) fn add(&mut self, event: &RunEvent) {
        match event {
            RunEvent::Drop(drop) => {
                put(&mut self.drops, drop, |known| known.name == drop.name && known.source == drop.source);
            }
            RunEvent::Rejected { reason, count } => {
                self.rejects.insert(reason.clone(), *count);
            }
            RunEvent::Warned(warning) => self.warnings.push(warning.clone()),
            RunEvent::Notice(notice) => self.notices.push(notice.clone()),
            RunEvent::Lookup(lookup) => put(&mut self.lookups, lookup, |known| known.stage == lookup.stage),
            RunEvent::Stage(stage) => put(&mut self.stages, stage, |known| known.name == stage.name),
            RunEvent::Reader(reader) => put(&mut self.readers, reader, |known| known.name == reader.name),
            RunEvent::Worker(worker) => put(&mut self.worker_times, worker, |known| known.worker == worker.worker),
            RunEvent::Table(table) => put(&mut self.tables, table, |known| known.name == table.name),
            RunEvent::Committed { epoch, retries, rows_ahead, times } => {
                (self.epoch, self.committed) = (*epoch, true);
                (self.retries, self.rows_ahead, self.commit) = (*retries, *rows_ahead, times.clone());
            }
            RunEvent::Finished { seconds } => self.seconds = *seconds,
            RunEvent::Started { .. }
            | RunEvent::Discovered { .. }
            | RunEvent::ChunkDone { .. }
            | RunEvent::Waiting { .. }
            | RunEvent::Retry { .. }
            | RunEvent::Failed { .. } => {}
        }
    }
}

/// Puts a value in the place of the one it replaces, or after all.
fn put<T: Clone>(list: &mut Vec<T>, value: &T, is_same: impl Fn(&T) -> bool) {
    match list.iter_mut().find(|known| is_same(known)) {
        Some(known) => *known = value.clone(),
        None => list.push(value.clone()),
    }
}
