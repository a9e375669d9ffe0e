//! Values as parameters of a statement: no value is allocated on its way into the database.

use rusqlite::{Statement, types::Null};
use vardelta_schemas::value_text::{DOUBLE_DECIMAL_DIGITS, decimal_to_double, write_date, write_decimal};

use crate::sinks::shared::values::ColumnReader;

/// Why a value was not bound.
pub(super) enum BindError {
    /// The column cannot hold it: what it is, and why not.
    Value(String),
    /// SQLite did not take it.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for BindError {
    fn from(error: rusqlite::Error) -> BindError {
        BindError::Sqlite(error)
    }
}

/// Binds one value. `scratch` is for values that are kept as text but are none.
pub(super) fn bind(
    column: &ColumnReader<'_>,
    statement: &mut Statement<'_>,
    parameter: usize,
    row: usize,
    scratch: &mut String,
) -> Result<(), BindError> {
    if column.is_null(row) {
        return Ok(statement.raw_bind_parameter(parameter, Null)?);
    }
    // SQLite would make NULL of a NaN without a word.
    if let Some(why) = column.misfit(row) {
        return Err(BindError::Value(why));
    }
    match column {
        ColumnReader::Bool(array) => statement.raw_bind_parameter(parameter, i64::from(array.value(row)))?,
        ColumnReader::Int64(array) => statement.raw_bind_parameter(parameter, array.value(row))?,
        ColumnReader::Float64(array) => statement.raw_bind_parameter(parameter, array.value(row))?,
        ColumnReader::Decimal { array, precision, scale } if *precision <= DOUBLE_DECIMAL_DIGITS => {
            statement.raw_bind_parameter(parameter, decimal_to_double(array.value(row), *scale))?;
        }
        ColumnReader::Decimal { array, scale, .. } => {
            scratch.clear();
            write_decimal(array.value(row), *scale, scratch);
            statement.raw_bind_parameter(parameter, scratch.as_str())?;
        }
        ColumnReader::Text(array) => statement.raw_bind_parameter(parameter, array.value(row))?,
        ColumnReader::Date(array) => {
            scratch.clear();
            write_date(array.value(row), scratch);
            statement.raw_bind_parameter(parameter, scratch.as_str())?;
        }
    }
    Ok(())
}
