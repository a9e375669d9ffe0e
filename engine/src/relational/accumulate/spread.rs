//! Variances and standard deviations from exact sums: one division and one rounding, whatever was added and taken away.
//!
//! With `n` values, their sum `S` and the sum `Q` of their squares, the squared distances from the mean add up to
//! `(n Q - S²) / n`. Doubles would lose most digits in that difference; integers of any size lose none.

use num_bigint::{BigInt, BigUint};

use super::{AggregateFunction, float_sum};

/// What a value's integer in the cells is a multiple of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    /// One by ten to this power.
    Digits(u32),
    /// The least double above zero.
    LeastDouble,
}

/// The spread of `count` values with these sums (digits of 64 bits, the lowest first, that carry): `None` where there are
/// too few values, `Some(None)` where it is beyond the largest double.
pub(super) fn spread(
    function: &AggregateFunction,
    count: u64,
    sum: &[i128],
    squares: &[i128],
    unit: Unit,
) -> Option<Option<f64>> {
    use AggregateFunction as F;
    let is_sample = matches!(function, F::VarSamp | F::StddevSamp);
    let divisor = if is_sample { count.checked_sub(1)? } else { count };
    if divisor == 0 {
        return None;
    }
    let sum = integer(sum);
    let distances = (BigInt::from(count) * integer(squares) - &sum * &sum).into_parts().1;
    let mut below = BigUint::from(count) * divisor;
    // A square's unit is the square of a value's.
    match unit {
        Unit::Digits(digits) => below *= BigUint::from(10_u8).pow(2 * digits),
        Unit::LeastDouble => below <<= 2 * float_sum::UNIT_EXPONENT.unsigned_abs(),
    }
    let is_root = matches!(function, F::StddevPop | F::StddevSamp);
    Some(if is_root { nearest_root(&distances, &below) } else { nearest(&distances, &below) })
}

/// The integer that digits of 64 bits make, the lowest first.
fn integer(digits: &[i128]) -> BigInt {
    digits.iter().rev().fold(BigInt::default(), |above, digit| (above << 64) + BigInt::from(*digit))
}

/// Bits of a quotient that are computed: more than a double has, so that only whether there are more is still to be known.
const QUOTIENT_BITS: i64 = 64;

/// The double nearest to a quotient, ties to even; `None` beyond the largest.
fn nearest(above: &BigUint, below: &BigUint) -> Option<f64> {
    let shift = QUOTIENT_BITS + below.bits() as i64 - above.bits() as i64;
    let (quotient, is_exact) = shifted_quotient(above, below, shift);
    round(&quotient, -shift, is_exact)
}

/// The double nearest to the square root of a quotient.
fn nearest_root(above: &BigUint, below: &BigUint) -> Option<f64> {
    let shift = 2 * QUOTIENT_BITS + below.bits() as i64 - above.bits() as i64;
    // The root of a power of two is one where its exponent is even.
    let shift = shift + shift.rem_euclid(2);
    let (quotient, is_exact) = shifted_quotient(above, below, shift);
    let root = quotient.sqrt();
    let is_exact = is_exact && &root * &root == quotient;
    round(&root, -shift / 2, is_exact)
}

/// The quotient times two to the power of `shift`, rounded down, and whether nothing was left.
fn shifted_quotient(above: &BigUint, below: &BigUint, shift: i64) -> (BigUint, bool) {
    let by = shift.unsigned_abs();
    let (above, below) = if shift < 0 { (above.clone(), below << by) } else { (above << by, below.clone()) };
    let quotient = &above / &below;
    let is_exact = &quotient * below == above;
    (quotient, is_exact)
}

/// The double nearest to an integer times two to the power of `exponent`, of which `is_exact` says whether it is all.
fn round(integer: &BigUint, exponent: i64, is_exact: bool) -> Option<f64> {
    let bits = integer.bits() as i64;
    if bits == 0 {
        return Some(0.0);
    }
    // The exponent of the last bit that a double keeps: 53 bits of it, but none below 2^-1074.
    let last = (exponent + bits - 53).max(float_sum::UNIT_EXPONENT.into());
    let dropped = (last - exponent).max(0) as u64;
    let kept_bits = integer >> dropped;
    let rest = integer - (&kept_bits << dropped);
    let mut kept = kept_bits.iter_u64_digits().next().unwrap_or_default();
    let half = if dropped == 0 { BigUint::default() } else { BigUint::from(1_u8) << (dropped - 1) };
    let is_above_half = rest > half || rest == half && !is_exact;
    if dropped > 0 && (is_above_half || rest == half && kept & 1 == 1) {
        kept += 1;
    }
    let field = last - i64::from(float_sum::UNIT_EXPONENT);
    if field >= 2046 {
        return None;
    }
    // As in `float_sum`: the leading bit counts as one more in the exponent's field, a carry out of 53 bits as another.
    Some(f64::from_bits(kept + ((field as u64) << 52))).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use vardelta_testrandom::{Random, seed};

    use super::*;

    fn big(value: u128) -> BigUint {
        BigUint::from(value)
    }

    #[test]
    fn quotients_are_the_nearest_double() {
        let mut numbers = Random::new(seed(5));
        let mut random = move || numbers.bits();
        for _ in 0..20_000 {
            // Integers below 2^53 are doubles, and their quotient is rounded once by the processor.
            let (above, below) = (random() >> (11 + random() % 50), (random() >> (11 + random() % 50)).max(1));
            let found = nearest(&big(above.into()), &big(below.into()));
            assert_eq!(found, Some(above as f64 / below as f64), "{above} / {below}");
            // So is the root of one of them.
            assert_eq!(nearest_root(&big(above.into()), &big(1)), Some((above as f64).sqrt()), "root of {above}");
        }
    }

    #[test]
    fn the_ends_of_the_range() {
        let one = big(1);
        let power = |exponent: u64| &one << exponent;
        assert_eq!(nearest(&one, &power(1074)), Some(5e-324));
        assert_eq!(nearest(&one, &power(1075)), Some(0.0), "half of the least double is a tie, and zero is even");
        assert_eq!(nearest(&big(3), &power(1075)), Some(1e-323), "one and a half of it is a tie, and two are even");
        assert_eq!(nearest(&big(3), &power(1076)), Some(5e-324));
        assert_eq!(nearest(&one, &power(3000)), Some(0.0));
        assert_eq!(nearest(&power(1023), &one), Some(2_f64.powi(1023)));
        assert_eq!(nearest(&power(1024), &one), None);
        assert_eq!(nearest(&(power(1024) - power(970)), &one), None, "half a step above the largest");
        assert_eq!(nearest(&(power(1024) - power(971)), &one), Some(f64::MAX));
        assert_eq!(nearest_root(&power(2046), &one), Some(2_f64.powi(1023)));
        assert_eq!(nearest_root(&one, &power(2148)), Some(5e-324));
        assert_eq!((nearest(&big(0), &one), nearest_root(&big(0), &one)), (Some(0.0), Some(0.0)));
    }
}
