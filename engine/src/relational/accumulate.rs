//! Accumulators: the linear part of an aggregate as numbers that can be added and subtracted exactly, in any order.
//!
//! Counts, sums, averages and boolean aggregates of a group are sums of what each of its rows contributes, so they live in
//! the difference of the group's key ([`Cells`]). Nothing is rounded before [`Layout::finish`], which makes the result the
//! same bits whatever was added and taken away before. `min`, `max` and `count(DISTINCT …)` are not linear and have no
//! cells: the operator keeps their values.

use std::ops::Range;

use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Float64Array, Int64Array, PrimitiveArray,
    cast::AsArray as _,
    types::{Decimal128Type, Float64Type, Int64Type},
};
use arrow_buffer::i256;
use vardelta_schemas::ColumnType;

pub use self::{
    cells::{Cells, CellsError},
    scalar::{Scalar, scalar_array},
};
use super::{AggregateCall, AggregateFunction, AggregateSpec};
use crate::failpoint;

mod cells;
mod float_sum;
mod scalar;

/// Where in a group's [`Cells`] each call of an aggregate keeps its numbers.
#[derive(Clone, Debug)]
pub struct Layout {
    cells: usize,
    calls: Vec<CallCells>,
}

/// The cells of one call.
#[derive(Clone, Debug)]
struct CallCells {
    range: Range<usize>,
    kind: Kind,
    result: ColumnType,
    /// Digits by which the result's scale exceeds the argument's.
    extra_digits: u32,
    function: AggregateFunction,
}

impl CallCells {
    fn is_average(&self) -> bool {
        self.function == AggregateFunction::Avg
    }
}

/// What the cells of a call hold, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Rows; the cell of the group's rows itself.
    Rows,
    /// Values that are not NULL.
    Count,
    /// Values that are not NULL; their sum. 2^62 rows of at most 2^63 stay below 2^126.
    Integers,
    /// Values that are not NULL; the sum of their low 64 bits; that of their high ones. Split because 38 digits leave an
    /// `i128` no room for a second row.
    Decimals,
    /// Values that are not NULL; the digits of [`float_sum`].
    Floats,
    /// Values that are true; values that are false.
    Booleans,
    /// No cells: not linear.
    Values,
}

impl Layout {
    /// The cell that counts the group's rows: the group exists while it is not zero.
    pub const ROWS_CELL: usize = 0;

    /// The layout for the calls of an aggregate.
    pub fn new(spec: &AggregateSpec) -> Layout {
        let mut layout = Layout { cells: 1, calls: Vec::new() };
        for call in &spec.calls {
            let kind = Kind::of(call);
            let range = match kind {
                Kind::Rows => Layout::ROWS_CELL..Layout::ROWS_CELL + 1,
                _ => layout.cells..layout.cells + kind.cells(),
            };
            layout.cells = layout.cells.max(range.end);
            let scale = |column_type: &ColumnType| match column_type {
                ColumnType::Decimal { scale, .. } => u32::from(scale.unsigned_abs()),
                _ => 0,
            };
            let argument_scale = call.argument.as_ref().map_or(0, |argument| scale(&argument.column_type));
            layout.calls.push(CallCells {
                range,
                kind,
                result: call.result.clone(),
                extra_digits: scale(&call.result).saturating_sub(argument_scale),
                function: call.function,
            });
        }
        layout
    }

    /// How many cells a group has.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// Whether a call is linear, so that it has cells; the operator keeps the values of the others.
    pub fn is_linear(&self, call: usize) -> bool {
        self.calls[call].kind != Kind::Values
    }

    /// Counts `diff` rows of a group.
    pub fn add_rows(&self, diff: i64, cells: &mut [i128]) {
        cells[Layout::ROWS_CELL] = cells[Layout::ROWS_CELL].wrapping_add(diff.into());
    }

    /// What the rows of a batch contribute to a call: `argument` and `filter` are the values of the call's expressions on
    /// that batch, `None` where it has none.
    pub fn contributions<'a>(
        &'a self,
        call: usize,
        argument: Option<&'a ArrayRef>,
        filter: Option<&'a ArrayRef>,
    ) -> Contributions<'a> {
        let call = &self.calls[call];
        // A rule that is wrong the same way wherever it is applied: only another implementation tells.
        let filter = filter.filter(|_| !failpoint::fails("aggregate:ignores_filters"));
        let values = match (call.kind, argument) {
            (Kind::Rows | Kind::Values, _) => Values::Nothing,
            (Kind::Integers, Some(array)) => Values::Integers(array.as_primitive::<Int64Type>()),
            (Kind::Decimals, Some(array)) => Values::Decimals(array.as_primitive::<Decimal128Type>()),
            (Kind::Floats, Some(array)) => Values::Floats(array.as_primitive::<Float64Type>()),
            (Kind::Booleans, Some(array)) => Values::Booleans(array.as_boolean()),
            (_, argument) => Values::Count(argument),
        };
        Contributions { values, filter: filter.map(|filter| filter.as_boolean()), range: call.range.clone() }
    }

    /// The result of a call over a group; `None` for a call that is not linear. `cells` may be fewer than the layout's
    /// where the rest is zero.
    ///
    /// # Errors
    /// When the result is beyond its type: an int64 sum that does not fit, 38 digits exceeded, a float sum beyond the
    /// largest double.
    pub fn finish(&self, call: usize, cells: &[i128]) -> Result<Option<Scalar>, ResultTooLarge> {
        let call = &self.calls[call];
        let cell = |at: usize| cells.get(call.range.start + at).copied().unwrap_or(0);
        let count = cell(0);
        let rows = u64::try_from(count).ok().filter(|count| *count > 0);
        Ok(Some(match (call.kind, rows) {
            (Kind::Values, _) => return Ok(None),
            (Kind::Rows | Kind::Count, _) => Scalar::Int(narrow(count, call)?),
            (Kind::Booleans, _) => {
                let (some_true, some_false) = (cell(0) != 0, cell(1) != 0);
                let result = if call.function == AggregateFunction::BoolAnd { !some_false } else { some_true };
                if some_true || some_false { Scalar::Bool(result) } else { Scalar::Null }
            }
            (Kind::Integers, None) if !call.is_average() => Scalar::Null,
            (Kind::Integers, Some(_)) if !call.is_average() => Scalar::Int(narrow(cell(1), call)?),
            (Kind::Integers, rows) => decimal(i256::from_i128(cell(1)), rows, call)?,
            (Kind::Decimals, rows) => {
                let high = i256::from_i128(cell(2)).wrapping_mul(i256::from_i128(1 << 64));
                decimal(high.wrapping_add(i256::from_i128(cell(1))), rows, call)?
            }
            (Kind::Floats, None) => Scalar::Null,
            (Kind::Floats, Some(rows)) => {
                let mut limbs = [0; float_sum::LIMBS];
                limbs.iter_mut().enumerate().for_each(|(at, limb)| *limb = cell(at + 1));
                let divisor = if call.is_average() { rows } else { 1 };
                let value = float_sum::quotient(&limbs, divisor).ok_or_else(|| too_large(call))?;
                Scalar::Float(value)
            }
        }))
    }
}

impl Kind {
    fn of(call: &AggregateCall) -> Kind {
        let column_type = call.argument.as_ref().map(|argument| &argument.column_type);
        match call.function {
            AggregateFunction::Count => {
                let counts_every_row = call.argument.as_ref().is_none_or(|argument| !argument.nullable);
                if counts_every_row && call.filter.is_none() { Kind::Rows } else { Kind::Count }
            }
            AggregateFunction::Sum | AggregateFunction::Avg => match column_type {
                Some(ColumnType::Float64) => Kind::Floats,
                Some(ColumnType::Decimal { .. }) => Kind::Decimals,
                _ => Kind::Integers,
            },
            AggregateFunction::BoolAnd | AggregateFunction::BoolOr => Kind::Booleans,
            AggregateFunction::CountDistinct | AggregateFunction::Min | AggregateFunction::Max => Kind::Values,
        }
    }

    fn cells(self) -> usize {
        match self {
            Kind::Rows | Kind::Values => 0,
            Kind::Count => 1,
            Kind::Integers | Kind::Booleans => 2,
            Kind::Decimals => 3,
            Kind::Floats => 1 + float_sum::LIMBS,
        }
    }
}

/// What the rows of one batch contribute to one call.
pub struct Contributions<'a> {
    values: Values<'a>,
    filter: Option<&'a BooleanArray>,
    range: Range<usize>,
}

enum Values<'a> {
    Nothing,
    Count(Option<&'a ArrayRef>),
    Integers(&'a Int64Array),
    Decimals(&'a PrimitiveArray<Decimal128Type>),
    Floats(&'a Float64Array),
    Booleans(&'a BooleanArray),
}

impl Contributions<'_> {
    /// Adds `diff` times what a row contributes to the cells of its group (as many as the layout's). A row that the
    /// call's filter does not pass contributes nothing, nor does a NULL.
    pub fn add(&self, row: usize, diff: i64, cells: &mut [i128]) {
        if self.filter.is_some_and(|filter| filter.is_null(row) || !filter.value(row)) {
            return;
        }
        let cells = &mut cells[self.range.clone()];
        let wide = i128::from(diff);
        let mut add = |at: usize, value: i128| cells[at] = cells[at].wrapping_add(wide.wrapping_mul(value));
        match self.values {
            Values::Count(argument) if argument.is_none_or(|array| array.is_valid(row)) => add(0, 1),
            Values::Integers(array) if array.is_valid(row) => {
                add(0, 1);
                add(1, array.value(row).into());
            }
            Values::Decimals(array) if array.is_valid(row) => {
                let value = array.value(row);
                add(0, 1);
                add(1, (value as u64).into());
                add(2, value >> 64);
            }
            Values::Floats(array) if array.is_valid(row) => {
                add(0, 1);
                float_sum::add(array.value(row), diff, &mut cells[1..]);
            }
            Values::Booleans(array) if array.is_valid(row) => add(usize::from(!array.value(row)), 1),
            _ => {}
        }
    }
}

/// The result of an aggregate call is beyond its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the result does not fit {result}")]
pub struct ResultTooLarge {
    /// The type of the result.
    pub result: ColumnType,
}

fn too_large(call: &CallCells) -> ResultTooLarge {
    ResultTooLarge { result: call.result.clone() }
}

fn narrow(value: i128, call: &CallCells) -> Result<i64, ResultTooLarge> {
    i64::try_from(value).map_err(|_| too_large(call))
}

/// A sum, or for an average that sum over `rows` rounded half away from zero, as the call's decimal type.
fn decimal(sum: i256, rows: Option<u64>, call: &CallCells) -> Result<Scalar, ResultTooLarge> {
    let ColumnType::Decimal { precision, .. } = call.result else { return Err(too_large(call)) };
    let value = match rows {
        None => None,
        Some(rows) => {
            let value = if call.is_average() { mean(sum, rows, call.extra_digits) } else { Some(sum) };
            let fits = |value: &i128| value.unsigned_abs() < 10_u128.pow(precision.into());
            Some(value.and_then(i256::to_i128).filter(fits).ok_or_else(|| too_large(call))?)
        }
    };
    Ok(value.map_or(Scalar::Null, Scalar::Decimal))
}

fn mean(sum: i256, rows: u64, extra_digits: u32) -> Option<i256> {
    let rows = i256::from_i128(rows.into());
    let scaled = sum.checked_mul(i256::from_i128(10_i128.checked_pow(extra_digits)?))?;
    let (quotient, remainder) = (scaled.checked_div(rows)?, scaled.checked_rem(rows)?);
    let doubled = remainder.wrapping_abs().checked_mul(i256::from_i128(2))?;
    Some(match doubled >= rows {
        true if scaled.is_negative() => quotient.wrapping_sub(i256::ONE),
        true => quotient.wrapping_add(i256::ONE),
        false => quotient,
    })
}

#[cfg(test)]
mod tests;
