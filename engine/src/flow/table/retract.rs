//! Taking a drop's earlier content back, in steps that follow the chunks.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::{Assertion, corrupt, drop_space, drops, key_space};
use crate::{error::RunError, flow::WorkerContext, rows::Row, state::SHARDS};

/// A drop whose earlier content is taken back, in steps that follow its size.
pub(crate) struct Retraction {
    /// The drop's number.
    pub place: u64,
    /// The version that stays, when the drop is replaced rather than withdrawn.
    pub keep_version: Option<u64>,
    /// For each table and shard, where the next step goes on; absent when the shard is done.
    pub cursors: Mutex<BTreeMap<(usize, u32), Vec<u8>>>,
}

impl Retraction {
    /// A retraction from these tables, not begun.
    pub fn new(place: u64, keep_version: Option<u64>, tables: &[usize]) -> Retraction {
        let start = drops::start_of(place);
        let cursors = tables.iter().flat_map(|table| (0..SHARDS).map(|shard| (*table, shard)));
        Retraction { place, keep_version, cursors: Mutex::new(cursors.map(|at| (at, start.clone())).collect()) }
    }

    /// Whether everything is taken back.
    pub fn is_done(&self) -> bool {
        self.cursors.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// An assertion to be taken back: key, place, version.
pub(crate) type Removal = (Row, u64, u64);

/// The next step of every retraction in one shard of one table, sorted by key.
pub(super) fn removals(worker: &WorkerContext, stage: usize, shard: u32) -> Result<Vec<Removal>, RunError> {
    let (run, name) = (&*worker.run, &worker.run.plan.stages[stage].name);
    let mut list = Vec::new();
    let limit = (run.chunk_records / u64::from(SHARDS)).max(1) as usize;
    for retraction in run.retractions.iter() {
        let cursor = retraction.cursors.lock().unwrap_or_else(PoisonError::into_inner).remove(&(stage, shard));
        let Some(from) = cursor else { continue };
        let mut reader = worker.before.reader(&drop_space(name), shard)?;
        let mut scan = reader.scan(&from)?;
        let mut taken = 0;
        while let Some((entry, _)) = scan.next_borrowed()? {
            let (place, version, key) = drops::parts(entry).ok_or_else(|| corrupt(name))?;
            if place != retraction.place {
                break;
            }
            if taken == limit {
                let mut cursors = retraction.cursors.lock().unwrap_or_else(PoisonError::into_inner);
                cursors.insert((stage, shard), entry.to_vec());
                break;
            }
            taken += 1;
            if retraction.keep_version != Some(version) {
                list.push((key.into(), retraction.place, version));
            }
        }
    }
    let mut reader = worker.before.reader(&key_space(name), shard)?;
    let stored = |key: &[u8]| match reader.get(key)? {
        None => Ok(Vec::new()),
        Some(bytes) => Assertion::decode(&bytes).ok_or_else(|| corrupt(name)),
    };
    list.extend(run.corrections.removals(run, stage, shard, stored)?);
    list.sort_unstable();
    Ok(list)
}
