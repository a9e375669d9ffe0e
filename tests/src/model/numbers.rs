//! Exact arithmetic for the model: decimals as whole numbers, sums of doubles as whole multiples of 2^-62.

use crate::database::Cell;

/// The unit in which doubles are summed, as a power of two: the last bit of 0.001, the smallest number in a random
/// drop.
const UNIT_EXPONENT: i32 = 62;

/// A double as a multiple of 2^-62.
fn units(value: f64) -> i128 {
    let scaled = value * 2_f64.powi(UNIT_EXPONENT);
    assert!(
        scaled.fract() == 0.0 && scaled.abs() < 2_f64.powi(115),
        "{value} is outside of what the model sums exactly"
    );
    scaled as i128
}

/// The exact sum, rounded once to the nearest double; `None` of nothing.
pub fn sum(values: &[f64]) -> Option<f64> {
    let total: i128 = values.iter().map(|value| units(*value)).sum();
    // The conversion rounds to nearest, ties to even; the scaling is exact.
    (!values.is_empty()).then(|| total as f64 * 2_f64.powi(-UNIT_EXPONENT))
}

/// The exact mean, rounded once to the nearest double; `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    let count = values.len() as i128;
    let total: i128 = values.iter().map(|value| units(*value)).sum();
    assert!(total >= 0, "random drops hold no negative number");
    let shift = total.leading_zeros() as i32 - 1;
    let shifted = total << shift;
    // At least 60 bits of quotient, of which a double keeps 53; what is left over only has to be seen.
    let quotient = shifted.checked_div(count)?;
    let sticky = quotient | i128::from(shifted % count != 0);
    Some(sticky as f64 * 2_f64.powi(-UNIT_EXPONENT) * 2_f64.powi(-shift))
}

/// `sum / count` with `digits` more digits than the sum has, rounded half away from zero; `None` of nothing.
pub fn decimal_mean(sum: i128, count: i128, digits: u32) -> Option<i128> {
    let scaled = sum * 10_i128.pow(digits);
    let half_away = 2 * scaled + scaled.signum() * count;
    half_away.checked_div(2 * count)
}

/// The least of `quality` and `limit`, as a decimal with `scale` digits after the point. No quality of a random drop
/// is a tie.
pub fn decimal(quality: f64, limit: f64, scale: usize) -> i128 {
    let text = format!("{:.scale$}", quality.min(limit));
    text.replace('.', "").parse().expect("digits")
}

/// A decimal of at most 15 digits as SQLite keeps it: the nearest double.
pub fn narrow(value: Option<i128>, scale: usize) -> Cell {
    Cell::real(value.map(|value| written(value, scale).parse().expect("a decimal is a number")))
}

/// A decimal of more than 15 digits as SQLite keeps it: its text.
pub fn wide(value: Option<i128>, scale: usize) -> Cell {
    value.map_or(Cell::Null, |value| Cell::Text(written(value, scale)))
}

fn written(value: i128, scale: usize) -> String {
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
    let sign = if value < 0 { "-" } else { "" };
    match scale {
        0 => format!("{sign}{digits}"),
        _ => format!("{sign}{}.{}", &digits[..digits.len() - scale], &digits[digits.len() - scale..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_and_rounded_once() {
        assert_eq!(sum(&[]), None);
        assert_eq!(sum(&[0.1, 0.2]), Some(0.1 + 0.2));
        assert_eq!(sum(&[1e15, 0.1, 0.1, 0.1]), Some(1e15 + 0.3), "one addition at a time would lose three tenths");
        assert_eq!(mean(&[1.0, 2.0]), Some(1.5));
        assert_eq!(mean(&[0.0]), Some(0.0));
        assert_eq!(mean(&[1.0, 1.0, 0.0]), Some(2.0 / 3.0));
        assert_eq!(mean(&[]), None);
    }

    #[test]
    fn decimals_round_half_away_from_zero() {
        assert_eq!(decimal_mean(1, 8, 2), Some(13));
        assert_eq!(decimal_mean(-1, 8, 2), Some(-13));
        assert_eq!(decimal_mean(2, 3, 0), Some(1));
        assert_eq!(decimal_mean(1, 0, 0), None);
        assert_eq!((decimal(12345.678, 100.0, 2), decimal(29.95, 100.0, 2)), (10_000, 2_995));
        assert_eq!((wide(Some(-5), 2), wide(Some(12), 0)), (Cell::Text("-0.05".into()), Cell::Text("12".into())));
    }
}
