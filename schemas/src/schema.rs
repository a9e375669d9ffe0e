//! Record schemas: the columns that travel on an edge of the DAG, and the keyed tables a sink keeps.

use std::{fmt, sync::Arc};

use arrow_schema::{DataType, Field, Fields};

/// The type of a column. Every stage speaks these types only, so that each dialect needs one mapping.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// True or false.
    Bool,
    /// A signed 64-bit integer.
    Int64,
    /// An IEEE 754 double. Never NaN or infinite in a row that reaches a table.
    Float64,
    /// An exact decimal number of at most 38 digits, `scale` of them after the point.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point, 0 to `precision`.
        scale: i8,
    },
    /// UTF-8 text.
    Text,
    /// Days since 1970-01-01.
    Date,
    /// A list; it travels between transforms and never reaches a table.
    List(Box<ColumnType>),
}

impl ColumnType {
    /// The Arrow type in which columns of this type travel.
    pub fn to_arrow(&self) -> DataType {
        match self {
            ColumnType::Bool => DataType::Boolean,
            ColumnType::Int64 => DataType::Int64,
            ColumnType::Float64 => DataType::Float64,
            ColumnType::Decimal { precision, scale } => DataType::Decimal128(*precision, *scale),
            ColumnType::Text => DataType::Utf8,
            ColumnType::Date => DataType::Date32,
            ColumnType::List(item) => DataType::List(Arc::new(Field::new("item", item.to_arrow(), true))),
        }
    }

    /// The column type that holds every value of an Arrow type, if there is one: all integers become
    /// [`ColumnType::Int64`], all floats [`ColumnType::Float64`], all strings [`ColumnType::Text`].
    pub fn from_arrow(data_type: &DataType) -> Option<ColumnType> {
        Some(match data_type {
            DataType::Boolean => ColumnType::Bool,
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::UInt64 => ColumnType::Int64,
            DataType::Float16 | DataType::Float32 | DataType::Float64 => ColumnType::Float64,
            DataType::Decimal32(precision, scale)
            | DataType::Decimal64(precision, scale)
            | DataType::Decimal128(precision, scale) => ColumnType::Decimal { precision: *precision, scale: *scale },
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ColumnType::Text,
            DataType::Date32 => ColumnType::Date,
            DataType::List(item) | DataType::LargeList(item) => {
                ColumnType::List(Box::new(ColumnType::from_arrow(item.data_type())?))
            }
            _ => return None,
        })
    }

    /// Whether a table can keep a column of this type.
    pub fn is_scalar(&self) -> bool {
        !matches!(self, ColumnType::List(_))
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColumnType::Bool => f.write_str("bool"),
            ColumnType::Int64 => f.write_str("int64"),
            ColumnType::Float64 => f.write_str("float64"),
            ColumnType::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            ColumnType::Text => f.write_str("text"),
            ColumnType::Date => f.write_str("date"),
            ColumnType::List(item) => write!(f, "list<{item}>"),
        }
    }
}

/// How many values a VCF field holds, as its header's `Number` says (VCF 4.3, section 1.4.2).
/// The engine does not look at it; `normalize` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Number {
    /// Exactly this many values; 0 is a flag.
    Count(u32),
    /// One value per alternate allele (`A`).
    PerAlternate,
    /// One value per allele, the reference first (`R`).
    PerAllele,
    /// One value per genotype (`G`).
    PerGenotype,
    /// Any number of values (`.`).
    Unknown,
}

/// A column: name, type, whether it may be NULL, and what it means.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Column {
    /// The name, as expressions and tables use it.
    pub name: String,
    /// The type.
    pub column_type: ColumnType,
    /// Whether a row may hold NULL here.
    pub nullable: bool,
    /// Meaning, with unit and coordinate base. May be empty.
    pub doc: String,
    /// For a column read from a VCF INFO or FORMAT field: how many values it declares.
    pub number: Option<Number>,
}

impl Column {
    /// A column that is never NULL.
    pub fn required(name: impl Into<String>, column_type: ColumnType) -> Column {
        Column { name: name.into(), column_type, nullable: false, doc: String::new(), number: None }
    }

    /// A column that may be NULL.
    pub fn nullable(name: impl Into<String>, column_type: ColumnType) -> Column {
        Column { nullable: true, ..Column::required(name, column_type) }
    }

    /// The same column with its meaning written down.
    pub fn with_doc(mut self, doc: impl Into<String>) -> Column {
        self.doc = doc.into();
        self
    }

    /// The same column with the number of values its header declares.
    pub fn with_number(mut self, number: Number) -> Column {
        self.number = Some(number);
        self
    }

    /// The Arrow field of this column.
    pub fn to_arrow(&self) -> Field {
        Field::new(&self.name, self.column_type.to_arrow(), self.nullable)
    }
}

/// The columns of a batch, in order. Names are unique.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Schema {
    columns: Vec<Column>,
}

impl Schema {
    /// A schema of these columns, in this order.
    pub fn new(columns: Vec<Column>) -> Schema {
        Schema { columns }
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The place of a column, by its exact name.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// A column by its exact name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The Arrow schema of batches with these columns.
    pub fn to_arrow(&self) -> Arc<arrow_schema::Schema> {
        let fields: Fields = self.columns.iter().map(Column::to_arrow).collect();
        Arc::new(arrow_schema::Schema::new(fields))
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, column) in self.columns.iter().enumerate() {
            let (comma, null) = (if i > 0 { ", " } else { "" }, if column.nullable { "?" } else { "" });
            write!(f, "{comma}{} {}{null}", column.name, column.column_type)?;
        }
        Ok(())
    }
}

/// A keyed collection that a sink keeps as a table.
///
/// The sink adds the column `changed_epoch` ([`TableSchema::CHANGED_EPOCH`]) after these.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableSchema {
    /// The stage's name, which is the table's name.
    pub name: String,
    /// The columns, in order.
    pub schema: Schema,
    /// Indexes into the columns: the primary key, in key order. Empty for an aggregate over everything, which has
    /// exactly one row.
    pub key: Vec<usize>,
}

impl TableSchema {
    /// The column every sink table gets: the epoch that last changed the row.
    pub const CHANGED_EPOCH: &'static str = "changed_epoch";

    /// Whether the key can be a primary key as it is: there is one, and no part of it can be NULL.
    pub fn has_primary_key(&self) -> bool {
        !self.key.is_empty() && self.key.iter().all(|index| !self.schema.columns()[*index].nullable)
    }
}
