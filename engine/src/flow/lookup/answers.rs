//! The rows of a look-up's keys, as the state has them.

use crate::{
    error::RunError,
    flow::lookup::kept::{Kept, waiting_row},
    relational::{LookupSpec, spaces},
    rows::{Row, RowLayout},
    state::{Snapshot, shard_of},
};

/// Reads the rows of one look-up.
pub(crate) struct AnswersOf<'a> {
    before: &'a Snapshot,
    stage: &'a str,
    fingerprint: u128,
    waiting: Row,
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
        Ok(AnswersOf { before, stage, fingerprint, waiting })
    }

    /// All columns but the key, encoded: the answer, or what stands for a key that waits.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn row(&mut self, key: &[u8]) -> Result<Row, RunError> {
        let bytes = self.before.reader(&spaces::answers(self.stage), shard_of(key))?.get(key)?;
        let damaged = || RunError::damaged_state(self.stage, "cannot be read");
        let kept = bytes.map(|bytes| Kept::from_bytes(&bytes).ok_or_else(damaged)).transpose()?;
        let kept = kept.filter(|kept| kept.fingerprint == self.fingerprint);
        Ok(kept.map_or_else(|| self.waiting.clone(), |kept| kept.value))
    }
}
