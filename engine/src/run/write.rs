//! Writing one epoch's rows into the sink's transaction, again where it gave way to another client or lost its connection.

use std::sync::{Arc, PoisonError};

use vardelta_schemas::{
    TableSchema,
    ledger::{EpochRecord, Snapshot, TableCounts},
};

use crate::{
    erasure::{Erasure, Removed},
    error::{RunError, RunErrorKind},
    failpoint,
    flow::RunContext,
    run::{
        Context, backoff,
        commit::{is_of, merged},
        history::{EpochFacts, history_rows},
    },
    sink::{ChangeBatch, EpochStart, Offender, Part, Sink, SinkError, SinkErrorKind},
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
    pub(super) run: &'a Arc<RunContext>,
    pub(super) replace_tables: bool,
    pub(super) tables: &'a [TableSchema],
    /// The history of each table, where one is kept.
    pub(super) histories: Vec<Option<TableSchema>>,
    pub(super) facts: EpochFacts,
    pub(super) ledger: &'a Snapshot,
    /// Batches of each table that the observer has seen: a second attempt shows it none of them again.
    pub(super) observed: Vec<u64>,
    pub(super) retries: u64,
    /// New rows that the database did not take.
    pub(super) offenders: Vec<Offender>,
    /// The drops that are forgotten in this epoch.
    pub(super) erasure: Option<Arc<Erasure>>,
    /// What went with them.
    pub(super) removed: Removed,
}

impl Writing<'_> {
    fn pipeline(&self) -> &str {
        &self.context.plan.pipeline.name
    }

    fn begin_once(&self, sink: &mut dyn Sink) -> Result<(), SinkError> {
        let history: Vec<TableSchema> = self.histories.iter().flatten().cloned().collect();
        sink.begin(&EpochStart {
            pipeline: self.pipeline(),
            expected_epoch: self.ledger.epoch,
            committed_at: &self.facts.changed_at,
            tables: self.tables,
            history: &history,
            replace_tables: self.replace_tables,
        })
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
                written => {
                    self.offenders = sink.take_offenders();
                    return written;
                }
            }
        }
    }

    pub(super) fn write_again(&mut self, sink: &mut dyn Sink, counts: &mut [TableCounts]) -> Result<(), Failure> {
        self.begin(sink)?;
        self.write(sink, counts)?;
        match self.offenders.first() {
            None => Ok(()),
            // The state is prepared without a chance to take a row out.
            Some(Offender { table, message, .. }) => Err(SinkError::new(
                SinkErrorKind::Value,
                format!("table `{table}`, written again after its connection was lost: {message}; nothing was kept"),
            )
            .with_hint("Somebody has changed what the row depends on meanwhile; run again.")
            .into()),
        }
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
        drop(notes);
        if let Some(erasure) = &self.erasure {
            self.removed = sink.erase(erasure)?;
            failpoint::hit("erase:removed");
        }
        Ok(())
    }

    fn apply(&mut self, sink: &mut dyn Sink, counts: &mut [TableCounts]) -> Result<(), Failure> {
        let (observer, tables) = (self.context.observer, self.tables);
        for (at, part) in sink.order(tables) {
            let table = &tables[at];
            let (mut seen, mut observed) = (0, self.observed[at]);
            // A table's deletes may come in a step of their own, behind the one that counts and shows everything.
            let mut again = TableCounts::default();
            let counts = if part == Part::OldRows { &mut again } else { &mut counts[at] };
            let applied = self.apply_to(sink, at, table, counts, &mut |batch| {
                failpoint::hit("commit:batch");
                seen += 1;
                if seen > observed && part != Part::OldRows {
                    observer.changes(table, &batch);
                    observed = seen;
                }
                batch.part(part).map_err(|error| {
                    SinkError::new(SinkErrorKind::Unavailable, format!("changes cannot be parted: {error}"))
                })
            });
            self.observed[at] = observed;
            applied?;
        }
        self.apply_histories(sink)
    }

    /// Merges the changes a second time, which costs less than keeping them. A table made anew says nothing of what became of
    /// its rows.
    fn apply_histories(&self, sink: &mut dyn Sink) -> Result<(), Failure> {
        for (at, (table, history)) in self.tables.iter().zip(&self.histories).enumerate() {
            if let Some(history) = history.as_ref().filter(|_| !self.replace_tables) {
                let mut uncounted = TableCounts::default();
                self.apply_to(sink, at, history, &mut uncounted, &mut |batch| {
                    history_rows(table, &batch, &self.facts)
                })?;
            }
        }
        Ok(())
    }

    /// Lets the sink apply to a table what `make` makes of the merged changes of the table at `at`.
    fn apply_to(
        &self,
        sink: &mut dyn Sink,
        at: usize,
        table: &TableSchema,
        counts: &mut TableCounts,
        make: &mut dyn FnMut(ChangeBatch) -> Result<ChangeBatch, SinkError>,
    ) -> Result<(), Failure> {
        let run = self.run;
        let mut failed = None;
        let merged = merged(self.context.plan, run, at, counts, |batches| {
            let mut batches = batches.map(|batch| match run.abort.is_raised() {
                true => Err(SinkError::new(SinkErrorKind::Unavailable, "the run was ended")),
                false => make(batch),
            });
            sink.apply(table, run.epoch, &mut batches).map_err(|error| {
                let message = error.message.clone();
                failed = Some(error);
                RunError::new(RunErrorKind::Sink, message)
            })
        });
        // What the sink says keeps its sort, which decides whether to try again.
        match (merged, failed) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(error)) if !run.abort.is_raised() => Err(error.into()),
            (Err(error), _) => Err(Failure::Run(error)),
        }
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
