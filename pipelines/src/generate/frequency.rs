//! Allele frequencies as populations have them: the rarer, the more.

use super::random::Random;

/// The rarest frequency: one allele in a million.
pub const RAREST: f64 = 1e-6;

/// A frequency between [`RAREST`] and 0.5 with a density in proportion to 1/f: as many alleles between 1e-6 and 1e-5 as between
/// 1e-2 and 1e-1. It is the expected spectrum of a neutral population (Ewens 1972), and close to gnomAD's.
pub fn frequency(random: &mut Random) -> f64 {
    let decades = (0.5 / RAREST).ln();
    RAREST * (random.unit() * decades).exp()
}

/// Appends a frequency with four digits that count, as gnomAD writes it: `1.234e-05`.
pub fn write(line: &mut Vec<u8>, frequency: f64) {
    let mut exponent = 0_u64;
    let mut mantissa = frequency;
    while mantissa < 1.0 {
        mantissa *= 10.0;
        exponent += 1;
    }
    // Rounded, without the system's function: so few digits leave the half exact.
    let mut digits = (mantissa * 1_000.0 + 0.5) as u64;
    if digits >= 10_000 {
        digits /= 10;
        exponent -= 1;
    }
    super::text::number(line, digits / 1_000);
    line.push(b'.');
    super::text::padded(line, digits % 1_000, 3);
    line.extend_from_slice(b"e-");
    super::text::padded(line, exponent, 2);
}

#[cfg(test)]
mod tests {
    use super::{Random, frequency, write};

    #[test]
    fn each_decade_has_as_many_alleles() {
        let mut random = Random::of(&[3]);
        let mut decades = [0_u32; 6];
        let count = 60_000;
        for _ in 0..count {
            decades[(-frequency(&mut random).log10()).floor() as usize] += 1;
        }
        // From 0.1 to 0.5 there are seven tenths of a decade.
        let whole = f64::from(count) / 5.699;
        for (at, seen) in decades.iter().enumerate() {
            let expected = if at == 0 { 0.699 * whole } else { whole };
            assert!((f64::from(*seen) / expected - 1.0).abs() < 0.05, "{decades:?}");
        }
    }

    #[test]
    fn frequencies_are_written_so_that_they_read_the_same() {
        let mut random = Random::of(&[4]);
        for _ in 0..1_000 {
            let value = frequency(&mut random);
            let mut line = Vec::new();
            write(&mut line, value);
            let read: f64 = String::from_utf8(line).expect("digits").parse().expect("a number");
            assert!((read / value - 1.0).abs() < 6e-4, "{value} {read}");
        }
    }
}
