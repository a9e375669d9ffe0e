//! The rows of a look-up's keys, as the state has them.

use std::collections::{BTreeMap, btree_map::Entry};

use crate::{
    error::RunError,
    flow::lookup::kept::{Kept, waiting_row},
    relational::{LookupSpec, spaces},
    rows::{Row, RowLayout},
    state::{Reader, Snapshot, shard_of},
};

/// Reads the rows of one look-up.
pub(crate) struct AnswersOf<'a> {
    before: &'a Snapshot,
    stage: &'a str,
    fingerprint: u128,
    waiting: Row,
    /// Those of the shards that were asked for: opening one opens files.
    readers: BTreeMap<u32, Reader>,
}

impl<'a> AnswersOf<'a> {
    /// # Errors
    /// When the layout is not the look-up's.
    pub fn new(
        before: &'a Snapshot,
        stage: &'a str,
        spec: &LookupSpec,
        layout: &RowLayout,
    ) -> Result<AnswersOf<'a>, RunError> {
        let (fingerprint, waiting) = (spec.fingerprint(), waiting_row(spec, layout)?);
        Ok(AnswersOf { before, stage, fingerprint, waiting, readers: BTreeMap::new() })
    }

    /// All columns but the key, encoded: the answer, or what a key has that waits.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn row(&mut self, key: &[u8]) -> Result<Row, RunError> {
        let reader = match self.readers.entry(shard_of(key)) {
            Entry::Occupied(opened) => opened.into_mut(),
            Entry::Vacant(shard) => {
                let reader = self.before.reader(&spaces::answers(self.stage), *shard.key())?;
                shard.insert(reader)
            }
        };
        let kept = Kept::current(reader.get(key)?.as_deref(), self.fingerprint)
            .ok_or_else(|| RunError::damaged_state(self.stage, "cannot be read"))?;
        Ok(kept.map_or_else(|| self.waiting.clone(), |kept| kept.value))
    }
}
