//! Reading one shard of one space.

use std::sync::Arc;

use super::cursor::SectionCursor;
use super::error::StateError;
use super::merge::Merge;
use super::section::Section;
use super::{GROUPED, group_of, key_hash};

/// Reads one shard of one space as it was when the reader was made. One per worker; look-ups in ascending key order are
/// the fast ones, since the current block of each run is kept.
pub struct Reader {
    /// Newest first.
    cursors: Vec<SectionCursor>,
    is_grouped: bool,
}

impl Reader {
    /// A reader of these runs of a space, newest last.
    pub(super) fn new(space: &str, runs: &[Arc<Section>]) -> Result<Reader, StateError> {
        let cursors = runs.iter().rev().map(|run| SectionCursor::new(Arc::clone(run))).collect::<Result<_, _>>()?;
        Ok(Reader { cursors, is_grouped: space.ends_with(GROUPED) })
    }

    /// The value of a key; `None` where it has none.
    ///
    /// # Errors
    /// When a block cannot be read, or is not what was written.
    pub fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        let group = if self.is_grouped { group_of(GROUPED, key) } else { key };
        self.get_hashed(key_hash(group), key)
    }

    /// As [`Reader::get`], where the [`key_hash`] of the key, or of its group's key, is known.
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
        Ok(Scan { merge: Merge::seek(&mut self.cursors, from)?, started: false, end: End::Last })
    }

    /// As [`Reader::scan`], up to the last key that begins with `prefix`, as `from` does. What follows it is not read, however much of
    /// it is tombstones, over which a scan without an end goes on to the next entry.
    ///
    /// # Errors
    /// When a block cannot be read, or is not what was written.
    pub fn scan_prefix<'a>(&'a mut self, prefix: &'a [u8], from: &[u8]) -> Result<Scan<'a>, StateError> {
        Ok(Scan { merge: Merge::seek(&mut self.cursors, from)?, started: false, end: End::Prefix(prefix) })
    }

    /// As [`Reader::scan`], up to `before`, which is left out; without it up to the last key.
    ///
    /// # Errors
    /// When a block cannot be read, or is not what was written.
    pub fn scan_range<'a>(&'a mut self, from: &[u8], before: Option<&'a [u8]>) -> Result<Scan<'a>, StateError> {
        let end = before.map_or(End::Last, End::Before);
        Ok(Scan { merge: Merge::seek(&mut self.cursors, from)?, started: false, end })
    }

    /// Starts reading the entries whose keys begin with a group's, in the runs that may hold the group; `None` where none may.
    /// `hash` is the [`key_hash`] of the group's key.
    ///
    /// # Errors
    /// When a block cannot be read, or is not what was written.
    pub fn scan_group<'a>(&'a mut self, hash: u64, group: &'a [u8]) -> Result<Option<Scan<'a>>, StateError> {
        let merge = Merge::seek_where(&mut self.cursors, group, |cursor| Ok(!cursor.excludes(hash)?))?;
        if merge.entry().is_none() {
            return Ok(None);
        }
        Ok(Some(Scan { merge, started: false, end: End::Prefix(group) }))
    }
}

/// Where a scan ends.
enum End<'a> {
    /// At the shard's last key.
    Last,
    /// Behind the last key that begins so.
    Prefix(&'a [u8]),
    /// Before this key.
    Before(&'a [u8]),
}

impl End<'_> {
    fn is_passed_by(&self, key: &[u8]) -> bool {
        match self {
            End::Last => false,
            End::Prefix(prefix) => !key.starts_with(prefix),
            End::Before(before) => key >= *before,
        }
    }
}

/// A key and its value.
pub type Entry<Bytes> = (Bytes, Bytes);

/// Entries of one shard in ascending key order, up to where the scan ends.
pub struct Scan<'a> {
    merge: Merge<'a>,
    started: bool,
    end: End<'a>,
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
                None => return Ok(None),
                Some((key, _)) if self.end.is_passed_by(key) => return Ok(None),
                Some((_, Some(_))) => break,
                Some((_, None)) => {}
            }
        }
        Ok(self.merge.entry().and_then(|(key, value)| Some((key, value?))))
    }
}
