//! A place in a section. One block per level is held, so ascending look-ups read each block once.

use std::sync::Arc;

use super::block::{BlockCursor, Malformed, Pointer};
use super::error::StateError;
use super::filter::{self, LINE_BYTES};
use super::section::Section;

struct Level {
    cursor: BlockCursor,
    /// The block that is loaded.
    pointer: Option<Pointer>,
}

/// A place in a section.
pub(super) struct SectionCursor {
    section: Arc<Section>,
    /// The root first, the data block last.
    levels: Vec<Level>,
    valid: bool,
    /// How often the filter was asked.
    asked: u32,
    /// The filter, once it was asked so often that it is worth being held.
    filter: Vec<u8>,
}

/// A filter that was asked so often is read as a whole.
const ASKED_OFTEN: u32 = 64;

/// A filter of more bytes is read line by line, however often it is asked.
const FILTER_BYTES_MAX: u64 = 1 << 20;

impl SectionCursor {
    /// A cursor that is nowhere yet. The section's file is opened here, so that it can be read even when it is deleted.
    pub(super) fn new(section: Arc<Section>) -> Result<SectionCursor, StateError> {
        section.file.open()?;
        let levels =
            (0..=section.levels).map(|_| Level { cursor: BlockCursor::default(), pointer: None }).collect::<Vec<_>>();
        Ok(SectionCursor { section, levels, valid: false, asked: 0, filter: Vec::new() })
    }

    /// Moves to the first entry whose key is `target` or greater.
    pub(super) fn seek(&mut self, target: &[u8]) -> Result<(), StateError> {
        self.valid = false;
        let mut pointer = self.section.root;
        let data = self.levels.len() - 1;
        for level in 0..=data {
            self.load(level, pointer)?;
            let found = self.levels[level].cursor.seek(target).map_err(|Malformed| self.damaged(pointer))?;
            if !found {
                // Past the last key of the section; below the root, the index said otherwise.
                return if level == 0 { Ok(()) } else { Err(self.damaged(pointer)) };
            }
            if level < data {
                pointer = self.child(level, pointer)?;
            }
        }
        self.valid = true;
        Ok(())
    }

    /// Moves to the next entry; not to be called at the end.
    pub(super) fn advance(&mut self) -> Result<(), StateError> {
        let data = self.levels.len() - 1;
        let mut level = data;
        // Up to the first level that has another entry,
        while !self.walk(level)? {
            if level == 0 {
                self.valid = false;
                return Ok(());
            }
            level -= 1;
        }
        // and down from there along the first entries.
        while level < data {
            let parent = self.levels[level].pointer.unwrap_or(self.section.root);
            let pointer = self.child(level, parent)?;
            level += 1;
            self.load(level, pointer)?;
            if !self.walk(level)? {
                return Err(self.damaged(pointer));
            }
        }
        Ok(())
    }

    /// The current entry; `None` at the end. Its value is `None` for a tombstone.
    #[inline]
    pub(super) fn entry(&self) -> Option<(&[u8], Option<&[u8]>)> {
        let cursor = &self.levels.last()?.cursor;
        self.valid.then(|| (cursor.key(), cursor.value()))
    }

    /// Whether the key is surely not in the section.
    pub(super) fn excludes(&mut self, hash: u64) -> Result<bool, StateError> {
        let Some((offset, bytes)) = self.section.filter else { return Ok(false) };
        let start = filter::line_start(hash, bytes);
        if self.filter.is_empty() && bytes <= FILTER_BYTES_MAX {
            self.asked += 1;
            if self.asked == ASKED_OFTEN {
                let mut whole = vec![0; bytes as usize];
                self.section.file.read_exact(&mut whole, offset)?;
                self.filter = whole;
            }
        }
        let mut line = [0; LINE_BYTES];
        match self.filter.get(start as usize..).and_then(|rest| rest.first_chunk()) {
            Some(held) => line = *held,
            None => self.section.file.read_exact(&mut line, offset + start)?,
        }
        filter::may_contain(hash, &line).map(|may| !may).ok_or_else(|| self.section.file.damaged(offset + start))
    }

    fn walk(&mut self, level: usize) -> Result<bool, StateError> {
        let pointer = self.levels[level].pointer.unwrap_or(self.section.root);
        self.levels[level].cursor.advance().map_err(|Malformed| self.damaged(pointer))
    }

    fn child(&self, level: usize, block: Pointer) -> Result<Pointer, StateError> {
        self.levels[level].cursor.value().and_then(Pointer::from_bytes).ok_or_else(|| self.damaged(block))
    }

    fn load(&mut self, level: usize, pointer: Pointer) -> Result<(), StateError> {
        let Level { cursor, pointer: loaded } = &mut self.levels[level];
        if *loaded != Some(pointer) {
            *loaded = None;
            self.section.file.read_block(pointer, cursor.load())?;
            *loaded = Some(pointer);
        }
        Ok(())
    }

    fn damaged(&self, pointer: Pointer) -> StateError {
        self.section.file.damaged(pointer.offset)
    }
}
