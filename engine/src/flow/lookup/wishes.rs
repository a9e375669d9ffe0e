//! How often the changes of a chunk want each key, counted on one worker before anything is exchanged.

use std::{sync::Arc, time::Instant};

use arrow_array::Array as _;
use arrow_row::{RowConverter, SortField};
use arrow_schema::DataType;
use serde::{Deserialize, Serialize};

use super::spec;
use crate::{
    contract::batch::Batch,
    differential::Gather,
    error::RunError,
    flow::WorkerContext,
    plan::StageIndex,
    rows::{Row, RowMap},
    state::{SHARDS, shard_of},
};

/// How many rows more want a key, or fewer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Wish {
    /// The key, encoded.
    pub key: Row,
    /// Never 0.
    pub count: i64,
}

/// The encoding of keys: that of the key of the look-up's rows, which is one text.
pub(super) fn key_converter() -> Result<RowConverter, RunError> {
    RowConverter::new(vec![SortField::new(DataType::Utf8)]).map_err(RunError::internal)
}

/// Counts wishes over the batches of a chunk.
pub(crate) struct Wishes {
    stage: StageIndex,
    column: usize,
    worker: WorkerContext,
    keys: RowConverter,
    counts: RowMap<i64>,
}

impl Wishes {
    /// Nothing yet.
    pub fn new(stage: StageIndex, worker: &WorkerContext) -> Result<Wishes, RunError> {
        let column = spec(&worker.run, stage)?.input_key;
        Ok(Wishes { stage, column, worker: worker.clone(), keys: key_converter()?, counts: RowMap::default() })
    }

    /// Adds a batch of changes.
    pub fn add(&mut self, batch: &Batch) -> Result<(), RunError> {
        let started = Instant::now();
        let column = batch.columns.column(self.column);
        let keys = self.keys.convert_columns(&[Arc::clone(column)]).map_err(RunError::internal)?;
        for row in (0..batch.rows()).filter(|row| column.is_valid(*row)) {
            let (key, diff) = (keys.row(row), batch.diff(row));
            match self.counts.get_mut(key.data()) {
                Some(count) => *count += diff,
                None => drop(self.counts.insert(key.data().into(), diff)),
            }
        }
        self.worker.meters.add(self.stage, batch.rows(), 0, Some(started.elapsed()));
        Ok(())
    }

    /// Takes what was counted, in order of key.
    pub fn drain(&mut self) -> impl Iterator<Item = Wish> + use<> {
        let wishes = self.counts.drain().filter(|(_, count)| *count != 0);
        let mut wishes: Vec<Wish> = wishes.map(|(key, count)| Wish { key, count }).collect();
        wishes.sort_unstable();
        wishes.into_iter()
    }
}

/// The wishes of a chunk on their keys' worker, by shard, in order of key.
pub(super) struct GatheredWishes(Vec<Vec<Wish>>);

impl GatheredWishes {
    /// Those of one shard.
    pub fn shard(&self, shard: u32) -> &[Wish] {
        &self.0[shard as usize]
    }
}

impl Gather for GatheredWishes {
    type Part = Wish;

    fn gather(wishes: Vec<Wish>) -> GatheredWishes {
        let mut shards: Vec<Vec<Wish>> = vec![Vec::new(); SHARDS as usize];
        wishes.into_iter().for_each(|wish| shards[shard_of(&wish.key) as usize].push(wish));
        shards.iter_mut().for_each(|wishes| wishes.sort_unstable());
        GatheredWishes(shards)
    }

    fn weight(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }
}
