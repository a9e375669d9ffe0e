//! The sink's commit, and what it means when that fails or nobody hears how it ended: the ledger decides.

use std::time::Instant;

use vardelta_schemas::ledger::{EpochId, EpochRecord, Snapshot, TableCounts};

use crate::{
    contract::sink::{Access, Sink, SinkError, SinkErrorKind},
    epoch::{
        context::Context,
        outcome::Outcome,
        plane::Plane,
        record::record,
        transaction::{Standing, is_passing},
        unchanged::count_unchanged,
        write::Writing,
    },
    error::{RunError, Written},
    failpoint,
};

/// An epoch that is computed, and whether it is to be.
pub(super) struct Decision<'a> {
    pub context: Context<'a>,
    pub plane: &'a dyn Plane,
    /// The ledger as it was.
    pub ledger: &'a Snapshot,
    pub outcome: &'a Outcome,
    pub id: EpochId,
    /// When, as the ledger will have it.
    pub committed_at: &'a str,
}

impl Decision<'_> {
    /// Commits what the sink has taken; where an error passes, writes it again and commits that. With an error nothing of the
    /// epoch is left, unless nobody can say: then the state stays prepared, and the next start asks the ledger.
    pub fn reach(
        &self,
        writing: &mut Writing<'_>,
        sink: &mut dyn Sink,
        counts: &mut [TableCounts],
        mut written: Result<(), RunError>,
    ) -> Result<(), RunError> {
        let Decision { context, plane, ledger, outcome, id, committed_at } = *self;
        let run = plane.run();
        // Of a migration, what it has added before.
        let standing = run.abort.written();
        loop {
            if let Err(error) = written {
                // A connection that is gone has given the transaction up by itself.
                let _ = sink.rollback();
                plane.settle(ledger.id())?;
                return Err(error);
            }
            count_unchanged(counts, ledger, outcome.replace_tables);
            failpoint::hit("commit:before-sink");
            let record = record(run, id, outcome, counts, committed_at)?;
            // Until the ledger is known to have the epoch, or not to have it, nobody can say whether it is committed.
            run.abort.note_written(Written::Unknown(run.epoch));
            let started = Instant::now();
            let committed = match failpoint::fails("sink-commit:fails") {
                true => Err(given_up(sink)),
                false => sink.commit(&record),
            };
            run.totals.committed(context.plan.sink, started.elapsed());
            let Err(error) = committed else { return Ok(()) };
            if !is_passing(&error) {
                return after_failed_commit(context, plane, (&record, ledger.id()), standing, error);
            }
            match writing.transaction.after_passing_error(sink, error, Some(&record)) {
                Ok(Standing::Committed) => return Ok(()),
                // The rows went with the transaction; the state's part stays prepared.
                Ok(Standing::NotCommitted) => {
                    run.abort.note_written(standing);
                    written = writing.write_again(sink, counts).map_err(RunError::from);
                }
                Ok(Standing::GivenUp(error)) => {
                    run.abort.note_written(standing);
                    written = Err(error.into());
                }
                // The state stays prepared, and the next start asks the ledger again.
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What a database says that takes no commit, and has given the transaction up: a full disk, or an administrator.
fn given_up(sink: &mut dyn Sink) -> SinkError {
    let _ = sink.rollback();
    SinkError::new(SinkErrorKind::Unavailable, "the database did not take the commit (fail point sink-commit:fails)")
}

/// The commit of `record` on top of the epoch `before` failed, or its acknowledgement was lost: the ledger tells which.
/// `standing` is what was written without it.
fn after_failed_commit(
    context: Context<'_>,
    plane: &dyn Plane,
    (record, before): (&EpochRecord, EpochId),
    standing: Written,
    error: SinkError,
) -> Result<(), RunError> {
    let plan = context.plan;
    failpoint::hit("sink-commit:failed");
    let ledger = plan.sink().connect(Access::Read).and_then(|mut sink| sink.ledger(&plan.pipeline.name));
    match ledger {
        Ok(ledger) if ledger.id() == record.id() => Ok(()),
        // Behind the one that was asked: an older copy of the database, or none, is in its place.
        Ok(ledger) if ledger.epoch < before.number => Err(error.into()),
        Ok(ledger) => {
            context.abort.note_written(standing);
            plane.settle(ledger.id())?;
            Err(error.into())
        }
        // The state stays prepared; the next start asks the ledger again.
        Err(_) => Err(error.into()),
    }
}
