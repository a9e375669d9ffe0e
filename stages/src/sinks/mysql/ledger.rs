//! MySQL and MariaDB as the ledger sees them.

use mysql::{Error, Params, Row, Value, prelude::Queryable};
use vardelta_engine::contract::sink::SinkError;
use vardelta_schemas::sql::{
    ledger as sql,
    migration::SELECT_LAX,
    mysql as mysql_sql,
    mysql::ledger::{DUPLICATE_COLUMN, SELECT_LAST_EPOCH_FOR_UPDATE},
};

use crate::sinks::{
    mysql::{
        error::{code, explain},
        link::Link,
    },
    shared::ledger::{Cell, Cells, Database, Ledger},
};

/// An unsigned number as a BIGINT keeps it.
pub(super) fn integer(value: u64) -> Result<i64, Error> {
    i64::try_from(value).map_err(|_| Error::FromValueError(Value::UInt(value)))
}

/// A connection to a database.
pub(super) struct OfServer<'a> {
    location: &'a str,
    link: &'a mut Link,
}

/// The ledger of a database.
pub(super) fn ledger<'a>(location: &'a str, link: &'a mut Link) -> Ledger<OfServer<'a>> {
    Ledger(OfServer { location, link })
}

fn parameters(cells: &[Cell]) -> Params {
    let value = |cell: &Cell| match cell {
        Cell::Null => Value::NULL,
        Cell::Integer(number) => Value::Int(*number),
        Cell::Text(text) => Value::Bytes(text.clone().into_bytes()),
    };
    if cells.is_empty() { Params::Empty } else { Params::Positional(cells.iter().map(value).collect()) }
}

fn cells(row: Row) -> Result<Cells, Error> {
    let cell = |value: Value| match value {
        Value::NULL => Ok(Cell::Null),
        Value::Int(number) => Ok(Cell::Integer(number)),
        Value::UInt(number) => i64::try_from(number).map(Cell::Integer).map_err(|_| Value::UInt(number)),
        Value::Bytes(bytes) => {
            String::from_utf8(bytes).map(Cell::Text).map_err(|error| Value::Bytes(error.into_bytes()))
        }
        other => Err(other),
    };
    row.unwrap().into_iter().map(|value| cell(value).map_err(Error::FromValueError)).collect()
}

impl Database for OfServer<'_> {
    fn location(&self) -> String {
        self.location.to_owned()
    }

    fn has_ledger(&mut self) -> Result<bool, SinkError> {
        let found: Result<Option<Row>, Error> = self.link.conn.exec_first(mysql_sql::SELECT_OBJECT, (sql::META_TABLE,));
        Ok(found.map_err(explain(self.location, "read the ledger of"))?.is_some())
    }

    fn rows(&mut self, doing: &str, statement: &str, values: &[Cell]) -> Result<Vec<Cells>, SinkError> {
        let mut read = || -> Result<Vec<Cells>, Error> {
            let rows: Vec<Row> = self.link.conn.exec(statement, parameters(values))?;
            rows.into_iter().map(cells).collect()
        };
        read().map_err(explain(self.location, doing))
    }

    fn execute(&mut self, doing: &str, statement: &str, values: &[Cell]) -> Result<u64, SinkError> {
        self.link.conn.exec_drop(statement, parameters(values)).map_err(explain(self.location, doing))?;
        Ok(self.link.conn.affected_rows())
    }

    fn last_epoch_statement(&self) -> &'static str {
        SELECT_LAST_EPOCH_FOR_UPDATE
    }
}

/// Brings the ledger's tables to this version. Every step can be run again, and the version comes last.
pub(super) fn migrate(location: &str, link: &mut Link) -> Result<(), SinkError> {
    let found = ledger(location, link).version()?.unwrap_or(0);
    if found == sql::VERSION {
        return Ok(());
    }
    let mut migrate = || -> Result<(), Error> {
        for migration in sql::migrations(link.dialect).iter().filter(|step| step.version > found) {
            for statement in migration.statements {
                match link.conn.query_drop(statement) {
                    // A migration that was cut short has added it.
                    Err(error) if code(&error) == Some(DUPLICATE_COLUMN) => {}
                    done => done?,
                }
            }
        }
        link.conn.query_drop(mysql_sql::BEGIN_WRITE)?;
        link.conn.query_drop(sql::DELETE_VERSION)?;
        link.conn.exec_drop(sql::INSERT_VERSION, (sql::VERSION.to_string(),))?;
        link.conn.query_drop(mysql_sql::COMMIT)
    };
    migrate().map_err(explain(location, "make the ledger's tables in"))
}

/// The columns in which a table may be laxer than its pipeline.
pub(super) fn lax(location: &str, link: &mut Link, table: &str) -> Result<Vec<String>, SinkError> {
    link.conn.exec(SELECT_LAX, (table,)).map_err(explain(location, "read the ledger of"))
}
