//! INFO, walked once: finds the projected keys and skips the rest.

use crate::sources::{
    shared::tally::About,
    vcf::{
        checks::Checks,
        fields::MAX_VALUE_BYTES,
        header::VcfHeader,
        kind::Field,
        reasons::{Tally, Warning},
        values::{TextRules, ValueBuilder},
    },
};

/// What a record's INFO says of one projected key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    /// The key is not there.
    Absent,
    /// The key is alone.
    Bare,
    /// The key has a value: a byte range of INFO.
    Value(usize, usize),
}

/// Builds the projected INFO columns.
pub(super) struct InfoColumns {
    /// Each key once.
    keys: Vec<Vec<u8>>,
    /// For each column the place of its key.
    places: Vec<usize>,
    /// How each is decoded in the file at hand.
    rules: Vec<TextRules>,
    /// Whether some key starts with this byte: most entries of most files are skipped on it.
    starts: [bool; 256],
    slots: Vec<Slot>,
    /// Whether the file at hand need not be searched for fields that it does not declare.
    pub are_declared: bool,
    /// One per column.
    pub builders: Vec<ValueBuilder>,
}

impl InfoColumns {
    /// Empty columns for these fields.
    pub fn new(fields: &[Field]) -> InfoColumns {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        let mut places = Vec::with_capacity(fields.len());
        for field in fields {
            let known = keys.iter().position(|key| key == field.key.as_bytes());
            places.push(known.unwrap_or(keys.len()));
            if known.is_none() {
                keys.push(field.key.as_bytes().to_vec());
            }
        }
        let mut starts = [false; 256];
        for first in keys.iter().filter_map(|key| key.first()) {
            starts[usize::from(*first)] = true;
        }
        InfoColumns {
            slots: vec![Slot::Absent; keys.len()],
            are_declared: true,
            rules: vec![TextRules::default(); keys.len()],
            keys,
            places,
            starts,
            builders: fields.iter().map(|field| ValueBuilder::new(field.shape)).collect(),
        }
    }

    /// Whether a field has a column.
    pub fn reads(&self, key: &[u8]) -> bool {
        self.keys.iter().any(|known| known == key)
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

    /// Finds the fields of one record's INFO that are read; [`InfoColumns::append`] then takes them. Returns how long the
    /// longest value is.
    pub fn find(&mut self, info: &[u8], tally: &mut Tally) -> usize {
        if self.keys.is_empty() {
            return 0;
        }
        self.scan(info, tally);
        tally.look_at_field(About::Record);
        let length = |slot: &Slot| if let Slot::Value(start, end) = slot { end - start } else { 0 };
        if info.len() > MAX_VALUE_BYTES { self.slots.iter().map(length).max().unwrap_or_default() } else { 0 }
    }

    /// Appends what [`InfoColumns::find`] found in this INFO.
    pub fn append<C: Checks>(&mut self, info: &[u8], tally: &mut Tally) {
        for (at, (place, builder)) in self.places.iter().zip(&mut self.builders).enumerate() {
            tally.look_at_field(About::Info(at));
            match self.slots[*place] {
                Slot::Absent => builder.append_absent(),
                Slot::Bare => builder.append_bare(Warning::BadInfoValue, tally),
                Slot::Value(start, end) => {
                    builder.append::<C>(&info[start..end], self.rules[*place], Warning::BadInfoValue, tally);
                }
            }
        }
        tally.look_at_field(About::Record);
    }

    /// Notes where each projected key's value lies. Empty entries (`;;`, a final `;`) are tolerated, and so are blanks around
    /// entries, keys and values, which are counted; of a key that comes twice the first counts.
    fn scan(&mut self, info: &[u8], tally: &mut Tally) {
        self.slots.fill(Slot::Absent);
        let mut start = 0;
        for end in memchr::memchr_iter(b';', info).chain([info.len()]) {
            let mut first = start;
            while first + 1 < end && info[first] == b' ' {
                first += 1;
            }
            if first < end && self.starts[usize::from(info[first])] {
                self.note(info, first, end, first > start, tally);
            }
            start = end + 1;
        }
    }

    fn note(&mut self, info: &[u8], start: usize, end: usize, is_indented: bool, tally: &mut Tally) {
        let entry = &info[start..end];
        for (at, (key, slot)) in self.keys.iter().zip(&mut self.slots).enumerate() {
            // What cannot end the key here is another key: most are recognised by one byte.
            if !matches!(entry.get(key.len()), None | Some(b'=' | b' ')) {
                continue;
            }
            let Some(rest) = entry.strip_prefix(key.as_slice()) else {
                continue;
            };
            let (found, has_blanks) = match rest {
                [] => (Slot::Bare, false),
                [b'=', value @ ..] => {
                    let trimmed = value.trim_ascii();
                    let leading = value.len() - value.trim_ascii_start().len();
                    let from = start + key.len() + 1 + leading;
                    (Slot::Value(from, from + trimmed.len()), trimmed.len() < value.len())
                }
                [b' ', ..] => match rest.trim_ascii() {
                    [] => (Slot::Bare, true),
                    [b'=', value @ ..] => {
                        let value = value.trim_ascii();
                        let from = end - entry.len() + (value.as_ptr().addr() - entry.as_ptr().addr());
                        (Slot::Value(from, from + value.len()), true)
                    }
                    _ => continue,
                },
                _ => continue,
            };
            let (has_blanks, is_known) = (is_indented || has_blanks, *slot != Slot::Absent);
            if has_blanks || is_known {
                let column = self.places.iter().position(|place| *place == at).unwrap_or_default();
                tally.look_at_field(About::Info(column));
                tally.add(Warning::BlanksAround, u64::from(has_blanks));
                tally.add(Warning::DuplicateInfoKey, u64::from(is_known));
            }
            if !is_known {
                *slot = found;
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
        kind::{Field, Shape, ValueKind},
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
        columns.find(info.as_bytes(), &mut tally);
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
        assert_eq!(read(";DP=5;DB"), (Some(5), None, true, vec![]));
        assert_eq!(read(" "), (None, None, false, vec![]));
    }

    #[test]
    fn blanks_are_no_part_of_names_and_values() {
        let blanks = |count| vec![("blanks_around", count)];
        assert_eq!(read("DP = 7"), (Some(7), None, false, blanks(1)));
        assert_eq!(read("DP =7; DB "), (Some(7), None, true, blanks(2)));
        assert_eq!(read("DP= 7 ;ANN=a b"), (Some(7), Some("a b".into()), false, blanks(1)));
        assert_eq!(read("ANN = a "), (None, Some("a".into()), false, blanks(1)));
        assert_eq!(read("DP X=7;XY = 1"), (None, None, false, vec![]), "another key, and one that nobody reads");
    }

    #[test]
    fn a_key_may_have_several_columns() {
        let field = |kind| Field { key: "DP".into(), shape: Shape { kind, number: Some(Number::Count(1)) } };
        let mut columns = InfoColumns::new(&[field(ValueKind::Integer), field(ValueKind::String)]);
        columns.find(b"DP=5", &mut Tally::default());
        columns.append::<Checked>(b"DP=5", &mut Tally::default());
        let ends: Vec<_> =
            columns.builders.iter_mut().map(|builder| builder.finish::<Checked>(&mut Tally::default())).collect();
        assert!(ends.iter().all(|column| column.is_valid(0)));
        assert_eq!(columns.present().count(), 1);
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
