//! Rows that the sink's database does not take, taken out of the run, where the sink is to go on without them.

use std::sync::atomic::Ordering;

use arrow_array::{Array as _, Int64Array, StringArray};
use vardelta_schemas::ledger::{RejectRow, TableCounts};

use crate::{
    contract::sink::{CONSTRAINT, Offender, Sink},
    epoch::{
        batches::show,
        reject_share::check_reject_share,
        transaction::{Failure, Transaction, is_passing},
        write::Writing,
    },
    error::{RunError, RunErrorKind},
    flow::{
        Mode,
        correct::{Asked, Quarantined, computed},
    },
    plan::{
        StageIndex, TableIndex,
        place::{place_columns, source_named},
        source,
    },
};

/// The number of the first correcting chunk: after all that read files.
pub(super) const FIRST_CHUNK: u64 = 1 << 62;

impl Writing<'_> {
    /// Writes rows and rejects into the transaction that is open; rows that the database does not take become rejects.
    ///
    /// Another drop's row may come to stand in place of one that was taken out, and be refused in its turn. Every round takes
    /// out what at least one drop asserts, so there is an end.
    pub(crate) fn write_quarantining(
        &mut self,
        sink: &mut dyn Sink,
        counts: &mut [TableCounts],
    ) -> Result<(), Failure> {
        // The observer is shown what is written in the end.
        self.observed.fill(u64::MAX);
        for chunk in FIRST_CHUNK.. {
            self.write(sink, counts)?;
            let offenders = std::mem::take(&mut self.offenders);
            if offenders.is_empty() {
                break;
            }
            match sink.rollback() {
                Err(error) if is_passing(&error) => self.transaction.pass(sink, error)?,
                rolled_back => rolled_back?,
            }
            self.correct(chunk, &offenders).map_err(Failure::Run)?;
            self.transaction.begin(sink)?;
        }
        self.show()
    }

    /// Takes rows out of state and changes, by a further chunk.
    pub(super) fn correct(&mut self, chunk: u64, offenders: &[Offender]) -> Result<(), RunError> {
        let Transaction { context, plane, run, tables, .. } = self.transaction;
        let plan = context.plan;
        let (mut views, mut asked) = (Vec::new(), false);
        for Offender { table, row, message } in offenders {
            let Some(at) = tables.iter().position(|found| found.name == *table) else {
                // A history's row goes when the row goes that it is about.
                let message = format!("table `{table}` does not take a row: {message}");
                views.push(RunError::new(RunErrorKind::Sink, message.to_string()));
                continue;
            };
            let stage = plan.stage_of(TableIndex::new(at));
            let encoded = run.layout(stage)?.encode(row).map_err(RunError::internal)?;
            let (key, value) = (encoded.key(0), encoded.value(0));
            let is_table = plan.stages[stage].is_table();
            if is_table && run.mode == Mode::Load {
                let (row, message) = (row.clone(), message.clone());
                run.corrections.ask(stage, Asked { key: key.into(), value: value.into(), row, message });
                asked = true;
            } else {
                views.push(computed(run, stage, key, message));
            }
        }
        // A view's row may come from a table's row that goes now; the next round shows it.
        if let Some(error) = views.into_iter().next().filter(|_| !asked) {
            return Err(error);
        }
        let corrected = plane.chunk(chunk);
        plane.rest();
        corrected?;
        run.lookups.forget_unwanted(&run.session)?;
        for row in run.corrections.take_done() {
            let reject = self.reject(&row)?;
            run.note_reject(&reject);
            context.observer.reject(run.epoch, &reject).map_err(|error| {
                let message = format!("the list of rejects cannot be written: {error}");
                RunError::new(RunErrorKind::Sink, message)
            })?;
        }
        check_reject_share(plan, run)
    }

    /// The reject of a row that was taken out, and the account of its record.
    fn reject(&mut self, row: &Quarantined) -> Result<RejectRow, RunError> {
        let Transaction { context, run, ledger, .. } = self.transaction;
        let plan = context.plan;
        let (name, source, line) = match run.loads.iter().find(|load| load.drop_id == row.drop_id) {
            Some(load) if row.version == run.epoch => {
                load.records.quarantined(row.origin);
                load.rejected.fetch_add(1, Ordering::Relaxed);
                let line = load.has_lines.load(Ordering::Relaxed).then_some(row.origin);
                (Some(load.name.clone()), Some(load.source), line)
            }
            // Its record was accounted for when it was loaded, below another drop's: nobody had judged it.
            _ => {
                let drop = ledger.drops.iter().find(|drop| drop.drop_id == row.drop_id);
                if let Some(drop) = drop {
                    *self.earlier.entry(drop.name.clone()).or_default() += 1;
                }
                let stage = drop.and_then(|drop| source_named(plan, &drop.source));
                // Only when read by an index lines have no numbers, and an index is used for a part of the file alone.
                let is_whole = |at: &StageIndex| source(plan, *at).is_ok_and(|source| source.restriction().is_none());
                (drop.map(|drop| drop.name.clone()), stage, stage.filter(is_whole).map(|_| row.origin))
            }
        };
        let columns = source.map(|source| place_columns(plan, source, row.stage)).unwrap_or_default();
        let column = |at: Option<usize>| at.map(|at| row.asked.row.column(at).as_any());
        let contig = column(columns.contig).and_then(|column| column.downcast_ref::<StringArray>());
        let position = column(columns.position).and_then(|column| column.downcast_ref::<Int64Array>());
        let key = run.layout(row.stage)?.describe_key(&row.asked.key);
        Ok(RejectRow {
            drop_id: Some(row.drop_id),
            drop_name: name,
            stage: plan.stages[plan.sink].name.clone(),
            line,
            contig: contig.filter(|column| column.is_valid(0)).map(|column| column.value(0).to_owned()),
            pos: position.filter(|column| column.is_valid(0)).map(|column| column.value(0)),
            reason: CONSTRAINT.code().to_owned(),
            detail: format!("table `{}`, {key}: {}", plan.stages[row.stage].name, row.asked.message),
            // The record's text was let go when it was read.
            raw: None,
        })
    }

    /// What there is to say of drops that this run did not load.
    pub(crate) fn notices(&self) -> Vec<String> {
        let notice = |(drop, rows): (&String, &u64)| {
            format!(
                "drop `{drop}`, loaded earlier: {rows} of its rows came to stand and were refused by the database; they are in \
                 vardelta_rejects"
            )
        };
        self.earlier.iter().map(notice).collect()
    }

    fn show(&self) -> Result<(), Failure> {
        let Transaction { context, plane, tables, .. } = self.transaction;
        if context.observer.wants_changes() {
            for (at, table) in TableIndex::all(tables.len()).zip(tables) {
                show(context, plane, at, table, &mut TableCounts::default())?;
            }
        }
        Ok(())
    }
}
