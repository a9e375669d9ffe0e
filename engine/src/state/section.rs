//! A section: one sorted run of one (space, shard) in a data file, and its writer.
//!
//! Data blocks, above them index blocks, as many levels as are needed until one block is the root. A section is written
//! in extents of about a megabyte, so writing one of any size needs little memory, and several threads write into one
//! file at once. Of what grows with its entries the writer holds only the key hashes for the filter, 8 bytes each, and the first and last
//! key of each block.

use std::collections::VecDeque;
use std::sync::Arc;

use super::block::{BlockBuilder, Pointer, Unordered};
use super::error::StateError;
use super::file::DataFile;
use super::filter::{self, FILTER_ENTRIES};
use super::remembered::{Remembered, Written, WrittenBlock};

/// Encoded bytes that are collected before they are written.
pub(super) const EXTENT_BYTES: usize = 1 << 20;

/// One sorted run of one shard. Immutable.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// The file it lies in.
    pub(super) file: Arc<DataFile>,
    /// The topmost block.
    pub(super) root: Pointer,
    /// Index levels; 0 when the root is the only data block.
    pub(super) levels: u32,
    /// Keys, tombstones included.
    pub(super) entries: u64,
    /// Bytes in the file, everything included.
    pub(super) bytes: u64,
    /// Offset and bytes of the filter, where there is one.
    pub(super) filter: Option<(u64, u64)>,
    /// What its session still knows of it.
    pub(super) remembered: Option<Arc<Remembered>>,
}

/// A block that is encoded, but not yet in the index above it, since its offset is not known before its extent is written.
struct Pending {
    /// 0 for a data block.
    level: usize,
    last_key: Vec<u8>,
    place: Place,
    length: usize,
    /// What is to be remembered of it, where it is a data block of this section's own.
    data: Option<DataBlock>,
}

/// A data block's first key, keys, and whether there are tombstones among them.
struct DataBlock {
    first_key: Box<[u8]>,
    entries: usize,
    has_tombstones: bool,
}

/// Where a block lies.
#[derive(Clone, Copy)]
enum Place {
    /// Offset from the start of the extent.
    Extent(usize),
    /// Offset from the start of the file: an older block that was taken over.
    File(u64),
}

/// An index block being written, and the child that was put into it last.
#[derive(Default)]
struct IndexLevel {
    builder: BlockBuilder,
    last_child: Option<Pointer>,
}

/// Encodes ascending entries into a data file.
pub(super) struct SectionWriter {
    file: Arc<DataFile>,
    extent: Vec<u8>,
    pending: VecDeque<Pending>,
    data: BlockBuilder,
    indexes: Vec<IndexLevel>,
    /// The first key of the data block being written, and whether it has tombstones.
    first_key: Vec<u8>,
    has_tombstones: bool,
    written: Written,
    /// Bytes of the section, and those of them that were taken over.
    bytes: u64,
    adopted_bytes: u64,
}

/// A section that was written.
pub(super) struct Finished {
    /// It, and what is known of it; `None` when nothing was pushed.
    pub(super) section: Option<(Section, Written)>,
    /// What bytes were collected in, for the next one.
    pub(super) extent: Vec<u8>,
}

impl SectionWriter {
    /// A writer that appends to `file`; `extent` is what it collects bytes in, empty.
    pub(super) fn new(file: Arc<DataFile>, extent: Vec<u8>) -> SectionWriter {
        SectionWriter {
            file,
            extent,
            pending: VecDeque::new(),
            data: BlockBuilder::default(),
            indexes: Vec::new(),
            first_key: Vec::new(),
            has_tombstones: false,
            written: Written::default(),
            bytes: 0,
            adopted_bytes: 0,
        }
    }

    /// Appends an entry; the hash is its key's.
    pub(super) fn push(&mut self, hash: u64, key: &[u8], value: Option<&[u8]>) -> Result<(), StateError> {
        const LIMIT: usize = 1 << 30;
        if key.len() > LIMIT || value.is_some_and(|value| value.len() > LIMIT) {
            return Err(StateError::new(
                super::StateErrorKind::Io,
                format!("cannot write {}: a key or a value has more than {LIMIT} bytes", self.file.path().display()),
            )
            .with_hint("Leave the column that holds it out, or cut its values."));
        }
        self.data.push(key, value).map_err(unordered)?;
        if self.data.entries() == 1 {
            self.first_key.clear();
            self.first_key.extend_from_slice(key);
            self.has_tombstones = false;
        }
        self.has_tombstones |= value.is_none();
        self.written.hashes.push(hash);
        if self.data.is_full() {
            self.cut_data();
            if self.extent.len() >= EXTENT_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Takes over a block that lies in the file already; the hashes are those of its keys.
    pub(super) fn adopt(&mut self, block: &WrittenBlock, hashes: &[u64]) -> Result<(), StateError> {
        if self.data.entries() > 0 {
            self.cut_data();
        }
        self.data.skip(&block.first_key, &block.last_key).map_err(unordered)?;
        self.written.hashes.extend_from_slice(hashes);
        let length = block.pointer.length as usize;
        self.bytes += length as u64;
        self.adopted_bytes += length as u64;
        let (last_key, place) = (block.last_key.to_vec(), Place::File(block.pointer.offset));
        self.pending.push_back(Pending { level: 0, last_key, place, length, data: None });
        Ok(())
    }

    /// Bytes of blocks that were taken over.
    pub(super) fn adopted_bytes(&self) -> u64 {
        self.adopted_bytes
    }

    fn cut_data(&mut self) {
        let place = Place::Extent(self.extent.len());
        let (first_key, entries) = (self.first_key.as_slice().into(), self.data.entries());
        let data = Some(DataBlock { first_key, entries, has_tombstones: self.has_tombstones });
        let length = self.data.cut(&mut self.extent);
        self.pending.push_back(Pending { level: 0, last_key: self.data.last_key().to_vec(), place, length, data });
    }

    fn flush(&mut self) -> Result<(), StateError> {
        let base = self.file.append(&self.extent)?;
        self.bytes += self.extent.len() as u64;
        self.extent.clear();
        // Index blocks that fill up here go into the next extent, and wait among its pending blocks.
        for block in std::mem::take(&mut self.pending) {
            self.index(block, base)?;
        }
        Ok(())
    }

    /// Puts a block whose offset is known now into the index above it.
    fn index(&mut self, block: Pending, base: u64) -> Result<(), StateError> {
        let length = u32::try_from(block.length).map_err(|_| StateError::misuse("a block of 4 GiB"))?;
        let offset = match block.place {
            Place::Extent(start) => base + start as u64,
            Place::File(offset) => offset,
        };
        let pointer = Pointer { offset, length };
        if let Some(DataBlock { first_key, entries, has_tombstones }) = block.data {
            let last_key = block.last_key.as_slice().into();
            self.written.blocks.push(WrittenBlock { first_key, last_key, pointer, entries, has_tombstones });
        }
        let level = block.level;
        if self.indexes.len() <= level {
            self.indexes.push(IndexLevel::default());
        }
        let index = &mut self.indexes[level];
        // Cut before, not after: so the block under construction is never empty, and the topmost one is the root.
        if index.builder.is_full() && index.builder.entries() > 1 {
            let start = self.extent.len();
            let last_key = index.builder.last_key().to_vec();
            let length = index.builder.cut(&mut self.extent);
            self.pending.push_back(Pending {
                level: level + 1,
                last_key,
                place: Place::Extent(start),
                length,
                data: None,
            });
        }
        index.builder.push(&block.last_key, Some(&pointer.to_bytes())).map_err(unordered)?;
        index.last_child = Some(pointer);
        Ok(())
    }

    /// Writes the rest.
    pub(super) fn finish(mut self) -> Result<Finished, StateError> {
        if self.data.entries() > 0 {
            self.cut_data();
        }
        let entries = self.written.hashes.len() as u64;
        if entries == 0 {
            return Ok(Finished { section: None, extent: self.extent });
        }
        let mut filter = None;
        if entries >= FILTER_ENTRIES {
            let bytes = filter::build(&self.written.hashes);
            filter = Some((self.extent.len() as u64, bytes.len() as u64));
            self.extent.extend_from_slice(&bytes);
        }
        let file = Arc::clone(&self.file);
        let mut extent = std::mem::take(&mut self.extent);
        let (base, root, levels) = file.append_with(&mut extent, |base, extent| {
            std::mem::swap(&mut self.extent, extent);
            let (root, levels) = self.finish_indexes(base)?;
            std::mem::swap(&mut self.extent, extent);
            Ok((base, root, levels))
        })?;
        let filter = filter.map(|(start, bytes)| (base + start, bytes));
        let bytes = self.bytes + extent.len() as u64;
        let section = Section { file, root, levels, entries, bytes, filter, remembered: None };
        Ok(Finished { section: Some((section, self.written)), extent })
    }

    fn finish_indexes(&mut self, base: u64) -> Result<(Pointer, u32), StateError> {
        let mut level = 0;
        loop {
            // In the order they were encoded, which is ascending within each level.
            while let Some(block) = self.pending.pop_front() {
                self.index(block, base)?;
            }
            let is_top = level + 1 == self.indexes.len();
            let index = &mut self.indexes[level];
            if is_top
                && index.builder.entries() == 1
                && let Some(root) = index.last_child
            {
                return Ok((root, level as u32));
            }
            let start = self.extent.len();
            let last_key = index.builder.last_key().to_vec();
            let length = index.builder.cut(&mut self.extent);
            level += 1;
            self.pending.push_back(Pending { level, last_key, place: Place::Extent(start), length, data: None });
        }
    }
}

fn unordered(_: Unordered) -> StateError {
    StateError::misuse("the keys of a run must ascend")
}
