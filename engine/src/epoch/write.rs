//! Writing one epoch's rows into the sink's transaction.

use std::{collections::BTreeMap, sync::Arc};

use vardelta_schemas::{TableSchema, ledger::TableCounts};

use crate::{
    changes::NetChanges,
    contract::{
        erasure::{Erasure, Removed},
        sink::{ChangeBatch, Offender, Sink, SinkError, SinkErrorKind},
    },
    epoch::{
        batches::{self, Merge, show},
        context::Context,
        fills::part_by_fill,
        history::{EpochFacts, history_rows},
        plane::{Plane, What},
        transaction::{Failure, Transaction, is_passing},
    },
    error::RunError,
    failpoint,
    locks::Locked as _,
    plan::TableIndex,
};

/// Reject rows written at a time.
const REJECTS_AT_A_TIME: usize = 1_000;

/// The writing of one epoch's rows, which may take several attempts.
pub(crate) struct Writing<'a> {
    pub(crate) transaction: Transaction<'a>,
    pub(crate) facts: EpochFacts,
    /// Batches of each table that the observer has seen: a second attempt shows it none of them again.
    pub(crate) observed: Vec<u64>,
    /// New rows that the database did not take.
    pub(crate) offenders: Vec<Offender>,
    pub(crate) earlier: Earlier,
    /// The drops that are forgotten in this epoch.
    pub(crate) erasure: Option<Arc<Erasure>>,
    /// What went with them.
    pub(crate) removed: Removed,
}

/// Shows the observer the net changes of a table of which the sink had rows before, if there are few enough of them.
fn show_sent(
    context: Context<'_>,
    plane: &dyn Plane,
    at: TableIndex,
    table: &TableSchema,
    counts: &TableCounts,
) -> Result<(), RunError> {
    let changed = counts.changed_rows();
    if context.observer.changes_limit().is_some_and(|limit| changed > limit) {
        context.observer.many_changes(table, changed);
        return Ok(());
    }
    show(context, plane, at, table, &mut TableCounts::default())
}

impl Writing<'_> {
    /// Writes rows and rejects into the transaction that is open, or into another one if that was cut short.
    pub(crate) fn write(&mut self, sink: &mut dyn Sink, counts: &mut [TableCounts]) -> Result<(), Failure> {
        loop {
            match self.write_once(sink, counts) {
                Err(Failure::Sink(error)) if is_passing(&error) => {
                    self.transaction.pass(sink, error)?;
                    self.transaction.begin(sink)?;
                }
                written => {
                    self.offenders = sink.take_offenders();
                    return written;
                }
            }
        }
    }

    pub(crate) fn write_again(&mut self, sink: &mut dyn Sink, counts: &mut [TableCounts]) -> Result<(), Failure> {
        self.transaction.begin(sink)?;
        self.write(sink, counts)?;
        match self.offenders.first() {
            None => Ok(()),
            // The state is prepared without a chance to take a row out.
            Some(Offender { table, message, .. }) => Err(SinkError::new(
                SinkErrorKind::Value,
                format!("table `{table}`, written again after its connection was lost: {message}"),
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
        let Transaction { run, .. } = self.transaction;
        let notes = run.notes.locked();
        for rejects in notes.rejects.chunks(REJECTS_AT_A_TIME) {
            sink.rejects(self.transaction.pipeline(), run.epoch, rejects)?;
        }
        drop(notes);
        if let Some(erasure) = &self.erasure {
            self.removed = sink.erase(erasure)?;
            failpoint::hit("erase:removed");
        }
        Ok(())
    }

    fn apply(&mut self, sink: &mut dyn Sink, counts: &mut [TableCounts]) -> Result<(), Failure> {
        let Transaction { context, plane, run, tables, .. } = self.transaction;
        let (observer, is_watched) = (context.observer, context.observer.wants_changes());
        for (at, part) in sink.order(tables) {
            let (place, at, table) = (at, TableIndex::new(at), &tables[at]);
            let (mut seen, mut observed) = (0, self.observed[place]);
            // A table's changes may come in two steps, of which one counts and shows everything.
            let mut again = TableCounts::default();
            let counts = if part.counts() { &mut counts[place] } else { &mut again };
            let unsent = plane.net(at, What::Unsent)?;
            let is_shown = is_watched && part.counts() && run.changes.sent_rows(at) == 0;
            let applied = self.apply_to(sink, at, unsent, table, counts, &mut |batch| {
                failpoint::hit("commit:batch");
                seen += 1;
                if is_shown && seen > observed {
                    observer.changes(table, &batch);
                    observed = seen;
                }
                part.of(batch).map_err(|error| {
                    SinkError::new(SinkErrorKind::Unavailable, format!("changes cannot be parted: {error}"))
                })
            });
            self.observed[place] = observed;
            applied?;
            if is_watched && run.changes.sent_rows(at) > 0 {
                show_sent(context, plane, at, table, counts)?;
                self.observed[place] = u64::MAX;
            }
        }
        self.apply_histories(sink)
    }

    /// Merges the changes a second time, which costs less than keeping them. A table rebuilt says nothing of what became of
    /// its rows.
    fn apply_histories(&self, sink: &mut dyn Sink) -> Result<(), Failure> {
        let Transaction { plane, run, tables, histories, replace_tables, .. } = &self.transaction;
        for (at, (table, history)) in TableIndex::all(tables.len()).zip(tables.iter().zip(histories)) {
            if let Some(history) = history.as_ref().filter(|_| !replace_tables) {
                let mut uncounted = TableCounts::default();
                // That a column is new, and what its first values are, happened to the definition, not to the rows.
                let new_columns = run.changes.new_columns(at);
                let net = plane.net(at, What::All)?;
                self.apply_to(sink, at, net, history, &mut uncounted, &mut |batch| {
                    history_rows(table, &part_by_fill(table, &new_columns, batch, true)?, &self.facts)
                })?;
            }
        }
        Ok(())
    }

    /// Lets the sink apply to a table what `each` makes of these changes of the table at `at`.
    fn apply_to(
        &self,
        sink: &mut dyn Sink,
        at: TableIndex,
        net: NetChanges,
        table: &TableSchema,
        counts: &mut TableCounts,
        each: &mut dyn FnMut(ChangeBatch) -> Result<ChangeBatch, SinkError>,
    ) -> Result<(), Failure> {
        let Transaction { context, run, .. } = self.transaction;
        let mut merge = Merge::new(context.plan, run, at, net, counts)?;
        batches::apply(run, sink, table, || merge.next_batch(), each)
    }
}

/// Rows taken out of drops that earlier runs loaded, by the drop's name.
pub(crate) type Earlier = BTreeMap<String, u64>;
