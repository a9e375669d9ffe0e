//! Evaluates an expression on a batch, isolating the rows on which it fails.

use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Decimal128Array, Float64Array, RecordBatch,
    cast::AsArray as _,
    new_empty_array, new_null_array,
    types::{Decimal128Type, Float64Type},
};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType};
use arrow_select::concat::concat;
use datafusion_common::DataFusionError;
use datafusion_physical_expr::PhysicalExpr;

use super::{BAD_CAST, DIVISION_BY_ZERO, EXPRESSION_FAILED, Evaluated, Failure, NOT_FINITE, OVERFLOW};
use crate::contract::reason::Reason;

/// Evaluates `physical` on every row, as values of type `target`.
///
/// The whole batch is tried first; where that fails, its halves are, down to single rows. So `k` bad rows among `n` cost
/// about `k · log2(n)` evaluations, and a batch without any costs one.
pub(crate) fn evaluate(
    physical: &Arc<dyn PhysicalExpr>,
    target: &DataType,
    nullable: bool,
    batch: &RecordBatch,
) -> Evaluated {
    let mut failures = Vec::new();
    let values = match batch.num_rows() {
        0 => new_empty_array(target),
        rows => {
            let mut parts = Vec::new();
            bisect(physical, target, batch, 0, rows, &mut parts, &mut failures);
            join(parts, target)
        }
    };
    let (values, mut unusable) = usable(values);
    failures.append(&mut unusable);
    if !nullable && values.null_count() > failures.len() {
        let known: Vec<usize> = failures.iter().map(|failure| failure.row).collect();
        for row in (0..values.len()).filter(|row| values.is_null(*row) && !known.contains(row)) {
            let detail = "the value is NULL where the type has none".to_string();
            failures.push(Failure { row, reason: EXPRESSION_FAILED, detail });
        }
    }
    failures.sort_by_key(|failure| failure.row);
    Evaluated { values, failures }
}

fn bisect(
    physical: &Arc<dyn PhysicalExpr>,
    target: &DataType,
    batch: &RecordBatch,
    start: usize,
    rows: usize,
    parts: &mut Vec<ArrayRef>,
    failures: &mut Vec<Failure>,
) {
    match attempt(physical, target, &batch.slice(start, rows)) {
        Ok(values) => parts.push(values),
        Err((reason, detail)) if rows == 1 => {
            parts.push(new_null_array(target, 1));
            failures.push(Failure { row: start, reason, detail });
        }
        Err(_) => {
            let half = rows / 2;
            bisect(physical, target, batch, start, half, parts, failures);
            bisect(physical, target, batch, start + half, rows - half, parts, failures);
        }
    }
}

type Failed = (&'static Reason, String);

fn attempt(physical: &Arc<dyn PhysicalExpr>, target: &DataType, batch: &RecordBatch) -> Result<ArrayRef, Failed> {
    let rows = batch.num_rows();
    let values = physical.evaluate(batch).and_then(|value| value.into_array(rows)).map_err(|error| reason(&error))?;
    if values.data_type() == target {
        return Ok(values);
    }
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    // The type was widened to the column's: only an unsigned integer beyond int64 can fail here.
    cast_with_options(&values, target, &strict).map_err(|error| (OVERFLOW, first_line(&error.to_string())))
}

fn join(mut parts: Vec<ArrayRef>, target: &DataType) -> ArrayRef {
    if parts.len() == 1 {
        return parts.remove(0);
    }
    let parts: Vec<&dyn arrow_array::Array> = parts.iter().map(AsRef::as_ref).collect();
    concat(&parts).unwrap_or_else(|_| new_empty_array(target))
}

/// Values that a row can hold: floats finite and without negative zero (which no database tells from zero but every bit
/// comparison does), decimals within their digits. The others become NULL and failures.
fn usable(values: ArrayRef) -> (ArrayRef, Vec<Failure>) {
    match values.data_type() {
        DataType::Float64 => {
            let floats = values.as_primitive::<Float64Type>();
            let is_good = |value: f64| value.is_finite() && !(value == 0.0 && value.is_sign_negative());
            if floats.iter().flatten().all(is_good) {
                return (values, Vec::new());
            }
            let mut failures = Vec::new();
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
            (Arc::new(cleaned), failures)
        }
        DataType::Decimal128(precision, scale) => {
            let (precision, scale) = (*precision, *scale);
            let decimals = values.as_primitive::<Decimal128Type>();
            let limit = 10_u128.pow(u32::from(precision.min(38)));
            if decimals.iter().flatten().all(|value| value.unsigned_abs() < limit) {
                return (values, Vec::new());
            }
            let mut failures = Vec::new();
            let nulls: BooleanArray = decimals
                .iter()
                .enumerate()
                .map(|(row, value)| {
                    let fits = value.is_none_or(|value| value.unsigned_abs() < limit);
                    if !fits {
                        let detail = format!("the result does not fit decimal({precision},{scale})");
                        failures.push(Failure { row, reason: OVERFLOW, detail });
                    }
                    Some(fits)
                })
                .collect();
            let kept = decimals.iter().zip(nulls.iter()).map(|(value, fits)| value.filter(|_| fits == Some(true)));
            let cleaned = Decimal128Array::from_iter(kept).with_data_type(values.data_type().clone());
            (Arc::new(cleaned), failures)
        }
        _ => (values, Vec::new()),
    }
}

/// The reason code and detail of an evaluation error.
fn reason(error: &DataFusionError) -> Failed {
    let detail = first_line(&error.strip_backtrace());
    let lower = detail.to_lowercase();
    let code = match error.find_root() {
        DataFusionError::ArrowError(arrow, _) => match arrow.as_ref() {
            ArrowError::DivideByZero => DIVISION_BY_ZERO,
            ArrowError::ArithmeticOverflow(_) | ArrowError::OffsetOverflowError(_) => OVERFLOW,
            _ if is_overflow(&lower) => OVERFLOW,
            ArrowError::CastError(_) | ArrowError::ParseError(_) => BAD_CAST,
            _ => EXPRESSION_FAILED,
        },
        _ if is_overflow(&lower) => OVERFLOW,
        _ if lower.contains("divide by zero") => DIVISION_BY_ZERO,
        _ => EXPRESSION_FAILED,
    };
    (code, detail)
}

fn is_overflow(lower: &str) -> bool {
    lower.contains("overflow")
        || lower.contains("too large to store in a decimal")
        || lower.contains("too small to store in a decimal")
}

fn first_line(text: &str) -> String {
    let mut line = text.lines().next().unwrap_or_default().trim();
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| line.strip_prefix(prefix)) {
        line = rest;
    }
    line.to_string()
}

/// What the libraries put before their messages.
const PREFIXES: &[&str] = &[
    "Arrow error: ",
    "Execution error: ",
    "Invalid argument error: ",
    "Cast error: ",
    "Parser error: ",
    "Compute error: ",
    "Arithmetic overflow: ",
];
