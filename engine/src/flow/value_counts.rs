//! How often each group's values come and go in a chunk, before anything is exchanged.

use std::cmp::Ordering;

use crate::rows::Row;

/// Counts that are kept before equal ones are added up.
const SETTLE_ENTRIES: usize = 1 << 16;

/// Changes of how often a group holds a value of a call. Values lie in one arena; one that is counted again and again is added up
/// now and then, so that what is held follows the number of different values.
#[derive(Default)]
pub(crate) struct ValueCounts {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// How many entries there were when equal ones were last added up.
    settled: usize,
}

#[derive(Clone, Copy)]
struct Entry {
    group: u32,
    call: u16,
    /// The value's first bytes, so that most comparisons touch no value.
    prefix: u64,
    at: usize,
    length: u32,
    count: i64,
}

impl ValueCounts {
    /// The group holds the value so much more often.
    pub fn push(&mut self, group: u32, call: u16, value: &[u8], count: i64) {
        let mut prefix = [0; 8];
        let shared = value.len().min(prefix.len());
        prefix[..shared].copy_from_slice(&value[..shared]);
        let (at, length) = (self.bytes.len(), value.len() as u32);
        self.bytes.extend_from_slice(value);
        self.entries.push(Entry { group, call, prefix: u64::from_be_bytes(prefix), at, length, count });
        if self.entries.len() >= SETTLE_ENTRIES.max(2 * self.settled) {
            self.settle();
        }
    }

    fn value(&self, entry: &Entry) -> &[u8] {
        &self.bytes[entry.at..entry.at + entry.length as usize]
    }

    /// Sorts by group, call and value, and adds up what is equal.
    fn settle(&mut self) {
        let mut entries = std::mem::take(&mut self.entries);
        let order = |a: &Entry, b: &Entry| -> Ordering {
            let by_prefix = (a.group, a.call, a.prefix).cmp(&(b.group, b.call, b.prefix));
            by_prefix.then_with(|| self.value(a).cmp(self.value(b)))
        };
        entries.sort_unstable_by(order);
        entries.dedup_by(|next, first| {
            let is_same = order(next, first).is_eq();
            if is_same {
                first.count += next.count;
            }
            is_same
        });
        entries.retain(|entry| entry.count != 0);
        let mut bytes = Vec::with_capacity(entries.iter().map(|entry| entry.length as usize).sum());
        for entry in &mut entries {
            let at = bytes.len();
            bytes.extend_from_slice(self.value(entry));
            entry.at = at;
        }
        (self.bytes, self.settled, self.entries) = (bytes, entries.len(), entries);
    }

    /// Takes the changes out: for each group its list, by call and value. Groups are numbered from 0.
    pub fn take(&mut self, groups: usize) -> Vec<Vec<(u16, Row, i64)>> {
        self.settle();
        let mut lists = vec![Vec::new(); groups];
        for entry in &self.entries {
            lists[entry.group as usize].push((entry.call, self.value(entry).into(), entry.count));
        }
        *self = ValueCounts::default();
        lists
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use vardelta_testrandom::{Random, seed};

    use super::*;

    #[test]
    fn counts_are_those_of_a_map() {
        let (mut counts, mut expected) = (ValueCounts::default(), BTreeMap::<(u32, u16, Vec<u8>), i64>::new());
        let mut random = Random::new(seed(1));
        for _ in 0..3 * SETTLE_ENTRIES {
            let bits = (random.bits() >> 33) as usize;
            // Values with equal beginnings, zeros among them, and one that begins another.
            let value = [&[0, 1, 0, 0, 0, 0, 0][..], &vec![0; bits % 4], &[(bits >> 4) as u8 % 3]].concat();
            let (group, call, count) = ((bits >> 8) as u32 % 50, (bits >> 16) as u16 % 2, (bits >> 20) as i64 % 3 - 1);
            counts.push(group, call, &value, count);
            *expected.entry((group, call, value)).or_default() += count;
        }
        expected.retain(|_, count| *count != 0);
        assert!(counts.entries.len() < SETTLE_ENTRIES, "equal values were added up on the way");
        let found = counts.take(50);
        let found = found.iter().zip(0..).flat_map(|(list, group)| {
            list.iter().map(move |(call, value, count)| ((group, *call, value.to_vec()), *count))
        });
        assert!(found.eq(expected));
        assert!(counts.take(50).iter().all(Vec::is_empty));
    }
}
