//! Filling the columns that a migration added, before the epoch that makes it: batch by batch, each by itself.
//!
//! A row whose key stands, and whose columns are all as they were but for those that the standing definition does not have,
//! shows nobody anything half done: who reads by the standing definition reads what stood. So such rows need not wait for the
//! one transaction of the epoch, which on a large table would be a large undo log. A migration that was killed finds the
//! finished batches equal to what it computes, and goes on behind them.

use std::{collections::BTreeMap, sync::Arc};

use arrow_array::RecordBatch;
use arrow_row::{RowConverter, SortField};
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use vardelta_schemas::{TableSchema, ledger::TableCounts};

use crate::{
    contract::{
        migration::Rename,
        sink::{ChangeBatch, Fill, Op, Sink, SinkError, SinkErrorKind},
    },
    epoch::{
        backoff,
        batches::{Merge, made_aside},
        commit::unreadable,
        open::Opened,
        transaction::is_passing,
    },
    error::RunError,
    failpoint,
    flow::RunContext,
    report::{Filling, Progress},
    run::{
        Context,
        migrate::{Backfill, ComparedTable},
    },
};

/// The state's note of the columns that the definition of its epoch gives each table.
const COLUMNS: &str = "columns";

/// The note that goes with an epoch: the columns of each table.
pub(crate) fn note_columns(tables: &[TableSchema], metadata: &mut BTreeMap<String, String>) {
    let columns: BTreeMap<&str, Vec<&str>> = tables
        .iter()
        .map(|table| {
            let names = table.schema.columns().iter().map(|column| column.name.as_str());
            (table.name.as_str(), names.collect())
        })
        .collect();
    metadata.insert(COLUMNS.to_owned(), serde_json::json!(columns).to_string());
}

/// For each table the columns that the standing definition does not have, by place. None where it is not known.
pub(crate) fn new_columns(
    tables: &[TableSchema],
    metadata: &BTreeMap<String, String>,
    renames: &[Rename],
) -> Vec<Vec<usize>> {
    let noted = metadata.get(COLUMNS).and_then(|text| serde_json::from_str(text).ok());
    let standing: BTreeMap<String, Vec<String>> = noted.unwrap_or_default();
    let of_table = |table: &TableSchema| {
        let Some(known) = standing.get(&table.name) else { return Vec::new() };
        let is_known = |name: &String| {
            let renamed =
                |rename: &Rename| rename.table == table.name && rename.to == *name && known.contains(&rename.from);
            known.contains(name) || renames.iter().any(renamed)
        };
        let columns = table.schema.columns().iter().enumerate();
        columns.filter(|(at, column)| !table.key.contains(at) && !is_known(&column.name)).map(|(at, _)| at).collect()
    };
    tables.iter().map(of_table).collect()
}

/// Which changes are updates of new columns alone.
fn fills(table: &TableSchema, new_columns: &[usize], batch: &ChangeBatch) -> Result<Vec<bool>, ArrowError> {
    let is_old = |column: &usize| !table.key.contains(column) && !new_columns.contains(column);
    let old_columns: Vec<usize> = (0..table.schema.columns().len()).filter(is_old).collect();
    let schema = batch.new.schema();
    let fields = old_columns.iter().map(|column| SortField::new(schema.field(*column).data_type().clone()));
    let converter = RowConverter::new(fields.collect())?;
    let encode = |rows: &RecordBatch| {
        let columns: Vec<_> = old_columns.iter().map(|column| Arc::clone(rows.column(*column))).collect();
        converter.convert_columns(&columns)
    };
    if old_columns.is_empty() {
        return Ok(batch.ops.iter().map(|op| *op == Op::Update).collect());
    }
    let (old, new) = (encode(&batch.old)?, encode(&batch.new)?);
    let (mut old_row, mut new_row) = (0, 0);
    let is_fill = |op: &Op| {
        let is_fill = *op == Op::Update && old.row(old_row) == new.row(new_row);
        old_row += usize::from(*op != Op::Insert);
        new_row += usize::from(*op != Op::Delete);
        is_fill
    };
    Ok(batch.ops.iter().map(is_fill).collect())
}

/// The changes that do more than fill new columns (`rest`), or those that do not.
///
/// # Errors
/// When the batch is not laid out as its table says.
pub(crate) fn part_by_fill(
    table: &TableSchema,
    new_columns: &[usize],
    batch: ChangeBatch,
    rest: bool,
) -> Result<ChangeBatch, SinkError> {
    if new_columns.is_empty() {
        return if rest { Ok(batch) } else { batch.keep(&vec![false; batch.ops.len()]).map_err(parted) };
    }
    let mut kept = fills(table, new_columns, &batch).map_err(parted)?;
    if rest {
        kept.iter_mut().for_each(|fill| *fill = !*fill);
    }
    batch.keep(&kept).map_err(parted)
}

fn parted(error: ArrowError) -> SinkError {
    SinkError::new(SinkErrorKind::Unavailable, format!("changes cannot be parted: {error}"))
}

/// Fills the new columns of the tables, and lets the epoch's transaction do without these rows.
pub(crate) fn fill(
    context: Context<'_>,
    opened: &mut Opened,
    run: &RunContext,
    report: &mut Backfill,
) -> Result<(), RunError> {
    let tables = context.plan.tables();
    for (at, table) in tables.iter().enumerate() {
        if run.changes.new_columns(at).is_empty() {
            continue;
        }
        let Some(compared) = report.tables.iter_mut().find(|compared| compared.name == table.name) else { continue };
        let mut filling = Fillings {
            context,
            run,
            sink: opened.sink.as_mut(),
            expected_epoch: opened.ledger.epoch,
            table,
            compared,
            waiting: Vec::new(),
            waiting_rows: 0,
            batch_rows: usize::try_from(report.batch_rows).unwrap_or(usize::MAX).max(1),
            rows: 0,
        };
        filling.rows = filling.count(at)?;
        filling.each(at, |filling, batch| filling.take(batch))?;
        filling.write(filling.waiting_rows)?;
    }
    run.changes.leave_out_fills();
    Ok(())
}

/// The batches of one table.
struct Fillings<'a> {
    context: Context<'a>,
    run: &'a RunContext,
    sink: &'a mut dyn Sink,
    expected_epoch: u64,
    table: &'a TableSchema,
    compared: &'a mut ComparedTable,
    /// Rows that are not written yet, in key order.
    waiting: Vec<ChangeBatch>,
    waiting_rows: usize,
    batch_rows: usize,
    /// All that are to be filled.
    rows: u64,
}

impl Fillings<'_> {
    fn each(
        &mut self,
        at: usize,
        mut work: impl FnMut(&mut Self, ChangeBatch) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        let (plan, run, table) = (self.context.plan, self.run, self.table);
        let columns = run.changes.new_columns(at);
        let mut uncounted = TableCounts::default();
        let net = run.changes.net(at).map_err(|error| unreadable(&error))?;
        let mut merge = Merge::new(plan, run, at, net, &mut uncounted)?;
        made_aside(
            run,
            || merge.next_batch(),
            |batches| {
                for batch in batches {
                    work(self, part_by_fill(table, &columns, batch, false)?)?;
                }
                Ok(())
            },
        )
    }

    fn count(&mut self, at: usize) -> Result<u64, RunError> {
        let mut rows = 0;
        self.each(at, |_, batch| {
            rows += batch.ops.len() as u64;
            Ok(())
        })?;
        Ok(rows)
    }

    fn take(&mut self, batch: ChangeBatch) -> Result<(), RunError> {
        self.waiting_rows += batch.ops.len();
        self.waiting.push(batch);
        while self.waiting_rows >= self.batch_rows {
            self.write(self.batch_rows)?;
        }
        Ok(())
    }

    /// Writes the first rows that wait.
    fn write(&mut self, rows: usize) -> Result<(), RunError> {
        if rows == 0 {
            return Ok(());
        }
        let all = self.joined()?;
        let rest = self.waiting_rows - rows;
        let slice = |batch: &RecordBatch, from: usize, length: usize| batch.slice(from, length);
        self.waiting = vec![ChangeBatch {
            ops: vec![Op::Update; rest],
            new: slice(&all.new, rows, rest),
            old: slice(&all.old, rows, rest),
        }];
        self.waiting_rows = rest;
        let batch =
            ChangeBatch { ops: vec![Op::Update; rows], new: slice(&all.new, 0, rows), old: slice(&all.old, 0, rows) };
        self.write_batch(batch)?;
        failpoint::hit("migrate:batch");
        self.compared.filled += rows as u64;
        self.compared.batches += 1;
        let filling = Filling { table: self.table.name.clone(), rows: self.compared.filled, of: self.rows };
        let progress = Progress { phase: "filling", filling: Some(filling), ..Progress::default() };
        self.context.observer.progress(&progress);
        Ok(())
    }

    fn joined(&mut self) -> Result<ChangeBatch, RunError> {
        let waiting = std::mem::take(&mut self.waiting);
        let schema = waiting.first().map_or_else(|| self.table.schema.to_arrow(), |batch| batch.new.schema());
        let join = |of: fn(&ChangeBatch) -> &RecordBatch| {
            concat_batches(&schema, waiting.iter().map(of)).map_err(RunError::internal)
        };
        Ok(ChangeBatch {
            ops: vec![Op::Update; self.waiting_rows],
            new: join(|batch| &batch.new)?,
            old: join(|batch| &batch.old)?,
        })
    }

    /// Writes a batch, again where it gave way to another client or lost its connection.
    fn write_batch(&mut self, changes: ChangeBatch) -> Result<(), RunError> {
        let pipeline = self.context.plan.pipeline.name.as_str();
        let expected_epoch = self.expected_epoch;
        let mut fill = Fill { pipeline, expected_epoch, table: self.table, changes, may_stand: false };
        let mut retries = 0;
        loop {
            self.run.abort.check()?;
            let Err(error) = self.sink.fill(&fill) else { return Ok(()) };
            if !is_passing(&error) || retries >= u64::from(self.sink.retries()) {
                let hint = "What is filled stays, and shows in no column that was there: run `vardelta migrate` again to go on.";
                let hint = error.hint.clone().map_or_else(|| hint.to_owned(), |other| format!("{other} {hint}"));
                return Err(SinkError { hint: Some(hint), ..error }.into());
            }
            if error.kind == SinkErrorKind::ConnectionLost {
                // The batch may have been committed before the connection was lost.
                fill.may_stand = true;
                let ledger = self.sink.recover(pipeline)?;
                if ledger.epoch != expected_epoch {
                    let message = format!("another run has committed epoch {} of `{pipeline}`", ledger.epoch);
                    let error = SinkError::new(SinkErrorKind::Stale, message);
                    return Err(error.with_hint("Run `vardelta migrate` again; it goes on from what stands.").into());
                }
            }
            retries += 1;
            self.compared.retries += 1;
            if !backoff::wait(retries, &self.run.abort) {
                self.run.abort.check()?;
                return Err(error.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{Float64Array, Int64Array};
    use vardelta_schemas::{Column, ColumnType, Schema};

    use super::*;

    fn table() -> TableSchema {
        let columns = vec![
            Column::required("key", ColumnType::Int64),
            Column::nullable("old", ColumnType::Float64),
            Column::nullable("new", ColumnType::Int64),
        ];
        TableSchema { name: "t".into(), schema: Schema::new(columns), key: vec![0] }
    }

    fn rows(rows: &[(i64, Option<f64>, Option<i64>)]) -> RecordBatch {
        let keys = Int64Array::from_iter_values(rows.iter().map(|row| row.0));
        let old: Float64Array = rows.iter().map(|row| row.1).collect();
        let new: Int64Array = rows.iter().map(|row| row.2).collect();
        RecordBatch::try_new(table().schema.to_arrow(), vec![Arc::new(keys), Arc::new(old), Arc::new(new)])
            .expect("fits")
    }

    #[test]
    fn rows_that_only_get_values_in_new_columns_are_told_from_others() {
        let batch = ChangeBatch {
            ops: vec![Op::Delete, Op::Update, Op::Insert, Op::Update, Op::Update, Op::Update],
            old: rows(&[
                (1, Some(1.0), None),
                (2, Some(2.0), None),
                (4, None, None),
                (5, None, Some(9)),
                (6, Some(0.5), None),
            ]),
            new: rows(&[
                (2, Some(2.0), Some(1)),
                (3, Some(2.0), None),
                (4, Some(0.0), Some(1)),
                (5, None, Some(8)),
                (6, Some(0.5), Some(1)),
            ]),
        };
        assert_eq!(fills(&table(), &[2], &batch).expect("told"), [false, true, false, false, true, true]);
        let rest = part_by_fill(&table(), &[2], batch.clone(), true).expect("parted");
        assert_eq!(rest.ops, [Op::Delete, Op::Insert, Op::Update]);
        assert_eq!(
            (rest.old, rest.new),
            (rows(&[(1, Some(1.0), None), (4, None, None)]), rows(&[(3, Some(2.0), None), (4, Some(0.0), Some(1))]))
        );
        assert_eq!(part_by_fill(&table(), &[], batch.clone(), true).expect("parted").ops, batch.ops);
        assert_eq!(part_by_fill(&table(), &[], batch, false).expect("parted").ops, []);
    }

    #[test]
    fn columns_are_new_that_the_standing_definition_does_not_have() {
        let mut metadata = BTreeMap::new();
        let none = [Vec::<usize>::new(); 1];
        assert_eq!(new_columns(&[table()], &metadata, &[]), none, "nothing is known");
        let mut before = table();
        before.schema = Schema::new(table().schema.columns()[..2].to_vec());
        note_columns(&[before], &mut metadata);
        assert_eq!(new_columns(&[table()], &metadata, &[]), [vec![2]]);
        let rename = Rename { table: "t".into(), from: "old".into(), to: "new".into() };
        assert_eq!(new_columns(&[table()], &metadata, &[rename]), none, "it keeps its values");
    }
}
