//! Rounding. Exact numbers round half away from zero, doubles half to even, as in MySQL.

use arrow_array::{Array as _, ArrayRef, cast::AsArray as _, types::Int64Type};
use arrow_schema::DataType;

use super::{Accepts, Database::*, Family, Function, Parameter, Returns};
use crate::expression::{
    call::{Call, Stop},
    exact,
    node::Typed,
    types::{INT_DIGITS, Type},
};

const NUMBER: &[Parameter] = &[Parameter::one("x", Accepts::Number)];
const DIGITS: &[Parameter] = &[Parameter::one("x", Accepts::Number), Parameter::maybe("digits", Accepts::Int)];

const fn number(name: &'static str, about: &'static str) -> Function {
    Function::new(Family::Numbers, name, about)
}

/// Functions that round.
pub(super) static ROUNDING: &[Function] = &[
    number(
        "round",
        "The number with so many digits after the point (0), or with zeros before it where the number of digits is \
         negative. An exact number rounds half away from zero, a double half to even.",
    )
    .takes(DIGITS)
    .gives(Returns::Of(rounded, "as `x`, with the digits"), |call| round(call, Way::Nearest))
    .fails()
    .examples(&[
        ("round(2.5)", "3"),
        ("round(-1.005, 2)", "-1.01"),
        ("round(1234, -2)", "1200"),
        ("round(CAST(2.5 AS DOUBLE))", "2"),
    ])
    .elsewhere(&[(Sqlite, "rounds doubles half away from zero and ignores negative digits")]),
    number("truncate", "The number without its further digits.")
        .or(&["trunc"])
        .takes(DIGITS)
        .gives(Returns::Of(rounded, "as `x`, with the digits"), |call| round(call, Way::Truncate))
        .fails()
        .examples(&[("truncate(2.99, 1)", "2.9"), ("truncate(-1.9, 0)", "-1")])
        .elsewhere(&[(Sqlite, "is `trunc`, without digits")]),
    number("floor", "The greatest integer that is not above the number.")
        .takes(NUMBER)
        .gives(Returns::Of(whole, "int64; of a double a double"), |call| round(call, Way::Floor))
        .fails()
        .examples(&[("floor(-1.5)", "-2"), ("floor(7 / 2)", "3")])
        .elsewhere(&[(Sqlite, "has it only where it is built with its functions of mathematics")]),
    number("ceiling", "The least integer that is not below the number.")
        .or(&["ceil"])
        .takes(NUMBER)
        .gives(Returns::Of(whole, "int64; of a double a double"), |call| round(call, Way::Ceiling))
        .fails()
        .examples(&[("ceiling(1.2)", "2"), ("ceil(-1.2)", "-1")])
        .elsewhere(&[(Sqlite, "has it only where it is built with its functions of mathematics")]),
    number("format", "The number with so many digits after the point and a comma before every three digits.")
        .takes(&[Parameter::one("x", Accepts::Number), Parameter::one("digits", Accepts::Int)])
        .gives(Returns::Text, format)
        .fails()
        .examples(&[("format(1234567.891, 2)", "1,234,567.89"), ("format(12, 0)", "12")])
        .elsewhere(&[(Sqlite, "is `printf`")]),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Nearest,
    Truncate,
    Floor,
    Ceiling,
}

/// The digits that are asked for, where they are known.
fn digits_of(arguments: &[Typed]) -> Option<i64> {
    match arguments.get(1) {
        None => Some(0),
        Some(digits) => {
            let digits = digits.as_constant()?;
            digits.is_valid(0).then(|| digits.as_primitive::<Int64Type>().value(0))
        }
    }
}

fn rounded(arguments: &[Typed]) -> Type {
    match &arguments[0].of {
        Type::Decimal { precision, scale } => match digits_of(arguments) {
            Some(digits) => {
                let kept = digits.clamp(0, i64::from(*scale)) as u8;
                // One digit more before the point: 9.9 rounds to 10.
                let whole = (precision - scale) + u8::from(kept < *scale);
                Type::decimal(whole, kept)
            }
            None => Type::decimal(precision - scale + 1, *scale),
        },
        other => other.clone(),
    }
}

fn whole(arguments: &[Typed]) -> Type {
    match &arguments[0].of {
        Type::Decimal { precision, scale } if precision - scale > INT_DIGITS => {
            Type::decimal((precision - scale).saturating_add(1), 0)
        }
        Type::Decimal { .. } => Type::Int,
        other => other.clone(),
    }
}

fn round(call: &Call<'_>, way: Way) -> ArrayRef {
    let digits = |row: usize| if call.arguments() > 1 { call.int(1).at(row) } else { 0 };
    match call.type_of(0) {
        DataType::Int64 => call.ints(|row| {
            let value = call.int(0).at(row);
            let rounded = at_digit(value.into(), 0, digits(row), way);
            i64::try_from(rounded).map_err(|_| Stop::overflow(format!("{value} rounds to more than int64 holds")))
        }),
        DataType::Decimal128(precision, scale) => {
            let scale = scale.unsigned_abs();
            let whole_digits = *precision - scale;
            let value = |row: usize| at_digit(call.decimal(0).at(row), scale, digits(row), way);
            if matches!(way, Way::Floor | Way::Ceiling) {
                let of_whole = |row: usize| value(row) / exact::power_of_ten(scale);
                return match whole_digits > INT_DIGITS {
                    true => call.decimals(whole_digits.saturating_add(1).min(38), 0, |row| Ok(of_whole(row))),
                    false => call.ints(|row| {
                        let value = of_whole(row);
                        i64::try_from(value).map_err(|_| Stop::overflow(format!("{value} is beyond int64")))
                    }),
                };
            }
            let kept = match call.arguments() > 1 && !call.argument(1).constant {
                true => scale,
                false => {
                    let known = call.arguments() < 2 || !call.argument(1).is_null(0);
                    if known { digits(0).clamp(0, i64::from(scale)) as u8 } else { scale }
                }
            };
            let whole_digits =
                whole_digits + u8::from(kept < scale || !(call.arguments() < 2 || call.argument(1).constant));
            let Type::Decimal { precision, .. } = Type::decimal(whole_digits, kept) else {
                return call.ints(|_| Ok(0));
            };
            call.decimals(precision, kept, |row| {
                exact::rescale(value(row), scale, kept).ok_or_else(|| Stop::overflow("the result has over 38 digits"))
            })
        }
        _ => call.floats(|row| Ok(float(call.float(0).at(row), digits(row), way))),
    }
}

/// A decimal whose digits after the `digits`-th after the point are zero.
fn at_digit(value: i128, scale: u8, digits: i64, way: Way) -> i128 {
    let cut = i64::from(scale).saturating_sub(digits);
    if cut <= 0 {
        return value;
    }
    if cut > 38 {
        return match (way, value.signum()) {
            (Way::Floor, -1) => -exact::power_of_ten(38),
            (Way::Ceiling, 1) => exact::power_of_ten(38),
            _ => 0,
        };
    }
    let unit = exact::power_of_ten(cut as u8);
    let steps = match way {
        Way::Nearest => exact::divide_rounded(value, unit),
        Way::Truncate => value / unit,
        Way::Floor => value.div_euclid(unit),
        Way::Ceiling => -(-value).div_euclid(unit),
    };
    steps.checked_mul(unit).unwrap_or(i128::MAX)
}

/// MySQL's rounding of doubles (`my_double_round`): scaled, rounded half to even, and scaled back.
fn float(value: f64, digits: i64, way: Way) -> f64 {
    let round = |value: f64| match way {
        Way::Nearest => value.round_ties_even(),
        Way::Truncate => value.trunc(),
        Way::Floor => value.floor(),
        Way::Ceiling => value.ceil(),
    };
    let power = 10_f64.powi(digits.unsigned_abs().min(400) as i32);
    let scaled = if digits < 0 { value / power } else { value * power };
    match digits {
        0 => round(value),
        1.. if power.is_infinite() || scaled.is_infinite() => value,
        1.. => round(scaled) / power,
        _ if power.is_infinite() => 0.0,
        _ => round(scaled) * power,
    }
}

fn format(call: &Call<'_>) -> ArrayRef {
    call.texts(|row, out| {
        // MySQL's most.
        let digits = call.int(1).at(row).clamp(0, 30) as u8;
        let value = match call.type_of(0) {
            DataType::Int64 => exact::rescale(call.int(0).at(row).into(), 0, digits),
            DataType::Decimal128(..) => exact::rescale(call.decimal(0).at(row), call.scale(0), digits),
            _ => exact::of_float(call.float(0).at(row), digits),
        };
        let value = value.ok_or_else(|| Stop::overflow("the number has over 38 digits"))?;
        let mut plain = String::new();
        vardelta_schemas::value_text::write_decimal(value.abs(), digits as i8, &mut plain);
        let whole = plain.find('.').unwrap_or(plain.len());
        if value < 0 {
            out.push('-');
        }
        for (at, digit) in plain.char_indices() {
            if at > 0 && at < whole && (whole - at).is_multiple_of(3) {
                out.push(',');
            }
            out.push(digit);
        }
        Ok(())
    })
}
