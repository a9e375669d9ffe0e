//! Taking a drop's earlier content back, in steps that follow the chunks.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use arrow_array::{Array as _, cast::AsArray as _};

use super::{corrupt, drop_space, drops, stored::Stored};
use crate::{
    error::RunError,
    flow::{RunContext, WorkerContext},
    locks::Locked as _,
    plan::StageIndex,
    relational::Conflict,
    rows::Row,
    state::{Reader, SHARDS},
};

/// Other members of a drop that are remembered, for whoever misspelt one.
const OTHERS_MAX: usize = 10_000;

/// A drop whose earlier content is taken back, in steps that follow its size.
pub(crate) struct Retraction {
    /// The drop's number.
    pub place: u64,
    /// The version that stays, when the drop is replaced rather than withdrawn.
    pub keep_version: Option<u64>,
    /// What of the drop is taken back, if not all of it.
    pub member: Option<Member>,
    /// For each table and shard, where the next step goes on; absent when the shard is done.
    pub cursors: Mutex<BTreeMap<(StageIndex, u32), Vec<u8>>>,
}

impl Retraction {
    /// A retraction from these tables, not begun.
    pub fn new(place: u64, keep_version: Option<u64>, tables: &[StageIndex]) -> Retraction {
        let start = drops::start_of(place);
        let cursors = tables.iter().flat_map(|table| (0..SHARDS).map(|shard| (*table, shard)));
        let cursors = Mutex::new(cursors.map(|at| (at, start.clone())).collect());
        Retraction { place, keep_version, member: None, cursors }
    }

    /// The same for one member of the drop.
    pub fn of_member(self, member: Member) -> Retraction {
        Retraction { member: Some(member), ..self }
    }

    /// Whether everything is taken back.
    pub fn is_done(&self) -> bool {
        self.cursors.locked().is_empty()
    }
}

/// One member of a drop. All tables that the drop's rows come to have it in their keys.
pub(crate) struct Member {
    /// Its name.
    pub name: String,
    /// For each table, which column of its key holds the member's name.
    pub columns: BTreeMap<StageIndex, usize>,
    /// How many rows were found.
    pub rows: AtomicU64,
    /// Other members of the drop, some of them.
    pub others: Mutex<BTreeSet<String>>,
}

impl Member {
    /// Keeps the rows of the member, of one table.
    fn retain(&self, run: &RunContext, table: StageIndex, rows: &mut Vec<Removal>) -> Result<(), RunError> {
        let keys =
            run.layout(table)?.decode_keys(rows.iter().map(|removal| &*removal.key)).map_err(RunError::internal)?;
        let names = self.columns.get(&table).and_then(|column| keys.get(*column)?.as_string_opt::<i32>());
        let Some(names) = names else {
            return Err(RunError::internal(format!(
                "the key of stage `{}` does not hold the member's name",
                run.plan.stages[table].name
            )));
        };
        let mut others = self.others.locked();
        let mut at = 0..names.len();
        rows.retain(|_| {
            let name = at.next().map_or("", |at| names.value(at));
            if name != self.name && others.len() < OTHERS_MAX && !others.contains(name) {
                others.insert(name.to_owned());
            }
            name == self.name
        });
        self.rows.fetch_add(rows.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

/// An assertion to be taken back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Removal {
    pub key: Row,
    /// The drop's number.
    pub place: u64,
    /// The epoch in which the content was loaded that asserts it.
    pub version: u64,
    /// Whether the drop's present content asserts the key too. Then the assertion has given way already, and only the list of the
    /// drop's keys is to forget it.
    pub is_replaced: bool,
}

impl Removal {
    /// Of an assertion that is there.
    pub fn new(key: Row, place: u64, version: u64) -> Removal {
        Removal { key, place, version, is_replaced: false }
    }
}

/// The keys that a drop's present content asserts in one shard, read beside those of its earlier content.
struct Present {
    reader: Reader,
    /// How the entries begin.
    prefix: Vec<u8>,
}

impl Present {
    fn new(worker: &WorkerContext, space: &str, shard: u32, (place, version): (u64, u64)) -> Result<Present, RunError> {
        Ok(Present { reader: worker.before.reader(space, shard)?, prefix: drops::start_of_content(place, version) })
    }

    /// Tells of removals, in order of key, which ones the present content asserts too.
    fn mark(&mut self, removals: &mut [Removal]) -> Result<(), RunError> {
        let Some(first) = removals.first() else { return Ok(()) };
        let from = [&self.prefix, &*first.key].concat();
        let mut scan = self.reader.scan_prefix(&self.prefix, &from)?;
        let mut next = scan.next_borrowed()?;
        for removal in removals {
            while let Some((entry, _)) = next
                && entry[self.prefix.len()..] < *removal.key
            {
                next = scan.next_borrowed()?;
            }
            removal.is_replaced = next.is_some_and(|(entry, _)| entry[self.prefix.len()..] == *removal.key);
        }
        Ok(())
    }
}

/// The next step of every retraction in one shard of one table, sorted by key.
pub(super) fn removals(
    worker: &WorkerContext,
    stage: StageIndex,
    shard: u32,
    conflict: Conflict,
) -> Result<Vec<Removal>, RunError> {
    let (run, name) = (&*worker.run, &worker.run.plan.stages[stage].name);
    let mut list = Vec::new();
    let limit = (run.chunk_records / u64::from(SHARDS)).max(1) as usize;
    // Only when all drops have asserted what they assert now: what a new content says again is not taken away before.
    let retractions = if run.feed.has_ended() { &run.retractions[..] } else { &[] };
    for retraction in retractions {
        let cursor = retraction.cursors.locked().remove(&(stage, shard));
        let Some(from) = cursor else { continue };
        let mut reader = worker.before.reader(&drop_space(name), shard)?;
        let of_drop = drops::start_of(retraction.place);
        let mut scan = reader.scan_prefix(&of_drop, &from)?;
        let (mut taken, first) = (0, list.len());
        while let Some((entry, _)) = scan.next_borrowed()? {
            let (_, version, key) = drops::parts(entry).ok_or_else(|| corrupt(name))?;
            if taken == limit {
                let mut cursors = retraction.cursors.locked();
                cursors.insert((stage, shard), entry.to_vec());
                break;
            }
            // What was loaded last comes last, and stays.
            if retraction.keep_version == Some(version) {
                break;
            }
            taken += 1;
            list.push(Removal::new(key.into(), retraction.place, version));
        }
        if let Some(version) = retraction.keep_version {
            let mut present = Present::new(worker, &drop_space(name), shard, (retraction.place, version))?;
            // Of each earlier content the keys are in order.
            list[first..].chunk_by_mut(|a, b| a.version == b.version).try_for_each(|of_one| present.mark(of_one))?;
        }
        if let Some(member) = &retraction.member {
            let mut found = list.split_off(first);
            member.retain(run, stage, &mut found)?;
            list.append(&mut found);
        }
    }
    let stored = || Stored::open(&worker.before, name, shard, conflict);
    list.extend(run.corrections.removals(run, stage, shard, stored)?);
    list.sort_unstable();
    Ok(list)
}
