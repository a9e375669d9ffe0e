//! Reading a whole table back, in typed batches, as the rows come from the server.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use mysql::{Row, Value, prelude::Queryable};
use vardelta_engine::contract::sink::{SinkError, SinkErrorKind};
use vardelta_schemas::{
    TableSchema,
    value_text::{parse_date, parse_decimal},
};

use crate::sinks::{
    mysql::{error::explain, link::Link},
    shared::values::{ColumnBuilder, show_text},
};

/// Rows per batch.
const BATCH_ROWS: usize = 8192;

/// Reads every row that a statement yields of a table.
pub(super) fn scan(
    location: &str,
    link: &mut Link,
    table: &TableSchema,
    select: &str,
    each: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
) -> Result<(), SinkError> {
    let doing = format!("read table `{}` of", table.name);
    let failed = explain(location, &doing);
    // The binary protocol: doubles come as they are.
    let rows = link.conn.exec_iter(select, ()).map_err(failed)?;
    let schema = table.schema.to_arrow();
    let mut columns: Vec<ColumnBuilder> =
        table.schema.columns().iter().map(|column| ColumnBuilder::new(&column.column_type)).collect();
    let mut pending_rows = 0;
    for row in rows {
        let row = row.map_err(failed)?;
        for (index, column) in columns.iter_mut().enumerate() {
            let value = row.as_ref(index).unwrap_or(&Value::NULL);
            let nullable = table.schema.columns()[index].nullable;
            if *value == Value::NULL && !nullable || !append(column, value) {
                return Err(misfit(location, table, index, &row));
            }
        }
        pending_rows += 1;
        if pending_rows == BATCH_ROWS {
            each(finish(&schema, &mut columns, location, table)?)?;
            pending_rows = 0;
        }
    }
    if pending_rows > 0 {
        each(finish(&schema, &mut columns, location, table)?)?;
    }
    Ok(())
}

fn finish(
    schema: &SchemaRef,
    columns: &mut [ColumnBuilder],
    location: &str,
    table: &TableSchema,
) -> Result<RecordBatch, SinkError> {
    let arrays = columns.iter_mut().map(ColumnBuilder::finish).collect();
    RecordBatch::try_new(Arc::clone(schema), arrays).map_err(|cause| {
        let message = format!("table `{}` in {location} cannot be read: {cause}", table.name);
        SinkError::new(SinkErrorKind::Value, message)
    })
}

/// A value that vardelta did not write there.
fn misfit(location: &str, table: &TableSchema, index: usize, row: &Row) -> SinkError {
    let columns = table.schema.columns();
    let value = |index: usize| row.as_ref(index).map_or_else(|| "?".into(), show);
    let key: Vec<String> =
        table.key.iter().map(|index| format!("{} = {}", columns[*index].name, value(*index))).collect();
    let at = if key.is_empty() { "its one row".to_string() } else { key.join(", ") };
    let column = &columns[index];
    SinkError::new(
        SinkErrorKind::Value,
        format!(
            "table `{}` in {location}, {at}: column `{}` holds {}, which is no {}",
            table.name,
            column.name,
            value(index),
            column.column_type
        ),
    )
    .with_hint("Somebody has changed the table; make it anew with `vardelta rebuild`.")
}

fn show(value: &Value) -> String {
    match value {
        Value::Bytes(bytes) => show_text(&String::from_utf8_lossy(bytes)),
        other => other.as_sql(false),
    }
}

/// Takes a value; false when it is not one that the column's type is kept as.
fn append(column: &mut ColumnBuilder, value: &Value) -> bool {
    fn text(bytes: &[u8]) -> Option<&str> {
        std::str::from_utf8(bytes).ok()
    }
    match (column, value) {
        (column, Value::NULL) => column.append_null(),
        (ColumnBuilder::Bool(builder), Value::Int(value @ (0 | 1))) => builder.append_value(*value == 1),
        (ColumnBuilder::Int64(builder), Value::Int(value)) => builder.append_value(*value),
        (ColumnBuilder::Float64(builder), Value::Double(value)) => builder.append_value(*value),
        (ColumnBuilder::Decimal { builder, precision, scale }, Value::Bytes(bytes)) => {
            let decimal = text(bytes).and_then(|text| parse_decimal(text, *precision, *scale));
            let Some(decimal) = decimal else { return false };
            builder.append_value(decimal);
        }
        (ColumnBuilder::Text(builder), Value::Bytes(bytes)) => {
            let Some(text) = text(bytes) else { return false };
            builder.append_value(text);
        }
        (ColumnBuilder::Date(builder), Value::Date(year, month, day, 0, 0, 0, 0)) => {
            let Some(days) = parse_date(&format!("{year:04}-{month:02}-{day:02}")) else { return false };
            builder.append_value(days);
        }
        _ => return false,
    }
    true
}
