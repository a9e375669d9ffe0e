//! Writing ahead of the end: the rows that a finished chunk adds to a table go to the sink's open transaction while the next
//! chunk is computed. What later chunks make of such a row is written at the end, as is everything else.
//!
//! A row of a table is new to its key at most once in a run that only adds drops, so it is right to insert it at once; a
//! summary's row changes with nearly every chunk, so it waits for the end. Whatever goes wrong with such a row, the
//! transaction can be given up and everything written from the merged changes, as if none had gone ahead.

use crossbeam_channel::Receiver;
use vardelta_schemas::{TableSchema, ledger::Snapshot};

use crate::{
    clock,
    contract::sink::{Part, Sink, SinkErrorKind},
    epoch::{
        batches,
        context::Context,
        open::Opened,
        plane::Plane,
        transaction::{Failure, Transaction, is_passing},
    },
    error::RunError,
    failpoint,
    plan::TableIndex,
};

/// What the sink's transaction has when the last chunk is computed.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// Whether the transaction has begun, and is still good.
    pub is_open: bool,
    /// The time that was given to it.
    pub committed_at: String,
    /// How often it was given up for other clients' locks or a lost connection.
    pub retries: u64,
}

/// The sink, lent to the thread that writes ahead.
pub(crate) struct Ahead<'a> {
    context: Context<'a>,
    sink: &'a mut dyn Sink,
    ledger: &'a Snapshot,
    tables: Vec<TableSchema>,
    /// Of these tables, those whose rows go ahead.
    going: Vec<TableIndex>,
}

impl<'a> Ahead<'a> {
    /// `None` where rows had better wait for the end: somebody wants to see the net changes as they are written, refused
    /// rows are to be taken out one by one, or tables refer to each other. Rows of tables with unique columns beside the key
    /// wait as well. The caller's run must only add drops.
    pub fn new(context: Context<'a>, opened: &'a mut Opened) -> Option<Ahead<'a>> {
        let (plan, Opened { sink, ledger, .. }) = (context.plan, opened);
        let tables = plan.tables();
        let order = sink.order(&tables);
        // A new row of a table with unique columns may have to wait until another row's values are out of the way.
        let is_whole = |table: TableIndex| order.contains(&(table.place(), Part::All));
        let stage = |table: TableIndex| &plan.stages[plan.stage_of(table)];
        let adds_once = |table: TableIndex| stage(table).relation().is_some_and(|relation| relation.adds_once());
        let goes = |table: &TableIndex| is_whole(*table) && adds_once(*table);
        let going: Vec<TableIndex> = TableIndex::all(tables.len()).filter(goes).collect();
        let in_any_order = !order.iter().any(|(_, part)| matches!(part, Part::NewRows | Part::OldRows));
        // While services are asked no lock is held, nor a transaction kept open.
        let asks = plan.stages.iter().any(|stage| stage.as_lookup().is_some());
        let may_wait = asks || sink.quarantines() || context.observer.changes_limit().is_none() || !in_any_order;
        (!may_wait && !going.is_empty()).then_some(Ahead { context, sink: sink.as_mut(), ledger, tables, going })
    }

    /// Writes chunk after chunk, as their numbers come, until there are no more or something is in the way.
    pub fn write(self, plane: &dyn Plane, chunks: &Receiver<u64>) -> Sent {
        let Ahead { context, sink, ledger, tables, going } = self;
        let (run, mut written) = (plane.run(), Sent::default());
        let transaction = Transaction {
            context,
            plane,
            run,
            replace_tables: false,
            tables: &tables,
            histories: context.plan.histories(),
            ledger,
            committed_at: clock::now(),
            retries: 0,
        };
        written.committed_at.clone_from(&transaction.committed_at);
        run.abort.guard("the thread that writes ahead", || {
            Writer { transaction, sink: &mut *sink, going: &going }.write(chunks, &mut written)
        });
        if run.abort.is_raised() {
            // A connection that is gone has given the transaction up by itself.
            let _ = sink.rollback();
            written.is_open = false;
        }
        written
    }
}

struct Writer<'a> {
    transaction: Transaction<'a>,
    sink: &'a mut dyn Sink,
    going: &'a [TableIndex],
}

impl Writer<'_> {
    fn write(mut self, chunks: &Receiver<u64>, written: &mut Sent) -> Result<(), RunError> {
        for chunk in chunks {
            let sent = self.chunk(chunk, written);
            written.retries = self.transaction.retries;
            let Err(failure) = sent else { continue };
            written.is_open = false;
            self.transaction.run.changes.forget_sent();
            match failure {
                Failure::Sink(error) if is_passing(&error) => self.transaction.pass(self.sink, error)?,
                // It may be that a later chunk puts another row in place of the one that was refused. A connection that is
                // gone is met again at the end.
                Failure::Sink(error) if error.kind == SinkErrorKind::Value => drop(self.sink.rollback()),
                failure => return Err(failure.into()),
            }
            written.retries = self.transaction.retries;
            return Ok(());
        }
        Ok(())
    }

    fn chunk(&mut self, chunk: u64, written: &mut Sent) -> Result<(), Failure> {
        if !written.is_open {
            self.transaction.begin(self.sink)?;
            written.is_open = true;
        }
        let Transaction { context, plane, run, tables, .. } = self.transaction;
        for at in self.going {
            let layout = run.layout(context.plan.stage_of(*at))?;
            let mut added = plane.added(*at, chunk)?;
            let (make, mut rows) = (|| added.next_batch(layout), 0);
            batches::apply(run, self.sink, &tables[at.place()], make, &mut |batch| {
                failpoint::hit("ahead:batch");
                rows += batch.ops.len() as u64;
                Ok(batch)
            })?;
            run.changes.mark_sent(*at, chunk, rows);
        }
        Ok(())
    }
}
