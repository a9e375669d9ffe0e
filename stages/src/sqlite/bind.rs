//! Columns of a batch as parameters of a statement: each column is recognised once per batch, and no value is
//! allocated on its way into the database.

use arrow_array::{
    Array, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
};
use rusqlite::{Statement, types::Null};
use vardelta_engine::sink::{SinkError, SinkErrorKind};
use vardelta_schemas::{
    ColumnType, TableSchema,
    value_text::{DOUBLE_DECIMAL_DIGITS, decimal_to_double, fits_precision, write_date, write_decimal},
};

/// A column whose Arrow type is known.
pub(super) enum ColumnReader<'a> {
    Bool(&'a BooleanArray),
    Int64(&'a Int64Array),
    Float64(&'a Float64Array),
    Decimal { array: &'a Decimal128Array, precision: u8, scale: i8 },
    Text(&'a StringArray),
    Date(&'a Date32Array),
}

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

/// The columns of a batch, which must be laid out as the table's schema says.
pub(super) fn column_readers<'a>(
    table: &TableSchema,
    batch: &'a RecordBatch,
) -> Result<Vec<ColumnReader<'a>>, SinkError> {
    let columns = table.schema.columns();
    let mismatch = |what: String| {
        SinkError::new(
            SinkErrorKind::Value,
            format!("changes of table `{}` do not fit its columns: {what}", table.name),
        )
    };
    if columns.len() != batch.num_columns() {
        return Err(mismatch(format!("{} columns instead of {}", batch.num_columns(), columns.len())));
    }
    let reader = |(column, array): (&vardelta_schemas::Column, &'a arrow_array::ArrayRef)| {
        ColumnReader::new(&column.column_type, array.as_ref()).ok_or_else(|| {
            mismatch(format!("`{}` is {} instead of {}", column.name, array.data_type(), column.column_type))
        })
    };
    columns.iter().zip(batch.columns()).map(reader).collect()
}

impl<'a> ColumnReader<'a> {
    fn new(column_type: &ColumnType, array: &'a dyn Array) -> Option<ColumnReader<'a>> {
        if *array.data_type() != column_type.to_arrow() {
            return None;
        }
        let any = array.as_any();
        Some(match column_type {
            ColumnType::Bool => ColumnReader::Bool(any.downcast_ref()?),
            ColumnType::Int64 => ColumnReader::Int64(any.downcast_ref()?),
            ColumnType::Float64 => ColumnReader::Float64(any.downcast_ref()?),
            ColumnType::Decimal { precision, scale } => {
                ColumnReader::Decimal { array: any.downcast_ref()?, precision: *precision, scale: *scale }
            }
            ColumnType::Text => ColumnReader::Text(any.downcast_ref()?),
            ColumnType::Date => ColumnReader::Date(any.downcast_ref()?),
            ColumnType::List(_) => return None,
        })
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            ColumnReader::Bool(array) => array.is_null(row),
            ColumnReader::Int64(array) => array.is_null(row),
            ColumnReader::Float64(array) => array.is_null(row),
            ColumnReader::Decimal { array, .. } => array.is_null(row),
            ColumnReader::Text(array) => array.is_null(row),
            ColumnReader::Date(array) => array.is_null(row),
        }
    }

    /// Binds one value. `scratch` is for values that are kept as text but are none.
    pub(super) fn bind(
        &self,
        statement: &mut Statement<'_>,
        parameter: usize,
        row: usize,
        scratch: &mut String,
    ) -> Result<(), BindError> {
        if self.is_null(row) {
            return Ok(statement.raw_bind_parameter(parameter, Null)?);
        }
        match self {
            ColumnReader::Bool(array) => statement.raw_bind_parameter(parameter, i64::from(array.value(row)))?,
            ColumnReader::Int64(array) => statement.raw_bind_parameter(parameter, array.value(row))?,
            ColumnReader::Float64(array) => {
                let value = array.value(row);
                // SQLite would make NULL of a NaN without a word.
                if !value.is_finite() {
                    return Err(BindError::Value(format!("{value} is not a finite number")));
                }
                statement.raw_bind_parameter(parameter, value)?;
            }
            ColumnReader::Decimal { array, precision, scale } => {
                let value = array.value(row);
                if !fits_precision(value, *precision) {
                    return Err(BindError::Value(format!(
                        "{} does not fit decimal({precision},{scale})",
                        self.show(row)
                    )));
                }
                if *precision <= DOUBLE_DECIMAL_DIGITS {
                    statement.raw_bind_parameter(parameter, decimal_to_double(value, *scale))?;
                } else {
                    scratch.clear();
                    write_decimal(value, *scale, scratch);
                    statement.raw_bind_parameter(parameter, scratch.as_str())?;
                }
            }
            ColumnReader::Text(array) => statement.raw_bind_parameter(parameter, array.value(row))?,
            ColumnReader::Date(array) => {
                scratch.clear();
                if !write_date(array.value(row), scratch) {
                    let days = array.value(row);
                    return Err(BindError::Value(format!(
                        "{days} days from 1970-01-01 are outside the years 0 to 9999"
                    )));
                }
                statement.raw_bind_parameter(parameter, scratch.as_str())?;
            }
        }
        Ok(())
    }

    /// A value for a message.
    pub(super) fn show(&self, row: usize) -> String {
        if self.is_null(row) {
            return "NULL".into();
        }
        let mut text = String::new();
        match self {
            ColumnReader::Bool(array) => array.value(row).to_string(),
            ColumnReader::Int64(array) => array.value(row).to_string(),
            ColumnReader::Float64(array) => array.value(row).to_string(),
            ColumnReader::Decimal { array, scale, .. } => {
                write_decimal(array.value(row), *scale, &mut text);
                text
            }
            ColumnReader::Text(array) => show_text(array.value(row)),
            ColumnReader::Date(array) => {
                if write_date(array.value(row), &mut text) {
                    text
                } else {
                    array.value(row).to_string()
                }
            }
        }
    }
}

/// A text for a message: quoted, and cut where it is long (an allele may have thousands of bases).
pub(super) fn show_text(text: &str) -> String {
    const SHOWN_CHARACTERS: usize = 60;
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("'{}…' ({} bytes)", &text[..end], text.len()),
        None => format!("'{text}'"),
    }
}
