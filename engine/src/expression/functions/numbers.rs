//! Numbers: signs, powers, logarithms, angles, integers.

use arrow_array::ArrayRef;
use arrow_schema::DataType;

use super::{ABSENT, Accepts, Database::*, Family, Function, Parameter, Returns};
use crate::expression::{
    NOT_FINITE,
    call::{Call, Stop},
};

const FLOAT: &[Parameter] = &[Parameter::one("x", Accepts::Float)];
const NUMBER: &[Parameter] = &[Parameter::one("x", Accepts::Number)];
const INTS: &[Parameter] = &[Parameter::one("a", Accepts::Int), Parameter::one("b", Accepts::Int)];

/// SQLite's functions of mathematics are there where it was built with them.
const OPTIONAL: &[(super::Database, &str)] =
    &[(Sqlite, "has it only where it is built with its functions of mathematics")];

/// Functions that only SQLite has, and it where it was built with them.
const SQLITE_ALONE: &[(super::Database, &str)] = &[(MySql, ABSENT), (MariaDb, ABSENT), OPTIONAL[0]];

const fn number(name: &'static str, about: &'static str) -> Function {
    Function::new(Family::Numbers, name, about)
}

/// A function of one double, which rejects the row where it has no finite value.
const fn of_float(name: &'static str, about: &'static str, compute: fn(&Call<'_>) -> ArrayRef) -> Function {
    number(name, about).takes(FLOAT).gives(Returns::Float, compute).fails().elsewhere(OPTIONAL)
}

macro_rules! float {
    ($function:expr) => {
        |call| {
            let values = call.float(0);
            call.checked_floats(|row| $function(values.at(row)))
        }
    };
}

/// Functions of numbers, but for rounding.
pub(super) static NUMBERS: &[Function] = &[
    number("abs", "The number without its sign.")
        .takes(NUMBER)
        .gives(Returns::First, |call| match call.type_of(0) {
            DataType::Int64 => call.ints(|row| {
                let value = call.int(0).at(row);
                value.checked_abs().ok_or_else(|| Stop::overflow(format!("abs({value}) is beyond int64")))
            }),
            DataType::Decimal128(precision, _) => {
                call.decimals(*precision, call.scale(0), |row| Ok(call.decimal(0).at(row).abs()))
            }
            _ => call.floats(|row| Ok(call.float(0).at(row).abs())),
        })
        .fails()
        .examples(&[("abs(-3)", "3"), ("abs(-2.50)", "2.50")]),
    number("sign", "-1, 0 or 1.")
        .or(&["signum"])
        .takes(NUMBER)
        .gives(Returns::Int, |call| match call.type_of(0) {
            DataType::Int64 => call.ints(|row| Ok(call.int(0).at(row).signum())),
            DataType::Decimal128(..) => call.ints(|row| Ok(call.decimal(0).at(row).signum() as i64)),
            _ => call.ints(|row| {
                let value = call.float(0).at(row);
                Ok(i64::from(value > 0.0) - i64::from(value < 0.0))
            }),
        })
        .examples(&[("sign(-3)", "-1"), ("sign(0.0)", "0")]),
    number("power", "`x` to the power of `y`, as a double.")
        .or(&["pow"])
        .takes(&[Parameter::one("x", Accepts::Float), Parameter::one("y", Accepts::Float)])
        .gives(Returns::Float, |call| call.floats(|row| Ok(call.float(0).at(row).powf(call.float(1).at(row)))))
        .fails()
        .examples(&[("power(7, 2)", "49")])
        .elsewhere(OPTIONAL),
    of_float("sqrt", "The square root; a negative number rejects the row.", float!(f64::sqrt))
        .examples(&[("sqrt(16)", "4")]),
    of_float("cbrt", "The cube root.", float!(f64::cbrt)).examples(&[("cbrt(27)", "3")]).elsewhere(&[
        (MySql, ABSENT),
        (MariaDb, ABSENT),
        (Sqlite, ABSENT),
    ]),
    of_float("exp", "e to the power of `x`.", float!(f64::exp)).examples(&[("round(exp(1), 6)", "2.718282")]),
    of_float("ln", "The natural logarithm; a number that is not positive rejects the row.", float!(f64::ln))
        .examples(&[("ln(1)", "0")]),
    of_float("log2", "The logarithm to base 2.", float!(f64::log2)).examples(&[("log2(8)", "3")]),
    of_float("log10", "The logarithm to base 10.", float!(f64::log10)).examples(&[("log10(1000)", "3")]),
    number("log", "The natural logarithm of one number; of two, the logarithm of the second to the base of the first.")
        .takes(&[Parameter::one("x", Accepts::Float), Parameter::maybe("y", Accepts::Float)])
        .gives(Returns::Float, |call| {
            call.floats(|row| match call.arguments() {
                1 => Ok(call.float(0).at(row).ln()),
                _ => match call.float(0).at(row) {
                    base if base <= 0.0 || base == 1.0 => {
                        Err(Stop::Failed(NOT_FINITE, format!("there is no logarithm to base {base}")))
                    }
                    base => Ok(call.float(1).at(row).ln() / base.ln()),
                },
            })
        })
        .fails()
        .examples(&[("log(1)", "0"), ("log(2, 8)", "3")])
        .elsewhere(&[(Sqlite, "one number is taken to base 10")]),
    number("pi", "The number π.")
        .gives(Returns::Float, |call| call.floats(|_| Ok(std::f64::consts::PI)))
        .examples(&[("round(pi(), 4)", "3.1416")])
        .elsewhere(OPTIONAL),
    of_float("degrees", "An angle in radians in degrees.", float!(|x: f64| x * (180.0 / std::f64::consts::PI)))
        .examples(&[("round(degrees(pi()), 6)", "180")]),
    of_float("radians", "An angle in degrees in radians.", float!(|x: f64| x * (std::f64::consts::PI / 180.0)))
        .examples(&[("round(radians(180), 6)", "3.141593")]),
    of_float("sin", "The sine.", float!(f64::sin)).examples(&[("sin(0)", "0")]),
    of_float("cos", "The cosine.", float!(f64::cos)).examples(&[("cos(0)", "1")]),
    of_float("tan", "The tangent.", float!(f64::tan)).examples(&[("tan(0)", "0")]),
    of_float("cot", "The cotangent; that of 0 rejects the row.", float!(|x: f64| 1.0 / x.tan()))
        .examples(&[("round(cot(1), 6)", "0.642093")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    of_float("asin", "The angle of a sine.", float!(f64::asin)).examples(&[("asin(0)", "0")]),
    of_float("acos", "The angle of a cosine.", float!(f64::acos)).examples(&[("acos(1)", "0")]),
    number("atan", "The angle of a tangent, or of `y` and `x`.")
        .or(&["atan2"])
        .takes(&[Parameter::one("y", Accepts::Float), Parameter::maybe("x", Accepts::Float)])
        .gives(Returns::Float, |call| {
            call.floats(|row| match call.arguments() {
                1 => Ok(call.float(0).at(row).atan()),
                _ => Ok(call.float(0).at(row).atan2(call.float(1).at(row))),
            })
        })
        .fails()
        .examples(&[("atan(0)", "0"), ("round(atan2(1, 1), 6)", "0.785398")])
        .elsewhere(OPTIONAL),
    of_float("sinh", "The hyperbolic sine.", float!(f64::sinh)).examples(&[("sinh(0)", "0")]).elsewhere(SQLITE_ALONE),
    of_float("cosh", "The hyperbolic cosine.", float!(f64::cosh)).examples(&[("cosh(0)", "1")]).elsewhere(SQLITE_ALONE),
    of_float("tanh", "The hyperbolic tangent.", float!(f64::tanh))
        .examples(&[("tanh(0)", "0")])
        .elsewhere(SQLITE_ALONE),
    of_float("asinh", "The inverse hyperbolic sine.", float!(f64::asinh))
        .examples(&[("asinh(0)", "0")])
        .elsewhere(SQLITE_ALONE),
    of_float("acosh", "The inverse hyperbolic cosine.", float!(f64::acosh))
        .examples(&[("acosh(1)", "0")])
        .elsewhere(SQLITE_ALONE),
    of_float("atanh", "The inverse hyperbolic tangent.", float!(f64::atanh))
        .examples(&[("atanh(0)", "0")])
        .elsewhere(SQLITE_ALONE),
    number("gcd", "The greatest common divisor.")
        .takes(INTS)
        .gives(Returns::Int, |call| {
            call.ints(|row| int(gcd(call.int(0).at(row).unsigned_abs(), call.int(1).at(row).unsigned_abs()).into()))
        })
        .fails()
        .examples(&[("gcd(12, 18)", "6")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
    number("lcm", "The least common multiple.")
        .takes(INTS)
        .gives(Returns::Int, |call| {
            call.ints(|row| {
                let (a, b) = (call.int(0).at(row).unsigned_abs(), call.int(1).at(row).unsigned_abs());
                match gcd(a, b) {
                    0 => Ok(0),
                    divisor => int(u128::from(a / divisor) * u128::from(b)),
                }
            })
        })
        .fails()
        .examples(&[("lcm(4, 6)", "12")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
    number("factorial", "The product of the integers from 1 to `n`.")
        .takes(&[Parameter::one("n", Accepts::Int)])
        .gives(Returns::Int, |call| {
            call.ints(|row| match call.int(0).at(row) {
                n @ 0..=20 => Ok((1..=n).product()),
                n => Err(Stop::overflow(format!("there is no factorial of {n} in int64"))),
            })
        })
        .fails()
        .examples(&[("factorial(5)", "120")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
    number("isnan", "Whether a double of a file is not a number.")
        .takes(FLOAT)
        .gives(Returns::Bool, |call| call.bools(|row| Ok(call.float(0).at(row).is_nan())))
        .examples(&[("isnan(1.5)", "0")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
    number("iszero", "Whether the number is 0.")
        .takes(FLOAT)
        .gives(Returns::Bool, |call| call.bools(|row| Ok(call.float(0).at(row) == 0.0)))
        .examples(&[("iszero(0)", "1")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
    number("nanvl", "The double, or the other where it is not a number.")
        .takes(&[Parameter::one("x", Accepts::Float), Parameter::one("other", Accepts::Float)])
        .gives(Returns::Float, |call| {
            call.floats(|row| {
                let value = call.float(0).at(row);
                Ok(if value.is_nan() { call.float(1).at(row) } else { value })
            })
        })
        .fails()
        .examples(&[("nanvl(1.5, 0)", "1.5")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
];

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn int(value: u128) -> Result<i64, Stop> {
    i64::try_from(value).map_err(|_| Stop::overflow(format!("{value} is beyond int64")))
}
