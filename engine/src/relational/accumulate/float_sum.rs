//! The exact sum of doubles: a fixed-point number wide enough for every double, in cells that can be added and subtracted
//! in any order.
//!
//! A double is an integer below 2^53 times a power of two from 2^-1074 to 2^971. The sum is kept as 33 digits of 64 bits,
//! the lowest worth 2^-1074, each in an `i128`: the 63 bits above the digit take the carries of up to 2^62 additions, so
//! that adding never has to propagate one and stays linear. Only finished sums are rounded, once.

/// Cells of one sum.
pub(super) const LIMBS: usize = 33;

/// Cells of one sum of squares. A square is an integer below 2^106 times a power of two from 2^-2148 on, and the lowest digit
/// is worth 2^-2148.
pub(super) const SQUARE_LIMBS: usize = 66;

/// The exponent of the lowest digit of a sum, as a power of two.
pub(super) const UNIT_EXPONENT: i32 = -1074;

/// Bits added below the lowest digit before dividing, so that the quotient has more bits than a double whatever is divided.
const EXTRA_LIMBS: usize = 2;

/// Adds `diff` times a finite value.
pub(super) fn add(value: f64, diff: i64, limbs: &mut [i128]) {
    let (integer, shift) = parts(value);
    let wide = u128::from(integer) << (shift % 64);
    let diff = if value.is_sign_negative() { -i128::from(diff) } else { i128::from(diff) };
    let at = shift / 64;
    limbs[at] = limbs[at].wrapping_add(diff.wrapping_mul((wide as u64).into()));
    if wide >> 64 != 0 {
        limbs[at + 1] = limbs[at + 1].wrapping_add(diff.wrapping_mul((wide >> 64) as i128));
    }
}

/// Adds `diff` times the square of a finite value.
pub(super) fn add_square(value: f64, diff: i64, limbs: &mut [i128]) {
    let (integer, shift) = parts(value);
    let (square, shift) = (u128::from(integer) * u128::from(integer), 2 * shift);
    let (at, within) = (shift / 64, shift % 64);
    // 106 bits, moved by up to 62: three digits.
    let (low, high) = (u128::from(square as u64) << within, u128::from((square >> 64) as u64) << within);
    let middle = (low >> 64) + u128::from(high as u64);
    for (place, digit) in [low as u64, middle as u64, ((high >> 64) + (middle >> 64)) as u64].into_iter().enumerate() {
        if digit != 0 {
            limbs[at + place] = limbs[at + place].wrapping_add(i128::from(diff).wrapping_mul(digit.into()));
        }
    }
}

/// The absolute value as an integer below 2^53 times 2^-1074 times two to the power of a shift up to 2045.
fn parts(value: f64) -> (u64, usize) {
    debug_assert!(value.is_finite(), "expressions make failures of what is not finite");
    let bits = value.to_bits();
    let (exponent, fraction) = (((bits >> 52) & 0x7ff) as usize, bits & ((1 << 52) - 1));
    match exponent {
        0 => (fraction, 0),
        _ => (fraction | 1 << 52, exponent - 1),
    }
}

/// The double nearest to the sum divided by `divisor` (which is positive), ties to even. `None` where it is beyond the
/// largest double.
pub(super) fn quotient(limbs: &[i128], divisor: u64) -> Option<f64> {
    let (negative, mut digits) = magnitude(limbs);
    let mut remainder = 0_u128;
    for digit in digits.iter_mut().rev() {
        let dividend = remainder << 64 | u128::from(*digit);
        *digit = (dividend / u128::from(divisor)) as u64;
        remainder = dividend % u128::from(divisor);
    }
    let rounded = round(&digits, remainder != 0)?;
    Some(if negative && rounded != 0.0 { -rounded } else { rounded })
}

/// The sign, and the digits of the absolute value with the extra ones below.
fn magnitude(limbs: &[i128]) -> (bool, Vec<u64>) {
    let mut digits = vec![0; EXTRA_LIMBS];
    let mut carry = 0_i128;
    for limb in limbs {
        let total = limb.wrapping_add(carry);
        digits.push(total as u64);
        carry = total >> 64;
    }
    digits.extend([carry as u64, (carry >> 64) as u64]);
    let negative = carry < 0;
    if negative {
        let mut borrow = true;
        for digit in &mut digits {
            (*digit, borrow) = (!*digit).overflowing_add(u64::from(borrow));
        }
    }
    (negative, digits)
}

/// The double nearest to a number of which `digits` are all the bits but some below the lowest, of which `more` says
/// whether any is set.
fn round(digits: &[u64], more: bool) -> Option<f64> {
    let bit = |at: usize| digits[at / 64] >> (at % 64) & 1;
    let Some(top_digit) = digits.iter().rposition(|digit| *digit != 0) else { return Some(0.0) };
    let top = top_digit * 64 + 63 - digits[top_digit].leading_zeros() as usize;
    // The lowest bit that a double keeps: 53 bits of it, but none below 2^-1074.
    let lowest = top.saturating_sub(52).max(EXTRA_LIMBS * 64);
    let mut kept = (lowest..=top).rev().fold(0_u64, |kept, at| kept << 1 | bit(at));
    let half = bit(lowest - 1) == 1;
    let below_half = more
        || digits[..(lowest - 1) / 64].iter().any(|digit| *digit != 0)
        || digits[(lowest - 1) / 64] & ((1 << ((lowest - 1) % 64)) - 1) != 0;
    if half && (below_half || kept & 1 == 1) {
        kept += 1;
    }
    // The implicit leading bit of `kept` counts as exponent 1, and a carry out of its 53 bits as one more; without that
    // bit the number is subnormal and its exponent 0.
    let exponent = lowest - EXTRA_LIMBS * 64;
    if exponent >= 2046 {
        return None;
    }
    Some(f64::from_bits(kept + ((exponent as u64) << 52))).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use vardelta_testrandom::{Random, seed};

    use super::*;

    fn sum(values: &[f64]) -> Option<f64> {
        quotient(&limbs(values), 1)
    }

    fn mean(values: &[f64]) -> Option<f64> {
        quotient(&limbs(values), values.len() as u64)
    }

    fn limbs(values: &[f64]) -> Vec<i128> {
        let mut limbs = vec![0; LIMBS];
        values.iter().for_each(|value| add(*value, 1, &mut limbs));
        limbs
    }

    /// A finite double with an exponent between the two (biased).
    fn double(random: &mut Random, least: u64, most: u64) -> f64 {
        let exponent = least + random.below(most - least + 1);
        f64::from_bits(random.bits() & (1 << 63 | ((1 << 52) - 1)) | exponent << 52)
    }

    /// Shewchuk's exact summation as in CPython's `math.fsum`, an algorithm that shares nothing with the one above.
    fn oracle(values: &[f64]) -> f64 {
        let mut partials: Vec<f64> = Vec::new();
        for value in values {
            let mut x = *value;
            let mut kept = 0;
            for at in 0..partials.len() {
                let mut y = partials[at];
                if x.abs() < y.abs() {
                    std::mem::swap(&mut x, &mut y);
                }
                let high = x + y;
                let low = y - (high - x);
                if low != 0.0 {
                    partials[kept] = low;
                    kept += 1;
                }
                x = high;
            }
            partials.truncate(kept);
            partials.push(x);
        }
        let Some(mut high) = partials.pop() else { return 0.0 };
        let mut low = 0.0;
        while let Some(y) = partials.pop() {
            let x = high;
            high = x + y;
            low = y - (high - x);
            if low != 0.0 {
                break;
            }
        }
        if let Some(next) = partials.last()
            && (low < 0.0 && *next < 0.0 || low > 0.0 && *next > 0.0)
        {
            let y = low * 2.0;
            let x = high + y;
            if y == x - high {
                high = x;
            }
        }
        high
    }

    #[test]
    fn one_value_is_its_own_sum() {
        let mut random = Random::new(seed(1));
        let edges = [0.0, 5e-324, 2.225_073_858_507_201e-308, f64::MIN_POSITIVE, f64::MAX, f64::MIN, 1.0, -0.1];
        for value in edges.into_iter().chain((0..5_000).map(|_| double(&mut random, 0, 2046))) {
            assert_eq!(sum(&[value]).map(f64::to_bits), Some(value.to_bits()), "{value:e}");
        }
        assert_eq!(sum(&[-0.0]).map(f64::to_bits), Some(0));
        assert_eq!(sum(&[]), Some(0.0));
    }

    #[test]
    fn sums_are_the_nearest_double_to_the_exact_sum() {
        let mut random = Random::new(seed(2));
        for round in 0..3_000 {
            let (least, most) = [(0, 3), (1000, 1050), (1, 2000), (900, 1100)][round % 4];
            let count = random.bits() % 40;
            let mut values: Vec<f64> = (0..count).map(|_| double(&mut random, least, most)).collect();
            // Cancellation, and ties that only a far smaller value breaks.
            if let Some(first) = values.first().copied().filter(|_| round % 3 == 0) {
                values.push(-first * 1.5);
            }
            assert_eq!(sum(&values).map(f64::to_bits), Some((oracle(&values) + 0.0).to_bits()), "{values:?}");
        }
    }

    #[test]
    fn sums_of_small_integers_scaled_agree_with_integers() {
        let mut random = Random::new(seed(3));
        for _ in 0..3_000 {
            let integers: Vec<i128> = (0..random.bits() % 30)
                .map(|_| i128::from(random.bits() as i64 >> 11) << (random.bits() % 60))
                .collect();
            let floats: Vec<f64> = integers.iter().map(|integer| *integer as f64 * (-70_f64).exp2()).collect();
            // The conversion of an i128 rounds to nearest, ties to even; the scaling is exact.
            let exact = integers.iter().sum::<i128>() as f64 * (-70_f64).exp2();
            assert_eq!(sum(&floats), Some(exact), "{integers:?}");
        }
    }

    #[test]
    fn adding_and_removing_in_any_order_leaves_the_sum_of_what_remains() {
        let mut random = Random::new(seed(4));
        for _ in 0..300 {
            let mut limbs = vec![0; LIMBS];
            let mut held: Vec<f64> = Vec::new();
            for _ in 0..200 {
                if !held.is_empty() && random.bits() % 5 < 2 {
                    let value = held.swap_remove(random.bits() as usize % held.len());
                    add(value, -1, &mut limbs);
                } else {
                    let value = double(&mut random, 0, 1900);
                    held.push(value);
                    add(value, 1, &mut limbs);
                }
            }
            assert_eq!(quotient(&limbs, 1).map(f64::to_bits), sum(&held).map(f64::to_bits));
            assert_eq!(quotient(&limbs, 1), Some(oracle(&held)));
            held.iter().for_each(|value| add(*value, -1, &mut limbs));
            assert!(limbs.iter().all(|limb| *limb == 0), "nothing held, yet {limbs:?}");
        }
    }

    #[test]
    fn means_are_rounded_once() {
        assert_eq!(mean(&[0.1, 0.2, 0.3]), Some(0.2));
        assert_eq!(mean(&[1.0, 2.0, 4.0]), Some(7.0 / 3.0));
        assert_eq!(mean(&[f64::MAX, f64::MAX]), Some(f64::MAX));
        assert_eq!(mean(&[5e-324, 0.0]), Some(0.0), "half of the least double is a tie, and zero is even");
        assert_eq!(mean(&[5e-324, 1e-323]), Some(1e-323), "one and a half of it is a tie, and two are even");
        assert_eq!(mean(&[-5e-324, 0.0]).map(f64::to_bits), Some(0));
        let mut random = Random::new(seed(5));
        for _ in 0..2_000 {
            // Integers below 2^52 divide exactly as doubles do: the quotient of two exact doubles is rounded once.
            let values: Vec<f64> = (0..1 + random.bits() % 20).map(|_| (random.bits() as i64 >> 17) as f64).collect();
            let expected = values.iter().sum::<f64>() / values.len() as f64;
            assert_eq!(mean(&values), Some(expected + 0.0), "{values:?}");
        }
    }

    /// Means computed with Python's `fractions`, as bits.
    #[test]
    fn means_agree_with_exact_fractions() {
        for (bits, expected) in [
            (&[0xc014_164d_9f76_7c45, 0xc06f_1446_b0c1_1fde, 0xc030_76ce_87b0_b125][..], 0xc056_828c_9f21_f143),
            (
                &[
                    0x4063_fc1e_f17f_d374,
                    0x3fd2_8276_e6a1_6a3b,
                    0x3ffd_e527_7814_e8a2,
                    0x4051_a1af_8b33_e968,
                    0x3ffb_b2ed_035b_7399,
                    0x4022_e9c8_478c_281d,
                    0x3fdc_c11d_c30d_8b76,
                ][..],
                0x4041_715e_63ec_b87e,
            ),
            (&[0x0019_e115_9e30_691c, 0x0000_0745_21da_8978, 0x8003_729c_c60a_3cab][..], 0x0007_7c94_a8aa_e74e),
            (
                &[
                    0x8014_a0fe_2a9e_ba0c,
                    0x0008_a0a8_32ea_6928,
                    0x800f_7f35_f0e3_cd97,
                    0x001e_4cc4_f710_8e96,
                    0x0015_c76f_0585_a01c,
                ][..],
                0x0004_ea88_03ff_9cd8,
            ),
            (
                &[
                    0x3c72_54cb_ef90_1b93,
                    0xc1e4_d25d_54f4_6a69,
                    0xc319_8921_00dd_b74d,
                    0x3d31_0e6d_5680_68b9,
                    0xbff4_e5a3_d18a_669a,
                    0x3ff2_f4d4_50d7_d13f,
                ][..],
                0xc2f1_0617_bcc6_4148,
            ),
            (&[0x0752_d163_b465_3252, 0x82ff_0631_f9a0_1fe8, 0x6c35_b8e8_bff2_9101][..], 0x6c1c_f68b_aa98_c157),
            (&[0x7fe8_c8f9_04a0_12e8, 0xffc6_0597_5dbe_4409, 0xff87_3ec2_0252_f615][..], 0x7fc9_38ca_dc34_4812),
            (
                &[
                    0x3ff9_faba_2e50_bd4e,
                    0x3ff3_eff8_c177_f113,
                    0xbff5_ad3b_8332_f05a,
                    0xbff1_ba95_767d_5274,
                    0xbff0_960a_4bbd_bb01,
                    0x3ff1_7579_fa74_9692,
                    0xbff9_c5f3_834c_1b69,
                    0xbff5_7079_25f0_2628,
                    0x3ff8_b8e8_b3de_08f9,
                    0x3ff5_119c_af9b_74f8,
                    0xbff1_404a_cc7c_6d81,
                ][..],
                0xbfb0_6b74_fc45_b170,
            ),
        ] {
            let values: Vec<f64> = bits.iter().copied().map(f64::from_bits).collect();
            assert_eq!(mean(&values).map(f64::to_bits), Some(expected), "{values:?}");
        }
    }

    #[test]
    fn a_sum_beyond_the_largest_double_is_said_to_be() {
        assert_eq!(sum(&[f64::MAX, f64::MAX]), None);
        assert_eq!(sum(&[f64::MIN, f64::MIN]), None);
        assert_eq!(sum(&[f64::MAX; 5]), None);
        assert_eq!(sum(&[f64::MAX, f64::MAX, f64::MIN]), Some(f64::MAX));
        let half_a_step = 2_f64.powi(969);
        assert_eq!(sum(&[f64::MAX, half_a_step]), Some(f64::MAX));
        assert_eq!(sum(&[f64::MAX, half_a_step, half_a_step]), None);
    }

    #[test]
    fn many_rows_leave_room_for_carries() {
        let mut limbs = vec![0; LIMBS];
        add(f64::MAX, 1 << 61, &mut limbs);
        add(f64::MAX, -(1 << 61) + 1, &mut limbs);
        add(0.1, 1 << 61, &mut limbs);
        assert_eq!(quotient(&limbs, 1), Some(f64::MAX));
        add(f64::MAX, -1, &mut limbs);
        assert_eq!(quotient(&limbs, 1 << 61), Some(0.1));
    }
}
