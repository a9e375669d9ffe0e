//! What is kept of an answer, and when it counts: every tier keeps the same bytes, and only here are they judged.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use vardelta_engine::contract::lookup::{Answer, LookupValue};

use super::retry::fraction;

/// An answer as it is kept. What failed is never kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The form of the entry: [`FORM`].
    form: u32,
    /// The key: an entry under a name that another key has is none.
    key: String,
    /// When the service answered, in seconds since 1970.
    pub at_s: i64,
    /// The release of the service's data.
    pub release: Option<String>,
    /// The values; `None` where the service does not know the key.
    values: Option<Vec<Kept>>,
}

const FORM: u32 = 1;

/// A value as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kept {
    Null,
    Text(String),
    Int64(i64),
    /// Its bits: what is read back is what was written.
    Float64(u64),
    Bool(bool),
}

/// How long answers count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub ttl: Option<Duration>,
    pub absent_ttl: Option<Duration>,
    pub stale_if_error: Option<Duration>,
}

/// What an entry is worth now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// It counts.
    Fresh,
    /// It stands in where the service fails.
    Stale,
    /// Nothing.
    Dead,
}

/// How long an entry lies in a tier whose answers count for ever.
const LONG_S: i64 = 10 * 365 * 86_400;

impl Entry {
    /// What is kept of an answer.
    pub fn new(key: &str, at_s: i64, release: Option<String>, values: Option<&[Option<LookupValue>]>) -> Entry {
        let kept = |value: &Option<LookupValue>| match value {
            None => Kept::Null,
            Some(LookupValue::Text(text)) => Kept::Text(text.clone()),
            Some(LookupValue::Int64(number)) => Kept::Int64(*number),
            Some(LookupValue::Float64(number)) => Kept::Float64(number.to_bits()),
            Some(LookupValue::Bool(value)) => Kept::Bool(*value),
        };
        let values = values.map(|values| values.iter().map(kept).collect());
        Entry { form: FORM, key: key.to_owned(), at_s, release, values }
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        // Texts, numbers and lists of them have JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads bytes back; `None` where they are no entry of this key.
    pub fn decode(bytes: &[u8], key: &str) -> Option<Entry> {
        let entry: Entry = serde_json::from_slice(bytes).ok()?;
        (entry.form == FORM && entry.key == key).then_some(entry)
    }

    /// What it is worth. `release` is the service's, as far as it is known.
    pub fn worth(&self, terms: &Terms, now_s: i64, release: Option<&str>) -> Worth {
        let is_other_release = release.is_some() && self.release.as_deref() != release;
        if !is_other_release && self.until_s(terms).is_none_or(|until_s| now_s < until_s) {
            return Worth::Fresh;
        }
        let usable_s = terms.stale_if_error.map_or(0, whole_seconds);
        if now_s.saturating_sub(self.at_s) < usable_s { Worth::Stale } else { Worth::Dead }
    }

    /// Until when it counts, in seconds since 1970. Each key has a time of its own, up to a tenth shorter or longer.
    pub fn until_s(&self, terms: &Terms) -> Option<i64> {
        let ttl = if self.values.is_some() { terms.ttl } else { terms.absent_ttl }?;
        let factor = 0.9 + 0.2 * fraction(xxhash_rust::xxh3::xxh3_64(self.key.as_bytes()));
        Some(self.at_s.saturating_add(whole_seconds(ttl.mul_f64(factor))))
    }

    /// When nobody can use it any more, in seconds since 1970.
    pub fn expires_s(&self, terms: &Terms) -> i64 {
        let fresh = self.until_s(terms).unwrap_or(self.at_s.saturating_add(LONG_S));
        let stale = terms.stale_if_error.map_or(0, whole_seconds);
        fresh.max(self.at_s.saturating_add(stale))
    }

    /// The answer.
    pub fn answer(self, terms: &Terms) -> Answer {
        let until_s = self.until_s(terms);
        let value = |kept| match kept {
            Kept::Null => None,
            Kept::Text(text) => Some(LookupValue::Text(text)),
            Kept::Int64(number) => Some(LookupValue::Int64(number)),
            Kept::Float64(bits) => Some(LookupValue::Float64(f64::from_bits(bits))),
            Kept::Bool(value) => Some(LookupValue::Bool(value)),
        };
        match self.values {
            None => Answer::Absent { until_s },
            Some(values) => {
                Answer::Found { values: values.into_iter().map(value).collect(), release: self.release, until_s }
            }
        }
    }
}

fn whole_seconds(length: Duration) -> i64 {
    i64::try_from(length.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_S: i64 = 86_400;

    fn days(days: u64) -> Option<Duration> {
        Some(Duration::from_secs(days * 86_400))
    }

    #[test]
    fn an_entry_is_fresh_then_stale_then_nothing() {
        let terms = Terms { ttl: days(10), absent_ttl: days(1), stale_if_error: days(90) };
        let found = Entry::new("TP53", 0, Some("r1".into()), Some(&[None]));
        assert_eq!(found.worth(&terms, 8 * DAY_S, None), Worth::Fresh);
        assert_eq!(found.worth(&terms, 8 * DAY_S, Some("r1")), Worth::Fresh);
        assert_eq!(found.worth(&terms, 8 * DAY_S, Some("r2")), Worth::Stale, "another release");
        assert_eq!(found.worth(&terms, 12 * DAY_S, None), Worth::Stale);
        assert_eq!(found.worth(&terms, 90 * DAY_S, None), Worth::Dead);
        assert_eq!(found.expires_s(&terms), 90 * DAY_S);
        let absent = Entry::new("TP53", 0, None, None);
        assert_eq!(absent.worth(&terms, 2 * DAY_S, None), Worth::Stale);
        let forever = Terms { ttl: None, absent_ttl: None, stale_if_error: None };
        assert_eq!(found.worth(&forever, 5_000 * DAY_S, None), Worth::Fresh);
        assert_eq!(found.worth(&forever, 0, Some("r2")), Worth::Dead);
    }

    #[test]
    fn keys_grow_old_at_times_of_their_own_that_stay() {
        let terms = Terms { ttl: days(10), absent_ttl: None, stale_if_error: None };
        let until = |key: &str| Entry::new(key, 0, None, Some(&[])).until_s(&terms).expect("a time");
        let all: Vec<i64> = ["TP53", "BRCA1", "BRCA2", "EGFR", "KRAS"].map(until).into();
        assert!(all.iter().all(|until| (9 * DAY_S..=11 * DAY_S).contains(until)), "{all:?}");
        assert!(all.windows(2).any(|two| two[0] != two[1]), "{all:?}");
        assert_eq!(until("TP53"), all[0]);
    }

    #[test]
    fn what_is_kept_is_read_back_for_its_own_key() {
        let values = [
            Some(LookupValue::Text("é\u{0}\"".into())),
            Some(LookupValue::Int64(i64::MIN)),
            Some(LookupValue::Float64(0.1 + 0.2)),
            Some(LookupValue::Float64(f64::MIN_POSITIVE / 3.0)),
            Some(LookupValue::Bool(false)),
            None,
        ];
        let entry = Entry::new("TP53", 17, Some("r".into()), Some(&values));
        let bytes = entry.encode();
        assert_eq!(Entry::decode(&bytes, "TP53"), Some(entry.clone()));
        assert_eq!(Entry::decode(&bytes, "BRCA1"), None);
        assert_eq!(Entry::decode(&bytes[..bytes.len() - 1], "TP53"), None, "cut short");
        let terms = Terms { ttl: None, absent_ttl: None, stale_if_error: None };
        let answer = Answer::Found { values: values.into(), release: Some("r".into()), until_s: None };
        assert_eq!(entry.answer(&terms), answer);
    }
}
