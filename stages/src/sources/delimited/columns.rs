//! The columns of a source: what is read, and the arrays it becomes.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, RecordBatch,
    builder::{BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder},
};
use arrow_schema::ArrowError;
use vardelta_engine::{contract::reason::Reason, diagnostics::Diagnostics};
use vardelta_schemas::{Column, ColumnType, Schema};

use super::{
    options::ColumnOptions,
    reasons::{BAD_REQUIRED_VALUE, MISSING_REQUIRED_VALUE, Tally, Warning},
};
use crate::{
    columns::check_names,
    sources::shared::{
        place::shown,
        tally::{About, FieldNames},
        text::text_column,
    },
    typed_text::{self, Whole},
};

/// What is read of a file.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    /// The columns of the rows.
    pub schema: Schema,
    /// What the header calls them.
    pub from: Vec<String>,
    /// Values that mean NULL.
    null_values: Vec<String>,
}

impl Columns {
    /// The columns that the options list; reports what cannot be a column.
    pub fn plan(options: &ColumnOptions, null_values: Vec<String>, diagnostics: &mut Diagnostics) -> Option<Columns> {
        if options.columns.is_empty() {
            diagnostics
                .error(options.span.clone(), "no column is read")
                .hint("Name at least one under `columns`, for example `gene_symbol = \"text\"`.");
            return None;
        }
        let names: Vec<_> = options.columns.iter().map(|column| column.name.clone()).collect();
        if !check_names(&names, diagnostics) {
            return None;
        }
        let columns = options.columns.iter().map(|column| Column {
            nullable: !column.required,
            ..Column::required(column.name.value.clone(), column.column_type.clone())
        });
        Some(Columns {
            schema: Schema::new(columns.collect()),
            from: options.columns.iter().map(|column| column.from.clone()).collect(),
            null_values,
        })
    }

    /// The names of the columns, for warnings.
    pub fn names(&self) -> FieldNames {
        let names = self.schema.columns().iter().map(|column| column.name.clone());
        FieldNames { columns: names.collect(), ..FieldNames::default() }
    }

    fn is_null(&self, value: &[u8]) -> bool {
        self.null_values.iter().any(|null| null.as_bytes() == value)
    }
}

/// A value of a record, before the record is known to be sound.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cell {
    Null,
    /// As the file writes it.
    Text,
    Int64(i64),
    Float64(f64),
    Decimal(i128),
    Bool(bool),
    Date(i32),
}

/// The column that is being filled.
enum Builder {
    Text(BinaryBuilder),
    Int64(Int64Builder),
    Float64(Float64Builder),
    Decimal(Decimal128Builder, u8, i8),
    Bool(BooleanBuilder),
    Date(Date32Builder),
}

impl Builder {
    fn new(column_type: &ColumnType) -> Builder {
        match column_type {
            ColumnType::Int64 => Builder::Int64(Int64Builder::new()),
            ColumnType::Float64 => Builder::Float64(Float64Builder::new()),
            ColumnType::Decimal { precision, scale } => Builder::Decimal(Decimal128Builder::new(), *precision, *scale),
            ColumnType::Bool => Builder::Bool(BooleanBuilder::new()),
            ColumnType::Date => Builder::Date(Date32Builder::new()),
            // No option makes a list.
            ColumnType::Text | ColumnType::List(_) => Builder::Text(BinaryBuilder::new()),
        }
    }

    /// A value in this column's type; `None` where it is not of it.
    fn read(&self, value: &[u8], tally: &mut Tally) -> Option<Cell> {
        Some(match self {
            Builder::Text(_) => Cell::Text,
            Builder::Int64(_) => match typed_text::int64(value)? {
                Whole::Plain(value) => Cell::Int64(value),
                Whole::WithPoint(value) => {
                    tally.count(Warning::DecimalInteger);
                    Cell::Int64(value)
                }
            },
            Builder::Float64(_) => Cell::Float64(typed_text::float64(value)?),
            Builder::Decimal(_, precision, scale) => Cell::Decimal(typed_text::decimal(value, *precision, *scale)?),
            Builder::Bool(_) => Cell::Bool(typed_text::boolean(value)?),
            Builder::Date(_) => Cell::Date(typed_text::date(value)?),
        })
    }

    fn append(&mut self, cell: Cell, written: &[u8]) {
        match (self, cell) {
            (Builder::Text(builder), Cell::Text) => builder.append_value(written),
            (Builder::Text(builder), _) => builder.append_null(),
            (Builder::Int64(builder), Cell::Int64(value)) => builder.append_value(value),
            (Builder::Int64(builder), _) => builder.append_null(),
            (Builder::Float64(builder), Cell::Float64(value)) => builder.append_value(value),
            (Builder::Float64(builder), _) => builder.append_null(),
            (Builder::Decimal(builder, ..), Cell::Decimal(value)) => builder.append_value(value),
            (Builder::Decimal(builder, ..), _) => builder.append_null(),
            (Builder::Bool(builder), Cell::Bool(value)) => builder.append_value(value),
            (Builder::Bool(builder), _) => builder.append_null(),
            (Builder::Date(builder), Cell::Date(value)) => builder.append_value(value),
            (Builder::Date(builder), _) => builder.append_null(),
        }
    }

    fn finish(&mut self, tally: &mut Tally) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Builder::Text(builder) => {
                let (array, undecodable) = text_column(builder.finish());
                tally.add(Warning::InvalidUtf8, undecodable);
                array
            }
            Builder::Int64(builder) => Arc::new(builder.finish()),
            Builder::Float64(builder) => Arc::new(builder.finish()),
            Builder::Decimal(builder, precision, scale) => {
                Arc::new(builder.finish().with_precision_and_scale(*precision, *scale)?)
            }
            Builder::Bool(builder) => Arc::new(builder.finish()),
            Builder::Date(builder) => Arc::new(builder.finish()),
        })
    }
}

/// Why a record is refused: the reason, and what exactly was wrong.
pub(super) type Refusal = (&'static Reason, String);

/// Rows that are being gathered.
pub(super) struct Rows {
    columns: Arc<Columns>,
    arrow_schema: Arc<arrow_schema::Schema>,
    builders: Vec<Builder>,
    cells: Vec<Cell>,
}

impl Rows {
    /// No rows yet.
    pub fn new(columns: Arc<Columns>) -> Rows {
        let builders = columns.schema.columns().iter().map(|column| Builder::new(&column.column_type)).collect();
        Rows { arrow_schema: columns.schema.to_arrow(), columns, builders, cells: Vec::new() }
    }

    /// Reads a record whole, then appends it, so that a refusal leaves all columns equally long. `field` gives the text
    /// of each column in the order of the rows.
    pub fn append<'a>(&mut self, field: impl Fn(usize) -> &'a [u8], tally: &mut Tally) -> Result<(), Refusal> {
        self.cells.clear();
        for (at, (column, builder)) in self.columns.schema.columns().iter().zip(&self.builders).enumerate() {
            tally.look_at_field(About::Column(at));
            let written = field(at);
            let is_text = matches!(builder, Builder::Text(_));
            let value = if is_text { written } else { written.trim_ascii() };
            let is_null = self.columns.is_null(written) || (!is_text && self.columns.is_null(value));
            let cell = if is_null { Some(Cell::Null) } else { builder.read(value, tally) };
            let refuse = |reason, what: &str| Err((reason, format!("column `{}` {what}", column.name)));
            match cell {
                Some(Cell::Null) if !column.nullable => return refuse(MISSING_REQUIRED_VALUE, "has no value"),
                Some(cell) => self.cells.push(cell),
                None if !column.nullable => {
                    let what = format!("is {}, and the value is `{}`", column.column_type, shown(value));
                    return refuse(BAD_REQUIRED_VALUE, &what);
                }
                None => {
                    tally.count(Warning::BadValue);
                    self.cells.push(Cell::Null);
                }
            }
        }
        tally.look_at_field(About::Record);
        for (at, (builder, cell)) in self.builders.iter_mut().zip(&self.cells).enumerate() {
            builder.append(*cell, field(at));
        }
        Ok(())
    }

    /// The rows as a batch; gathering starts afresh.
    pub fn finish(&mut self, tally: &mut Tally) -> Result<RecordBatch, ArrowError> {
        tally.look_at(0);
        let mut arrays = Vec::with_capacity(self.builders.len());
        for (at, builder) in self.builders.iter_mut().enumerate() {
            tally.look_at_field(About::Column(at));
            arrays.push(builder.finish(tally)?);
        }
        RecordBatch::try_new(Arc::clone(&self.arrow_schema), arrays)
    }
}
