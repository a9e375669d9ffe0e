//! Accumulators: the linear part of an aggregate as numbers that can be added and subtracted exactly, in any order.
//!
//! Counts, sums, averages, variances and boolean aggregates of a group are sums of what each of its rows contributes, so they
//! live in the difference of the group's key ([`Cells`]). Nothing is rounded before [`Layout::finish`], which makes the result
//! the same bits whatever was added and taken away before. A call with DISTINCT has cells too, to which the operator adds a
//! value when it comes for the first time and from which it takes it when it goes for good. `min`, `max` and their kin have no
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
use super::{AggregateCall, AggregateFunction, AggregateSpec, Kept, Percentile};
use crate::failpoint;

mod cells;
mod float_sum;
mod scalar;
mod spread;

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
    /// Digits after the point of a decimal argument.
    argument_digits: u32,
    function: AggregateFunction,
}

impl CallCells {
    fn is_average(&self) -> bool {
        matches!(
            self.function,
            AggregateFunction::Avg | AggregateFunction::AvgDistinct | AggregateFunction::Percentile(_)
        )
    }

    /// Digits by which the result's scale exceeds the argument's.
    fn extra_digits(&self) -> u32 {
        digits(&self.result).saturating_sub(self.argument_digits)
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
    /// As `Integers`; the sum of their squares as `Decimals` keep one. A square is below 2^126.
    IntegerSquares,
    /// As `Decimals`; the sum of their squares in four parts of 64 bits. A square is below 2^253.
    DecimalSquares,
    /// As `Floats`; the digits of their squares' sum.
    FloatSquares,
    /// No cells: not linear.
    Values,
}

impl Layout {
    /// The cell that counts the group's rows: the group exists while it is not zero.
    pub const ROWS_CELL: usize = 0;

    /// The layout for the calls of an aggregate: cells that rows are added to come first, then those of calls with DISTINCT.
    pub fn new(spec: &AggregateSpec) -> Layout {
        let mut layout = Layout { cells: 1, calls: Vec::new() };
        for call in &spec.calls {
            layout.calls.push(CallCells {
                range: Layout::ROWS_CELL..Layout::ROWS_CELL + 1,
                kind: Kind::of(call),
                result: call.result.clone(),
                argument_digits: call.argument().map_or(0, |argument| digits(&argument.column_type)),
                function: call.function.clone(),
            });
        }
        for is_distinct in [false, true] {
            for call in layout.calls.iter_mut().filter(|call| call.is_distinct() == is_distinct) {
                if call.kind != Kind::Rows {
                    call.range = layout.cells..layout.cells + call.kind.cells();
                    layout.cells = call.range.end;
                }
            }
        }
        layout
    }

    /// How many cells a group has.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// Whether every row adds to the call's cells.
    pub fn is_linear(&self, call: usize) -> bool {
        self.calls[call].kind != Kind::Values && !self.calls[call].is_distinct()
    }

    /// How many values a call counts in its first cell.
    pub fn count(&self, call: usize, cells: &[i128]) -> u64 {
        let count = cells.get(self.calls[call].range.start).copied().unwrap_or_default();
        u64::try_from(count).unwrap_or_default()
    }

    /// Counts `diff` rows of a group.
    pub fn add_rows(&self, diff: i64, cells: &mut [i128]) {
        cells[Layout::ROWS_CELL] = cells[Layout::ROWS_CELL].wrapping_add(diff.into());
    }

    /// The change of [`Layout::count`] that a change of the cells makes.
    pub(crate) fn count_change(&self, call: usize, change: &[i128]) -> i64 {
        change.get(self.calls[call].range.start).map_or(0, |change| *change as i64)
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
        // A rule that is wrong the same way wherever it is applied: only another implementation finds it.
        let filter = filter.filter(|_| !failpoint::fails("aggregate:ignores_filters"));
        let values = match (call.kind, argument) {
            (Kind::Rows | Kind::Values, _) => Values::Nothing,
            (Kind::Integers | Kind::IntegerSquares, Some(array)) => Values::Integers(array.as_primitive::<Int64Type>()),
            (Kind::Decimals | Kind::DecimalSquares, Some(array)) => {
                Values::Decimals(array.as_primitive::<Decimal128Type>())
            }
            (Kind::Floats | Kind::FloatSquares, Some(array)) => Values::Floats(array.as_primitive::<Float64Type>()),
            (Kind::Booleans, Some(array)) => Values::Booleans(array.as_boolean()),
            (_, argument) => Values::Count(argument),
        };
        let squares = matches!(call.kind, Kind::IntegerSquares | Kind::DecimalSquares | Kind::FloatSquares);
        Contributions { values, squares, filter: filter.map(|filter| filter.as_boolean()), range: call.range.clone() }
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
            (Kind::Booleans, _) => booleans(cell(0), cell(1), call)?,
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
            (Kind::IntegerSquares | Kind::DecimalSquares | Kind::FloatSquares, rows) => {
                let cells: Vec<i128> = (1..call.range.len()).map(cell).collect();
                let (sum, squares) = cells.split_at(call.kind.sum_cells());
                let unit = match call.kind {
                    Kind::FloatSquares => spread::Unit::LeastDouble,
                    _ => spread::Unit::Digits(call.argument_digits),
                };
                match spread::spread(&call.function, rows.unwrap_or_default(), sum, squares, unit) {
                    Some(value) => Scalar::Float(value.ok_or_else(|| too_large(call))?),
                    None => Scalar::Null,
                }
            }
        }))
    }

    /// The value of an interpolated percentile: `low` and `high` are those around its place, the cells those of its group.
    ///
    /// # Errors
    /// As [`Layout::finish`]; a mean of two values always fits, unless they have 38 digits.
    pub(crate) fn interpolate(
        &self,
        (call, percentile): (usize, Percentile),
        cells: &[i128],
        low: Scalar,
        high: Scalar,
    ) -> Result<Scalar, ResultTooLarge> {
        let count = self.count(call, cells);
        let call = &self.calls[call];
        let (parts, whole) = (percentile.between(count), percentile.denominator);
        let weights = [i128::from(whole - parts), i128::from(parts)];
        let sum = |low: i128, high: i128| {
            let part = |value: i128, weight: i128| i256::from_i128(value).wrapping_mul(i256::from_i128(weight));
            part(low, weights[0]).wrapping_add(part(high, weights[1]))
        };
        match (low, high) {
            (Scalar::Int(low), Scalar::Int(high)) => decimal(sum(low.into(), high.into()), Some(whole), call),
            (Scalar::Decimal(low), Scalar::Decimal(high)) => decimal(sum(low, high), Some(whole), call),
            (Scalar::Float(low), Scalar::Float(high)) => {
                let mut limbs = [0; float_sum::LIMBS];
                float_sum::add(low, weights[0] as i64, &mut limbs);
                float_sum::add(high, weights[1] as i64, &mut limbs);
                float_sum::quotient(&limbs, whole).map(Scalar::Float).ok_or_else(|| too_large(call))
            }
            _ => Ok(Scalar::Null),
        }
    }
}

impl CallCells {
    fn is_distinct(&self) -> bool {
        self.function.kept() == Kept::Distinct
    }
}

impl Kind {
    fn of(call: &AggregateCall) -> Kind {
        use AggregateFunction as F;
        let column_type = call.argument().map(|argument| &argument.column_type);
        let of_number = |float, decimal, integer| match column_type {
            Some(ColumnType::Float64) => float,
            Some(ColumnType::Decimal { .. }) => decimal,
            _ => integer,
        };
        match &call.function {
            F::Count => {
                let counts_every_row = call.argument().is_none_or(|argument| !argument.nullable);
                if counts_every_row && call.filter.is_none() { Kind::Rows } else { Kind::Count }
            }
            F::CountDistinct => Kind::Count,
            F::Sum | F::Avg if column_type == Some(&ColumnType::Bool) => Kind::Booleans,
            F::Sum | F::Avg | F::SumDistinct | F::AvgDistinct => {
                of_number(Kind::Floats, Kind::Decimals, Kind::Integers)
            }
            F::VarPop | F::VarSamp | F::StddevPop | F::StddevSamp => {
                of_number(Kind::FloatSquares, Kind::DecimalSquares, Kind::IntegerSquares)
            }
            F::BoolAnd | F::BoolOr | F::CountIf => Kind::Booleans,
            F::Percentile(_) => Kind::Count,
            F::Min | F::Max | F::MinBy | F::MaxBy | F::GroupConcat(_) => Kind::Values,
        }
    }

    fn cells(self) -> usize {
        let of_count = usize::from(!matches!(self, Kind::Rows | Kind::Values));
        of_count + self.sum_cells() + self.square_cells()
    }

    /// Cells of the sum, after the count.
    fn sum_cells(self) -> usize {
        match self {
            Kind::Rows | Kind::Values | Kind::Count => 0,
            Kind::Integers | Kind::IntegerSquares | Kind::Booleans => 1,
            Kind::Decimals | Kind::DecimalSquares => 2,
            Kind::Floats | Kind::FloatSquares => float_sum::LIMBS,
        }
    }

    /// Cells of the sum of the squares, after those of the sum.
    fn square_cells(self) -> usize {
        match self {
            Kind::IntegerSquares => 2,
            Kind::DecimalSquares => 4,
            Kind::FloatSquares => float_sum::SQUARE_LIMBS,
            _ => 0,
        }
    }
}

/// Digits after the point.
fn digits(of: &ColumnType) -> u32 {
    match of {
        ColumnType::Decimal { scale, .. } => u32::from(scale.unsigned_abs()),
        _ => 0,
    }
}

/// What the rows of one batch contribute to one call.
pub struct Contributions<'a> {
    values: Values<'a>,
    /// Whether their squares are added up as well.
    squares: bool,
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
                let value = i128::from(array.value(row));
                add(0, 1);
                add(1, value);
                if self.squares {
                    let square = value * value;
                    add(2, (square as u64).into());
                    add(3, square >> 64);
                }
            }
            Values::Decimals(array) if array.is_valid(row) => {
                let value = array.value(row);
                add(0, 1);
                add(1, (value as u64).into());
                add(2, value >> 64);
                if self.squares {
                    let (low, high) = i256::from_i128(value).wrapping_mul(i256::from_i128(value)).to_parts();
                    let parts = [low as u64, (low >> 64) as u64, high as u64, (high >> 64) as u64];
                    parts.into_iter().enumerate().for_each(|(at, part)| add(3 + at, part.into()));
                }
            }
            Values::Floats(array) if array.is_valid(row) => {
                add(0, 1);
                let (sum, squares) = cells[1..].split_at_mut(float_sum::LIMBS);
                float_sum::add(array.value(row), diff, sum);
                if self.squares {
                    float_sum::add_square(array.value(row), diff, squares);
                }
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
            let value = if call.is_average() { mean(sum, rows, call.extra_digits()) } else { Some(sum) };
            let fits = |value: &i128| value.unsigned_abs() < 10_u128.pow(precision.into());
            Some(value.and_then(i256::to_i128).filter(fits).ok_or_else(|| too_large(call))?)
        }
    };
    Ok(value.map_or(Scalar::Null, Scalar::Decimal))
}

/// The result of a call over booleans of which so many are true and so many false.
fn booleans(is_true: i128, is_false: i128, call: &CallCells) -> Result<Scalar, ResultTooLarge> {
    let some = is_true != 0 || is_false != 0;
    Ok(match call.function {
        AggregateFunction::CountIf => Scalar::Int(narrow(is_true, call)?),
        _ if !some => Scalar::Null,
        AggregateFunction::BoolAnd => Scalar::Bool(is_false == 0),
        AggregateFunction::BoolOr => Scalar::Bool(is_true != 0),
        AggregateFunction::Avg => decimal(i256::from_i128(is_true), u64::try_from(is_true + is_false).ok(), call)?,
        _ => Scalar::Int(narrow(is_true, call)?),
    })
}

/// A sum over `rows`, with so many more digits, rounded half away from zero.
fn mean(sum: i256, rows: u64, extra_digits: u32) -> Option<i256> {
    let narrow = sum.to_i128().and_then(|sum| narrow_mean(sum, rows, extra_digits));
    narrow.map(i256::from_i128).or_else(|| wide_mean(sum, rows, extra_digits))
}

/// As [`mean`], where all that is computed on the way has room; of ordinary sums it has, and this is much quicker.
fn narrow_mean(sum: i128, rows: u64, extra_digits: u32) -> Option<i128> {
    let (rows, scaled) = (i128::from(rows), sum.checked_mul(10_i128.checked_pow(extra_digits)?)?);
    let (quotient, remainder) = (scaled.checked_div(rows)?, scaled.checked_rem(rows)?);
    // A remainder is smaller than the rows, which have 64 bits.
    Some(if 2 * remainder.abs() >= rows { quotient + scaled.signum() } else { quotient })
}

fn wide_mean(sum: i256, rows: u64, extra_digits: u32) -> Option<i256> {
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
