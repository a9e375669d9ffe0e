//! Reading a whole table back, in typed batches, as the rows come from the server.

use arrow_array::RecordBatch;
use mysql::{Row, Value, prelude::Queryable};
use vardelta_engine::contract::sink::SinkError;
use vardelta_schemas::{
    TableSchema,
    value_text::{parse_date, parse_decimal},
};

use crate::sinks::{
    mysql::{error::explain, link::Link},
    shared::{
        read::{BatchReader, StoredRow},
        values::{ColumnBuilder, show_text},
    },
};

/// Reads every row that a statement yields of a table.
pub(super) fn scan(
    location: &str,
    link: &mut Link,
    table: &TableSchema,
    select: &str,
    each: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
) -> Result<(), SinkError> {
    let doing = format!("read table `{}` of", table.name);
    query(location, link, table, select, &doing, each)
}

/// Reads what a statement yields, laid out as this table's rows.
pub(super) fn query(
    location: &str,
    link: &mut Link,
    table: &TableSchema,
    select: &str,
    doing: &str,
    each: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
) -> Result<(), SinkError> {
    let failed = explain(location, doing);
    // The binary protocol: doubles come as they are.
    let rows = link.conn.exec_iter(select, ()).map_err(failed)?;
    let mut batches = BatchReader::new(location.to_owned(), table, each);
    for row in rows {
        batches.push(&row.map_err(failed)?)?;
    }
    batches.finish()
}

impl StoredRow for Row {
    fn is_null(&self, index: usize) -> bool {
        self.as_ref(index).is_none_or(|value| *value == Value::NULL)
    }

    fn append(&self, index: usize, column: &mut ColumnBuilder) -> bool {
        append(column, self.as_ref(index).unwrap_or(&Value::NULL))
    }

    fn show(&self, index: usize) -> String {
        self.as_ref(index).map_or_else(|| "?".into(), show)
    }
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
