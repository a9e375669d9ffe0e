//! Text of files in the types of columns. What is not of a type is `None`; nothing is rounded or cut.

use vardelta_schemas::value_text::{fits_precision, parse_date};

/// What a whole number was written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whole {
    /// Digits.
    Plain(i64),
    /// Digits with a decimal point and zeros after it.
    WithPoint(i64),
}

/// A whole number: decimal digits with an optional sign, and perhaps `.0`.
pub(crate) fn int64(text: &[u8]) -> Option<Whole> {
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(value) = text.parse() {
        return Some(Whole::Plain(value));
    }
    let (whole, fraction) = text.split_once('.')?;
    let zeros = fraction.bytes().all(|byte| byte == b'0');
    whole.parse().ok().filter(|_| zeros).map(Whole::WithPoint)
}

/// A finite number. -0.0 is 0.0, as databases compare them: two rows of a table must not have one key there.
pub(crate) fn float64(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok().filter(|value: &f64| value.is_finite()).map(|value| value + 0.0)
}

/// A decimal's unscaled value: with `scale` digits after the point, and `precision` in all. An exponent is read; digits that
/// do not fit are none.
pub(crate) fn decimal(text: &[u8], precision: u8, scale: i8) -> Option<i128> {
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (mantissa, exponent) = match unsigned.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&unsigned[..at], std::str::from_utf8(&unsigned[at + 1..]).ok()?.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match memchr::memchr(b'.', mantissa) {
        Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
        None => (mantissa, &[][..]),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // Zeros after the point count for nothing.
    let kept = fraction.iter().rposition(|byte| *byte != b'0').map_or(0, |at| at + 1);
    let mut value: i128 = 0;
    for digit in whole.iter().chain(&fraction[..kept]) {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    if value == 0 {
        return Some(0);
    }
    let shift = i64::from(exponent) - kept as i64 + i64::from(scale);
    let power = 10_i128.checked_pow(u32::try_from(shift.unsigned_abs()).ok()?)?;
    let value = if shift >= 0 {
        value.checked_mul(power)?
    } else if value % power == 0 {
        value / power
    } else {
        return None;
    };
    fits_precision(value, precision).then_some(if negative { -value } else { value })
}

/// True or false, as spreadsheets and statistics programs write them.
pub(crate) fn boolean(text: &[u8]) -> Option<bool> {
    let is_one_of = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word.as_bytes()));
    if is_one_of(&["true", "t", "yes", "y", "1"]) {
        return Some(true);
    }
    is_one_of(&["false", "f", "no", "n", "0"]).then_some(false)
}

/// Days since 1970-01-01 of a date written `2024-05-17`, `2024/05/17`, `20240517` or `May 17, 2024` (as ClinVar does).
pub(crate) fn date(text: &[u8]) -> Option<i32> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let text = std::str::from_utf8(text).ok()?;
    if let Some(days) = parse_date(text) {
        return Some(days);
    }
    let bytes = text.as_bytes();
    if bytes.len() == 10 && bytes[4] == b'/' && bytes[7] == b'/' {
        return parse_date(&text.replace('/', "-"));
    }
    if bytes.len() == 8 && bytes.iter().all(u8::is_ascii_digit) {
        return parse_date(&format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]));
    }
    let (month, rest) = text.split_once(' ')?;
    let (day, year) = rest.split_once(", ")?;
    let month = 1 + MONTHS.iter().position(|known| month.eq_ignore_ascii_case(known))?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(day) || day.len() > 2 || !digits(year) || year.len() != 4 {
        return None;
    }
    parse_date(&format!("{year}-{month:02}-{day:0>2}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers() {
        assert_eq!(int64(b"-12"), Some(Whole::Plain(-12)));
        assert_eq!(int64(b"+5"), Some(Whole::Plain(5)));
        assert_eq!(int64(b"12.00"), Some(Whole::WithPoint(12)));
        assert_eq!(int64(b"9223372036854775807"), Some(Whole::Plain(i64::MAX)));
        for wrong in [&b"9223372036854775808"[..], b"1.5", b"1,234", b"1e3", b"", b"x", b".0", b"\xff", b"1-Mar"] {
            assert_eq!(int64(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(float64(b"5e-8"), Some(5e-8));
        assert_eq!(float64(b".5"), Some(0.5));
        for wrong in [&b"inf"[..], b"NaN", b"1e400", b"", b"0,5", b"1 2"] {
            assert_eq!(float64(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn decimals_are_exact() {
        for (text, expected) in [
            ("12.5", Some(1250)),
            ("-12.50", Some(-1250)),
            ("0.1200", Some(12)),
            ("12", Some(1200)),
            (".05", Some(5)),
            ("5.", Some(500)),
            ("1.2e1", Some(1200)),
            ("1200e-2", Some(1200)),
            ("0e999999999", Some(0)),
            ("999.99", Some(99_999)),
            ("1000", None),
            ("0.125", None),
            ("1e999999999", None),
            ("1e-999999999", None),
            ("1e", None),
            (".", None),
            ("", None),
            ("-", None),
            ("1_0", None),
            ("99999999999999999999999999999999999999999", None),
        ] {
            assert_eq!(decimal(text.as_bytes(), 5, 2), expected, "{text}");
        }
    }

    #[test]
    fn dates_exist() {
        let day = parse_date("2024-05-07");
        assert!(day.is_some());
        for text in ["2024-05-07", "2024/05/07", "20240507", "May 07, 2024", "may 7, 2024"] {
            assert_eq!(date(text.as_bytes()), day, "{text}");
        }
        for wrong in
            ["2023-02-29", "07.05.2024", "05/07/2024", "2024-5-7", "Mayo 7, 2024", "May 007, 2024", "", "é024/05/7"]
        {
            assert_eq!(date(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn truths() {
        assert_eq!(boolean(b"TRUE"), Some(true));
        assert_eq!(boolean(b"n"), Some(false));
        assert_eq!(boolean(b"2"), None);
    }
}
