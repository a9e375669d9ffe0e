//! INFO, walked once: finds the projected keys and skips the rest.

use crate::sources::{
    shared::tally::About,
    vcf::{
        checks::Checks,
        header::VcfHeader,
        projection::Field,
        reasons::{Tally, Warning},
        values::{TextRules, ValueBuilder},
    },
};

/// What a record's INFO says of one projected key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    /// The key is not there.
    Absent,
    /// The key stands alone.
    Bare,
    /// The key has a value: a byte range of INFO.
    Value(usize, usize),
}

/// Builds the projected INFO columns.
pub(super) struct InfoColumns {
    keys: Vec<Vec<u8>>,
    /// How each is decoded in the file at hand.
    rules: Vec<TextRules>,
    /// Whether some key starts with this byte: most entries of most files are skipped on it.
    starts: [bool; 256],
    slots: Vec<Slot>,
    /// Whether the file at hand need not be searched for fields that it does not declare.
    pub are_declared: bool,
    /// One per projected key.
    pub builders: Vec<ValueBuilder>,
}

impl InfoColumns {
    /// Empty columns for these fields.
    pub fn new(fields: &[Field]) -> InfoColumns {
        let keys: Vec<Vec<u8>> = fields.iter().map(|field| field.key.as_bytes().to_vec()).collect();
        let mut starts = [false; 256];
        for first in keys.iter().filter_map(|key| key.first()) {
            starts[usize::from(*first)] = true;
        }
        InfoColumns {
            slots: vec![Slot::Absent; keys.len()],
            are_declared: true,
            rules: vec![TextRules::default(); keys.len()],
            keys,
            starts,
            builders: fields.iter().map(|field| ValueBuilder::new(field.shape)).collect(),
        }
    }

    /// Another file follows.
    pub fn meet(&mut self, header: &VcfHeader) {
        self.are_declared = true;
        for (key, rules) in self.keys.iter().zip(&mut self.rules) {
            let key = String::from_utf8_lossy(key);
            *rules = header.text_rules_of(&key);
            self.are_declared &= header.info.is_empty() || header.info.contains_key(key.as_ref());
        }
    }

    /// The fields that the record last appended has: their places and keys.
    pub fn present(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let slots = self.slots.iter().enumerate().filter(|(_, slot)| **slot != Slot::Absent);
        slots.map(|(at, _)| (at, self.keys[at].as_slice()))
    }

    /// Appends one record's INFO.
    pub fn append<C: Checks>(&mut self, info: &[u8], tally: &mut Tally) {
        if self.keys.is_empty() {
            return;
        }
        self.scan(info, tally);
        for (at, ((slot, rules), builder)) in self.slots.iter().zip(&self.rules).zip(&mut self.builders).enumerate() {
            tally.look_at_field(About::Info(at));
            match *slot {
                Slot::Absent => builder.append_absent(),
                Slot::Bare => builder.append_bare(Warning::BadInfoValue, tally),
                Slot::Value(start, end) => builder.append::<C>(&info[start..end], *rules, Warning::BadInfoValue, tally),
            }
        }
        tally.look_at_field(About::Record);
    }

    /// Notes where each projected key's value lies. Empty entries (`;;`, a final `;`) and spaces around entries are
    /// tolerated; of a key that comes twice the first stands.
    fn scan(&mut self, info: &[u8], tally: &mut Tally) {
        self.slots.fill(Slot::Absent);
        let mut start = 0;
        for end in memchr::memchr_iter(b';', info).chain([info.len()]) {
            while start + 1 < end && info[start] == b' ' {
                start += 1;
            }
            if start < end && self.starts[usize::from(info[start])] {
                self.note(info, start, end, tally);
            }
            start = end + 1;
        }
    }

    fn note(&mut self, info: &[u8], start: usize, end: usize, tally: &mut Tally) {
        let entry = &info[start..end];
        for (at, (key, slot)) in self.keys.iter().zip(&mut self.slots).enumerate() {
            let Some(rest) = entry.strip_prefix(key.as_slice()) else {
                continue;
            };
            let found = match rest.first() {
                None => Slot::Bare,
                Some(b'=') => Slot::Value(start + key.len() + 1, end),
                Some(_) => continue,
            };
            if *slot == Slot::Absent {
                *slot = found;
            } else {
                tally.look_at_field(About::Info(at));
                tally.count(Warning::DuplicateInfoKey);
            }
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::vcf::{
        checks::Checked,
        kind::{Shape, ValueKind},
    };
    use arrow_array::{Array, BooleanArray, Int64Array, StringArray};
    use vardelta_schemas::Number;

    /// DP, ANN, DB, and the warnings.
    type Seen = (Option<i64>, Option<String>, bool, Vec<(&'static str, u64)>);

    fn read(info: &str) -> Seen {
        let field = |key: &str, kind, number| Field { key: key.into(), shape: Shape { kind, number } };
        let mut columns = InfoColumns::new(&[
            field("DP", ValueKind::Integer, Some(Number::Count(1))),
            field("ANN", ValueKind::String, None),
            field("DB", ValueKind::Flag, Some(Number::Count(0))),
        ]);
        let mut tally = Tally::default();
        columns.append::<Checked>(info.as_bytes(), &mut tally);
        let arrays: Vec<_> = columns.builders.iter_mut().map(|builder| builder.finish::<Checked>(&mut tally)).collect();
        let depth = arrays[0].as_any().downcast_ref::<Int64Array>().expect("integers");
        let annotation = arrays[1].as_any().downcast_ref::<StringArray>().expect("texts");
        let flag = arrays[2].as_any().downcast_ref::<BooleanArray>().expect("flags");
        let mut emit = vardelta_engine::contract::stage::Emit::default();
        tally.report(&mut emit);
        (
            depth.is_valid(0).then(|| depth.value(0)),
            annotation.is_valid(0).then(|| annotation.value(0).to_string()),
            flag.value(0),
            emit.warnings.counts(),
        )
    }

    #[test]
    fn finds_projected_keys_among_others() {
        assert_eq!(read("."), (None, None, false, vec![]));
        assert_eq!(read("ADP=1;DPX=2;DP=5;DB"), (Some(5), None, true, vec![]));
        assert_eq!(read("DP=5;;ANN=T|x=y,z;"), (Some(5), Some("T|x=y,z".into()), false, vec![]));
        assert_eq!(read(";DP=5; DB"), (Some(5), None, true, vec![]));
        assert_eq!(read(" "), (None, None, false, vec![]));
    }

    #[test]
    fn adapts_and_counts() {
        assert_eq!(read("DP=5;DP=6"), (Some(5), None, false, vec![("duplicate_info_key", 1)]));
        assert_eq!(read("DP"), (None, None, false, vec![("bad_info_value", 1)]));
        assert_eq!(read("DP=;DB=1"), (None, None, true, vec![("bad_info_value", 1), ("flag_with_value", 1)]));
        assert_eq!(read("DP=5.0"), (Some(5), None, false, vec![("decimal_integer", 1)]));
        assert_eq!(read("DP=5.5"), (None, None, false, vec![("bad_info_value", 1)]));
    }
}
