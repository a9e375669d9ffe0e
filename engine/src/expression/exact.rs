//! Exact numbers: reading, writing, scaling and rounding integers that stand for decimals.
//!
//! Every rounding is half away from zero, as MySQL rounds exact numbers.

use arrow_buffer::i256;

use super::types::DIGITS_MAX;

/// 10 to the power of `digits`, for at most 38.
pub(crate) fn power_of_ten(digits: u8) -> i128 {
    10_i128.pow(u32::from(digits.min(DIGITS_MAX)))
}

/// A decimal of `from` digits after the point with `to` of them; None beyond 128 bits.
pub(crate) fn rescale(value: i128, from: u8, to: u8) -> Option<i128> {
    match to >= from {
        true => value.checked_mul(power_of_ten(to - from)),
        false => Some(divide_rounded(value, power_of_ten(from - to))),
    }
}

/// `value / divisor` rounded half away from zero; the divisor is positive.
pub(crate) fn divide_rounded(value: i128, divisor: i128) -> i128 {
    let (quotient, remainder) = (value / divisor, value % divisor);
    match remainder.unsigned_abs() >= divisor.unsigned_abs().div_ceil(2) {
        true => quotient + value.signum(),
        false => quotient,
    }
}

/// `numerator * 10^shift / denominator`, rounded half away from zero; None beyond 128 bits. The denominator is not zero.
pub(crate) fn quotient(numerator: i128, shift: u8, denominator: i128) -> Option<i128> {
    let shift = power_of_ten(shift);
    let (negative, divisor) = (denominator < 0, denominator.checked_abs()?);
    if let Some(scaled) = numerator.checked_mul(shift) {
        let rounded = divide_rounded(scaled, divisor);
        return if negative { rounded.checked_neg() } else { Some(rounded) };
    }
    let scaled = i256::from_i128(numerator).checked_mul(i256::from_i128(shift))?;
    let divisor = i256::from_i128(divisor);
    let (quotient, remainder) = (scaled.checked_div(divisor)?, scaled.checked_rem(divisor)?);
    let doubled = remainder.wrapping_abs().checked_mul(i256::from_i128(2))?;
    let rounded = match (doubled >= divisor, scaled.is_negative()) {
        (false, _) => quotient,
        (true, true) => quotient.checked_sub(i256::ONE)?,
        (true, false) => quotient.checked_add(i256::ONE)?,
    };
    let rounded = rounded.to_i128()?;
    if negative { rounded.checked_neg() } else { Some(rounded) }
}

/// `left * right` with `cut` digits after the point fewer than both have together, rounded; None beyond 128 bits.
pub(crate) fn product(left: i128, right: i128, cut: u8) -> Option<i128> {
    if let Some(product) = left.checked_mul(right) {
        return Some(if cut == 0 { product } else { divide_rounded(product, power_of_ten(cut)) });
    }
    let product = i256::from_i128(left).checked_mul(i256::from_i128(right))?;
    let divisor = i256::from_i128(power_of_ten(cut));
    let (quotient, remainder) = (product.checked_div(divisor)?, product.checked_rem(divisor)?);
    let doubled = remainder.wrapping_abs().checked_mul(i256::from_i128(2))?;
    let rounded = match (cut > 0 && doubled >= divisor, product.is_negative()) {
        (false, _) => quotient,
        (true, true) => quotient.checked_sub(i256::ONE)?,
        (true, false) => quotient.checked_add(i256::ONE)?,
    };
    rounded.to_i128()
}

/// Orders two decimals of different scales.
pub(crate) fn compare(left: i128, left_scale: u8, right: i128, right_scale: u8) -> std::cmp::Ordering {
    let scale = left_scale.max(right_scale);
    match (rescale(left, left_scale, scale), rescale(right, right_scale, scale)) {
        (Some(left), Some(right)) => left.cmp(&right),
        // Only the one that has no room is beyond 128 bits, and so it is the larger by far.
        (None, _) => left.cmp(&0),
        (_, None) => 0.cmp(&right),
    }
}

/// The double nearest to a decimal.
pub(crate) fn to_float(value: i128, scale: u8) -> f64 {
    // Both are exact doubles, so that the one division rounds correctly.
    if value.unsigned_abs() <= 1 << 53 && scale <= 22 {
        return value as f64 / 10_f64.powi(i32::from(scale));
    }
    format!("{value}e-{scale}").parse().unwrap_or(value as f64 / 10_f64.powi(i32::from(scale)))
}

/// The decimal nearest to a double, of which the shortest text that means it is rounded, as in MySQL; None beyond 38
/// digits and for what is not finite.
pub(crate) fn of_float(value: f64, scale: u8) -> Option<i128> {
    if !value.is_finite() {
        return None;
    }
    let scaled = value * 10_f64.powi(i32::from(scale));
    let fraction = (scaled - scaled.trunc()).abs();
    // The product is off by less than a millionth here, so unless it is near a tie it rounds as the exact value would.
    if scaled.abs() < 1e9 && (fraction - 0.5).abs() > 1e-6 {
        return Some(scaled.round() as i128);
    }
    read(&format!("{value:e}"), scale).ok()
}

/// Why a text is no exact number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is no number.
    NoNumber,
    /// It has more than 38 digits.
    TooLarge,
}

/// Reads a number with a point or an exponent or neither, rounded to `scale` digits after the point.
pub(crate) fn read(text: &str, scale: u8) -> Result<i128, Unreadable> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i32>().map_err(|_| Unreadable::NoNumber)?),
        None => (text, 0),
    };
    let (negative, unsigned) = match mantissa.as_bytes().first() {
        Some(b'-') => (true, &mantissa[1..]),
        Some(b'+') => (false, &mantissa[1..]),
        _ => (false, mantissa),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if whole.len() + fraction.len() == 0 || !digits().all(|digit| digit.is_ascii_digit()) {
        return Err(Unreadable::NoNumber);
    }
    // How many of the digits lie before the new end.
    let kept = whole.len() as i64 + i64::from(exponent) + i64::from(scale);
    let mut value: i128 = 0;
    let mut seen = 0;
    let mut rounds_up = false;
    for digit in digits() {
        if seen == kept {
            rounds_up = digit >= b'5';
            break;
        }
        if seen > kept {
            break;
        }
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(i128::from(digit - b'0')))
            .ok_or(Unreadable::TooLarge)?;
        seen += 1;
    }
    while seen < kept && value != 0 {
        value = value.checked_mul(10).ok_or(Unreadable::TooLarge)?;
        seen += 1;
    }
    if rounds_up {
        value += 1;
    }
    Ok(if negative { -value } else { value })
}

/// Appends a double as MySQL writes it: the shortest digits that mean it, with an exponent only beyond 15 places.
pub(crate) fn write_float(value: f64, text: &mut String) {
    let value = value + 0.0;
    let shortest = format!("{value:e}");
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-15..15).contains(&exponent) {
        super::call::append(text, format_args!("{value}"));
    } else {
        text.push_str(mantissa);
        super::call::append(text, format_args!("e{exponent}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_exact_numbers() {
        for (text, scale, expected) in [
            ("1e-5", 6, Ok(10)),
            ("0.125", 2, Ok(13)),
            ("-0.125", 2, Ok(-13)),
            ("0.1249999", 2, Ok(12)),
            ("12e2", 1, Ok(12_000)),
            ("0e99", 2, Ok(0)),
            (".5", 0, Ok(1)),
            ("5.", 0, Ok(5)),
            ("1e-50", 4, Ok(0)),
            ("1e40", 0, Err(Unreadable::TooLarge)),
            (".", 0, Err(Unreadable::NoNumber)),
            ("1e", 0, Err(Unreadable::NoNumber)),
            ("--1", 0, Err(Unreadable::NoNumber)),
        ] {
            assert_eq!(read(text, scale), expected, "{text}");
        }
    }

    #[test]
    fn doubles_round_as_their_shortest_text() {
        assert_eq!(of_float(1.005, 2), Some(101));
        assert_eq!(of_float(0.145, 2), Some(15));
        assert_eq!(of_float(-2.5, 0), Some(-3));
        assert_eq!(of_float(1e300, 2), None);
        assert_eq!(of_float(123_456_789_012_345.0, 4), Some(1_234_567_890_123_450_000));
    }

    #[test]
    fn doubles_are_written_as_mysql_does() {
        let written = |value: f64| {
            let mut text = String::new();
            write_float(value, &mut text);
            text
        };
        assert_eq!(written(50.5), "50.5");
        assert_eq!(written(7.0), "7");
        assert_eq!(written(-0.0), "0");
        assert_eq!(written(1e14), "100000000000000");
        assert_eq!(written(1e15), "1e15");
        assert_eq!(written(1.5e-20), "1.5e-20");
        assert_eq!(written(1e-5), "0.00001");
    }

    #[test]
    fn decimals_of_any_scale_are_ordered() {
        assert_eq!(compare(1, 0, 10, 1), std::cmp::Ordering::Equal);
        assert_eq!(compare(i128::MAX / 2, 0, 1, 38), std::cmp::Ordering::Greater);
        assert_eq!(compare(-i128::MAX / 2, 0, 1, 38), std::cmp::Ordering::Less);
    }

    #[test]
    fn quotients_round_half_away_from_zero() {
        assert_eq!(quotient(1, 4, 3), Some(3_333));
        assert_eq!(quotient(-2, 4, 3), Some(-6_667));
        assert_eq!(quotient(1, 0, -2), Some(-1));
        assert_eq!(quotient(i128::MAX, 4, i128::MAX), Some(10_000));
    }
}
