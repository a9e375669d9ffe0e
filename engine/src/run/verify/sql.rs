//! Views as the database computes them from its own tables.
//!
//! That is another implementation than the operators that wrote them, so it finds what a replay through those cannot: a rule
//! that is wrong. Where a view cannot be said in the database's SQL, or the database gives up, the replay is asked.

use std::path::Path;

use arrow_array::{Array as _, RecordBatch, cast::AsArray as _, types::Float64Type};
use vardelta_schemas::{TableSchema, sql::view::Statement};

use super::{
    compare::{ReadFrom, Rows, Runs, Strictness, compare},
    report::{Means, VerifiedTable, VerifyReport},
};
use crate::{
    changes::ChangeLog,
    contract::sink::{Sink, SinkError, SinkErrorKind},
    error::RunError,
    plan::{Plan, StageIndex, TableIndex},
    rows::RowLayout,
};

/// What the tables say is a comparison with, in words.
const AGAINST: &str = "the database's own SELECT";

/// A view, and its rows as the sink holds them.
pub(super) struct View<'a> {
    pub(super) stage: StageIndex,
    pub(super) table: &'a TableSchema,
    pub(super) found: Rows<'a>,
    pub(super) rows: u64,
}

/// Compares a view with what the database computes. `Err` inside: why it does not.
pub(super) fn check(
    plan: &Plan,
    sink: &mut dyn Sink,
    view: &View<'_>,
    spill_dir: &Path,
    report: &mut VerifyReport,
) -> Result<Result<(), String>, RunError> {
    let (statement, over) = match said(plan, sink, view.stage)? {
        Ok(said) => said,
        Err(why) => return Ok(Err(why)),
    };
    let table = TableSchema { schema: statement.schema(&view.table.schema), ..view.table.clone() };
    let layout = RowLayout::new(&table.schema, Some(&table.key)).map_err(RunError::internal)?;
    let log = ChangeLog::new(1, spill_dir.to_path_buf());
    if let Err(error) = computed(sink, &statement, &table, &layout, &log) {
        return match error.kind {
            SinkErrorKind::ConnectionLost => Err(error.into()),
            _ => Ok(Err(format!("the database gave up: {error}"))),
        };
    }
    let before = report.difference_count;
    let expected = Rows { from: ReadFrom::Kept(&log), at: TableIndex::new(0), layout: &layout };
    compare(&view.table.name, expected, view.found, Strictness::Numbers(&statement.inexact), report)?;
    let name = |at: &usize| view.table.schema.columns()[*at].name.clone();
    report.tables.push(VerifiedTable {
        rows: view.rows,
        differences: report.difference_count - before,
        tolerant: statement.inexact.iter().map(name).collect(),
        ..VerifiedTable::new(&view.table.name, Means::Sql, format!("{AGAINST} over {over}"))
    });
    Ok(Ok(()))
}

/// The statement and the tables it is over: those that drops make, where that can be said, else the nearest.
fn said(plan: &Plan, sink: &mut dyn Sink, stage: StageIndex) -> Result<Result<(Statement, String), String>, RunError> {
    let mut why = None;
    for whole in [true, false] {
        match plan.defined(stage, whole) {
            Ok(relation) => match sink.statement(&relation)? {
                Ok(statement) => {
                    let names: Vec<String> =
                        relation.tables().iter().map(|table| format!("`{}`", table.name)).collect();
                    return Ok(Ok((statement, names.join(", "))));
                }
                Err(error) => why = why.or(Some(error)),
            },
            Err(error) => why = why.or(Some(error)),
        }
    }
    Ok(Err(format!("not said in SQL: {}", why.map(|error| error.to_string()).unwrap_or_default())))
}

/// Takes what the statement yields.
fn computed(
    sink: &mut dyn Sink,
    statement: &Statement,
    table: &TableSchema,
    layout: &RowLayout,
    log: &ChangeLog,
) -> Result<(), SinkError> {
    let mut runs = Runs::new(log, TableIndex::new(0));
    let fail = |error: &dyn std::fmt::Display| SinkError::new(SinkErrorKind::Value, error.to_string());
    sink.query(&statement.text, table, &mut |batch: RecordBatch| {
        let tolerances = batch.num_columns() - statement.inexact.len();
        for column in &batch.columns()[tolerances..] {
            let values = column.as_primitive::<Float64Type>();
            if (0..values.len()).any(|row| values.is_valid(row) && !values.value(row).is_finite()) {
                return Err(fail(&"a sum of doubles may be off by anything"));
            }
        }
        let rows = layout.encode(&batch).map_err(|error| fail(&error))?;
        (0..batch.num_rows()).try_for_each(|row| runs.add(rows.key(row), rows.value(row))).map_err(|error| fail(&error))
    })?;
    runs.finish().map_err(|error| fail(&error))
}
