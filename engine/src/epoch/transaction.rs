//! The sink's transaction of one epoch, begun again where it gave way to another client or lost its connection.

use std::sync::Arc;

use vardelta_schemas::{
    TableSchema,
    ledger::{EpochRecord, Snapshot},
};

use crate::{
    contract::sink::{EpochStart, Sink, SinkError, SinkErrorKind},
    epoch::{backoff, context::Context, plane::Plane},
    error::RunError,
    event::RunEvent,
    flow::RunContext,
};

/// Whether a transaction that failed so may succeed when it is run again.
pub(crate) fn is_passing(error: &SinkError) -> bool {
    matches!(error.kind, SinkErrorKind::Contention | SinkErrorKind::ConnectionLost)
}

/// What became of a transaction that was cut short.
pub(crate) enum Standing {
    /// It was committed after all.
    Committed,
    /// It was not, and may be run again.
    NotCommitted,
    /// It was not, and is not run again.
    GivenUp(SinkError),
}

/// The transaction of one epoch, which may take several attempts.
pub(crate) struct Transaction<'a> {
    pub(crate) context: Context<'a>,
    pub(crate) plane: &'a dyn Plane,
    pub(crate) run: &'a Arc<RunContext>,
    pub(crate) replace_tables: bool,
    pub(crate) tables: &'a [TableSchema],
    /// The history of each table, where one is kept.
    pub(crate) histories: Vec<Option<TableSchema>>,
    pub(crate) ledger: &'a Snapshot,
    /// The time that the ledger is to have for the epoch.
    pub(crate) committed_at: String,
    pub(crate) retries: u64,
}

impl Transaction<'_> {
    pub(crate) fn pipeline(&self) -> &str {
        &self.context.plan.pipeline.name
    }

    fn begin_once(&self, sink: &mut dyn Sink) -> Result<(), SinkError> {
        let history: Vec<TableSchema> = self.histories.iter().flatten().cloned().collect();
        sink.begin(&EpochStart {
            pipeline: self.pipeline(),
            expected: self.ledger.id(),
            committed_at: &self.committed_at,
            tables: self.tables,
            history: &history,
            replace_tables: self.replace_tables,
        })
    }

    /// Starts the transaction, again if need be.
    pub(crate) fn begin(&mut self, sink: &mut dyn Sink) -> Result<(), SinkError> {
        self.run.changes.forget_sent();
        loop {
            match self.begin_once(sink) {
                Err(error) if is_passing(&error) => self.pass(sink, error)?,
                begun => return begun,
            }
        }
    }

    /// Waits until the transaction may be run again.
    pub(crate) fn pass(&mut self, sink: &mut dyn Sink, error: SinkError) -> Result<(), SinkError> {
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
            format!(
                "another run has committed since this one began, epoch {} of `{}` or later",
                self.run.epoch,
                self.pipeline()
            ),
        )
        .with_hint("Run again; it starts from what the other run has left.")
    }

    /// Rolls back or connects again, and asks the ledger where it must be asked. `asked` is what the transaction was asked to
    /// commit.
    pub(crate) fn after_passing_error(
        &mut self,
        sink: &mut dyn Sink,
        error: SinkError,
        asked: Option<&EpochRecord>,
    ) -> Result<Standing, SinkError> {
        if error.kind == SinkErrorKind::ConnectionLost {
            let ledger = sink.recover(self.pipeline())?;
            if asked.is_some_and(|record| record.id() == ledger.id()) {
                return Ok(Standing::Committed);
            }
            if ledger.id() != self.ledger.id() {
                return Ok(Standing::GivenUp(self.overtaken()));
            }
        } else {
            // After a deadlock there may be nothing left to roll back.
            let _ = sink.rollback();
        }
        if self.retries >= u64::from(sink.retries()) {
            let tried = self.retries + 1;
            let s = if tried == 1 { "" } else { "s" };
            let message = format!("{error}; the transaction was tried {tried} time{s}");
            return Ok(Standing::GivenUp(SinkError { message, ..error }));
        }
        self.retries += 1;
        self.context.observer.event(&RunEvent::Waiting { cause: error.message });
        match backoff::wait(self.retries, &self.run.abort) {
            true => {
                self.context.observer.event(&RunEvent::Retry { attempt: self.retries });
                Ok(Standing::NotCommitted)
            }
            false => Ok(Standing::GivenUp(SinkError::new(SinkErrorKind::Unavailable, "the run was ended"))),
        }
    }
}

/// Why rows were not written: the sink's own words keep their sort, which decides whether to try again.
pub(crate) enum Failure {
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

impl From<RunError> for Failure {
    fn from(error: RunError) -> Failure {
        Failure::Run(error)
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
