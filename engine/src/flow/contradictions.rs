//! Rows that gave way, inside their drop, to a later row of the same key that says something else: what they said is in no
//! table, so the first of them are reported.

use std::{collections::BTreeSet, sync::Mutex};

use crate::{error::RunError, flow::RunContext, locks::Locked as _, plan::StageIndex, rows::Row};

/// How many are reported of each drop.
const EXAMPLES: usize = 5;
/// The most of a key that is shown, in characters.
const SHOWN_CHARACTERS: usize = 200;

/// A row that gave way: the origins of its record and of the one that stands, the table's stage, and the key.
pub(crate) type GaveWay = (u64, u64, StageIndex, Row);

/// What gave way inside one drop. Shared by the workers.
#[derive(Default)]
pub(crate) struct Contradictions(Mutex<Found>);

#[derive(Default)]
struct Found {
    count: u64,
    /// The first in the order of the file, however many workers found them.
    first: BTreeSet<GaveWay>,
}

impl Contradictions {
    /// Adds some.
    pub fn add(&self, rows: impl IntoIterator<Item = GaveWay>) {
        let mut found = self.0.locked();
        for row in rows {
            found.count += 1;
            found.first.insert(row);
            if found.first.len() > EXAMPLES {
                found.first.pop_last();
            }
        }
    }

    /// What is to be said of a drop, if there is anything. `origin` is what an origin counts: lines or records.
    pub fn notice(&self, drop: &str, origin: &str, run: &RunContext) -> Result<Option<String>, RunError> {
        let found = self.0.locked();
        if found.count == 0 {
            return Ok(None);
        }
        let mut examples = Vec::new();
        for (old, new, table, key) in &found.first {
            let key = run.layout(*table)?.describe_key(key);
            let shown = match key.char_indices().nth(SHOWN_CHARACTERS) {
                Some((end, _)) => format!("{}… ({} characters)", &key[..end], key.chars().count()),
                None => key,
            };
            examples.push(format!("{} {shown} ({origin} {old}, then {new})", run.plan.stages[*table].name));
        }
        let rows = match found.count {
            1 => "1 row gave way".to_owned(),
            count => format!("{count} rows gave way"),
        };
        let first = if found.count > EXAMPLES as u64 { ", the first" } else { "" };
        Ok(Some(format!(
            "drop `{drop}`: {rows} to a later row of the same key that says something else{first}: {}",
            examples.join("; ")
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_file_are_kept() {
        let contradictions = Contradictions::default();
        let row = |origin: u64| (origin, origin + 100, StageIndex::new(0), Row::from(&b"key"[..]));
        contradictions.add((10..40).rev().map(row));
        contradictions.add((0..3).map(row));
        let found = contradictions.0.locked();
        assert_eq!(found.count, 33);
        assert_eq!(found.first.iter().map(|row| row.0).collect::<Vec<_>>(), [0, 1, 2, 10, 11]);
    }
}
