//! Writing one run.

use std::sync::Arc;

use super::error::StateError;
use super::section::SectionWriter;
use super::session::Session;
use super::{SHARDS, group_of, key_hash};

impl Session {
    /// Starts a run of this shard. Runs override each other in the order in which they are finished.
    ///
    /// # Panics
    /// When the shard is not one of the [`SHARDS`].
    pub fn run_writer(self: &Arc<Self>, space: &str, shard: u32) -> RunWriter {
        assert!(shard < SHARDS, "shard {shard} of {SHARDS}");
        RunWriter::new(Arc::clone(self), space, shard)
    }
}

/// Writes one run of one shard: ascending keys, each at most once. Nothing of it is seen before `finish`; dropping it
/// instead leaves nothing but unused bytes in a file.
pub struct RunWriter {
    session: Arc<Session>,
    space: String,
    shard: u32,
    section: Option<SectionWriter>,
}

impl RunWriter {
    pub(super) fn new(session: Arc<Session>, space: &str, shard: u32) -> RunWriter {
        RunWriter { session, space: space.to_owned(), shard, section: None }
    }

    /// Appends an entry; without a value it is a tombstone, which hides the key's older entries.
    ///
    /// # Errors
    /// When the disk is full or broken, or the key is not greater than the one before. The session is lost then.
    pub fn push(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), StateError> {
        self.push_hashed(key_hash(group_of(&self.space, key)), key, value)
    }

    /// As [`RunWriter::push`], where the [`key_hash`] of the key, or of its group's key, is known.
    ///
    /// # Errors
    /// As [`RunWriter::push`].
    pub fn push_hashed(&mut self, hash: u64, key: &[u8], value: Option<&[u8]>) -> Result<(), StateError> {
        let section = match &mut self.section {
            Some(section) => section,
            None => self.section.insert(SectionWriter::new(self.session.fresh_file()?, self.session.extent())),
        };
        section.push(hash, key, value)
    }

    /// Makes the run the newest one of its shard. A run without entries is none.
    ///
    /// # Errors
    /// When the disk is full or broken. The session is lost then.
    pub fn finish(self) -> Result<(), StateError> {
        let Some(section) = self.section else { return Ok(()) };
        let finished = section.finish()?;
        self.session.give_back(finished.extent);
        match finished.section {
            Some((section, written)) => self.session.install(&self.space, self.shard, section, written),
            None => Ok(()),
        }
    }
}
