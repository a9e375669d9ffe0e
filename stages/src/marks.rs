//! Bytes found eight at a time, for texts that hold one of them every few bytes: a search that begins again after each costs more
//! than the text.

const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;

/// A byte that is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted(u64);

impl Wanted {
    /// This byte.
    pub fn new(byte: u8) -> Wanted {
        Wanted(u64::from(byte) * 0x0101_0101_0101_0101)
    }

    /// Marks the byte's places among eight: the highest bit of each, the first byte's the lowest.
    pub fn marks(self, word: [u8; 8]) -> Marks {
        // The high bit of every byte that is zero, exactly: no carry crosses a byte.
        let word = u64::from_le_bytes(word) ^ self.0;
        Marks(!(((word & LOW) + LOW) | word | LOW))
    }
}

/// Places among eight bytes, in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks(u64);

impl Marks {
    /// The places of either.
    pub fn or(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }
}

impl Iterator for Marks {
    type Item = usize;
    fn next(&mut self) -> Option<usize> {
        let place = (self.0 != 0).then(|| (self.0.trailing_zeros() / 8) as usize);
        self.0 &= self.0.wrapping_sub(1);
        place
    }
}

#[cfg(test)]
mod tests {
    use vardelta_testrandom::{Random, seed};

    use super::*;

    #[test]
    fn places_are_those_of_a_plain_search() {
        let mut random = Random::new(seed(3));
        for _ in 0..20_000 {
            // Neighbours of what is looked for, and bytes with the highest bit, are what a trick with words may take for it.
            let word: [u8; 8] = std::array::from_fn(|_| [0, 8, 9, 10, 0x89, 0x7f, 0x80, 0xff][random.below(8_usize)]);
            for byte in [0, 9, 0x89, 0xff] {
                let plain: Vec<usize> = (0..8).filter(|at| word[*at] == byte).collect();
                assert_eq!(Wanted::new(byte).marks(word).collect::<Vec<_>>(), plain, "{byte} in {word:?}");
            }
            let both = Wanted::new(9).marks(word).or(Wanted::new(10).marks(word));
            assert_eq!(both.count(), word.iter().filter(|byte| matches!(byte, 9 | 10)).count(), "{word:?}");
        }
    }
}
