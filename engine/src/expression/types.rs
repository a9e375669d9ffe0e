//! The types of values inside an expression, and which type two of them meet in.

use std::{fmt, sync::Arc};

use arrow_schema::{DataType, Field, TimeUnit};
use vardelta_schemas::ColumnType;

/// The digits that an exact number can have: what an `i128` holds.
pub const DIGITS_MAX: u8 = 38;

/// The digits of an integer of 64 bits.
pub(crate) const INT_DIGITS: u8 = 19;

/// The type of a value. All but [`Type::Null`] and [`Type::DateTime`] can be a column's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// What only NULL has, until it meets another type.
    Null,
    /// True or false.
    Bool,
    /// A signed 64-bit integer.
    Int,
    /// An exact number of `precision` digits, `scale` of them after the point.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point, 0 to `precision`.
        scale: u8,
    },
    /// A finite IEEE 754 double.
    Float,
    /// UTF-8 text, compared byte by byte.
    Text,
    /// Days since 1970-01-01.
    Date,
    /// Microseconds since 1970-01-01 00:00:00, without a time zone. No column holds one.
    DateTime,
    /// A list.
    List(Box<Type>),
}

impl Type {
    /// The type of a column's values.
    pub fn of_column(column_type: &ColumnType) -> Type {
        match column_type {
            ColumnType::Bool => Type::Bool,
            ColumnType::Int64 => Type::Int,
            ColumnType::Float64 => Type::Float,
            ColumnType::Decimal { precision, scale } => {
                Type::Decimal { precision: *precision, scale: scale.unsigned_abs() }
            }
            ColumnType::Text => Type::Text,
            ColumnType::Date => Type::Date,
            ColumnType::List(item) => Type::List(Box::new(Type::of_column(item))),
        }
    }

    /// The column type that holds such values, if there is one.
    pub fn to_column(&self) -> Option<ColumnType> {
        Some(match self {
            Type::Null | Type::DateTime => return None,
            Type::Bool => ColumnType::Bool,
            Type::Int => ColumnType::Int64,
            Type::Float => ColumnType::Float64,
            Type::Decimal { precision, scale } => {
                ColumnType::Decimal { precision: *precision, scale: i8::try_from(*scale).ok()? }
            }
            Type::Text => ColumnType::Text,
            Type::Date => ColumnType::Date,
            Type::List(item) => ColumnType::List(Box::new(item.to_column()?)),
        })
    }

    /// The Arrow type in which such values are computed.
    pub fn to_arrow(&self) -> DataType {
        match self {
            Type::Null => DataType::Null,
            Type::Bool => DataType::Boolean,
            Type::Int => DataType::Int64,
            Type::Float => DataType::Float64,
            // At most 38.
            Type::Decimal { precision, scale } => DataType::Decimal128(*precision, *scale as i8),
            Type::Text => DataType::Utf8,
            Type::Date => DataType::Date32,
            Type::DateTime => DataType::Timestamp(TimeUnit::Microsecond, None),
            Type::List(item) => DataType::List(Arc::new(Field::new("item", item.to_arrow(), true))),
        }
    }

    /// Whether it is one of the three types of numbers.
    pub fn is_number(&self) -> bool {
        matches!(self, Type::Int | Type::Decimal { .. } | Type::Float)
    }

    /// What people call values of this type where types are mixed.
    pub(crate) fn sort(&self) -> &'static str {
        match self {
            Type::Null => "NULL",
            Type::Bool => "boolean",
            Type::Int | Type::Decimal { .. } | Type::Float => "number",
            Type::Text => "text",
            Type::Date | Type::DateTime => "date",
            Type::List(_) => "list",
        }
    }

    /// As an exact number: the digits before and after the point.
    pub(crate) fn digits(&self) -> Option<(u8, u8)> {
        match self {
            Type::Int => Some((INT_DIGITS, 0)),
            Type::Decimal { precision, scale } => Some((precision - scale, *scale)),
            _ => None,
        }
    }

    /// The exact type with so many digits before and after the point, as far as 38 allow. Digits after the point are kept;
    /// what then has no room before it is an overflow.
    pub(crate) fn decimal(whole: u8, scale: u8) -> Type {
        let scale = scale.min(DIGITS_MAX);
        Type::Decimal { precision: whole.saturating_add(scale).clamp(1, DIGITS_MAX), scale }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Null => f.write_str("NULL"),
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int64"),
            Type::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Type::Float => f.write_str("float64"),
            Type::Text => f.write_str("text"),
            Type::Date => f.write_str("date"),
            Type::DateTime => f.write_str("datetime"),
            Type::List(item) => write!(f, "list<{item}>"),
        }
    }
}

/// The type in which values of two types are compared, or of which a CASE is that may yield either. None where nothing is
/// converted silently: between numbers, texts, booleans and dates.
pub(crate) fn common(one: &Type, other: &Type) -> Option<Type> {
    match (one, other) {
        (one, other) if one == other => Some(one.clone()),
        (Type::Null, other) => Some(other.clone()),
        (one, Type::Null) => Some(one.clone()),
        (Type::Date, Type::DateTime) | (Type::DateTime, Type::Date) => Some(Type::DateTime),
        (one, other) if one.is_number() && other.is_number() => Some(match (one.digits(), other.digits()) {
            (Some(one), Some(other)) => Type::decimal(one.0.max(other.0), one.1.max(other.1)),
            _ => Type::Float,
        }),
        _ => None,
    }
}
