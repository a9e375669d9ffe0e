//! Rows handed on in batches of a good size.

use super::RowBatch;

/// Rows that are handed on together.
const BATCH_ROWS: usize = 8_192;
/// Bytes that are handed on together, where rows are long.
const BATCH_BYTES: usize = 1 << 20;

/// Collects rows into batches.
#[derive(Default)]
pub(crate) struct BatchCutter {
    full: Vec<RowBatch>,
    open: RowBatch,
}

impl BatchCutter {
    /// Appends the change of a key: the row before, the row after. They stay together.
    pub fn change(&mut self, key: &[u8], old: Option<&[u8]>, new: Option<&[u8]>) {
        for (value, diff) in [(old, -1), (new, 1)] {
            if let Some(value) = value {
                self.open.push(key, value, diff);
            }
        }
        if self.open.len() >= BATCH_ROWS || self.open.bytes() >= BATCH_BYTES {
            let next = RowBatch::of_drop(0, 0, self.open.len(), self.open.bytes());
            self.full.push(std::mem::replace(&mut self.open, next));
        }
    }

    /// The batches.
    pub fn finish(mut self) -> Vec<RowBatch> {
        if !self.open.is_empty() {
            self.full.push(self.open);
        }
        self.full
    }
}
