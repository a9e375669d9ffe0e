//! How many bytes of data files this process has read and written, for whoever measures it.

use std::sync::atomic::{AtomicU64, Ordering};

static READ: AtomicU64 = AtomicU64::new(0);
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// Bytes of data files of all states that this process has opened; manifests are not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes that were read.
    pub read_bytes: u64,
    /// Bytes that were written.
    pub written_bytes: u64,
}

impl Traffic {
    /// What there was so far.
    pub fn so_far() -> Traffic {
        Traffic { read_bytes: READ.load(Ordering::Relaxed), written_bytes: WRITTEN.load(Ordering::Relaxed) }
    }

    /// What there was after an earlier look.
    pub fn since(self, earlier: Traffic) -> Traffic {
        Traffic {
            read_bytes: self.read_bytes.saturating_sub(earlier.read_bytes),
            written_bytes: self.written_bytes.saturating_sub(earlier.written_bytes),
        }
    }
}

/// Counts a reading. Blocks are large enough for one addition each not to matter.
pub(super) fn read(bytes: usize) {
    READ.fetch_add(bytes as u64, Ordering::Relaxed);
}

/// Counts a writing.
pub(super) fn written(bytes: usize) {
    WRITTEN.fetch_add(bytes as u64, Ordering::Relaxed);
}
