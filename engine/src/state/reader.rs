//! Reading one shard of one space.

use std::sync::Arc;

use super::cursor::SectionCursor;
use super::error::StateError;
use super::key_hash;
use super::merge::Merge;
use super::section::Section;

/// Reads one shard of one space as it was when the reader was made. One per worker; look-ups in ascending key order are
/// the fast ones, since the current block of each run is kept.
pub struct Reader {
    /// Newest first.
    cursors: Vec<SectionCursor>,
}

impl Reader {
    /// A reader of these runs, newest last.
    pub(super) fn new(runs: &[Arc<Section>]) -> Result<Reader, StateError> {
        let cursors = runs.iter().rev().map(|run| SectionCursor::new(Arc::clone(run))).collect::<Result<_, _>>()?;
        Ok(Reader { cursors })
    }

    /// The value of a key; `None` where it has none.
    ///
    /// # Errors
    /// When a block cannot be read, or is not what was written.
    pub fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.get_hashed(key_hash(key), key)
    }

    /// As [`Reader::get`], for a key whose [`key_hash`] is known.
    ///
    /// # Errors
    /// When a block cannot be read, or is not what was written.
    pub fn get_hashed(&mut self, hash: u64, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        for cursor in &mut self.cursors {
            if cursor.excludes(hash)? {
                continue;
            }
            cursor.seek(key)?;
            if let Some((found, value)) = cursor.entry()
                && found == key
            {
                return Ok(value.map(<[u8]>::to_vec));
            }
        }
        Ok(None)
    }

    /// Starts reading all entries with a key of `from` or greater, in ascending order.
    ///
    /// # Errors
    /// When a block cannot be read, or is not what was written.
    pub fn scan(&mut self, from: &[u8]) -> Result<Scan<'_>, StateError> {
        Ok(Scan { merge: Merge::seek(&mut self.cursors, from)?, started: false })
    }
}

/// A key and its value.
pub type Entry<Bytes> = (Bytes, Bytes);

/// Entries of one shard in ascending key order.
pub struct Scan<'a> {
    merge: Merge<'a>,
    started: bool,
}

impl Scan<'_> {
    /// The next key and value; `None` at the end.
    ///
    /// # Errors
    /// When a block cannot be read, or is not what was written.
    #[expect(clippy::should_implement_trait, reason = "an iterator of results invites to skip an error")]
    pub fn next(&mut self) -> Result<Option<Entry<Vec<u8>>>, StateError> {
        Ok(self.next_borrowed()?.map(|(key, value)| (key.to_vec(), value.to_vec())))
    }

    /// As [`Scan::next`], without copying: key and value are good until the next call.
    ///
    /// # Errors
    /// When a block cannot be read, or is not what was written.
    pub fn next_borrowed(&mut self) -> Result<Option<Entry<&[u8]>>, StateError> {
        loop {
            if self.started {
                self.merge.advance()?;
            }
            self.started = true;
            match self.merge.entry() {
                Some((_, None)) => {}
                None | Some((_, Some(_))) => break,
            }
        }
        Ok(self.merge.entry().and_then(|(key, value)| Some((key, value?))))
    }
}
