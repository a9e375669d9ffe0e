//! Conversions between types: those that the text asks for with CAST, and those that lose nothing.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::DataType;
use vardelta_schemas::{
    sql::view::Operation,
    value_text::{write_date, write_decimal},
};

use super::{
    BAD_CAST, calendar,
    call::{Call, Stop, append},
    exact::{self, Unreadable},
    node::{Run, Typed},
    types::Type,
};

/// What becomes of a value that the new type cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Its row is rejected.
    Strict,
    /// It becomes NULL.
    Try,
}

/// The type that a CAST asks for, and the integers that it takes.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub of: Type,
    pub range: Option<(i64, i64)>,
}

impl From<Type> for Target {
    fn from(of: Type) -> Target {
        Target { of, range: None }
    }
}

/// Converts; None where there is no such conversion.
pub(crate) fn convert(typed: Typed, target: &Target, mode: Mode) -> Option<Typed> {
    let to = target.of.clone();
    if typed.of == Type::Null {
        return Some(Typed::null(to));
    }
    if typed.of == to && target.range.is_none() {
        return Some(typed);
    }
    let (conversion, fails) = conversion(&typed.of, target)?;
    let tries = mode == Mode::Try && fails;
    let run: Run = Arc::new(move |call: &Call<'_>| conversion(call, tries));
    let nullable = typed.nullable || tries;
    let converted = Typed::call(run, vec![typed], to, true, nullable, fails && !tries);
    // Values that are refused, by a range or by giving NULL, are told apart by no database.
    let is_plain = target.range.is_none() && !tries;
    Some(if is_plain { converted.says(Operation::Convert) } else { converted })
}

/// Converts what loses nothing by it; the types have a [common](super::types::common) one.
pub(crate) fn widen(typed: Typed, to: &Type) -> Typed {
    if typed.of == *to {
        return typed;
    }
    let kept = typed.clone();
    convert(typed, &Target::from(to.clone()), Mode::Strict).unwrap_or(kept)
}

type Conversion = Box<dyn Fn(&Call<'_>, bool) -> ArrayRef + Send + Sync>;

/// A conversion and whether it may fail.
fn conversion(from: &Type, target: &Target) -> Option<(Conversion, bool)> {
    let range = target.range;
    let narrow = move |value: i64| match range {
        Some((low, high)) if !(low..=high).contains(&value) => {
            Err(Stop::Failed(BAD_CAST, format!("{value} is not between {low} and {high}")))
        }
        _ => Ok(value),
    };
    /// A failure, or NULL where it was only tried.
    fn or_null<T>(result: Result<T, Stop>, tries: bool) -> Result<T, Stop> {
        result.map_err(|stop| if tries { Stop::Null } else { stop })
    }
    let bad = |value: &dyn std::fmt::Display, what: &str| Stop::Failed(BAD_CAST, format!("{value} is no {what}"));
    let out_of = |value: &dyn std::fmt::Display, what: &Type| Stop::overflow(format!("{value} does not fit {what}"));
    let of = target.of.clone();
    Some(match (from, &target.of) {
        (Type::Int, Type::Int) => {
            (Box::new(move |call, tries| call.ints(|row| or_null(narrow(call.int(0).at(row)), tries))), true)
        }
        (Type::Bool, Type::Int) => (Box::new(|call, _| call.ints(|row| Ok(call.bool(0).at(row).into()))), false),
        (Type::Decimal { scale, .. }, Type::Int) => {
            let scale = *scale;
            let run: Conversion = Box::new(move |call, tries| {
                let values = call.decimal(0);
                call.ints(|row| {
                    let value = exact::rescale(values.at(row), scale, 0).and_then(|value| i64::try_from(value).ok());
                    let value = value.ok_or_else(|| out_of(&shown(values.at(row), scale), &Type::Int));
                    or_null(value.and_then(narrow), tries)
                })
            });
            (run, true)
        }
        (Type::Float, Type::Int) => {
            let run: Conversion = Box::new(move |call, tries| {
                let values = call.float(0);
                call.ints(|row| {
                    let value = values.at(row).round_ties_even();
                    // 2^63 is a double, the largest int64 is none.
                    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value);
                    let value = if fits { narrow(value as i64) } else { Err(out_of(&values.at(row), &Type::Int)) };
                    or_null(value, tries)
                })
            });
            (run, true)
        }
        (Type::Text, Type::Int) => {
            let run: Conversion = Box::new(move |call, tries| {
                let texts = call.text(0);
                call.ints(|row| {
                    let text = texts.at(row);
                    let value = text.trim_ascii().parse().map_err(|_| bad(&Quoted(text), "integer"));
                    or_null(value.and_then(narrow), tries)
                })
            });
            (run, true)
        }
        (Type::Bool, Type::Float) => (Box::new(|call, _| call.floats(|row| Ok(call.bool(0).at(row).into()))), false),
        (Type::Int, Type::Float) => {
            let run: Conversion = Box::new(|call, _| {
                let values = call.int(0);
                call.checked_floats(|row| values.at(row) as f64)
            });
            (run, false)
        }
        (Type::Decimal { scale, .. }, Type::Float) => {
            let scale = *scale;
            let run: Conversion = Box::new(move |call, _| {
                let values = call.decimal(0);
                call.checked_floats(|row| exact::to_float(values.at(row), scale))
            });
            (run, false)
        }
        (Type::Text, Type::Float) => {
            let run: Conversion = Box::new(move |call, tries| {
                let texts = call.text(0);
                call.floats(|row| {
                    let text = texts.at(row);
                    let number = text.trim_ascii();
                    // Rust reads names too: inf, nan.
                    let plain =
                        number.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
                    let value = number.parse().ok().filter(|value: &f64| plain && value.is_finite());
                    or_null(value.ok_or_else(|| bad(&Quoted(text), "number")), tries)
                })
            });
            (run, true)
        }
        (_, Type::Decimal { precision, scale }) => {
            let (precision, scale) = (*precision, *scale);
            let limit = exact::power_of_ten(precision).unsigned_abs();
            let fits = move |value: Option<i128>| value.filter(|value| value.unsigned_abs() < limit);
            let run: Conversion = match from {
                Type::Bool => Box::new(move |call, tries| {
                    let values = call.bool(0);
                    call.decimals(precision, scale, |row| {
                        let value = fits(exact::rescale(values.at(row).into(), 0, scale));
                        or_null(value.ok_or_else(|| out_of(&values.at(row), &of)), tries)
                    })
                }),
                Type::Int => Box::new(move |call, tries| {
                    let values = call.int(0);
                    call.decimals(precision, scale, |row| {
                        let value = fits(exact::rescale(values.at(row).into(), 0, scale));
                        or_null(value.ok_or_else(|| out_of(&values.at(row), &of)), tries)
                    })
                }),
                Type::Decimal { scale: before, .. } => {
                    let before = *before;
                    Box::new(move |call, tries| {
                        let values = call.decimal(0);
                        call.decimals(precision, scale, |row| {
                            let value = fits(exact::rescale(values.at(row), before, scale));
                            or_null(value.ok_or_else(|| out_of(&shown(values.at(row), before), &of)), tries)
                        })
                    })
                }
                Type::Float => Box::new(move |call, tries| {
                    let values = call.float(0);
                    call.decimals(precision, scale, |row| {
                        let value = fits(exact::of_float(values.at(row), scale));
                        or_null(value.ok_or_else(|| out_of(&values.at(row), &of)), tries)
                    })
                }),
                Type::Text => Box::new(move |call, tries| {
                    let texts = call.text(0);
                    call.decimals(precision, scale, |row| {
                        let text = texts.at(row);
                        let value = match exact::read(text.trim_ascii(), scale) {
                            Err(Unreadable::NoNumber) => Err(bad(&Quoted(text), "number")),
                            Err(Unreadable::TooLarge) => Err(out_of(&Quoted(text), &of)),
                            Ok(value) => fits(Some(value)).ok_or_else(|| out_of(&Quoted(text), &of)),
                        };
                        or_null(value, tries)
                    })
                }),
                _ => return None,
            };
            let before = if *from == Type::Bool { Some((1, 0)) } else { from.digits() };
            let has_room = before.is_some_and(|(whole, before)| whole + scale <= precision && before <= scale);
            (run, !has_room)
        }
        (Type::Int, Type::Bool) => (Box::new(|call, _| call.bools(|row| Ok(call.int(0).at(row) != 0))), false),
        (Type::Decimal { .. }, Type::Bool) => {
            (Box::new(|call, _| call.bools(|row| Ok(call.decimal(0).at(row) != 0))), false)
        }
        (Type::Float, Type::Bool) => (Box::new(|call, _| call.bools(|row| Ok(call.float(0).at(row) != 0.0))), false),
        (Type::Text, Type::Bool) => {
            let run: Conversion = Box::new(move |call, tries| {
                let texts = call.text(0);
                call.bools(|row| {
                    let text = texts.at(row);
                    let value = match text.trim_ascii().to_ascii_lowercase().as_str() {
                        "true" | "t" | "yes" | "y" | "1" | "on" => Ok(true),
                        "false" | "f" | "no" | "n" | "0" | "off" => Ok(false),
                        _ => Err(bad(&Quoted(text), "boolean")),
                    };
                    or_null(value, tries)
                })
            });
            (run, true)
        }
        (from, Type::Text) if !matches!(from, Type::List(_)) => {
            (Box::new(|call, _| call.texts(|row, text| write_value(call, 0, row, text))), false)
        }
        (Type::Text, Type::Date) => {
            let run: Conversion = Box::new(move |call, tries| {
                let texts = call.text(0);
                call.dates(|row| {
                    let text = texts.at(row);
                    let value = calendar::read_datetime(text).map(|micros| micros.div_euclid(calendar::DAY_US) as i32);
                    or_null(value.ok_or_else(|| bad(&Quoted(text), "date")), tries)
                })
            });
            (run, true)
        }
        (Type::Text, Type::DateTime) => {
            let run: Conversion = Box::new(move |call, tries| {
                let texts = call.text(0);
                call.datetimes(|row| {
                    let text = texts.at(row);
                    or_null(calendar::read_datetime(text).ok_or_else(|| bad(&Quoted(text), "date with a time")), tries)
                })
            });
            (run, true)
        }
        (Type::Date, Type::DateTime) => {
            (Box::new(|call, _| call.datetimes(|row| Ok(i64::from(call.date(0).at(row)) * calendar::DAY_US))), false)
        }
        (Type::DateTime, Type::Date) => {
            let run: Conversion =
                Box::new(|call, _| call.dates(|row| Ok(call.datetime(0).at(row).div_euclid(calendar::DAY_US) as i32)));
            (run, false)
        }
        _ => return None,
    })
}

/// A text in quotes, shortened.
struct Quoted<'a>(&'a str);

impl std::fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.char_indices().nth(40) {
            Some((end, _)) => write!(f, "'{}…'", &self.0[..end]),
            None => write!(f, "'{}'", self.0),
        }
    }
}

fn shown(value: i128, scale: u8) -> String {
    let mut text = String::new();
    write_decimal(value, scale as i8, &mut text);
    text
}

/// Appends a value as `concat` and CAST … AS CHAR write it; the row's value is not NULL.
///
/// # Errors
/// For a list, and for a date outside of the years 0 to 9999.
pub(crate) fn write_value(call: &Call<'_>, at: usize, row: usize, text: &mut String) -> Result<(), Stop> {
    match call.type_of(at) {
        DataType::Utf8 => text.push_str(call.text(at).at(row)),
        DataType::Int64 => append(text, format_args!("{}", call.int(at).at(row))),
        DataType::Boolean => text.push(if call.bool(at).at(row) { '1' } else { '0' }),
        DataType::Float64 => exact::write_float(call.float(at).at(row), text),
        DataType::Decimal128(_, scale) => write_decimal(call.decimal(at).at(row), *scale, text),
        DataType::Date32 => {
            if !write_date(call.date(at).at(row), text) {
                return Err(Stop::failed("a date is outside of the years 0 to 9999"));
            }
        }
        DataType::Timestamp(..) => calendar::write_datetime(call.datetime(at).at(row), text)?,
        other => return Err(Stop::failed(format!("{other} has no text"))),
    }
    Ok(())
}
