//! Writing one epoch's changes to one table: three prepared statements, row by row, in key order.

use std::path::Path;

use arrow_array::RecordBatch;
use rusqlite::{Connection, Statement};
use vardelta_engine::contract::sink::{ChangeBatch, Op, SinkError, SinkErrorKind};
use vardelta_schemas::{
    TableSchema,
    sql::{Parameter, RowStatement, marks::Marks, table::TableStatements},
};

use crate::sinks::{
    shared::{
        constraints::{REFUSED_HINT, Refused},
        values::{ColumnReader, column_readers, show_key},
    },
    sqlite::{
        bind::{BindError, bind},
        constraints::{Refusals, is_about_a_row},
        error::{explain, is_duplicate_key},
        ledger::integer,
    },
};

/// The epoch that changes rows.
#[derive(Clone, Copy)]
pub(super) struct Epoch<'a> {
    pub(super) number: u64,
    /// Its time, as the ledger has it.
    pub(super) time: &'a str,
}

/// Applies changes to a table; every change touches exactly one row.
pub(super) fn apply(
    path: &Path,
    connection: &Connection,
    (table, marks): (&TableSchema, Marks),
    refusals: Refusals<'_>,
    epoch: Epoch<'_>,
    changes: &mut dyn Iterator<Item = Result<ChangeBatch, SinkError>>,
) -> Result<(), SinkError> {
    let statements = TableStatements::new(table, marks);
    let failed = explain(path, "write to");
    let prepare = |row_statement: &RowStatement| {
        let statement = connection.prepare(&row_statement.text).map_err(failed)?;
        Ok(Prepared { statement, parameters: row_statement.parameters.clone() })
    };
    let mut writer = Writer {
        path,
        connection,
        table,
        refusals,
        epoch: (integer(epoch.number).map_err(failed)?, epoch.time),
        insert: prepare(&statements.insert)?,
        revive: statements.revive.as_ref().map(prepare).transpose()?,
        update: prepare(&statements.update)?,
        delete: prepare(&statements.delete)?,
        scratch: String::new(),
    };
    for batch in changes {
        writer.batch(&batch?)?;
    }
    Ok(())
}

struct Writer<'a> {
    path: &'a Path,
    connection: &'a Connection,
    table: &'a TableSchema,
    refusals: Refusals<'a>,
    /// The number and the time.
    epoch: (i64, &'a str),
    insert: Prepared<'a>,
    /// For a row that takes the place of a marked one.
    revive: Option<Prepared<'a>>,
    update: Prepared<'a>,
    delete: Prepared<'a>,
    /// For values that are kept as text but are none.
    scratch: String,
}

struct Prepared<'a> {
    statement: Statement<'a>,
    parameters: Vec<Parameter>,
}

impl Prepared<'_> {
    /// Runs the statement for one row; the number of rows it touched, or the column that was at fault.
    fn run(
        &mut self,
        columns: &[ColumnReader<'_>],
        row: usize,
        (epoch, epoch_time): (i64, &str),
        scratch: &mut String,
    ) -> Result<usize, (Option<usize>, BindError)> {
        for (index, parameter) in self.parameters.iter().enumerate() {
            match parameter {
                Parameter::Column(column) => bind(&columns[*column], &mut self.statement, index + 1, row, scratch)
                    .map_err(|error| (Some(*column), error))?,
                Parameter::Epoch => {
                    self.statement.raw_bind_parameter(index + 1, epoch).map_err(|error| (None, error.into()))?
                }
                Parameter::EpochTime => {
                    self.statement.raw_bind_parameter(index + 1, epoch_time).map_err(|error| (None, error.into()))?
                }
            }
        }
        self.statement.raw_execute().map_err(|error| (None, error.into()))
    }
}

impl Writer<'_> {
    fn batch(&mut self, batch: &ChangeBatch) -> Result<(), SinkError> {
        let count = |ops: &[Op]| batch.ops.iter().filter(|op| ops.contains(op)).count();
        let (new_rows, old_rows) = (count(&[Op::Insert, Op::Update]), count(&[Op::Update, Op::Delete]));
        if (new_rows, old_rows) != (batch.new.num_rows(), batch.old.num_rows()) {
            let message = format!("changes of table `{}` do not have as many rows as they say", self.table.name);
            return Err(SinkError::new(SinkErrorKind::Value, message));
        }
        let new = column_readers(self.table, &batch.new)?;
        let old = column_readers(self.table, &batch.old)?;
        let (mut new_row, mut old_row) = (0, 0);
        for op in &batch.ops {
            let (prepared, columns, row) = match op {
                Op::Insert => (&mut self.insert, &new, new_row),
                Op::Update => (&mut self.update, &new, new_row),
                Op::Delete => (&mut self.delete, &old, old_row),
            };
            let mut touched = prepared.run(columns, row, self.epoch, &mut self.scratch);
            if let (Op::Insert, Ok(0), Some(revive)) = (op, &touched, &mut self.revive) {
                touched = revive.run(columns, row, self.epoch, &mut self.scratch);
            }
            match touched {
                Ok(1) => {}
                Ok(touched) => return Err(self.disagreement(*op, columns, row, touched)),
                Err((column, error)) => {
                    let from = if *op == Op::Delete { &batch.old } else { &batch.new };
                    self.failed(*op, columns, (from, row), column, error)?;
                }
            }
            new_row += usize::from(*op != Op::Delete);
            old_row += usize::from(*op != Op::Insert);
        }
        Ok(())
    }

    /// The sink does not hold what the state says it holds.
    fn disagreement(&self, op: Op, columns: &[ColumnReader<'_>], row: usize, touched: usize) -> SinkError {
        let found = match (op, touched) {
            (Op::Insert, _) => "a row to insert is there already",
            (Op::Update, 0) => "the row to update is not there",
            (Op::Delete, 0) => "the row to delete is not there",
            _ => "the row is there more than once",
        };
        SinkError::new(
            SinkErrorKind::Value,
            format!(
                "table `{}` in {} and the state disagree at {}: {found}",
                self.table.name,
                self.path.display(),
                self.key(columns, row)
            ),
        )
        .with_hint(
            "Somebody has changed the table: see what differs with `vardelta verify`, and make it anew with \
             `vardelta rebuild`. Nothing of this run was kept.",
        )
    }

    /// A row that SQLite did not take: the end of the run, or one more offender.
    fn failed(
        &mut self,
        op: Op,
        columns: &[ColumnReader<'_>],
        (batch, row): (&RecordBatch, usize),
        column: Option<usize>,
        error: BindError,
    ) -> Result<(), SinkError> {
        let key = self.key(columns, row);
        let (why, hint) = match error {
            BindError::Sqlite(error) if op == Op::Insert && is_duplicate_key(&error) => {
                return Err(self.disagreement(op, columns, row, 1));
            }
            // A trigger may have given the transaction up; what comes behind it would then stand by itself.
            BindError::Sqlite(error) if is_about_a_row(&error) && !self.connection.is_autocommit() => {
                (self.refusals.words(&error), REFUSED_HINT)
            }
            BindError::Sqlite(error) => {
                let doing = format!("write {key} of table `{}` to", self.table.name);
                return Err(explain(self.path, &doing)(error));
            }
            BindError::Value(why) => {
                let name = column.map_or("", |index| self.table.schema.columns()[index].name.as_str());
                (format!("column `{name}`: {why}"), "Filter or convert such values in a stage before the table.")
            }
        };
        let row = batch.slice(row, 1);
        Refused { table: &self.table.name, op, key: &key, row, why: &why, hint }
            .judge(self.refusals.offenders.as_deref_mut())
    }

    fn key(&self, columns: &[ColumnReader<'_>], row: usize) -> String {
        show_key(self.table, columns, row)
    }
}
