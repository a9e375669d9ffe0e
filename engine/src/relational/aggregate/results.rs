//! What an aggregate function may be applied to, and the type of what it gives.

use vardelta_schemas::ColumnType as T;

use super::super::AggregateFunction as F;
use crate::expression::Expression;

/// The type of a call's result; the first argument that the function does not take, where there is one.
pub(super) fn result(function: &F, arguments: &[Expression]) -> Result<T, usize> {
    let of = |at: usize| arguments.get(at).map(|argument| &argument.column_type);
    let Some(first) = of(0) else { return Ok(T::Int64) };
    match function {
        F::Count => Ok(T::Int64),
        F::CountDistinct => scalars(arguments).map(|()| T::Int64),
        F::CountIf if *first == T::Bool => Ok(T::Int64),
        F::Sum if *first == T::Bool => Ok(T::Int64),
        // One digit before the point and 4 after it.
        F::Avg if *first == T::Bool => Ok(T::Decimal { precision: 5, scale: 4 }),
        F::Sum | F::SumDistinct => match first {
            T::Int64 | T::Float64 => Ok(first.clone()),
            T::Decimal { scale, .. } => Ok(T::Decimal { precision: 38, scale: *scale }),
            _ => Err(0),
        },
        F::Avg | F::AvgDistinct => mean(first).ok_or(0),
        F::VarPop | F::VarSamp | F::StddevPop | F::StddevSamp => match first {
            T::Int64 | T::Decimal { .. } | T::Float64 => Ok(T::Float64),
            _ => Err(0),
        },
        F::Min | F::Max => scalars(arguments).map(|()| first.clone()),
        F::MinBy | F::MaxBy => scalars(arguments).map(|()| of(1).unwrap_or(first).clone()),
        F::BoolAnd | F::BoolOr if *first == T::Bool => Ok(T::Bool),
        F::GroupConcat(_) => scalars(arguments).map(|()| T::Text),
        F::Percentile(percentile) if percentile.interpolates => mean(first).ok_or(0),
        F::Percentile(_) => scalars(arguments).map(|()| first.clone()),
        F::BoolAnd | F::BoolOr | F::CountIf => Err(0),
    }
}

/// The type of a mean of values.
fn mean(of: &T) -> Option<T> {
    match of {
        // 19 digits of an int64 and 4 after the point.
        T::Int64 => Some(T::Decimal { precision: 24, scale: 4 }),
        // Four digits more, as far as 38 allow: the digits before the point are never cut.
        T::Decimal { precision, scale } => {
            let more = 4.min(38 - *precision);
            Some(T::Decimal { precision: precision + more, scale: scale + more as i8 })
        }
        T::Float64 => Some(T::Float64),
        _ => None,
    }
}

fn scalars(arguments: &[Expression]) -> Result<(), usize> {
    arguments.iter().position(|argument| !argument.column_type.is_scalar()).map_or(Ok(()), Err)
}

/// What to do where an argument does not fit.
pub(super) fn hint(function: &F) -> &'static str {
    match function {
        F::BoolAnd | F::BoolOr | F::CountIf => "It takes conditions, such as qual > 20.",
        F::Sum | F::SumDistinct | F::Avg | F::AvgDistinct | F::VarPop | F::VarSamp | F::StddevPop | F::StddevSamp => {
            "It takes numbers: write CAST(… AS DOUBLE) around a text that holds one."
        }
        F::Percentile(percentile) if percentile.interpolates => {
            "It takes numbers; percentile_disc takes any values: percentile_disc(0.5) WITHIN GROUP (ORDER BY x)."
        }
        _ => "It takes single values: make a row of each item of the list first.",
    }
}
