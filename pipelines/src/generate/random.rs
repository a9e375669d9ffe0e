//! Numbers that look random and depend on nothing but what they are made of.

/// A splitmix64 generator (Steele, Lea and Flood 2014), started from any numbers.
#[derive(Clone, Debug)]
pub struct Random(u64);

/// The increment of splitmix64: the golden ratio of 2^64.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

impl Random {
    /// A generator for these numbers; numbers that differ in a bit give unrelated generators.
    pub fn of(numbers: &[u64]) -> Random {
        Random(numbers.iter().fold(GAMMA, |state, number| mix((state ^ number).wrapping_add(GAMMA))))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mix(self.0)
    }

    /// A number below a limit that is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(limit)) >> 64) as u64
    }

    /// A number from 0 up to, but not, 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// One of these, each as often as its weight says.
    pub fn weighted<T: Copy>(&mut self, choices: &[(u32, T)]) -> T {
        let all: u64 = choices.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let mut left = self.below(all);
        for (weight, choice) in choices {
            match left.checked_sub(u64::from(*weight)) {
                Some(rest) => left = rest,
                None => return *choice,
            }
        }
        choices[choices.len() - 1].1
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn repeats_itself_and_depends_on_every_number() {
        let first = |numbers: &[u64]| Random::of(numbers).bits();
        assert_eq!(first(&[1, 2]), first(&[1, 2]));
        assert_ne!(first(&[1, 2]), first(&[2, 1]));
        assert_ne!(first(&[1, 2]), first(&[1, 3]));
    }

    #[test]
    fn choices_come_as_often_as_their_weights_say() {
        let mut random = Random::of(&[7]);
        let mut seen = [0_u32; 3];
        for _ in 0..30_000 {
            seen[random.weighted(&[(1, 0_usize), (2, 1), (7, 2)])] += 1;
        }
        for (count, share) in seen.iter().zip([0.1, 0.2, 0.7]) {
            assert!((f64::from(*count) / 30_000.0 - share).abs() < 0.01, "{seen:?}");
        }
    }
}
