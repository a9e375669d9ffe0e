//! Reading a whole table back, in typed batches.

use std::path::Path;

use arrow_array::RecordBatch;
use rusqlite::{Connection, Row, types::ValueRef};
use vardelta_engine::contract::sink::SinkError;
use vardelta_schemas::{
    TableSchema,
    sql::{marks::Marks, table::TableStatements},
    value_text::{DOUBLE_DECIMAL_DIGITS, double_to_decimal, parse_date, parse_decimal},
};

use crate::sinks::{
    shared::{
        read::{BatchReader, StoredRow},
        values::{ColumnBuilder, show_text},
    },
    sqlite::error::explain,
};

/// Reads every live row of a table.
pub(super) fn scan(
    path: &Path,
    connection: &Connection,
    table: &TableSchema,
    marks: Marks,
    each: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
) -> Result<(), SinkError> {
    let doing = format!("read table `{}` of", table.name);
    query(path, connection, table, &TableStatements::new(table, marks).select, &doing, each)
}

/// Reads what a statement yields, laid out as this table's rows.
pub(super) fn query(
    path: &Path,
    connection: &Connection,
    table: &TableSchema,
    select: &str,
    doing: &str,
    each: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
) -> Result<(), SinkError> {
    let failed = explain(path, doing);
    let mut statement = connection.prepare(select).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut batches = BatchReader::new(path.display().to_string(), table, each);
    while let Some(row) = rows.next().map_err(failed)? {
        batches.push(row)?;
    }
    batches.finish()
}

impl StoredRow for Row<'_> {
    fn is_null(&self, index: usize) -> bool {
        matches!(self.get_ref(index), Ok(ValueRef::Null))
    }

    fn append(&self, index: usize, column: &mut ColumnBuilder) -> bool {
        self.get_ref(index).is_ok_and(|value| append(column, value))
    }

    fn show(&self, index: usize) -> String {
        self.get_ref(index).map_or_else(|_| "?".into(), show)
    }
}

fn show(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".into(),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Real(value) => value.to_string(),
        ValueRef::Text(bytes) => show_text(&String::from_utf8_lossy(bytes)),
        ValueRef::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}

/// Takes a value; false when it is not one that the column's type is kept as.
fn append(column: &mut ColumnBuilder, value: ValueRef<'_>) -> bool {
    let text = |bytes| std::str::from_utf8(bytes).ok();
    match (column, value) {
        (column, ValueRef::Null) => column.append_null(),
        (ColumnBuilder::Bool(builder), ValueRef::Integer(value @ (0 | 1))) => builder.append_value(value == 1),
        (ColumnBuilder::Int64(builder), ValueRef::Integer(value)) => builder.append_value(value),
        (ColumnBuilder::Float64(builder), ValueRef::Real(value)) => builder.append_value(value),
        (ColumnBuilder::Decimal { builder, precision, scale }, value) => {
            let decimal = match value {
                ValueRef::Real(value) if *precision <= DOUBLE_DECIMAL_DIGITS => {
                    double_to_decimal(value, *precision, *scale)
                }
                ValueRef::Text(bytes) if *precision > DOUBLE_DECIMAL_DIGITS => {
                    text(bytes).and_then(|text| parse_decimal(text, *precision, *scale))
                }
                _ => None,
            };
            let Some(decimal) = decimal else { return false };
            builder.append_value(decimal);
        }
        (ColumnBuilder::Text(builder), ValueRef::Text(bytes)) => {
            let Some(text) = text(bytes) else { return false };
            builder.append_value(text);
        }
        (ColumnBuilder::Date(builder), ValueRef::Text(bytes)) => {
            let Some(days) = text(bytes).and_then(parse_date) else { return false };
            builder.append_value(days);
        }
        _ => return false,
    }
    true
}
