//! Evaluates an expression on a batch, setting apart the rows on which it fails.

use std::{cell::RefCell, sync::Arc};

use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Float64Array, RecordBatch, UInt32Array, cast::AsArray as _, new_empty_array,
    types::Float64Type,
};
use arrow_schema::DataType;
use arrow_select::{nullif::nullif, take::take};

use super::{
    EXPRESSION_FAILED, Evaluated, Failure, NOT_FINITE,
    call::Values,
    node::{Scope, Typed},
};
use crate::contract::reason::Severity;

/// Evaluates an expression on every row. A row on which it fails is NULL.
pub(crate) fn evaluate(expression: &Typed, batch: &RecordBatch) -> Evaluated {
    let rows = batch.num_rows();
    if rows == 0 {
        let values = new_empty_array(&expression.of.to_arrow());
        return Evaluated { values, failures: Vec::new(), warnings: Vec::new() };
    }
    let failures = RefCell::new(Vec::new());
    let values = spread(expression.evaluate(&Scope::new(batch, &failures)), rows);
    let (mut warnings, mut failures): (Vec<Failure>, Vec<Failure>) =
        failures.into_inner().into_iter().partition(|noted| noted.reason.severity() == Severity::Warning);
    let mut values = usable(values, &mut failures);
    if !failures.is_empty() {
        failures.sort_by_key(|failure| failure.row);
        failures.dedup_by_key(|failure| failure.row);
        let mut failed = vec![false; rows];
        failures.iter().for_each(|failure| failed[failure.row] = true);
        values = nullif(&values, &BooleanArray::from(failed)).unwrap_or(values);
    }
    if !expression.nullable && values.null_count() > failures.len() {
        let known: Vec<usize> = failures.iter().map(|failure| failure.row).collect();
        for row in (0..rows).filter(|row| values.is_null(*row) && known.binary_search(row).is_err()) {
            let detail = "the value is NULL where the type has none".to_string();
            failures.push(Failure { row, reason: EXPRESSION_FAILED, detail });
        }
        failures.sort_by_key(|failure| failure.row);
    }
    // Of a row that is rejected that is all there is to say.
    warnings.retain(|warning| failures.binary_search_by_key(&warning.row, |failure| failure.row).is_err());
    warnings.sort_by_key(|warning| warning.row);
    Evaluated { values, failures, warnings }
}

/// One value per row.
fn spread(values: Values, rows: usize) -> ArrayRef {
    if !values.constant {
        return values.array;
    }
    let zeros = UInt32Array::from(vec![0; rows]);
    take(&values.array, &zeros, None).unwrap_or(values.array)
}

/// Values that a row can hold: floats finite and without negative zero (which no database tells from zero but every bit
/// comparison does). What a column held before it was checked may be neither; it becomes NULL and a failure.
fn usable(values: ArrayRef, failures: &mut Vec<Failure>) -> ArrayRef {
    if *values.data_type() != DataType::Float64 {
        return values;
    }
    let floats = values.as_primitive::<Float64Type>();
    let is_good = |value: f64| value.is_finite() && !(value == 0.0 && value.is_sign_negative());
    if floats.iter().flatten().all(is_good) {
        return values;
    }
    let cleaned: Float64Array = floats
        .iter()
        .enumerate()
        .map(|(row, value)| match value {
            Some(value) if !value.is_finite() => {
                failures.push(Failure { row, reason: NOT_FINITE, detail: format!("the result is {value}") });
                None
            }
            Some(value) => Some(value + 0.0),
            None => None,
        })
        .collect();
    Arc::new(cleaned)
}
