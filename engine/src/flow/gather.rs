//! The rows that a chunk brings to one worker, shard by shard in key order.

use crate::{
    differential::Gather,
    rows::{Entry, RowBatch, sort},
    state::{SHARDS, shard_of_hash},
};

/// The rows of a chunk on their key's worker.
pub(crate) struct GatheredRows {
    batches: Vec<RowBatch>,
    /// Of each shard the rows by key, then by drop and record; the rows of one record in the order in which they were made.
    shards: Vec<Vec<Entry>>,
}

impl GatheredRows {
    /// The batches that the entries point into.
    pub fn batches(&self) -> &[RowBatch] {
        &self.batches
    }

    /// The rows of one shard, in order.
    pub fn shard(&self, shard: u32) -> &[Entry] {
        &self.shards[shard as usize]
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.shards.iter().map(Vec::len).sum()
    }
}

impl Gather for GatheredRows {
    type Part = RowBatch;

    fn gather(batches: Vec<RowBatch>) -> GatheredRows {
        let mut shards: Vec<Vec<Entry>> = vec![Vec::new(); SHARDS as usize];
        for (at, batch) in batches.iter().enumerate() {
            for row in 0..batch.len() {
                shards[shard_of_hash(batch.hash(row)) as usize].push(Entry::new(at, row));
            }
        }
        for entries in &mut shards {
            sort(&batches, entries, |a, b| {
                let order = |entry: Entry| {
                    let batch = &batches[entry.batch()];
                    (batch.place, batch.origin(entry.row()))
                };
                order(a).cmp(&order(b))
            });
        }
        GatheredRows { batches, shards }
    }

    /// In units of 16 bytes: differential takes it for a number of updates, and what counts here is memory.
    fn weight(&self) -> usize {
        self.batches.iter().map(RowBatch::bytes).sum::<usize>().div_ceil(16).max(self.batches.len())
    }
}
