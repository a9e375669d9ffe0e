//! Reading a whole table back, in typed batches.

use std::{path::Path, sync::Arc};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use rusqlite::{Connection, Row, types::ValueRef};
use vardelta_engine::contract::sink::{SinkError, SinkErrorKind};
use vardelta_schemas::{
    TableSchema,
    sql::{marks::Marks, table::TableStatements},
    value_text::{DOUBLE_DECIMAL_DIGITS, double_to_decimal, parse_date, parse_decimal},
};

use crate::sinks::{
    shared::values::{ColumnBuilder, show_text},
    sqlite::error::explain,
};

/// Rows per batch.
const BATCH_ROWS: usize = 8192;

/// Reads every live row of a table.
pub(super) fn scan(
    path: &Path,
    connection: &Connection,
    table: &TableSchema,
    marks: Marks,
    each: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
) -> Result<(), SinkError> {
    let doing = format!("read table `{}` of", table.name);
    let failed = explain(path, &doing);
    let select = TableStatements::new(table, marks).select;
    let mut statement = connection.prepare(&select).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let schema = table.schema.to_arrow();
    let mut columns = builders(table);
    let mut pending_rows = 0;
    while let Some(row) = rows.next().map_err(failed)? {
        for (index, column) in columns.iter_mut().enumerate() {
            let value = row.get_ref(index).map_err(failed)?;
            let nullable = table.schema.columns()[index].nullable;
            if matches!(value, ValueRef::Null) && !nullable || !append(column, value) {
                return Err(misfit(path, table, index, row));
            }
        }
        pending_rows += 1;
        if pending_rows == BATCH_ROWS {
            each(finish(&schema, &mut columns, path, table)?)?;
            pending_rows = 0;
        }
    }
    if pending_rows > 0 {
        each(finish(&schema, &mut columns, path, table)?)?;
    }
    Ok(())
}

fn builders(table: &TableSchema) -> Vec<ColumnBuilder> {
    table.schema.columns().iter().map(|column| ColumnBuilder::new(&column.column_type)).collect()
}

fn finish(
    schema: &SchemaRef,
    columns: &mut [ColumnBuilder],
    path: &Path,
    table: &TableSchema,
) -> Result<RecordBatch, SinkError> {
    let arrays = columns.iter_mut().map(ColumnBuilder::finish).collect();
    RecordBatch::try_new(Arc::clone(schema), arrays).map_err(|cause| {
        let message = format!("table `{}` in {} cannot be read: {cause}", table.name, path.display());
        SinkError::new(SinkErrorKind::Value, message)
    })
}

/// A value that vardelta did not write there.
fn misfit(path: &Path, table: &TableSchema, index: usize, row: &Row<'_>) -> SinkError {
    let columns = table.schema.columns();
    let value = |index: usize| row.get_ref(index).map_or_else(|_| "?".into(), show);
    let key: Vec<String> =
        table.key.iter().map(|index| format!("{} = {}", columns[*index].name, value(*index))).collect();
    let at = if key.is_empty() { "its one row".to_string() } else { key.join(", ") };
    let column = &columns[index];
    SinkError::new(
        SinkErrorKind::Value,
        format!(
            "table `{}` in {}, {at}: column `{}` holds {}, which is no {}",
            table.name,
            path.display(),
            column.name,
            value(index),
            column.column_type
        ),
    )
    .with_hint("Somebody has changed the table; make it anew with `vardelta rebuild`.")
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
