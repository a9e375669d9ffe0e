//! What a session saw at one moment: what is read while it goes on writing.

use std::sync::Arc;

use super::catalog::Catalog;
use super::directory::Directory;
use super::error::StateError;
use super::reader::Reader;

/// The finalised epoch and every run finished before the snapshot was made. Runs finished later are not seen, whoever wrote
/// them, and what merging replaces stays readable; so several operators may read a space while one of them writes it, and
/// all see the same. Cheap: it names the runs and copies none.
///
/// It is good until the session's epoch is finalised.
#[derive(Debug)]
pub struct Snapshot {
    /// Keeps the state locked.
    _directory: Arc<Directory>,
    catalog: Catalog,
}

impl Snapshot {
    pub(super) fn new(directory: Arc<Directory>, catalog: Catalog) -> Snapshot {
        Snapshot { _directory: directory, catalog }
    }

    /// A reader of the shard.
    ///
    /// # Errors
    /// When a data file cannot be opened, or is not the one it should be.
    pub fn reader(&self, space: &str, shard: u32) -> Result<Reader, StateError> {
        Reader::new(self.catalog.runs(space, shard))
    }
}
