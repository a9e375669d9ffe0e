//! Writing one epoch's changes to one table: prepared statements, in key order. New rows go many at a time where that says
//! the same; a statement of many that SQLite does not take leaves nothing behind, and its rows go one by one.

use std::path::Path;

use arrow_array::RecordBatch;
use rusqlite::{Connection, Statement};
use vardelta_engine::contract::sink::{ChangeBatch, Op, REFUSED_HINT, SinkError, SinkErrorKind};
use vardelta_schemas::{
    TableSchema,
    ledger::Epoch,
    sql::{
        Parameter, RowStatement,
        marks::Marks,
        sqlite,
        table::{INSERT_ROWS, TableStatements},
    },
};

use crate::sinks::{
    shared::{
        constraints::Refused,
        unique::{UNIQUE_HINT, violation},
        values::{ColumnReader, column_readers, show_key},
    },
    sqlite::{
        bind::{BindError, bind},
        constraints::{Refusals, holder, is_about_a_row, violated},
        error::{explain, is_duplicate_key},
        ledger::integer,
    },
};

/// The epoch that changes rows.
#[derive(Clone, Copy)]
pub(super) struct ByEpoch<'a> {
    pub(super) number: Epoch,
    /// Its time, as the ledger has it.
    pub(super) time: &'a str,
}

/// Applies changes to a table; every change touches exactly one row.
pub(super) fn apply(
    path: &Path,
    connection: &Connection,
    (table, marks): (&TableSchema, Marks),
    refusals: Refusals<'_>,
    epoch: ByEpoch<'_>,
    changes: &mut dyn Iterator<Item = Result<ChangeBatch, SinkError>>,
) -> Result<(), SinkError> {
    let statements = TableStatements::new(table, marks);
    let failed = explain(path, "write to");
    let prepare = |row_statement: &RowStatement| {
        let statement = connection.prepare(&row_statement.text).map_err(failed)?;
        Ok(Prepared { statement, parameters: row_statement.parameters.clone() })
    };
    // A trigger may do what it likes about a row, and must see each by itself.
    let many = if has_trigger(connection, table).map_err(failed)? { None } else { statements.insert_many };
    let insert_many =
        many.map(|text| prepare(&RowStatement { text, parameters: statements.insert.parameters.clone() }));
    let mut writer = Writer {
        path,
        connection,
        table,
        refusals,
        epoch: (integer(epoch.number.number()).map_err(failed)?, epoch.time),
        insert: prepare(&statements.insert)?,
        insert_many: insert_many.transpose()?,
        revive: statements.revive.as_ref().map(prepare).transpose()?,
        update: prepare(&statements.update)?,
        delete: prepare(&statements.delete)?,
        singly: 0,
        scratch: String::new(),
    };
    for batch in changes {
        writer.batch(&batch?)?;
    }
    Ok(())
}

/// Whether somebody has a trigger on the table.
fn has_trigger(connection: &Connection, table: &TableSchema) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare(sqlite::SELECT_ALL_TRIGGERS)?;
    let on = statement.query_map([], |row| row.get::<_, String>(1))?;
    Ok(on.collect::<Result<Vec<_>, _>>()?.iter().any(|on| on.eq_ignore_ascii_case(&table.name)))
}

struct Writer<'a> {
    path: &'a Path,
    connection: &'a Connection,
    table: &'a TableSchema,
    refusals: Refusals<'a>,
    /// The number and the time.
    epoch: (i64, &'a str),
    insert: Prepared<'a>,
    /// For [`INSERT_ROWS`] rows at a time.
    insert_many: Option<Prepared<'a>>,
    /// For a row that takes the place of a marked one.
    revive: Option<Prepared<'a>>,
    update: Prepared<'a>,
    delete: Prepared<'a>,
    /// Rows that are still to be written one by one, since one of them is at fault.
    singly: usize,
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
        epoch: (i64, &str),
        scratch: &mut String,
    ) -> Result<usize, (Option<usize>, BindError)> {
        self.bind(columns, row, 0, epoch, scratch)?;
        self.statement.raw_execute().map_err(|error| (None, error.into()))
    }

    /// Binds the values of one row, after so many parameters.
    fn bind(
        &mut self,
        columns: &[ColumnReader<'_>],
        row: usize,
        behind: usize,
        (epoch, epoch_time): (i64, &str),
        scratch: &mut String,
    ) -> Result<(), (Option<usize>, BindError)> {
        for (index, parameter) in (behind + 1..).zip(&self.parameters) {
            match parameter {
                Parameter::Column(column) => bind(&columns[*column], &mut self.statement, index, row, scratch)
                    .map_err(|error| (Some(*column), error))?,
                Parameter::Epoch => {
                    self.statement.raw_bind_parameter(index, epoch).map_err(|error| (None, error.into()))?
                }
                Parameter::EpochTime => {
                    self.statement.raw_bind_parameter(index, epoch_time).map_err(|error| (None, error.into()))?
                }
            }
        }
        Ok(())
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
        let mut ops = batch.ops.as_slice();
        while let Some((op, rest)) = ops.split_first() {
            if let Some(rest) = self.insert_many(ops, &new, new_row)? {
                (ops, new_row) = (rest, new_row + INSERT_ROWS);
                continue;
            }
            ops = rest;
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

    /// Inserts the next rows with one statement, if they are all new; what comes after them. `None` where they are to be
    /// written one by one: they are not all new, or one of them is at fault and must be found.
    fn insert_many<'o>(
        &mut self,
        ops: &'o [Op],
        new: &[ColumnReader<'_>],
        first: usize,
    ) -> Result<Option<&'o [Op]>, SinkError> {
        if self.singly > 0 {
            self.singly -= 1;
            return Ok(None);
        }
        let (Some(insert), Some((these, rest))) = (&mut self.insert_many, ops.split_at_checked(INSERT_ROWS)) else {
            return Ok(None);
        };
        if these.iter().any(|op| *op != Op::Insert) {
            return Ok(None);
        }
        let parameters = insert.parameters.len();
        let bound = (0..INSERT_ROWS)
            .try_for_each(|at| insert.bind(new, first + at, at * parameters, self.epoch, &mut self.scratch));
        let touched = bound.and_then(|()| insert.statement.raw_execute().map_err(|error| (None, error.into())));
        match touched {
            Ok(INSERT_ROWS) => return Ok(Some(rest)),
            // A full disk may have given the transaction up: what came after it would be written by itself.
            Err((_, BindError::Sqlite(error))) if self.connection.is_autocommit() => {
                return Err(explain(self.path, "write to")(error));
            }
            // Nothing of the statement was written.
            _ => self.singly = INSERT_ROWS - 1,
        }
        Ok(None)
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
            "Somebody has changed the table: see what differs with `vardelta verify`, and make it from scratch with \
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
        let shared = match &error {
            BindError::Sqlite(error) => violated(error, self.table, &self.refusals.unique),
            BindError::Value(_) => None,
        };
        let told = shared.map(|index| {
            let other = holder(self.connection, self.table, index, columns, row);
            violation(self.table, index, columns, row, other.as_deref())
        });
        let (why, hint) = match (error, told) {
            (_, Some(why)) => (why, UNIQUE_HINT),
            (BindError::Sqlite(error), None) if op == Op::Insert && is_duplicate_key(&error) => {
                return Err(self.disagreement(op, columns, row, 1));
            }
            // A trigger may have given the transaction up; what comes after it would then be written by itself.
            (BindError::Sqlite(error), None) if is_about_a_row(&error) && !self.connection.is_autocommit() => {
                (self.refusals.words(&error), REFUSED_HINT)
            }
            (BindError::Sqlite(error), None) => {
                let doing = format!("write {key} of table `{}` to", self.table.name);
                return Err(explain(self.path, &doing)(error));
            }
            (BindError::Value(why), None) => {
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
