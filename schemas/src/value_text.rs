//! Values in the forms that databases without the exact type keep them in: decimals as text or as the nearest double,
//! dates as ISO 8601 text. Every form can be read back exactly.

use std::fmt::Write as _;

/// The largest precision whose decimals survive as doubles: a double tells all decimals of 15 digits apart (IEEE 754,
/// `DBL_DIG`).
pub const DOUBLE_DECIMAL_DIGITS: u8 = 15;

/// The double nearest to `value / 10^scale`, for at most 15 digits. Numerator and divisor are then exact doubles, so
/// the one division rounds correctly.
pub fn decimal_to_double(value: i128, scale: i8) -> f64 {
    value as f64 / power_of_ten(scale)
}

/// The decimal that [`decimal_to_double`] turned into this double; `None` when no decimal of this precision and scale
/// did.
pub fn double_to_decimal(double: f64, precision: u8, scale: i8) -> Option<i128> {
    let scaled = (double * power_of_ten(scale)).round();
    if !scaled.is_finite() || scaled.abs() >= 1e16 {
        return None;
    }
    let value = scaled as i128;
    (fits_precision(value, precision) && decimal_to_double(value, scale) == double).then_some(value)
}

/// Whether a decimal's unscaled value has at most `precision` digits.
pub fn fits_precision(value: i128, precision: u8) -> bool {
    10_u128.checked_pow(u32::from(precision)).is_none_or(|limit| value.unsigned_abs() < limit)
}

/// Appends a decimal with exactly `scale` digits after the point: `-12.50`.
pub fn write_decimal(value: i128, scale: i8, text: &mut String) {
    let scale = usize::from(scale.unsigned_abs());
    if value < 0 {
        text.push('-');
    }
    let digits = text.len();
    // One digit at least before the point.
    write!(text, "{:0width$}", value.unsigned_abs(), width = scale + 1).expect("writing to a String cannot fail");
    if scale > 0 {
        let point = text.len() - scale;
        debug_assert!(point > digits);
        text.insert(point, '.');
    }
}

/// Reads what [`write_decimal`] wrote; `None` for any other text, a number of digits after the point other than
/// `scale` included.
pub fn parse_decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let scale = usize::from(scale.unsigned_abs());
    let (whole, fraction) = if scale > 0 { digits.split_once('.')? } else { (digits, "") };
    if whole.is_empty() || fraction.len() != scale {
        return None;
    }
    let mut value: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    let value = if negative { -value } else { value };
    fits_precision(value, precision).then_some(value)
}

/// Appends a date given in days since 1970-01-01 as `YYYY-MM-DD` (proleptic Gregorian calendar). False, and nothing
/// appended, for a year outside 0000 to 9999, which has no such form.
pub fn write_date(days: i32, text: &mut String) -> bool {
    let (year, month, day) = civil_from_days(i64::from(days));
    let fits = (0..=9999).contains(&year);
    if fits {
        write!(text, "{year:04}-{month:02}-{day:02}").expect("writing to a String cannot fail");
    }
    fits
}

/// Reads `YYYY-MM-DD` into days since 1970-01-01; `None` for any other text and for dates that do not exist.
pub fn parse_date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        bytes[range].iter().try_fold(0_i64, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let days = days_from_civil(year, month, day);
    // A day or month that does not exist comes back as another date.
    (civil_from_days(days) == (year, month, day)).then(|| i32::try_from(days).ok()).flatten()
}

fn power_of_ten(scale: i8) -> f64 {
    10_f64.powi(i32::from(scale))
}

/// Days in 400 years, after which the Gregorian calendar repeats.
const ERA_DAYS: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: i64 = 719_468;

/// Year, month and day; years are counted from March inside, so that the leap day comes last.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_DAYS;
    let (era, day_of_era) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9).rem_euclid(12);
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - EPOCH_DAYS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(value: i128, scale: i8) -> String {
        let mut text = String::new();
        write_decimal(value, scale, &mut text);
        text
    }

    fn date(days: i32) -> Option<String> {
        let mut text = String::new();
        write_date(days, &mut text).then_some(text)
    }

    #[test]
    fn decimals_are_written_with_all_their_places() {
        for (value, scale, expected) in [
            (0, 0, "0"),
            (0, 2, "0.00"),
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (-1250, 2, "-12.50"),
            (10_i128.pow(38) - 1, 38, "0.99999999999999999999999999999999999999"),
            (-(10_i128.pow(38) - 1), 0, "-99999999999999999999999999999999999999"),
        ] {
            assert_eq!(decimal(value, scale), expected);
            assert_eq!(parse_decimal(expected, 38, scale), Some(value), "{expected}");
        }
    }

    #[test]
    fn texts_that_are_not_such_a_decimal_are_refused() {
        for text in ["", "-", ".5", "1.5", "1.555", "1,55", "+1.55", " 1.55", "1e2", "12345.67", "--1.00", "1.0x"] {
            assert_eq!(parse_decimal(text, 5, 2), None, "{text}");
        }
        assert_eq!(parse_decimal("999.99", 5, 2), Some(99_999));
    }

    #[test]
    fn fifteen_digits_survive_as_a_double() {
        for scale in 0..=15 {
            for value in
                [0, 1, 3, 7, 123_456_789_012_345, 999_999_999_999_999, 999_999_999_999_998, 450_359_962_737_049]
            {
                for value in [value, -value] {
                    let double = decimal_to_double(value, scale);
                    assert_eq!(double_to_decimal(double, 15, scale), Some(value), "{value} scale {scale}");
                    // The nearest double is the one that the decimal text parses to.
                    assert_eq!(decimal(value, scale).parse::<f64>(), Ok(double));
                }
            }
        }
    }

    #[test]
    fn doubles_that_are_no_such_decimal_are_refused() {
        for double in [0.001, 1000.0, -1000.0, 1e300, f64::NAN, f64::INFINITY, 1.000_000_1] {
            assert_eq!(double_to_decimal(double, 5, 2), None, "{double}");
        }
    }

    #[test]
    fn dates_are_iso_text() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (11_016, "2000-02-29"),
            (19_782, "2024-02-29"),
            (-719_528, "0000-01-01"),
            (2_932_896, "9999-12-31"),
        ] {
            assert_eq!(date(days).as_deref(), Some(expected));
            assert_eq!(parse_date(expected), Some(days));
        }
        for days in (-719_528..2_932_896).step_by(997) {
            assert_eq!(date(days).and_then(|text| parse_date(&text)), Some(days));
        }
        assert_eq!((date(2_932_897), date(-719_529), date(i32::MIN)), (None, None, None));
    }

    #[test]
    fn texts_that_are_no_date_are_refused() {
        for text in ["", "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "2024-01-00", "2024-1-1", "20240101"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }
}
