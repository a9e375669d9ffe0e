//! Maps keyed by encoded rows.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A map by encoded row. Its order is nobody's business: whoever drains it sorts.
pub(crate) type RowMap<V> = HashMap<super::Row, V, BuildHasherDefault<RowHasher>>;

/// Hashes bytes at once. Rows come from files that were not made to collide; where they collide all the same, a map is slow and
/// not wrong.
#[derive(Default)]
pub(crate) struct RowHasher(u64);

impl Hasher for RowHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    fn write_usize(&mut self, length: usize) {
        self.0 = self.0.wrapping_add(length as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
