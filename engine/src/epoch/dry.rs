//! A dry run's rows, judged by the sink's conditions without its database: what a run would not write is not shown.
//!
//! What only the database knows is not judged: references to other tables, triggers, and values that its columns cannot hold.

use std::sync::Arc;

use arrow_array::{Array as _, BooleanArray};
use arrow_schema::DataType;
use vardelta_schemas::{TableSchema, ledger::TableCounts};

use crate::{
    clock,
    contract::{
        erasure::Removed,
        sink::{ChangeBatch, Check, OFFENDERS_MAX, Offender, REFUSED_HINT, SinkError, SinkErrorKind},
    },
    display::value_text,
    epoch::{
        batches::Merge,
        context::Context,
        history::EpochFacts,
        open::Opened,
        plane::{Plane, What},
        quarantine::FIRST_CHUNK,
        transaction::Transaction,
        write::Writing,
    },
    error::RunError,
    flow::RunContext,
    plan::{Plan, TableIndex},
};

/// What a dry run has to do with.
pub(crate) struct Dry<'a> {
    pub(crate) context: Context<'a>,
    pub(crate) plane: &'a dyn Plane,
    pub(crate) run: &'a Arc<RunContext>,
    pub(crate) tables: &'a [TableSchema],
    pub(crate) opened: &'a Opened,
    pub(crate) replace_tables: bool,
}

impl Dry<'_> {
    /// Takes rows out that the sink's conditions refuse, or ends the run as the database would. Yields what there is to say.
    pub(crate) fn judge(&self) -> Result<Vec<String>, RunError> {
        let Dry { context, plane, run, tables, opened, replace_tables } = *self;
        let (ledger, quarantines) = (&opened.ledger, opened.sink.quarantines());
        let sink = context.plan.sink();
        let mut notices = Vec::new();
        if sink.asks_database() {
            notices.push("a dry run does not ask the database: `references` and `unique` are not judged".to_owned());
        }
        if sink.checks().is_empty() {
            return Ok(notices);
        }
        let mut writing = Writing {
            transaction: Transaction {
                context,
                plane,
                run,
                replace_tables,
                tables,
                histories: Vec::new(),
                ledger,
                committed_at: clock::now(),
                retries: 0,
            },
            facts: EpochFacts::new(run.epoch, std::iter::empty(), ""),
            observed: Vec::new(),
            offenders: Vec::new(),
            earlier: Default::default(),
            erasure: None,
            removed: Removed::default(),
        };
        for chunk in FIRST_CHUNK.. {
            let offenders = self.offenders(context.plan)?;
            match offenders.first() {
                None => break,
                Some(_) if quarantines => writing.correct(chunk, &offenders)?,
                Some(offender) => return Err(self.refused(offender)),
            }
        }
        notices.extend(writing.notices());
        Ok(notices)
    }

    /// The new rows that a condition refuses; the first one alone where that ends the run.
    fn offenders(&self, plan: &Plan) -> Result<Vec<Offender>, RunError> {
        let mut offenders = Vec::new();
        for (at, table) in TableIndex::all(self.tables.len()).zip(self.tables) {
            let checks: Vec<&Check> = plan.sink().checks().iter().filter(|check| check.table == table.name).collect();
            if checks.is_empty() {
                continue;
            }
            let net = self.plane.net(at, What::All)?;
            let mut uncounted = TableCounts::default();
            let mut merge = Merge::new(plan, self.run, at, net, &mut uncounted)?;
            while let Some(batch) = merge.next_batch()? {
                self.run.abort.check()?;
                refused(table, &checks, &batch, &mut offenders);
                if !self.opened.sink.quarantines() && !offenders.is_empty() {
                    return Ok(offenders);
                }
                if offenders.len() >= OFFENDERS_MAX {
                    let message = format!("table `{}`: the database takes none of {OFFENDERS_MAX} rows", table.name);
                    return Err(SinkError::new(SinkErrorKind::Value, message).with_hint(REFUSED_HINT).into());
                }
            }
        }
        Ok(offenders)
    }

    /// The end of the run, in the words of a sink.
    fn refused(&self, offender: &Offender) -> RunError {
        let Offender { table, row, message } = offender;
        let planned = self.tables.iter().find(|found| found.name == *table);
        let pair = |at: &usize| {
            let (name, value) = (row.schema().field(*at).name().clone(), value_text(row.column(*at), 0));
            let is_text = row.column(*at).data_type() == &DataType::Utf8 && row.column(*at).is_valid(0);
            if is_text { format!("{name} = '{value}'") } else { format!("{name} = {value}") }
        };
        let key: Vec<String> = planned.into_iter().flat_map(|table| &table.key).map(pair).collect();
        let message = format!("table `{table}`, {}: {message}", key.join(", "));
        SinkError::new(SinkErrorKind::Value, message).with_hint(REFUSED_HINT).into()
    }
}

/// Adds the new rows of a batch that a condition refuses: of which it is false. What cannot be computed is left to the database.
fn refused(table: &TableSchema, checks: &[&Check], batch: &ChangeBatch, offenders: &mut Vec<Offender>) {
    let judged: Vec<_> = checks.iter().map(|check| (check, check.condition.evaluate(&batch.new).values)).collect();
    let is_false = |values: &dyn arrow_array::Array, row: usize| {
        let values = values.as_any().downcast_ref::<BooleanArray>();
        values.is_some_and(|values| values.is_valid(row) && !values.value(row))
    };
    for row in 0..batch.new.num_rows() {
        if let Some((check, _)) = judged.iter().find(|(_, values)| is_false(values, row)) {
            let message = format!("constraint `{}`: the row does not keep it", check.said);
            offenders.push(Offender { table: table.name.clone(), row: batch.new.slice(row, 1), message });
        }
    }
}
