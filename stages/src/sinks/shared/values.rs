//! Values of sink tables: columns of a batch whose type is known, on their way into a database, and columns being built
//! from what a database yields. Shared by the sinks.

use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    builder::{BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder},
};
use vardelta_engine::contract::sink::{SinkError, SinkErrorKind};
use vardelta_schemas::{
    ColumnType, TableSchema,
    value_text::{fits_precision, write_date, write_decimal},
};

/// A column whose Arrow type is known.
pub(crate) enum ColumnReader<'a> {
    Bool(&'a BooleanArray),
    Int64(&'a Int64Array),
    Float64(&'a Float64Array),
    Decimal { array: &'a Decimal128Array, precision: u8, scale: i8 },
    Text(&'a StringArray),
    Date(&'a Date32Array),
}

/// The columns of a batch, which must be laid out as the table's schema says.
pub(crate) fn column_readers<'a>(
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
    let reader = |(column, array): (&vardelta_schemas::Column, &'a ArrayRef)| {
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

    pub(crate) fn is_null(&self, row: usize) -> bool {
        match self {
            ColumnReader::Bool(array) => array.is_null(row),
            ColumnReader::Int64(array) => array.is_null(row),
            ColumnReader::Float64(array) => array.is_null(row),
            ColumnReader::Decimal { array, .. } => array.is_null(row),
            ColumnReader::Text(array) => array.is_null(row),
            ColumnReader::Date(array) => array.is_null(row),
        }
    }

    /// Why no database keeps the value; `None` for one that every column of its type holds.
    pub(crate) fn misfit(&self, row: usize) -> Option<String> {
        if self.is_null(row) {
            return None;
        }
        match self {
            ColumnReader::Float64(array) => {
                let value = array.value(row);
                (!value.is_finite()).then(|| format!("{value} is not a finite number"))
            }
            ColumnReader::Decimal { array, precision, scale } => (!fits_precision(array.value(row), *precision))
                .then(|| format!("{} does not fit decimal({precision},{scale})", self.show(row))),
            ColumnReader::Date(array) => {
                let days = array.value(row);
                (!write_date(days, &mut String::new()))
                    .then(|| format!("{days} days from 1970-01-01 are outside the years 0 to 9999"))
            }
            ColumnReader::Bool(_) | ColumnReader::Int64(_) | ColumnReader::Text(_) => None,
        }
    }

    /// A value for a message.
    pub(crate) fn show(&self, row: usize) -> String {
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
pub(crate) fn show_text(text: &str) -> String {
    const SHOWN_CHARACTERS: usize = 60;
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("'{}…' ({} bytes)", &text[..end], text.len()),
        None => format!("'{text}'"),
    }
}

/// A row's key in words: `chrom = '1', pos = 100`.
pub(crate) fn show_key(table: &TableSchema, columns: &[ColumnReader<'_>], row: usize) -> String {
    if table.key.is_empty() {
        return "its one row".into();
    }
    let name = |index: usize| table.schema.columns()[index].name.as_str();
    let parts: Vec<String> =
        table.key.iter().map(|index| format!("{} = {}", name(*index), columns[*index].show(row))).collect();
    parts.join(", ")
}

/// A column being built.
pub(crate) enum ColumnBuilder {
    Bool(BooleanBuilder),
    Int64(Int64Builder),
    Float64(Float64Builder),
    Decimal { builder: Decimal128Builder, precision: u8, scale: i8 },
    Text(StringBuilder),
    Date(Date32Builder),
}

impl ColumnBuilder {
    /// An empty column.
    pub(crate) fn new(column_type: &ColumnType) -> ColumnBuilder {
        match column_type {
            ColumnType::Bool => ColumnBuilder::Bool(BooleanBuilder::new()),
            ColumnType::Int64 => ColumnBuilder::Int64(Int64Builder::new()),
            ColumnType::Float64 => ColumnBuilder::Float64(Float64Builder::new()),
            ColumnType::Decimal { precision, scale } => ColumnBuilder::Decimal {
                builder: Decimal128Builder::new().with_data_type(column_type.to_arrow()),
                precision: *precision,
                scale: *scale,
            },
            ColumnType::Text => ColumnBuilder::Text(StringBuilder::new()),
            ColumnType::Date => ColumnBuilder::Date(Date32Builder::new()),
            ColumnType::List(_) => unreachable!("the planner lets no list reach a table"),
        }
    }

    /// Appends NULL.
    pub(crate) fn append_null(&mut self) {
        match self {
            ColumnBuilder::Bool(builder) => builder.append_null(),
            ColumnBuilder::Int64(builder) => builder.append_null(),
            ColumnBuilder::Float64(builder) => builder.append_null(),
            ColumnBuilder::Decimal { builder, .. } => builder.append_null(),
            ColumnBuilder::Text(builder) => builder.append_null(),
            ColumnBuilder::Date(builder) => builder.append_null(),
        }
    }

    /// The column so far; the builder is then empty.
    pub(crate) fn finish(&mut self) -> ArrayRef {
        match self {
            ColumnBuilder::Bool(builder) => std::sync::Arc::new(builder.finish()),
            ColumnBuilder::Int64(builder) => std::sync::Arc::new(builder.finish()),
            ColumnBuilder::Float64(builder) => std::sync::Arc::new(builder.finish()),
            ColumnBuilder::Decimal { builder, .. } => std::sync::Arc::new(builder.finish()),
            ColumnBuilder::Text(builder) => std::sync::Arc::new(builder.finish()),
            ColumnBuilder::Date(builder) => std::sync::Arc::new(builder.finish()),
        }
    }
}
