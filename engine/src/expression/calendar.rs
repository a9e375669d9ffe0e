//! Dates and times of the proleptic Gregorian calendar, without time zones: days and microseconds since 1970-01-01.

use super::call::{Stop, append};

/// Microseconds of a day.
pub(crate) const DAY_US: i64 = 86_400_000_000;

/// Days of year 0, month 1, day 1, and of year 9999, month 12, day 31.
pub(crate) const DAYS: std::ops::RangeInclusive<i64> = -719_528..=2_932_896;

/// A date with a time, in parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub year: i64,
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    pub micros: u32,
}

/// Days since 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
pub(crate) fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day.
pub(crate) fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = ((month_from_march + 2) % 12 + 1) as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The days of a month.
pub(crate) fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Whether a year has 366 days.
pub(crate) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The date, if there is such a day in the years 0 to 9999.
pub(crate) fn date(year: i64, month: u32, day: u32) -> Option<i32> {
    let exists =
        (0..=9999).contains(&year) && (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
    if exists { i32::try_from(days_from_civil(year, month, day)).ok() } else { None }
}

/// The parts of a number of microseconds since 1970-01-01.
pub(crate) fn parts(micros: i64) -> Parts {
    let (year, month, day) = civil_from_days(micros.div_euclid(DAY_US));
    let of_day = micros.rem_euclid(DAY_US);
    let seconds = (of_day / 1_000_000) as u32;
    Parts {
        year,
        month,
        day,
        hour: seconds / 3_600,
        minute: seconds / 60 % 60,
        second: seconds % 60,
        micros: (of_day % 1_000_000) as u32,
    }
}

/// Microseconds since 1970-01-01, if there is such a time in the years 0 to 9999.
pub(crate) fn micros(parts: &Parts) -> Option<i64> {
    let days = date(parts.year, parts.month, parts.day)?;
    if parts.hour > 23 || parts.minute > 59 || parts.second > 59 {
        return None;
    }
    let seconds = i64::from(parts.hour) * 3_600 + i64::from(parts.minute) * 60 + i64::from(parts.second);
    Some(i64::from(days) * DAY_US + seconds * 1_000_000 + i64::from(parts.micros))
}

/// Reads `2026-03-15`, `2026/3/5` or `20260315`, with `10:30`, `10:30:59` or `10:30:59.25` after it, or nothing.
pub(crate) fn read_datetime(text: &str) -> Option<i64> {
    let text = text.trim_ascii();
    let (day, time) = match text.find([' ', 'T']) {
        Some(at) => (&text[..at], Some(text[at + 1..].trim_start())),
        None => (text, None),
    };
    let mut parts = Parts::default();
    let number = |text: &str, digits: std::ops::RangeInclusive<usize>| {
        let plain = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|_| plain)
    };
    if day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit()) {
        (parts.year, parts.month, parts.day) =
            (number(&day[..4], 4..=4)?.into(), number(&day[4..6], 2..=2)?, number(&day[6..], 2..=2)?);
    } else {
        let separator = day.chars().find(|letter| matches!(letter, '-' | '/' | '.'))?;
        let mut fields = day.split(separator);
        parts.year = number(fields.next()?, 4..=4)?.into();
        parts.month = number(fields.next()?, 1..=2)?;
        parts.day = number(fields.next()?, 1..=2)?;
        if fields.next().is_some() {
            return None;
        }
    }
    if let Some(time) = time {
        let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
        let mut fields = time.split(':');
        parts.hour = number(fields.next()?, 1..=2)?;
        parts.minute = number(fields.next()?, 1..=2)?;
        parts.second = fields.next().map_or(Some(0), |second| number(second, 1..=2))?;
        if fields.next().is_some() {
            return None;
        }
        if !fraction.is_empty() {
            let digits = number(fraction, 1..=6)?;
            parts.micros = digits * 10_u32.pow(6 - fraction.len() as u32);
        }
    }
    micros(&parts)
}

/// Appends `2026-03-15 10:30:59`, with a fraction where there is one.
///
/// # Errors
/// Outside of the years 0 to 9999.
pub(crate) fn write_datetime(value: i64, text: &mut String) -> Result<(), Stop> {
    if !DAYS.contains(&value.div_euclid(DAY_US)) {
        return Err(Stop::failed("a date is outside of the years 0 to 9999"));
    }
    let Parts { year, month, day, hour, minute, second, micros } = parts(value);
    append(text, format_args!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"));
    if micros > 0 {
        append(text, format_args!(".{micros:06}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_each_other_s_inverse() {
        for days in (DAYS.start() - 800..DAYS.end() + 800).step_by(97) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
        assert_eq!((date(0, 1, 1), date(9999, 12, 31)), (Some(-719_528), Some(2_932_896)));
        assert_eq!((date(2023, 2, 29), date(2024, 2, 29).is_some()), (None, true));
    }

    #[test]
    fn dates_are_read_as_they_are_written() {
        for (text, expected) in [
            ("2026-03-15", "2026-03-15 00:00:00"),
            (" 2026/3/5 ", "2026-03-05 00:00:00"),
            ("20260315 10:30", "2026-03-15 10:30:00"),
            ("2026-03-15T10:30:59.25", "2026-03-15 10:30:59.250000"),
        ] {
            let mut written = String::new();
            write_datetime(read_datetime(text).expect(text), &mut written).expect("in range");
            assert_eq!(written, expected);
        }
        for text in
            ["", "2026-02-30", "26-03-15", "2026-03", "2026-03-15 25:00", "2026-03-15x", "tomorrow", "2026-03-15-1"]
        {
            assert_eq!(read_datetime(text), None, "{text}");
        }
    }
}
