//! The order of rows by key, over several batches, without moving them.

use std::cmp::Ordering;

use super::RowBatch;

/// Bytes of a key that are compared at once.
const PREFIX_BYTES: usize = size_of::<u128>();

/// Where a row lies, with as much of its key as mostly tells it from others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    prefix: u128,
    batch: u32,
    row: u32,
}

impl Entry {
    /// The entry of a row, not yet fit to be compared: [`sort`] completes it.
    pub fn new(batch: usize, row: usize) -> Entry {
        Entry { prefix: 0, batch: batch as u32, row: row as u32 }
    }

    /// The batch.
    pub fn batch(self) -> usize {
        self.batch as usize
    }

    /// The row in the batch.
    pub fn row(self) -> usize {
        self.row as usize
    }

    /// The row's key.
    pub fn key(self, batches: &[RowBatch]) -> &[u8] {
        batches[self.batch()].key(self.row())
    }

    /// Whether two sorted entries are of the same key.
    pub fn same_key(self, other: Entry, batches: &[RowBatch]) -> bool {
        self.prefix == other.prefix && self.key(batches) == other.key(batches)
    }
}

/// Sorts entries by key, then by `tie`; entries that are equal in both keep their order.
///
/// The bytes that all keys share at their start are skipped; the 16 bytes after them are kept in the entry, so that most
/// comparisons touch no row. Rows mostly come in sorted stretches, which a stable sort takes as they are.
pub(crate) fn sort(batches: &[RowBatch], entries: &mut [Entry], tie: impl Fn(Entry, Entry) -> Ordering) {
    let Some(first) = entries.first() else { return };
    let first = first.key(batches);
    let shared = entries.iter().fold(first.len(), |shared, entry| {
        let key = entry.key(batches);
        if key.len() >= shared && key[..shared] == first[..shared] { shared } else { common(key, first).min(shared) }
    });
    for entry in &mut *entries {
        entry.prefix = prefix(&entry.key(batches)[shared..]);
    }
    entries.sort_by(|a, b| {
        let by_key = a.prefix.cmp(&b.prefix).then_with(|| a.key(batches).cmp(b.key(batches)));
        by_key.then_with(|| tie(*a, *b))
    });
}

fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// The first bytes, zeros after a short key: what it says of two keys that differ in it, the keys say too.
fn prefix(key: &[u8]) -> u128 {
    match key.first_chunk::<PREFIX_BYTES>() {
        Some(bytes) => u128::from_be_bytes(*bytes),
        None => {
            let mut bytes = [0; PREFIX_BYTES];
            bytes[..key.len()].copy_from_slice(key);
            u128::from_be_bytes(bytes)
        }
    }
}

#[cfg(test)]
mod tests {
    use vardelta_testrandom::{Random, seed};

    use super::*;

    fn random(seed: u64) -> impl FnMut() -> u64 {
        let mut random = Random::new(seed);
        move || random.bits() >> 11
    }

    #[test]
    fn the_order_is_that_of_the_keys() {
        let first = seed(1);
        for seed in first..first + 200 {
            let mut random = random(seed);
            // Keys with long common starts, zeros, and keys that begin others.
            let shared = vec![7; (random() % 40) as usize];
            let batches: Vec<RowBatch> = (0..random() % 5)
                .map(|_| {
                    let mut batch = RowBatch::default();
                    for _ in 0..random() % 60 {
                        let length = random() % 24;
                        let own: Vec<u8> = (0..length).map(|_| (random() % 3) as u8).collect();
                        batch.push(&[&shared[..], &own].concat(), b"", 1);
                    }
                    batch
                })
                .collect();
            let all = || batches.iter().enumerate().flat_map(|(at, batch)| (0..batch.len()).map(move |row| (at, row)));
            let mut entries: Vec<Entry> = all().map(|(batch, row)| Entry::new(batch, row)).collect();
            sort(&batches, &mut entries, |_, _| Ordering::Equal);
            let mut expected: Vec<(usize, usize)> = all().collect();
            expected.sort_by_key(|(batch, row)| batches[*batch].key(*row));
            let found: Vec<(usize, usize)> = entries.iter().map(|entry| (entry.batch(), entry.row())).collect();
            assert_eq!(found, expected, "seed {seed}");
            for pair in entries.windows(2) {
                let same = pair[0].key(&batches) == pair[1].key(&batches);
                assert_eq!(pair[0].same_key(pair[1], &batches), same, "seed {seed}");
            }
        }
    }

    #[test]
    fn a_tie_is_broken_as_asked() {
        let mut batch = RowBatch::default();
        for origin in [3, 1, 2] {
            batch.assert(0, origin, b"key", b"");
        }
        let (batches, mut entries) = ([batch], [0, 1, 2].map(|row| Entry::new(0, row)));
        sort(&batches, &mut entries, |a, b| batches[0].origin(a.row()).cmp(&batches[0].origin(b.row())));
        assert_eq!(entries.map(Entry::row), [1, 2, 0]);
    }
}
