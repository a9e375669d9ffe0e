//! Writing one epoch's rows into the sink's transaction, again where it gave way to another client or lost its connection.

use std::sync::PoisonError;

use vardelta_schemas::{
    TableSchema,
    ledger::{EpochRecord, Snapshot, TableCounts},
};

use crate::{
    error::{RunError, RunErrorKind},
    failpoint,
    flow::RunContext,
    run::{
        Context, backoff,
        commit::{Outcome, is_of, merged},
    },
    sink::{Part, Sink, SinkError, SinkErrorKind},
};

/// Reject rows written at a time.
const REJECTS_AT_A_TIME: usize = 1_000;

/// Whether a transaction that failed so may succeed when it is run again.
pub(super) fn is_passing(error: &SinkError) -> bool {
    matches!(error.kind, SinkErrorKind::Contention | SinkErrorKind::ConnectionLost)
}

/// What became of a transaction that was cut short.
pub(super) enum Standing {
    /// It was committed after all.
    Committed,
    /// It was not, and may be run again.
    NotCommitted,
    /// It was not, and is not run again.
    GivenUp(SinkError),
}

/// The writing of one epoch's rows, which may take several attempts.
pub(super) struct Writing<'a> {
    pub(super) context: Context<'a>,
    pub(super) run: &'a RunContext,
    pub(super) outcome: &'a Outcome,
    pub(super) tables: &'a [TableSchema],
    pub(super) ledger: &'a Snapshot,
    /// Batches of each table that the observer has seen: a second attempt shows it none of them again.
    pub(super) observed: Vec<u64>,
    pub(super) retries: u64,
}

impl Writing<'_> {
    fn pipeline(&self) -> &str {
        &self.context.plan.pipeline.name
    }

    fn begin_once(&self, sink: &mut dyn Sink) -> Result<(), SinkError> {
        sink.begin(self.pipeline(), self.ledger.epoch, self.tables, self.outcome.replace_tables)
    }

    /// Starts the transaction, again if need be.
    pub(super) fn begin(&mut self, sink: &mut dyn Sink) -> Result<(), Failure> {
        loop {
            match self.begin_once(sink) {
                Err(error) if is_passing(&error) => self.pass(sink, error)?,
                begun => return Ok(begun?),
            }
        }
    }

    /// Writes rows and rejects into the transaction that is open, or into another one if that was cut short.
    pub(super) fn write(&mut self, sink: &mut dyn Sink, counts: &mut [TableCounts]) -> Result<(), Failure> {
        loop {
            match self.write_once(sink, counts) {
                Err(Failure::Sink(error)) if is_passing(&error) => {
                    self.pass(sink, error)?;
                    self.begin(sink)?;
                }
                written => return written,
            }
        }
    }

    pub(super) fn write_again(&mut self, sink: &mut dyn Sink, counts: &mut [TableCounts]) -> Result<(), Failure> {
        self.begin(sink)?;
        self.write(sink, counts)
    }

    fn write_once(&mut self, sink: &mut dyn Sink, counts: &mut [TableCounts]) -> Result<(), Failure> {
        for counts in counts.iter_mut() {
            *counts = TableCounts { name: std::mem::take(&mut counts.name), ..TableCounts::default() };
        }
        self.apply(sink, counts)?;
        let notes = self.run.notes.lock().unwrap_or_else(PoisonError::into_inner);
        for rejects in notes.rejects.chunks(REJECTS_AT_A_TIME) {
            sink.rejects(self.pipeline(), self.run.epoch, rejects)?;
        }
        Ok(())
    }

    fn apply(&mut self, sink: &mut dyn Sink, counts: &mut [TableCounts]) -> Result<(), Failure> {
        let (context, run, tables) = (self.context, self.run, self.tables);
        for (at, part) in sink.order(tables) {
            let (table, observed) = (&tables[at], &mut self.observed[at]);
            let mut failed = None;
            // A table's deletes may come in a step of their own, behind the one that counts and shows everything.
            let mut again = TableCounts::default();
            let counts = if part == Part::OldRows { &mut again } else { &mut counts[at] };
            let merged = merged(context.plan, run, at, counts, |batches| {
                let mut seen = 0;
                let mut batches = batches.map(|batch| {
                    failpoint::hit("commit:batch");
                    seen += 1;
                    if seen > *observed && part != Part::OldRows {
                        context.observer.changes(table, &batch);
                        *observed = seen;
                    }
                    match run.abort.is_raised() {
                        true => Err(SinkError::new(SinkErrorKind::Unavailable, "the run was ended")),
                        false => batch.part(part).map_err(|error| {
                            SinkError::new(SinkErrorKind::Unavailable, format!("changes cannot be parted: {error}"))
                        }),
                    }
                });
                sink.apply(table, run.epoch, &mut batches).map_err(|error| {
                    let message = error.message.clone();
                    failed = Some(error);
                    RunError::new(RunErrorKind::Sink, message)
                })
            });
            // What the sink says keeps its sort, which decides whether to try again.
            match (merged, failed) {
                (Ok(()), _) => {}
                (Err(_), Some(error)) if !run.abort.is_raised() => return Err(error.into()),
                (Err(error), _) => return Err(Failure::Run(error)),
            }
        }
        Ok(())
    }

    /// Waits until the transaction may be run again.
    fn pass(&mut self, sink: &mut dyn Sink, error: SinkError) -> Result<(), SinkError> {
        match self.after_passing_error(sink, error, None)? {
            Standing::NotCommitted => Ok(()),
            // It had not been asked to commit.
            Standing::Committed => Err(self.overtaken()),
            Standing::GivenUp(error) => Err(error),
        }
    }

    fn overtaken(&self) -> SinkError {
        SinkError::new(
            SinkErrorKind::Stale,
            format!("another run has committed epoch {} of `{}`", self.run.epoch, self.pipeline()),
        )
        .with_hint("Run again; it starts from what the other run has left.")
    }

    /// Rolls back or connects again, and asks the ledger where it must be asked. `asked` is what the transaction was asked to
    /// commit.
    pub(super) fn after_passing_error(
        &mut self,
        sink: &mut dyn Sink,
        error: SinkError,
        asked: Option<&EpochRecord>,
    ) -> Result<Standing, SinkError> {
        if error.kind == SinkErrorKind::ConnectionLost {
            let ledger = sink.recover(self.pipeline())?;
            if ledger.epoch >= self.run.epoch {
                return Ok(match asked.is_some_and(|record| is_of(&ledger, record)) {
                    true => Standing::Committed,
                    false => Standing::GivenUp(self.overtaken()),
                });
            }
        } else {
            // After a deadlock there may be nothing left to roll back.
            let _ = sink.rollback();
        }
        if self.retries >= u64::from(sink.retries()) {
            let tried = self.retries + 1;
            let s = if tried == 1 { "" } else { "s" };
            let message = format!("{error}; the transaction was tried {tried} time{s}, and nothing was kept");
            return Ok(Standing::GivenUp(SinkError { message, ..error }));
        }
        self.retries += 1;
        match backoff::wait(self.retries, &self.run.abort) {
            true => Ok(Standing::NotCommitted),
            false => Ok(Standing::GivenUp(SinkError::new(SinkErrorKind::Unavailable, "the run was ended"))),
        }
    }
}

/// Why rows were not written: the sink's own words keep their sort, which decides whether to try again.
pub(super) enum Failure {
    /// The sink failed.
    Sink(SinkError),
    /// The run did.
    Run(RunError),
}

impl From<SinkError> for Failure {
    fn from(error: SinkError) -> Failure {
        Failure::Sink(error)
    }
}

impl From<Failure> for RunError {
    fn from(failure: Failure) -> RunError {
        match failure {
            Failure::Sink(error) => error.into(),
            Failure::Run(error) => error,
        }
    }
}
