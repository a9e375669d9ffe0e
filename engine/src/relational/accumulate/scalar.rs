//! The result of a call over one group, and the results over many as a column.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, new_null_array, types::Decimal128Type,
};
use vardelta_schemas::ColumnType;

/// One result.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Scalar {
    /// There is none.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A double.
    Float(f64),
    /// A decimal without its point; the scale is that of the call's result.
    Decimal(i128),
}

/// Results of a call as a column of the call's type. What is of another type becomes NULL.
pub fn scalar_array(values: &[Scalar], of: &ColumnType) -> ArrayRef {
    match of {
        ColumnType::Bool => {
            let bools = values.iter().map(|value| if let Scalar::Bool(value) = value { Some(*value) } else { None });
            Arc::new(bools.collect::<BooleanArray>())
        }
        ColumnType::Int64 => {
            let ints = values.iter().map(|value| if let Scalar::Int(value) = value { Some(*value) } else { None });
            Arc::new(ints.collect::<Int64Array>())
        }
        ColumnType::Float64 => {
            let floats = values.iter().map(|value| if let Scalar::Float(value) = value { Some(*value) } else { None });
            Arc::new(floats.collect::<Float64Array>())
        }
        ColumnType::Decimal { .. } => {
            let decimals =
                values.iter().map(|value| if let Scalar::Decimal(value) = value { Some(*value) } else { None });
            let array: Decimal128Array = arrow_array::PrimitiveArray::<Decimal128Type>::from_iter(decimals);
            Arc::new(array.with_data_type(of.to_arrow()))
        }
        // Only calls that keep values have such results, and they are no accumulators.
        other => new_null_array(&other.to_arrow(), values.len()),
    }
}
