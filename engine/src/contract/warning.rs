//! What stages adapt rather than refuse: counted by reason and field, with the first place.

use std::collections::BTreeMap;

use crate::contract::{
    batch::Place,
    reason::{Reason, Severity},
};

/// How often something was adapted, and where first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Warned {
    /// How often.
    pub count: u64,
    /// The origin of the first record it was met in; `None` where it is about no record, or where nobody noted it.
    pub first: Option<u64>,
    /// The place of that record, where the stage knows it; the engine asks the batch's
    /// [`Provenance`](crate::contract::batch::Provenance) otherwise.
    pub place: Option<Place>,
}

/// The warnings of a stage about one batch or chunk, by reason and field.
#[derive(Clone, Debug, Default)]
pub struct Warnings {
    by: BTreeMap<&'static str, BTreeMap<String, Warned>>,
}

impl Warnings {
    /// Counts something; none of it where only an earlier place is to be noted. `field` is what it is about, in the words of the file or the table: an INFO or FORMAT key, a column,
    /// the name of a contig or filter; empty where the reason says it all.
    pub fn add(&mut self, reason: &'static Reason, field: &str, warned: Warned) {
        debug_assert_eq!(reason.severity(), Severity::Warning, "{}", reason.code());
        if warned.count == 0 && warned.first.is_none() {
            return;
        }
        let fields = self.by.entry(reason.code()).or_default();
        match fields.get_mut(field) {
            Some(known) => known.merge(warned),
            None => drop(fields.insert(field.to_owned(), warned)),
        }
    }

    /// Adds those of another batch.
    pub fn merge(&mut self, other: Warnings) {
        for (code, fields) in other.by {
            let known = self.by.entry(code).or_default();
            fields.into_iter().for_each(|(field, warned)| known.entry(field).or_default().merge(warned));
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by.is_empty()
    }

    /// How often this reason was given.
    pub fn count(&self, code: &str) -> u64 {
        self.by.get(code).map_or(0, |fields| fields.values().map(|warned| warned.count).sum())
    }

    /// The counts by reason, in order.
    pub fn counts(&self) -> Vec<(&'static str, u64)> {
        self.by.keys().map(|code| (*code, self.count(code))).collect()
    }

    /// Code, field and figures of each, in order.
    pub fn into_entries(self) -> impl Iterator<Item = (&'static str, String, Warned)> {
        let of = |(code, fields): (&'static str, BTreeMap<String, Warned>)| {
            fields.into_iter().map(move |(field, warned)| (code, field, warned))
        };
        self.by.into_iter().flat_map(of)
    }
}

impl Warned {
    /// Once, in this record.
    pub fn once(origin: Option<u64>) -> Warned {
        Warned::times(1, origin)
    }

    /// So often, first in this record.
    pub fn times(count: u64, first: Option<u64>) -> Warned {
        Warned { count, first, place: None }
    }

    /// Adds the figures of the same warning elsewhere: the earlier place counts.
    pub fn merge(&mut self, other: Warned) {
        self.count += other.count;
        if other.first.is_some_and(|first| self.first.is_none_or(|known| first < known)) {
            (self.first, self.place) = (other.first, other.place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::reasons! {
        /// For these tests.
        REASONS:
        warning ODD = "bad_place": "it is odd" => "look at it";
    }

    #[test]
    fn the_first_place_stands_whoever_comes_first() {
        let parts = [(2, Some(9)), (1, None), (4, Some(7)), (0, Some(3))];
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let mut warnings = Warnings::default();
            for part in order {
                warnings.add(ODD, "DP", Warned::times(parts[part].0, parts[part].1));
            }
            warnings.add(ODD, "AF", Warned::once(None));
            assert_eq!((warnings.count("bad_place"), warnings.counts()), (8, vec![(REASONS[0].code(), 8)]));
            let entries: Vec<_> =
                warnings.into_entries().map(|(_, field, warned)| (field, warned.count, warned.first)).collect();
            assert_eq!(entries, [("AF".to_owned(), 1, None), ("DP".to_owned(), 7, Some(3))]);
        }
    }
}
