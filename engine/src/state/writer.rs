//! Writing one run.

use std::sync::Arc;

use super::error::StateError;
use super::key_hash;
use super::section::SectionWriter;
use super::session::Session;

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
        self.push_hashed(key_hash(key), key, value)
    }

    /// As [`RunWriter::push`], for a key whose [`key_hash`] is known.
    ///
    /// # Errors
    /// As [`RunWriter::push`].
    pub fn push_hashed(&mut self, hash: u64, key: &[u8], value: Option<&[u8]>) -> Result<(), StateError> {
        let section = match &mut self.section {
            Some(section) => section,
            None => self.section.insert(SectionWriter::new(self.session.fresh_file()?)),
        };
        section.push(hash, key, value)
    }

    /// Makes the run the newest one of its shard. A run without entries is none.
    ///
    /// # Errors
    /// When the disk is full or broken. The session is lost then.
    pub fn finish(self) -> Result<(), StateError> {
        let Some(section) = self.section else { return Ok(()) };
        match section.finish()? {
            Some(section) => self.session.install(&self.space, self.shard, section),
            None => Ok(()),
        }
    }
}
