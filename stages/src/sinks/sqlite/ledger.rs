//! SQLite as the ledger sees it.

use std::path::Path;

use rusqlite::{
    Connection, Error, OptionalExtension as _, Row, ToSql, params_from_iter,
    types::{ToSqlOutput, Value, ValueRef},
};
use vardelta_engine::contract::sink::SinkError;
use vardelta_schemas::{
    ledger::EpochId,
    sql::{Dialect, ledger as sql, migration::SELECT_LAX, sqlite},
};

use crate::sinks::{
    shared::ledger::{Cell, Cells, Database, Ledger},
    sqlite::error::explain,
};

/// An unsigned number as SQLite keeps it.
///
/// # Errors
/// When it is 2^63 or more.
pub(super) fn integer(value: u64) -> rusqlite::Result<i64> {
    i64::try_from(value).map_err(|cause| Error::ToSqlConversionFailure(cause.into()))
}

pub(super) fn unsigned(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(index)?;
    u64::try_from(value).map_err(|_| Error::IntegralValueOutOfRange(index, value))
}

/// A connection to a file.
pub(super) struct OfSqlite<'a> {
    path: &'a Path,
    connection: &'a Connection,
}

/// The ledger of a file.
pub(super) fn ledger<'a>(path: &'a Path, connection: &'a Connection) -> Ledger<OfSqlite<'a>> {
    Ledger(OfSqlite { path, connection })
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Cell::Null => ToSqlOutput::Owned(Value::Null),
            Cell::Integer(number) => ToSqlOutput::Owned(Value::Integer(*number)),
            Cell::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

fn cells(row: &Row<'_>, columns: usize) -> rusqlite::Result<Cells> {
    let cell = |column| -> rusqlite::Result<Cell> {
        Ok(match row.get::<_, Value>(column)? {
            Value::Null => Cell::Null,
            Value::Integer(number) => Cell::Integer(number),
            Value::Text(text) => Cell::Text(text),
            other => return Err(Error::InvalidColumnType(column, "ledger".into(), other.data_type())),
        })
    };
    (0..columns).map(cell).collect()
}

impl Database for OfSqlite<'_> {
    fn location(&self) -> String {
        self.path.display().to_string()
    }

    fn has_ledger(&mut self) -> Result<bool, SinkError> {
        let found = self.connection.query_row(sqlite::SELECT_OBJECT, [sql::META_TABLE], |_| Ok(())).optional();
        Ok(found.map_err(explain(self.path, "read the ledger of"))?.is_some())
    }

    fn rows(&mut self, doing: &str, statement: &str, parameters: &[Cell]) -> Result<Vec<Cells>, SinkError> {
        let read = || -> rusqlite::Result<Vec<Cells>> {
            let mut statement = self.connection.prepare_cached(statement)?;
            let columns = statement.column_count();
            statement.query_map(params_from_iter(parameters), |row| cells(row, columns))?.collect()
        };
        read().map_err(explain(self.path, doing))
    }

    fn execute(&mut self, doing: &str, statement: &str, parameters: &[Cell]) -> Result<u64, SinkError> {
        let execute = || self.connection.prepare_cached(statement)?.execute(params_from_iter(parameters));
        execute().map(|rows| rows as u64).map_err(explain(self.path, doing))
    }

    fn last_epoch_statement(&self) -> &'static str {
        // The transaction holds the write lock from its first moment.
        sql::SELECT_LAST_EPOCH
    }
}

/// Brings the ledger's tables to this version, inside the epoch's transaction, and checks the epoch.
pub(super) fn prepare(
    path: &Path,
    connection: &Connection,
    pipeline: &str,
    expected: &EpochId,
) -> Result<(), SinkError> {
    migrate(path, connection)?;
    ledger(path, connection).check_epoch(pipeline, expected)
}

/// Brings the ledger's tables to this version, inside a transaction.
pub(super) fn migrate(path: &Path, connection: &Connection) -> Result<(), SinkError> {
    let found = ledger(path, connection).version()?.unwrap_or(0);
    if found < sql::VERSION {
        let migrate = || {
            for migration in sql::migrations(Dialect::Sqlite).iter().filter(|step| step.version > found) {
                for statement in migration.statements {
                    connection.execute_batch(statement)?;
                }
            }
            connection.execute(sql::DELETE_VERSION, [])?;
            connection.execute(sql::INSERT_VERSION, [sql::VERSION.to_string()])
        };
        migrate().map_err(explain(path, "make the ledger's tables in"))?;
    }
    Ok(())
}

/// The columns in which a table may be laxer than its pipeline.
pub(super) fn lax(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(SELECT_LAX)?;
    statement.query_map([table], |row| row.get(0))?.collect()
}
