//! Random numbers that a seed repeats exactly, on every machine and in every version.
//!
//! Every random test and benchmark draws from [`Random`]; a test takes its seed by [`seed`], which prints it, so that
//! `VARDELTA_SEED=… cargo test …` repeats a failure.

/// The environment variable that holds the seed.
pub const SEED: &str = "VARDELTA_SEED";

/// The increment of SplitMix64: the golden ratio of 2^64.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The seed in [`SEED`], or the test's own; it is printed, which the test harness shows where the test fails.
///
/// # Panics
/// When the variable holds no number.
pub fn seed(default: u64) -> u64 {
    let seed = from_environment(SEED, default);
    println!("{SEED}={seed}");
    seed
}

/// A number in an environment variable, such as how many histories are to be tried.
///
/// # Panics
/// When the variable holds no number.
pub fn from_environment(variable: &str, default: u64) -> u64 {
    let number = |text: String| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is not a whole number"));
    std::env::var(variable).map_or(default, number)
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough to choose test data.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// A sequence that depends on all of these numbers; nearby numbers give unrelated sequences.
    pub fn of(numbers: &[u64]) -> Random {
        Random(numbers.iter().fold(GAMMA, |state, number| mix((state ^ number).wrapping_add(GAMMA))))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mix(self.0)
    }

    /// A number from 0 to `limit - 1`.
    ///
    /// # Panics
    /// When the limit is not above 0.
    pub fn below<N: Whole>(&mut self, limit: N) -> N {
        let limit = limit.to_limit();
        assert!(limit > 0, "there is no number below 0");
        N::from_bits(self.bits() % limit)
    }

    /// True this many times out of a hundred.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100_u64) < percent
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// Puts them into another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// The types of whole numbers that [`Random::below`] draws.
pub trait Whole {
    /// The limit as 64 bits; 0 where it is negative.
    fn to_limit(self) -> u64;
    /// A number that is below a limit of this type.
    fn from_bits(bits: u64) -> Self;
}

macro_rules! whole {
    ($($number:ty),*) => {
        $(impl Whole for $number {
            fn to_limit(self) -> u64 {
                u64::try_from(self).unwrap_or_default()
            }

            fn from_bits(bits: u64) -> $number {
                bits as $number
            }
        })*
    };
}

whole!(u8, u16, u32, u64, usize, i32, i64);

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
    fn is_the_published_generator() {
        // The first numbers of seed 1234567 in the reference implementation (Vigna, splitmix64.c).
        let mut random = Random::new(1_234_567);
        assert_eq!([(); 3].map(|()| random.bits()), [6457827717110365317, 3203168211198807973, 9817491932198370423]);
    }

    #[test]
    fn stays_below_the_limit_and_reaches_everything_below_it() {
        let mut random = Random::of(&[7]);
        let mut seen = [0; 10];
        for _ in 0..10_000 {
            seen[random.below(10)] += 1;
        }
        assert!(seen.iter().all(|count| (800..1_200).contains(count)), "{seen:?}");
    }

    #[test]
    fn shuffles_without_losing_anything() {
        let (mut random, mut items) = (Random::new(3), (0..50).collect::<Vec<_>>());
        random.shuffle(&mut items);
        assert!(!items.is_sorted());
        items.sort_unstable();
        assert!(items.into_iter().eq(0..50));
    }
}
