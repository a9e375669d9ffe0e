//! What tables drops make, computed in the plainest way: every row from every record, everything again each time.
//! Shares no code with the engine or the stages.

pub mod alleles;
pub mod carriers;
pub mod cohort;
pub mod gene_summary;
pub mod joins;
pub mod layers;
pub mod numbers;
pub mod sql;
pub mod summaries;

use std::collections::BTreeMap;

use crate::database::{Cell, Rows};

/// The tables of a sink, without `changed_epoch`.
pub type Expected = BTreeMap<String, Rows>;

/// The accounting of a drop's records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records in the file.
    pub read: u64,
    /// Records of which a row is in a table.
    pub loaded: u64,
    /// Records that passed no filter or have no alternate allele.
    pub filtered: u64,
    /// Records that could not be used.
    pub rejected: u64,
    /// Records all of whose rows were superseded inside the drop.
    pub duplicates: u64,
}

/// A row on its way into a table.
#[derive(Clone, Debug)]
pub struct Arrival<R> {
    /// The record's place in its drop.
    pub record: usize,
    /// The key.
    pub key: Vec<Cell>,
    /// The other columns.
    pub row: R,
}

/// The rows that stand in a table: of one drop the last of a key, of several the first or the last drop's.
pub fn standing<R: Clone>(drops: &[Vec<Arrival<R>>], first_drop_wins: bool) -> BTreeMap<Vec<Cell>, R> {
    standing_by(drops, |_, _| !first_drop_wins)
}

/// The same where `wins` says whether the row of a later drop, the second, stands rather than the one that stood so far.
pub fn standing_by<R: Clone>(drops: &[Vec<Arrival<R>>], wins: impl Fn(&R, &R) -> bool) -> BTreeMap<Vec<Cell>, R> {
    let mut table: BTreeMap<Vec<Cell>, R> = BTreeMap::new();
    for drop in drops {
        let own: BTreeMap<&Vec<Cell>, &Arrival<R>> = drop.iter().map(|arrival| (&arrival.key, arrival)).collect();
        for (key, arrival) in own {
            if table.get(key).is_none_or(|old| wins(old, &arrival.row)) {
                table.insert(key.clone(), arrival.row.clone());
            }
        }
    }
    table
}

/// What became of the records of one drop: `filtered` says of each whether something of it was filtered, or it has no
/// alternate allele; `arrived` holds, table by table, the record and key of each row, in the order of the file.
pub fn count(filtered: &[bool], arrived: &[Vec<(usize, Vec<Cell>)>]) -> Counts {
    let mut counts = Counts { read: filtered.len() as u64, ..Counts::default() };
    let mut loaded = vec![false; filtered.len()];
    let mut seen = vec![false; filtered.len()];
    for table in arrived {
        let last: BTreeMap<&Vec<Cell>, usize> = table.iter().map(|(record, key)| (key, *record)).collect();
        last.values().for_each(|record| loaded[*record] = true);
        table.iter().for_each(|(record, _)| seen[*record] = true);
    }
    for record in 0..filtered.len() {
        match (loaded[record], seen[record], filtered[record]) {
            (true, _, _) => counts.loaded += 1,
            (false, true, _) => counts.duplicates += 1,
            (false, false, true) => counts.filtered += 1,
            (false, false, false) => counts.rejected += 1,
        }
    }
    counts
}
