//! Parts of dates.

use std::sync::Arc;

use super::{ABSENT, Accepts, Database::*, Family, Function, Parameter, Returns};
use crate::expression::{
    calendar::{self, DAY_US, Parts},
    call::Call,
    node::{Run, Typed},
};

const DATETIME: &[Parameter] = &[Parameter::one("date", Accepts::DateTime)];

const fn part(name: &'static str, about: &'static str, compute: fn(&Call<'_>) -> arrow_array::ArrayRef) -> Function {
    Function::new(Family::Dates, name, about)
        .takes(DATETIME)
        .gives(Returns::Int, compute)
        .elsewhere(&[(Sqlite, ABSENT)])
}

macro_rules! of_date {
    ($part:expr) => {
        |call| call.ints(|row| Ok($part(call.datetime(0).at(row))))
    };
}

/// Functions that take a date apart.
pub(super) static DATE_PARTS: &[Function] = &[
    part("year", "The year.", of_date!(year)).examples(&[("year('2026-03-15')", "2026")]),
    part("quarter", "The quarter, from 1.", of_date!(quarter)).examples(&[("quarter('2026-03-15')", "1")]),
    part("month", "The month, from 1.", of_date!(month)).examples(&[("month('2026-03-15')", "3")]),
    part("day", "The day of the month.", of_date!(day)).or(&["dayofmonth"]).examples(&[("day('2026-03-15')", "15")]),
    part("dayofyear", "The day of the year, from 1.", of_date!(day_of_year))
        .examples(&[("dayofyear('2026-03-15')", "74")]),
    part("dayofweek", "The day of the week, from 1 for Sunday.", of_date!(|at| day_of_week(at) + 1))
        .examples(&[("dayofweek('2026-03-15')", "1")]),
    part("weekday", "The day of the week, from 0 for Monday.", of_date!(|at| (day_of_week(at) + 6) % 7))
        .examples(&[("weekday('2026-03-15')", "6")]),
    part("weekofyear", "The week of the year by ISO 8601.", of_date!(|at| iso_week(at).1))
        .examples(&[("weekofyear('2026-03-15')", "11")]),
    part("hour", "The hour.", of_date!(|at| calendar::parts(at).hour.into()))
        .examples(&[("hour('2026-03-15 10:30:59')", "10")]),
    part("minute", "The minute.", of_date!(|at| calendar::parts(at).minute.into()))
        .examples(&[("minute('2026-03-15 10:30:59')", "30")]),
    part("second", "The second.", of_date!(|at| calendar::parts(at).second.into()))
        .examples(&[("second('2026-03-15 10:30:59')", "59")]),
    part("microsecond", "The fraction of the second, in millionths.", of_date!(|at| calendar::parts(at).micros.into()))
        .examples(&[("microsecond('2026-03-15 10:30:59.25')", "250000")]),
    Function::new(Family::Dates, "date_part", "A part of a date by its name; `extract(YEAR FROM date)` is the same.")
        .or(&["datepart"])
        .takes(&[Parameter::one("part", Accepts::Text), Parameter::one("date", Accepts::DateTime)])
        .prepares(Returns::Int, date_part)
        .examples(&[("date_part('year', DATE '2026-03-15')", "2026"), ("extract(MONTH FROM DATE '2026-03-15')", "3")])
        .elsewhere(&[(MySql, "has `extract` alone"), (MariaDb, "has `extract` alone"), (Sqlite, ABSENT)]),
];

fn year(at: i64) -> i64 {
    calendar::parts(at).year
}

fn month(at: i64) -> i64 {
    calendar::parts(at).month.into()
}

fn quarter(at: i64) -> i64 {
    (month(at) + 2) / 3
}

fn day(at: i64) -> i64 {
    calendar::parts(at).day.into()
}

/// The day of the year, from 1.
pub(super) fn day_of_year(at: i64) -> i64 {
    at.div_euclid(DAY_US) - calendar::days_from_civil(year(at), 1, 1) + 1
}

/// The day of the week, from 0 for Sunday. 1970-01-01 was a Thursday.
pub(super) fn day_of_week(at: i64) -> i64 {
    (at.div_euclid(DAY_US) + 4).rem_euclid(7)
}

/// Year and week by ISO 8601: weeks begin on Monday, and the first is the one with the year's first Thursday.
pub(super) fn iso_week(at: i64) -> (i64, i64) {
    let thursday = at.div_euclid(DAY_US) - (day_of_week(at) + 6) % 7 + 3;
    let Parts { year, .. } = calendar::parts(thursday * DAY_US);
    (year, (thursday - calendar::days_from_civil(year, 1, 1)) / 7 + 1)
}

/// What the parts are called in `date_part` and `extract`.
pub(crate) fn date_part(arguments: &[Typed]) -> Result<Run, String> {
    let name = arguments[0].as_text().map(str::to_ascii_lowercase);
    let part: fn(i64) -> i64 = match name.as_deref() {
        Some("year") => year,
        Some("quarter") => quarter,
        Some("month") => month,
        Some("week") => |at| iso_week(at).1,
        Some("day") => day,
        Some("doy") => day_of_year,
        Some("dow") => day_of_week,
        Some("hour") => |at| calendar::parts(at).hour.into(),
        Some("minute") => |at| calendar::parts(at).minute.into(),
        Some("second") => |at| calendar::parts(at).second.into(),
        Some("microsecond") => |at| calendar::parts(at).micros.into(),
        _ => {
            return Err(
                "the parts are year, quarter, month, week (ISO 8601), day, doy, dow, hour, minute, second and \
                        microsecond"
                    .into(),
            );
        }
    };
    Ok(Arc::new(move |call: &Call<'_>| call.ints(|row| Ok(part(call.datetime(1).at(row))))))
}
