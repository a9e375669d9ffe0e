//! New columns are filled before the epoch, in batches that are committed one by one.

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use vardelta_schemas::{
    TableSchema,
    ledger::{EpochId, TableCounts},
};

use crate::{
    contract::sink::{ChangeBatch, Fill, Op, Sink, SinkError, SinkErrorKind},
    epoch::{
        backoff,
        batches::{Merge, made_aside},
        context::Context,
        fills::part_by_fill,
        open::Opened,
        plane::{Plane, What},
        transaction::is_passing,
    },
    error::RunError,
    failpoint,
    flow::RunContext,
    plan::TableIndex,
    report::{
        Filling, Progress,
        migration::{Backfill, ComparedTable},
    },
};

/// Fills the new columns of the tables, and lets the epoch's transaction do without these rows.
pub(crate) fn fill(
    context: Context<'_>,
    opened: &mut Opened,
    plane: &dyn Plane,
    report: &mut Backfill,
) -> Result<(), RunError> {
    let run = plane.run();
    let tables = context.plan.tables();
    for (at, table) in TableIndex::all(tables.len()).zip(&tables) {
        if run.changes.new_columns(at).is_empty() {
            continue;
        }
        let Some(compared) = report.tables.iter_mut().find(|compared| compared.name == table.name) else { continue };
        let mut filling = Fillings {
            context,
            plane,
            run,
            sink: opened.sink.as_mut(),
            expected: opened.ledger.id(),
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
    plane: &'a dyn Plane,
    run: &'a RunContext,
    sink: &'a mut dyn Sink,
    expected: EpochId,
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
        at: TableIndex,
        mut work: impl FnMut(&mut Self, ChangeBatch) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        let (plan, run, table) = (self.context.plan, self.run, self.table);
        let columns = run.changes.new_columns(at);
        let mut uncounted = TableCounts::default();
        let net = self.plane.net(at, What::All)?;
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

    fn count(&mut self, at: TableIndex) -> Result<u64, RunError> {
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
        let expected = self.expected;
        let mut fill = Fill { pipeline, expected, table: self.table, changes, may_stand: false };
        let mut retries = 0;
        loop {
            self.run.abort.check()?;
            let Err(error) = self.sink.fill(&fill) else { return Ok(()) };
            if !is_passing(&error) || retries >= u64::from(self.sink.retries()) {
                return Err(error.into());
            }
            if error.kind == SinkErrorKind::ConnectionLost {
                // The batch may have been committed before the connection was lost.
                fill.may_stand = true;
                let ledger = self.sink.recover(pipeline)?;
                if ledger.id() != expected {
                    let message = format!(
                        "another run has committed since this one began: `{pipeline}` is at epoch {}",
                        ledger.epoch
                    );
                    let error = SinkError::new(SinkErrorKind::Stale, message);
                    return Err(error.with_hint("Run `vardelta migrate` again; it goes on from what is there.").into());
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
