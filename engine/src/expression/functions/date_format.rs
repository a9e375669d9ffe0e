//! Dates written and read by a pattern (`%Y-%m-%d`), as in MySQL.

use std::{str::Chars, sync::Arc};

use super::{
    ABSENT, Accepts,
    Database::*,
    Family, Function, Parameter, Returns,
    date_parts::{day_of_week, day_of_year, iso_week},
    dates::no_date,
};
use crate::expression::{
    BAD_CAST,
    calendar::{self, DAY_US, DAYS, Parts},
    call::{Call, Stop, append},
    node::{Run, Typed},
    types::Type,
};

/// Functions that write and read dates.
pub(super) static DATE_FORMAT: &[Function] = &[
    Function::new(
        Family::Dates,
        "date_format",
        "The date by a pattern: %Y %y year, %m %c month, %M %b its name, %d %e day, %j day of the year, %W %a weekday, \
         %H %k %h %I %l hour, %i minute, %s %S second, %f microseconds, %p AM or PM, %T %r time, %v and %x ISO week and \
         its year, %D day with its suffix, %w day of the week from 0, %% a %.",
    )
    .takes(&[Parameter::one("date", Accepts::DateTime), Parameter::one("pattern", Accepts::Text)])
    .gives(Returns::Text, |call| {
        call.texts(|row, out| write(call.datetime(0).at(row), call.text(1).at(row), out))
    })
    .fails()
    .examples(&[("date_format('2026-03-15', '%d.%m.%Y')", "15.03.2026"), ("date_format('2026-03-05', '%e %b %y')", "5 Mar 26")])
    .elsewhere(&[(Sqlite, "is `strftime`")]),
    Function::new(Family::Dates, "monthname", "The name of the month, in English.")
        .takes(&[Parameter::one("date", Accepts::DateTime)])
        .gives(Returns::Text, |call| call.texts(|row, out| write(call.datetime(0).at(row), "%M", out)))
        .fails()
        .examples(&[("monthname('2026-03-15')", "March")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    Function::new(Family::Dates, "dayname", "The name of the day of the week, in English.")
        .takes(&[Parameter::one("date", Accepts::DateTime)])
        .gives(Returns::Text, |call| call.texts(|row, out| write(call.datetime(0).at(row), "%W", out)))
        .fails()
        .examples(&[("dayname('2026-03-15')", "Sunday")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    Function::new(
        Family::Dates,
        "str_to_date",
        "The date that a text is by a pattern of `date_format`, with a time where the pattern has one. A text that does not \
         follow it rejects the row.",
    )
    .takes(&[Parameter::one("text", Accepts::Text), Parameter::one("pattern", Accepts::Text)])
    .prepares(Returns::Of(read_type, "date; datetime where the pattern has a time"), str_to_date)
    .fails()
    .examples(&[
        ("str_to_date('15.03.2026', '%d.%m.%Y')", "2026-03-15"),
        ("CAST(str_to_date('5 Mar 2026 07:30', '%e %b %Y %H:%i') AS CHAR)", "2026-03-05 07:30:00"),
    ])
    .elsewhere(&[(Sqlite, ABSENT)]),
    Function::new(Family::Dates, "to_date", "The date of a text, or by a pattern as `str_to_date`.")
        .takes(&[Parameter::one("text", Accepts::Text), Parameter::maybe("pattern", Accepts::Text)])
        .prepares(Returns::Date, |arguments| match arguments.len() {
            1 => Ok(Arc::new(|call: &Call<'_>| {
                call.dates(|row| {
                    let text = call.text(0).at(row);
                    let micros = calendar::read_datetime(text).ok_or_else(|| no_match(text, "a date"))?;
                    Ok(micros.div_euclid(DAY_US) as i32)
                })
            })),
            _ => match has_time(arguments) {
                false => str_to_date(arguments),
                true => Err("the pattern has a time: write str_to_date(text, pattern)".into()),
            },
        })
        .fails()
        .examples(&[("to_date('20260315', '%Y%m%d')", "2026-03-15")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

fn no_match(text: &str, pattern: &str) -> Stop {
    Stop::Failed(BAD_CAST, format!("'{text}' is not written as {pattern}"))
}

/// Appends a date by a pattern.
fn write(at: i64, pattern: &str, out: &mut String) -> Result<(), Stop> {
    if !DAYS.contains(&at.div_euclid(DAY_US)) {
        return Err(no_date());
    }
    let Parts { year, month, day, hour, minute, second, micros } = calendar::parts(at);
    let twelve = (hour + 11) % 12 + 1;
    let half = if hour < 12 { "AM" } else { "PM" };
    let weekday = day_of_week(at) as usize;
    let month_name = MONTHS[month as usize - 1];
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('Y') => append(out, format_args!("{year:04}")),
            Some('y') => append(out, format_args!("{:02}", year % 100)),
            Some('m') => append(out, format_args!("{month:02}")),
            Some('c') => append(out, format_args!("{month}")),
            Some('M') => out.push_str(month_name),
            Some('b') => out.push_str(&month_name[..3]),
            Some('d') => append(out, format_args!("{day:02}")),
            Some('e') => append(out, format_args!("{day}")),
            Some('D') => append(out, format_args!("{day}{}", suffix(day))),
            Some('j') => append(out, format_args!("{:03}", day_of_year(at))),
            Some('W') => out.push_str(WEEKDAYS[weekday]),
            Some('a') => out.push_str(&WEEKDAYS[weekday][..3]),
            Some('w') => append(out, format_args!("{weekday}")),
            Some('H') => append(out, format_args!("{hour:02}")),
            Some('k') => append(out, format_args!("{hour}")),
            Some('h' | 'I') => append(out, format_args!("{twelve:02}")),
            Some('l') => append(out, format_args!("{twelve}")),
            Some('i') => append(out, format_args!("{minute:02}")),
            Some('s' | 'S') => append(out, format_args!("{second:02}")),
            Some('f') => append(out, format_args!("{micros:06}")),
            Some('p') => out.push_str(half),
            Some('T') => append(out, format_args!("{hour:02}:{minute:02}:{second:02}")),
            Some('r') => append(out, format_args!("{twelve:02}:{minute:02}:{second:02} {half}")),
            Some('v') => append(out, format_args!("{:02}", iso_week(at).1)),
            Some('x') => append(out, format_args!("{:04}", iso_week(at).0)),
            Some(code @ ('U' | 'u' | 'V' | 'X')) => {
                return Err(Stop::failed(format!("%{code} is not available; %v is the week by ISO 8601")));
            }
            Some(other) => out.push(other),
            None => out.push('%'),
        }
    }
    Ok(())
}

fn suffix(day: u32) -> &'static str {
    match (day % 10, day / 10) {
        (1, 0 | 2 | 3) => "st",
        (2, 0 | 2) => "nd",
        (3, 0 | 2) => "rd",
        _ => "th",
    }
}

/// Whether the pattern has a time.
fn has_time(arguments: &[Typed]) -> bool {
    let pattern = arguments.get(1).and_then(Typed::as_text).unwrap_or_default();
    let mut letters = pattern.chars();
    let mut found = false;
    while let Some(letter) = letters.next() {
        if letter == '%' {
            found |=
                matches!(letters.next(), Some('H' | 'k' | 'h' | 'I' | 'l' | 'i' | 's' | 'S' | 'f' | 'p' | 'T' | 'r'));
        }
    }
    found
}

fn read_type(arguments: &[Typed]) -> Type {
    if has_time(arguments) { Type::DateTime } else { Type::Date }
}

fn str_to_date(arguments: &[Typed]) -> Result<Run, String> {
    let Some(pattern) = arguments[1].as_text().map(str::to_string) else {
        return Err("the pattern is a text in the pipeline, not a column".into());
    };
    let with_time = has_time(arguments);
    Ok(Arc::new(move |call: &Call<'_>| {
        let read = |row: usize| {
            let text = call.text(0).at(row);
            read(text, &pattern).ok_or_else(|| no_match(text, &pattern))
        };
        match with_time {
            true => call.datetimes(read),
            false => call.dates(|row| Ok(read(row)?.div_euclid(DAY_US) as i32)),
        }
    }))
}

/// Reads a text by a pattern; every part of it must be there.
fn read(text: &str, pattern: &str) -> Option<i64> {
    fn number(letters: &mut Chars<'_>, digits: usize) -> Option<u32> {
        let mut value = None;
        for _ in 0..digits {
            let Some(digit) = letters.clone().next().and_then(|letter| letter.to_digit(10)) else { break };
            letters.next();
            value = Some(value.unwrap_or(0) * 10 + digit);
        }
        value
    }
    fn name(letters: &mut Chars<'_>, names: &[&str], length: Option<usize>) -> Option<u32> {
        let rest = letters.as_str();
        let at = names.iter().position(|name| {
            let name = length.map_or(*name, |length| &name[..length]);
            rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        })?;
        let taken = length.unwrap_or(names[at].len());
        *letters = rest[taken..].chars();
        u32::try_from(at).ok()
    }
    let mut parts = Parts::default();
    let (mut half, mut day_of_year) = (None, None);
    let mut letters = text.trim_ascii().chars();
    let expanded = pattern.replace("%T", "%H:%i:%s").replace("%r", "%h:%i:%s %p");
    let mut codes = expanded.chars();
    while let Some(code) = codes.next() {
        if code.is_whitespace() {
            letters = letters.as_str().trim_start().chars();
            continue;
        }
        if code != '%' {
            if letters.next()? != code {
                return None;
            }
            continue;
        }
        match codes.next()? {
            'Y' => parts.year = number(&mut letters, 4)?.into(),
            'y' => {
                let year = i64::from(number(&mut letters, 2)?);
                // As MySQL takes years of two digits.
                parts.year = if year < 70 { 2000 + year } else { 1900 + year };
            }
            'm' | 'c' => parts.month = number(&mut letters, 2)?,
            'M' => parts.month = name(&mut letters, &MONTHS, None)? + 1,
            'b' => parts.month = name(&mut letters, &MONTHS, Some(3))? + 1,
            'd' | 'e' => parts.day = number(&mut letters, 2)?,
            'D' => {
                parts.day = number(&mut letters, 2)?;
                letters = letters.as_str().get(2..)?.chars();
            }
            'j' => day_of_year = Some(number(&mut letters, 3)?),
            'W' => _ = name(&mut letters, &WEEKDAYS, None)?,
            'a' => _ = name(&mut letters, &WEEKDAYS, Some(3))?,
            'H' | 'k' => parts.hour = number(&mut letters, 2)?,
            'h' | 'I' | 'l' => parts.hour = number(&mut letters, 2).filter(|hour| (1..=12).contains(hour))? % 12,
            'i' => parts.minute = number(&mut letters, 2)?,
            's' | 'S' => parts.second = number(&mut letters, 2)?,
            'f' => {
                let before = letters.as_str().len();
                let value = number(&mut letters, 6)?;
                parts.micros = value * 10_u32.pow(6 - (before - letters.as_str().len()) as u32);
            }
            'p' => half = Some(name(&mut letters, &["AM", "PM"], None)?),
            '%' if letters.next() == Some('%') => {}
            _ => return None,
        }
    }
    if !letters.as_str().is_empty() {
        return None;
    }
    if half == Some(1) {
        parts.hour += 12;
    }
    match day_of_year {
        None => calendar::micros(&parts),
        Some(day) => {
            let length = if calendar::is_leap(parts.year) { 366 } else { 365 };
            let first = calendar::micros(&Parts { month: 1, day: 1, ..parts })?;
            (1..=length).contains(&day).then(|| first + i64::from(day - 1) * DAY_US)
        }
    }
}
