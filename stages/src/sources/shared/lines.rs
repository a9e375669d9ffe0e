//! Cuts decompressed text into chunks of whole records, and chunks into lines. Cutting runs on the reader thread, so it
//! does little: read, find the last record's end, count line ends.

use std::mem;

use vardelta_engine::contract::{
    source::{Chunk, RawChunk},
    stage::StageError,
};

use crate::sources::shared::container::Container;

/// The size of a chunk; a longer record makes a longer chunk.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;

/// No line is longer. Lines of a million samples take 100 MB; what is longer has lost its line ends, and would take the
/// machine's memory.
pub(crate) const MAX_LINE_BYTES: usize = 1 << 28;

/// Finds where records end.
pub(crate) trait Boundaries {
    /// After the last record that ends within these bytes, which begin with a record. What it was asked about a chunk
    /// before still holds: more bytes have come.
    fn last_end(&mut self, bytes: &[u8], ended: bool) -> Option<usize>;

    /// The chunk ends after the record that was found last.
    fn cut(&mut self, end: usize);

    /// At the end of the file, which these bytes reach without a record's end: they begin with line `first_line`, 1-based.
    ///
    /// # Errors
    /// When no record can end there.
    fn check_end(&self, bytes: &[u8], file: &str, first_line: u64) -> Result<(), StageError>;
}

/// Records are lines.
#[derive(Debug, Default)]
pub(crate) struct LineEnds {
    searched: usize,
}

impl Boundaries for LineEnds {
    fn last_end(&mut self, bytes: &[u8], _: bool) -> Option<usize> {
        let found = memchr::memrchr(b'\n', &bytes[self.searched..]).map(|at| self.searched + at + 1);
        self.searched = bytes.len();
        found
    }

    fn cut(&mut self, _: usize) {
        self.searched = 0;
    }

    fn check_end(&self, _: &[u8], _: &str, _: u64) -> Result<(), StageError> {
        Ok(())
    }
}

/// Text that is being cut into chunks.
pub(crate) struct TextCutter<B> {
    container: Container,
    boundaries: B,
    /// The beginning of the next chunk: what followed the last record.
    carry: Vec<u8>,
    next_line: u64,
    ended: bool,
}

impl<B: Boundaries> TextCutter<B> {
    /// Cuts what follows: `carry` has been read already and begins with line `next_line`, 1-based; `ended` says whether
    /// that was all.
    pub fn new(container: Container, boundaries: B, carry: Vec<u8>, next_line: u64, ended: bool) -> TextCutter<B> {
        TextCutter { container, boundaries, carry, next_line, ended }
    }

    /// The file.
    pub fn container(&self) -> &Container {
        &self.container
    }

    /// Reads something else of the file from now on, from its start: `turn` says what.
    ///
    /// # Errors
    /// What `turn` reports.
    pub fn restart(&mut self, turn: impl FnOnce(&mut Container) -> Result<(), StageError>) -> Result<(), StageError> {
        turn(&mut self.container)?;
        self.carry.clear();
        self.boundaries.cut(0);
        (self.next_line, self.ended) = (1, false);
        Ok(())
    }

    /// The next chunk; `None` at the end.
    ///
    /// # Errors
    /// When the file is damaged, or a record has no end.
    pub fn next_chunk(&mut self) -> Result<Option<RawChunk>, StageError> {
        let mut bytes = mem::take(&mut self.carry);
        loop {
            if bytes.len() >= CHUNK_BYTES || self.ended {
                if let Some(cut) = self.boundaries.last_end(&bytes, self.ended) {
                    // Room for the next chunk, so that reading it moves nothing.
                    self.carry = Vec::with_capacity(bytes.len() - cut + CHUNK_BYTES + 64);
                    self.carry.extend_from_slice(&bytes[cut..]);
                    bytes.truncate(cut);
                    break;
                }
                if self.ended {
                    if bytes.is_empty() {
                        return Ok(None);
                    }
                    self.boundaries.check_end(&bytes, self.container.file(), self.next_line)?;
                    break;
                }
            }
            if bytes.len() > MAX_LINE_BYTES {
                return Err(self.too_long());
            }
            let wanted = CHUNK_BYTES.saturating_sub(bytes.len()).max(CHUNK_BYTES / 4);
            self.ended = self.container.read_into(&mut bytes, wanted)? < wanted;
        }
        self.boundaries.cut(bytes.len());
        let origins = memchr::memchr_iter(b'\n', &bytes).count() as u64
            + u64::from(bytes.last().is_some_and(|last| *last != b'\n'));
        let first_origin = self.next_line;
        self.next_line += origins;
        Ok(Some(RawChunk { first_origin, origins, bytes }))
    }

    fn too_long(&self) -> StageError {
        let name = self.container.format().name;
        StageError::new(format!(
            "{}: line {} is longer than {MAX_LINE_BYTES} bytes",
            self.container.file(),
            self.next_line
        ))
        .with_hint(format!("This is no {name} file, or its line ends are lost."))
    }
}

/// The lines of a chunk without their line ends, with their origins.
pub(crate) fn lines(chunk: &Chunk) -> impl Iterator<Item = (&[u8], u64)> {
    let bytes = chunk.raw.bytes.as_slice();
    let mut start = 0;
    let mut ends = memchr::memchr_iter(b'\n', bytes);
    let mut origin = chunk.raw.first_origin;
    std::iter::from_fn(move || {
        if start >= bytes.len() {
            return None;
        }
        let end = ends.next().unwrap_or(bytes.len());
        let line = &bytes[start..end];
        start = end + 1;
        origin += 1;
        Some((line.strip_suffix(b"\r").unwrap_or(line), origin - 1))
    })
}
