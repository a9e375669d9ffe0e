//! Merging runs that one session wrote into one file: a block among whose keys no other run has any is taken as it lies there, neither
//! read nor written again. Files that come sorted are nearly all such blocks: each chunk has a stretch of the keys to itself.
//!
//! What comes out is what [`Merge`](super::merge::Merge) gives, entry by entry: of each key the entry of the newest run.

use std::sync::Arc;

use super::block::{BlockCursor, Malformed};
use super::catalog::Runs;
use super::error::StateError;
use super::file::DataFile;
use super::remembered::{Remembered, WrittenBlock};
use super::section::{Section, SectionWriter};

/// The file in which all of these runs lie, if it is one and their writers' knowledge of all of them is still there.
pub(super) fn common_file(inputs: &Runs) -> Option<Arc<DataFile>> {
    let file = &inputs.first()?.file;
    let is_fit = |section: &Arc<Section>| Arc::ptr_eq(&section.file, file) && section.remembered.is_some();
    inputs.iter().all(is_fit).then(|| Arc::clone(file))
}

/// One run, and the place in it.
struct Input {
    known: Arc<Remembered>,
    /// The block that is next, or under way.
    block: usize,
    /// The keys before that block.
    keys_before: usize,
    /// The entry in the block that is next, where the block is under way.
    entry: Option<usize>,
    cursor: BlockCursor,
}

impl Input {
    fn block(&self) -> Option<&WrittenBlock> {
        self.known.written.blocks.get(self.block)
    }

    /// The next key; `None` at the end.
    fn key(&self) -> Option<&[u8]> {
        match self.entry {
            Some(_) => Some(self.cursor.key()),
            None => self.block().map(|block| &*block.first_key),
        }
    }

    /// The hash of the next key.
    fn hash(&self) -> u64 {
        self.known.written.hashes[self.keys_before + self.entry.unwrap_or(0)]
    }

    /// Moves past the block.
    fn skip_block(&mut self) {
        self.keys_before += self.block().map_or(0, |block| block.entries);
        (self.block, self.entry) = (self.block + 1, None);
    }

    /// Reads the next block, if it is not under way.
    fn enter(&mut self, file: &DataFile) -> Result<(), StateError> {
        if let (None, Some(block)) = (self.entry, self.known.written.blocks.get(self.block)) {
            file.read_block(block.pointer, self.cursor.load())?;
            let is_there = self.cursor.advance().map_err(|Malformed| file.damaged(block.pointer.offset))?;
            if !is_there || self.cursor.key() != &*block.first_key {
                return Err(file.damaged(block.pointer.offset));
            }
            self.entry = Some(0);
        }
        Ok(())
    }

    /// Moves to the next entry of a block that is under way.
    fn advance(&mut self, file: &DataFile) -> Result<(), StateError> {
        let Some((entry, block)) = self.entry.zip(self.known.written.blocks.get(self.block)) else { return Ok(()) };
        let goes_on = self.cursor.advance().map_err(|Malformed| file.damaged(block.pointer.offset))?;
        if goes_on != (entry + 1 < block.entries) {
            return Err(file.damaged(block.pointer.offset));
        }
        match goes_on {
            true => self.entry = Some(entry + 1),
            false => self.skip_block(),
        }
        Ok(())
    }
}

/// Merges the runs, oldest first, which lie in this file, where the writer writes too. With `is_bottom` nothing lies below them, so that
/// tombstones go.
///
/// # Errors
/// When a block is not what was written, or the disk is full or broken.
pub(super) fn join(
    inputs: &Runs,
    file: &DataFile,
    is_bottom: bool,
    writer: &mut SectionWriter,
) -> Result<(), StateError> {
    let remembered = inputs.iter().rev().filter_map(|section| section.remembered.clone());
    let input = |known| Input { known, block: 0, keys_before: 0, entry: None, cursor: BlockCursor::default() };
    // The newest first: of equal keys its entry counts.
    let mut inputs: Vec<Input> = remembered.map(input).collect();
    // The one with the smallest key last; of equal keys the newest last.
    let mut order: Vec<usize> = Vec::new();
    for index in 0..inputs.len() {
        enqueue(&mut order, &inputs, index);
    }
    while let Some(top) = order.pop() {
        let next_key = order.last().and_then(|next| inputs[*next].key());
        let input = &inputs[top];
        let alone = |block: &&WrittenBlock| {
            input.entry.is_none()
                && next_key.is_none_or(|key| *block.last_key < *key)
                && !(is_bottom && block.has_tombstones)
        };
        if let Some(block) = input.block().filter(alone) {
            writer.adopt(block, &input.known.written.hashes[input.keys_before..][..block.entries])?;
            inputs[top].skip_block();
            enqueue(&mut order, &inputs, top);
            continue;
        }
        inputs[top].enter(file)?;
        // Older entries of the same key are superseded.
        while let Some(next) = order.last().copied()
            && inputs[next].key() == inputs[top].key()
        {
            order.pop();
            inputs[next].enter(file)?;
            inputs[next].advance(file)?;
            enqueue(&mut order, &inputs, next);
        }
        let input = &mut inputs[top];
        if input.cursor.value().is_some() || !is_bottom {
            writer.push(input.hash(), input.cursor.key(), input.cursor.value())?;
        }
        input.advance(file)?;
        enqueue(&mut order, &inputs, top);
    }
    Ok(())
}

/// Puts a run where it belongs in the order. From the end, since after a step the same run most often comes next.
fn enqueue(order: &mut Vec<usize>, inputs: &[Input], index: usize) {
    let Some(key) = inputs[index].key() else { return };
    let comes_first = |other: &usize| inputs[*other].key().is_some_and(|other_key| (other_key, *other) < (key, index));
    let position = order.iter().rposition(|other| !comes_first(other)).map_or(0, |at| at + 1);
    order.insert(position, index);
}
