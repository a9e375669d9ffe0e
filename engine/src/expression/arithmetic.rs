//! Arithmetic: exact on integers and decimals, IEEE 754 on doubles. What leaves its range rejects the row.

use std::sync::Arc;

use arrow_array::{Array as _, cast::AsArray as _, types::Int64Type};
use vardelta_schemas::sql::view::Operation;

use super::{
    DIVISION_BY_ZERO,
    call::{Call, Numbers, Stop},
    convert::widen,
    exact,
    node::{Run, Typed},
    types::{DIGITS_MAX, Type, common},
};

/// The digits by which `/` has more after the point than its left side (MySQL: `div_precision_increment`).
pub(crate) const DIVISION_DIGITS: u8 = 4;

/// The most digits that arithmetic puts after the point, as in MySQL.
const SCALE_MAX: u8 = 30;

/// An operator between two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Plus,
    Minus,
    Times,
    Divide,
    /// `DIV`: the quotient without its fraction.
    IntegerDivide,
    Modulo,
}

impl Arithmetic {
    /// What databases call it; not the whole quotient and the remainder, whose divisor may be 0.
    fn said(self, typed: Typed) -> Typed {
        match self {
            Arithmetic::Plus => typed.says(Operation::Plus),
            Arithmetic::Minus => typed.says(Operation::Minus),
            Arithmetic::Times => typed.says(Operation::Times),
            Arithmetic::Divide => typed.says(Operation::Divide),
            Arithmetic::IntegerDivide | Arithmetic::Modulo => typed,
        }
    }

    fn symbol(self) -> &'static str {
        match self {
            Arithmetic::Plus => "+",
            Arithmetic::Minus => "-",
            Arithmetic::Times => "*",
            Arithmetic::Divide => "/",
            Arithmetic::IntegerDivide => "DIV",
            Arithmetic::Modulo => "%",
        }
    }
}

/// `left op right`; None where one is no number.
pub(crate) fn arithmetic(op: Arithmetic, left: Typed, right: Typed) -> Option<Typed> {
    let null =
        |of: &Type, other: &Type| if *of == Type::Null && other.is_number() { other.clone() } else { of.clone() };
    let (left_type, right_type) = (null(&left.of, &right.of), null(&right.of, &left.of));
    if left_type == Type::Null && right_type == Type::Null {
        return Some(Typed::null(Type::Int));
    }
    if !left_type.is_number() || !right_type.is_number() {
        return None;
    }
    let (left_digits, right_digits) = (digits(&left), digits(&right));
    let (left, right) = (widen(left, &left_type), widen(right, &right_type));
    Some(match common(&left_type, &right_type)? {
        Type::Float => {
            let (left, right) = (widen(left, &Type::Float), widen(right, &Type::Float));
            let of = if op == Arithmetic::IntegerDivide { Type::Int } else { Type::Float };
            op.said(Typed::strict(Arc::new(move |call: &Call<'_>| floats(op, call)), vec![left, right], of, true))
        }
        Type::Int if op != Arithmetic::Divide => {
            op.said(Typed::strict(Arc::new(move |call: &Call<'_>| ints(op, call)), vec![left, right], Type::Int, true))
        }
        _ => decimals(op, left, right, left_digits?, right_digits?),
    })
}

/// The digits before and after the point; of an integer in the text those that it has.
fn digits(typed: &Typed) -> Option<(u8, u8)> {
    match (typed.as_constant(), &typed.of) {
        (Some(array), Type::Int) if array.is_valid(0) => {
            let value = array.as_primitive::<Int64Type>().value(0).unsigned_abs();
            Some((value.checked_ilog10().map_or(1, |log| log as u8 + 1), 0))
        }
        (_, Type::Null) => Some((1, 0)),
        (_, of) => of.digits(),
    }
}

fn overflow(left: impl std::fmt::Display, op: Arithmetic, right: impl std::fmt::Display) -> Stop {
    Stop::overflow(format!("{left} {} {right} is beyond int64", op.symbol()))
}

fn division_by_zero(op: Arithmetic) -> Stop {
    let operation = if op == Arithmetic::Modulo { "the remainder" } else { "the quotient" };
    Stop::Failed(DIVISION_BY_ZERO, format!("{operation} of a division by zero"))
}

fn ints(op: Arithmetic, call: &Call<'_>) -> arrow_array::ArrayRef {
    let (left, right) = (call.int(0), call.int(1));
    let checked = |overflowing: fn(i64, i64) -> (i64, bool)| {
        let exact = |row: usize| {
            let (left, right) = (left.at(row), right.at(row));
            match overflowing(left, right) {
                (value, false) => Ok(value),
                (_, true) => Err(overflow(left, op, right)),
            }
        };
        call.checked_ints(|row| overflowing(left.at(row), right.at(row)), exact)
    };
    match op {
        Arithmetic::Plus => checked(i64::overflowing_add),
        Arithmetic::Minus => checked(i64::overflowing_sub),
        Arithmetic::Times => checked(i64::overflowing_mul),
        Arithmetic::Divide | Arithmetic::IntegerDivide => call.ints(|row| match (left.at(row), right.at(row)) {
            (_, 0) => Err(division_by_zero(op)),
            (left, right) => left.checked_div(right).ok_or_else(|| overflow(left, op, right)),
        }),
        Arithmetic::Modulo => call.ints(|row| match right.at(row) {
            0 => Err(division_by_zero(op)),
            // -1 divides everything, and the least integer has no counterpart to be divided into.
            right => Ok(left.at(row).checked_rem(right).unwrap_or(0)),
        }),
    }
}

fn floats(op: Arithmetic, call: &Call<'_>) -> arrow_array::ArrayRef {
    let (left, right) = (call.float(0), call.float(1));
    match op {
        Arithmetic::Plus => call.checked_floats(|row| left.at(row) + right.at(row)),
        Arithmetic::Minus => call.checked_floats(|row| left.at(row) - right.at(row)),
        Arithmetic::Times => call.checked_floats(|row| left.at(row) * right.at(row)),
        Arithmetic::Divide => call.checked_floats(|row| left.at(row) / right.at(row)),
        Arithmetic::Modulo => call.floats(|row| match right.at(row) {
            0.0 => Err(division_by_zero(op)),
            right => Ok(left.at(row) % right),
        }),
        Arithmetic::IntegerDivide => call.ints(|row| {
            if right.at(row) == 0.0 {
                return Err(division_by_zero(op));
            }
            let quotient = (left.at(row) / right.at(row)).trunc();
            match quotient.abs() < 9_223_372_036_854_775_808.0 {
                true => Ok(quotient as i64),
                false => Err(overflow(left.at(row), op, right.at(row))),
            }
        }),
    }
}

/// Exact numbers of which at least one has a point, or a quotient of integers.
fn decimals(op: Arithmetic, left: Typed, right: Typed, left_digits: (u8, u8), right_digits: (u8, u8)) -> Typed {
    let scaled = |typed: Typed, digits: (u8, u8)| widen(typed, &Type::decimal(digits.0, digits.1));
    let (left, right) = (scaled(left, left_digits), scaled(right, right_digits));
    let ((left_whole, left_scale), (right_whole, right_scale)) = (left_digits, right_digits);
    let wider = left_scale.max(right_scale);
    let of = match op {
        Arithmetic::Plus | Arithmetic::Minus => Type::decimal(left_whole.max(right_whole) + 1, wider),
        Arithmetic::Times => Type::decimal(left_whole + right_whole, (left_scale + right_scale).min(SCALE_MAX)),
        Arithmetic::Divide => Type::decimal(left_whole + right_scale, (left_scale + DIVISION_DIGITS).min(SCALE_MAX)),
        Arithmetic::Modulo => Type::decimal(left_whole.max(right_whole), wider),
        Arithmetic::IntegerDivide => Type::Int,
    };
    let (precision, scale) = match of {
        Type::Decimal { precision, scale } => (precision, scale),
        _ => (DIGITS_MAX, 0),
    };
    let name = of.clone();
    let one = move |left: i128, right: i128| -> Result<i128, Stop> {
        let value = match op {
            Arithmetic::Plus | Arithmetic::Minus => {
                let left = exact::rescale(left, left_scale, scale);
                let right = exact::rescale(right, right_scale, scale);
                left.zip(right).and_then(|(left, right)| match op {
                    Arithmetic::Plus => left.checked_add(right),
                    _ => left.checked_sub(right),
                })
            }
            Arithmetic::Times => exact::product(left, right, left_scale + right_scale - scale),
            _ if right == 0 => return Err(division_by_zero(op)),
            // left / 10^ls / (right / 10^rs) * 10^scale.
            Arithmetic::Divide => exact::quotient(left, scale + right_scale - left_scale, right),
            Arithmetic::Modulo | Arithmetic::IntegerDivide => {
                let left = exact::rescale(left, left_scale, wider);
                let right = exact::rescale(right, right_scale, wider);
                left.zip(right).and_then(|(left, right)| match op {
                    Arithmetic::Modulo => left.checked_rem(right),
                    _ => left.checked_div(right),
                })
            }
        };
        value.ok_or_else(|| Stop::overflow(format!("the result does not fit {name}")))
    };
    let run: Run = Arc::new(move |call: &Call<'_>| {
        let (left, right): (Numbers<'_, i128>, Numbers<'_, i128>) = (call.decimal(0), call.decimal(1));
        match op {
            Arithmetic::IntegerDivide => call.ints(|row| {
                let value = one(left.at(row), right.at(row))?;
                i64::try_from(value).map_err(|_| Stop::overflow(format!("{value} is beyond int64")))
            }),
            _ => call.decimals(precision, scale, |row| one(left.at(row), right.at(row))),
        }
    });
    op.said(Typed::strict(run, vec![left, right], of, true))
}

/// `-value`; None where it is no number.
pub(crate) fn negate(value: Typed) -> Option<Typed> {
    let of = value.of.clone();
    let run: Run = match &of {
        Type::Int => Arc::new(|call: &Call<'_>| {
            let values = call.int(0);
            call.checked_ints(
                |row| values.at(row).overflowing_neg(),
                |row| {
                    let value = values.at(row);
                    value.checked_neg().ok_or_else(|| Stop::overflow(format!("-({value}) is beyond int64")))
                },
            )
        }),
        Type::Float => Arc::new(|call: &Call<'_>| {
            let values = call.float(0);
            call.checked_floats(|row| -values.at(row))
        }),
        Type::Decimal { precision, scale } => {
            let (precision, scale) = (*precision, *scale);
            Arc::new(move |call: &Call<'_>| {
                let values = call.decimal(0);
                call.decimals(precision, scale, |row| Ok(-values.at(row)))
            })
        }
        Type::Null => return Some(value),
        _ => return None,
    };
    let fails = of == Type::Int;
    Some(Typed::strict(run, vec![value], of, fails).says(Operation::Negate))
}

/// An operator on the bits of integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bits {
    And,
    Or,
    Xor,
    Left,
    Right,
}

/// `left op right` on 64 bits without a sign, as MySQL has it; None where one is no integer.
pub(crate) fn bits(op: Bits, left: Typed, right: Typed) -> Option<Typed> {
    let int = |typed: &Typed| matches!(typed.of, Type::Int | Type::Null);
    if !int(&left) || !int(&right) {
        return None;
    }
    let (left, right) = (widen(left, &Type::Int), widen(right, &Type::Int));
    let run: Run = Arc::new(move |call: &Call<'_>| {
        let (left, right) = (call.int(0), call.int(1));
        call.ints(|row| {
            let (left, right) = (left.at(row) as u64, right.at(row) as u64);
            let shift = u32::try_from(right).unwrap_or(u32::MAX);
            let value = match op {
                Bits::And => left & right,
                Bits::Or => left | right,
                Bits::Xor => left ^ right,
                Bits::Left => left.checked_shl(shift).unwrap_or(0),
                Bits::Right => left.checked_shr(shift).unwrap_or(0),
            };
            i64::try_from(value).map_err(|_| Stop::overflow(format!("{value} is beyond int64")))
        })
    });
    Some(Typed::strict(run, vec![left, right], Type::Int, true))
}

/// `~value`, with a sign; None where it is no integer.
pub(crate) fn invert(value: Typed) -> Option<Typed> {
    if value.of != Type::Int {
        return None;
    }
    let run: Run = Arc::new(|call: &Call<'_>| call.ints(|row| Ok(!call.int(0).at(row))));
    Some(Typed::strict(run, vec![value], Type::Int, false))
}
