//! Alleles and lists of them without an allocation: a record has at most two, of a few bases.

use std::ops::Deref;

use super::text::put_start;

/// Bases that an allele can have.
const BASES_MAX: usize = 15;

/// A spelled allele.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allele {
    bases: [u8; BASES_MAX],
    length: u8,
}

impl Allele {
    /// An allele of one base.
    pub fn of(base: u8) -> Allele {
        [base].into_iter().collect()
    }

    /// Appends it to a line.
    pub fn put(&self, line: &mut Vec<u8>) {
        put_start(line, &self.bases, self.length.into());
    }
}

impl FromIterator<u8> for Allele {
    fn from_iter<I: IntoIterator<Item = u8>>(bases: I) -> Allele {
        let mut allele = Allele::default();
        for base in bases {
            allele.bases[usize::from(allele.length)] = base;
            allele.length += 1;
        }
        allele
    }
}

impl Deref for Allele {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bases[..self.length.into()]
    }
}

/// One or two of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Few<T> {
    items: [T; 2],
    count: usize,
}

impl<T: Copy + Default> Few<T> {
    /// One.
    pub fn one(item: T) -> Few<T> {
        Few { items: [item, T::default()], count: 1 }
    }

    /// Two.
    pub fn two(first: T, second: T) -> Few<T> {
        Few { items: [first, second], count: 2 }
    }

    /// The first alone.
    pub fn first_alone(self) -> Few<T> {
        Few::one(self.items[0])
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items[..self.count]
    }
}
