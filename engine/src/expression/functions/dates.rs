//! Dates made, shifted and compared.

use arrow_array::ArrayRef;
use arrow_schema::DataType;

use super::{ABSENT, Accepts, Database::*, Family, Form, Function, Nulls, Parameter, Returns};
use crate::expression::{
    BAD_CAST,
    calendar::{self, DAY_US, DAYS, Parts},
    call::{Call, Stop},
    node::{Run, Typed},
    types::Type,
};

const DATE: &[Parameter] = &[Parameter::one("date", Accepts::Date)];
const SHIFT: &[Parameter] = &[Parameter::one("date", Accepts::DateTime), Parameter::one("interval", Accepts::Any)];

const fn date(name: &'static str, about: &'static str) -> Function {
    Function::new(Family::Dates, name, about)
}

/// Functions that make and shift dates.
pub(super) static DATES: &[Function] = &[
    date("date", "The date of a text or of a date with a time, as `CAST(… AS DATE)`.")
        .takes(&[Parameter::one("value", Accepts::DateOrText)])
        .gives(Returns::Date, |call| match call.type_of(0) {
            DataType::Utf8 => call.dates(|row| {
                let text = call.text(0).at(row);
                let micros = calendar::read_datetime(text);
                let micros = micros.ok_or_else(|| Stop::Failed(BAD_CAST, format!("'{text}' is no date")))?;
                Ok(micros.div_euclid(DAY_US) as i32)
            }),
            DataType::Date32 => call.dates(|row| Ok(call.date(0).at(row))),
            _ => call.dates(|row| Ok(call.datetime(0).at(row).div_euclid(DAY_US) as i32)),
        })
        .fails()
        .examples(&[("date('2026-03-15')", "2026-03-15")]),
    date("make_date", "The date of a year, a month and a day.")
        .takes(&[
            Parameter::one("year", Accepts::Int),
            Parameter::one("month", Accepts::Int),
            Parameter::one("day", Accepts::Int),
        ])
        .gives(Returns::Date, |call| {
            call.dates(|row| {
                let (year, month, day) = (call.int(0).at(row), call.int(1).at(row), call.int(2).at(row));
                let small = |value: i64| u32::try_from(value).unwrap_or(0);
                calendar::date(year, small(month), small(day))
                    .ok_or_else(|| Stop::Failed(BAD_CAST, format!("there is no date {year}-{month}-{day}")))
            })
        })
        .fails()
        .examples(&[("make_date(2026, 3, 15)", "2026-03-15")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
    date("makedate", "The `n`-th day of a year.")
        .takes(&[Parameter::one("year", Accepts::Int), Parameter::one("n", Accepts::Int)])
        .gives(Returns::Date, |call| {
            call.dates(|row| {
                let first = calendar::date(call.int(0).at(row), 1, 1).ok_or_else(no_date)?;
                let n = call.int(1).at(row);
                if n < 1 {
                    return Err(Stop::Null);
                }
                day(i64::from(first).saturating_add(n - 1))
            })
        })
        .nulls(Nulls::Also("where `n` is not positive"))
        .fails()
        .examples(&[("makedate(2026, 74)", "2026-03-15")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    date(
        "date_add",
        "The date or time an interval later: `date_add(date, INTERVAL 1 MONTH)`; also `date + INTERVAL 1 DAY`. \
                      A day that the month lacks becomes its last one.",
    )
    .or(&["adddate"])
    .takes(SHIFT)
    .form(Returns::Of(|_| Type::Date, "date; datetime where hours are added"), Form::DateAdd(false))
    .fails()
    .examples(&[
        ("date_add(DATE '2026-01-31', INTERVAL 1 MONTH)", "2026-02-28"),
        ("DATE '2026-12-31' + INTERVAL 1 DAY", "2027-01-01"),
    ])
    .elsewhere(&[(Sqlite, ABSENT)]),
    date("date_sub", "The date or time an interval earlier.")
        .or(&["subdate"])
        .takes(SHIFT)
        .form(Returns::Of(|_| Type::Date, "date; datetime where hours are taken away"), Form::DateAdd(true))
        .fails()
        .examples(&[("date_sub(DATE '2024-03-01', INTERVAL 1 DAY)", "2024-02-29")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    date("datediff", "The days from the second date to the first. `a - b` is the same.")
        .takes(&[Parameter::one("later", Accepts::Date), Parameter::one("earlier", Accepts::Date)])
        .gives(Returns::Int, |call| {
            call.ints(|row| Ok(i64::from(call.date(0).at(row)) - i64::from(call.date(1).at(row))))
        })
        .examples(&[("datediff('2026-03-15', '2026-01-01')", "73")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    date("last_day", "The last day of the month.")
        .takes(DATE)
        .gives(Returns::Date, |call| {
            call.dates(|row| {
                let (year, month, _) = calendar::civil_from_days(call.date(0).at(row).into());
                calendar::date(year, month, calendar::days_in_month(year, month)).ok_or_else(no_date)
            })
        })
        .fails()
        .examples(&[("last_day('2024-02-10')", "2024-02-29")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    date("to_days", "The days since year 0.")
        .takes(DATE)
        .gives(Returns::Int, |call| call.ints(|row| Ok(i64::from(call.date(0).at(row)) - DAYS.start())))
        .examples(&[("to_days('2026-03-15')", "740055")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    date("from_days", "The date of a number of days since year 0.")
        .takes(&[Parameter::one("days", Accepts::Int)])
        .gives(Returns::Date, |call| call.dates(|row| day(call.int(0).at(row).saturating_add(*DAYS.start()))))
        .fails()
        .examples(&[("from_days(740055)", "2026-03-15")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    date("date_trunc", "The first day of the date's 'year', 'quarter', 'month' or 'week' (Monday), or the day itself.")
        .takes(&[Parameter::one("unit", Accepts::Text), Parameter::one("date", Accepts::Date)])
        .prepares(Returns::Date, date_trunc)
        .fails()
        .examples(&[("date_trunc('month', DATE '2026-03-15')", "2026-03-01")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
];

pub(super) fn no_date() -> Stop {
    Stop::overflow("the date is outside of the years 0 to 9999")
}

/// A number of days since 1970-01-01 in the years 0 to 9999.
pub(super) fn day(days: i64) -> Result<i32, Stop> {
    match DAYS.contains(&days) {
        true => i32::try_from(days).map_err(|_| no_date()),
        false => Err(no_date()),
    }
}

fn date_trunc(arguments: &[Typed]) -> Result<Run, String> {
    let unit = arguments[0].as_text().map(str::to_ascii_lowercase);
    let first: fn(i64) -> Option<i32> = match unit.as_deref() {
        Some("day") => |days| i32::try_from(days).ok(),
        Some("week") => |days| i32::try_from(days - (days + 3).rem_euclid(7)).ok(),
        Some("month") => |days| {
            let (year, month, _) = calendar::civil_from_days(days);
            calendar::date(year, month, 1)
        },
        Some("quarter") => |days| {
            let (year, month, _) = calendar::civil_from_days(days);
            calendar::date(year, (month - 1) / 3 * 3 + 1, 1)
        },
        Some("year") => |days| calendar::date(calendar::civil_from_days(days).0, 1, 1),
        _ => return Err("the unit is 'year', 'quarter', 'month', 'week' or 'day'".into()),
    };
    Ok(std::sync::Arc::new(move |call: &Call<'_>| {
        call.dates(|row| first(call.date(1).at(row).into()).ok_or_else(no_date))
    }))
}

/// The unit of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Months(i64),
    Days(i64),
    Micros(i64),
}

impl Unit {
    /// A unit by its name in upper case, in the singular or the plural.
    pub(crate) fn find(name: &str) -> Option<Unit> {
        Some(match name.strip_suffix('S').unwrap_or(name) {
            "YEAR" => Unit::Months(12),
            "QUARTER" => Unit::Months(3),
            "MONTH" => Unit::Months(1),
            "WEEK" => Unit::Days(7),
            "DAY" => Unit::Days(1),
            "HOUR" => Unit::Micros(3_600_000_000),
            "MINUTE" => Unit::Micros(60_000_000),
            "SECOND" => Unit::Micros(1_000_000),
            "MICROSECOND" => Unit::Micros(1),
            _ => return None,
        })
    }

    /// Whether a date becomes one with a time by it.
    pub(crate) fn is_time(self) -> bool {
        matches!(self, Unit::Micros(_))
    }
}

/// The first argument, a date or one with a time, shifted by the second one's number of units.
pub(crate) fn shift(call: &Call<'_>, unit: Unit, back: bool) -> ArrayRef {
    let shifted = |micros: i64, row: usize| -> Result<i64, Stop> {
        let count = call.int(1).at(row);
        let count = if back { count.checked_neg() } else { Some(count) }.ok_or_else(no_date)?;
        let micros = match unit {
            Unit::Micros(each) => count.checked_mul(each).and_then(|by| micros.checked_add(by)),
            Unit::Days(each) => count.checked_mul(each * DAY_US).and_then(|by| micros.checked_add(by)),
            Unit::Months(each) => {
                let parts = calendar::parts(micros);
                let months = count
                    .checked_mul(each)
                    .and_then(|by| by.checked_add(parts.year * 12 + i64::from(parts.month) - 1))
                    .ok_or_else(no_date)?;
                let (year, month) = (months.div_euclid(12), months.rem_euclid(12) as u32 + 1);
                let day = parts.day.min(calendar::days_in_month(year, month));
                calendar::micros(&Parts { year, month, day, ..parts })
            }
        };
        micros.filter(|micros| DAYS.contains(&micros.div_euclid(DAY_US))).ok_or_else(no_date)
    };
    match call.type_of(0) {
        DataType::Date32 => call.dates(|row| {
            let micros = shifted(i64::from(call.date(0).at(row)) * DAY_US, row)?;
            Ok(micros.div_euclid(DAY_US) as i32)
        }),
        _ => call.datetimes(|row| shifted(call.datetime(0).at(row), row)),
    }
}
