//! BCF2, rendered as VCF text, so that one parser serves both (VCF 4.3, section 6).
//!
//! The records are decoded here rather than by a library because rendering needs nothing of a header but its two
//! dictionaries, and libraries refuse files for header definitions that do not matter to that.

mod dictionary;
mod record;
mod typed;

use std::{any::Any, sync::Arc};

use vardelta_engine::contract::{
    source::{ChunkReader, RawChunk},
    stage::StageError,
};

use self::dictionary::Dictionary;
use crate::sources::{
    shared::{
        container::Container,
        lines::{CHUNK_BYTES, MAX_LINE_BYTES},
        stretches::Stretch,
    },
    vcf::{header::VcfHeader, index::Indexable},
};

/// What BCF2 files start with; the minor version follows.
pub(super) const MAGIC: &[u8] = b"BCF\x02";

/// Reads a BCF file.
pub(super) struct BcfChunks {
    input: Input,
    header: Arc<VcfHeader>,
    header_digest: u128,
    /// The length of the header: magic, length and text.
    header_bytes: u64,
    dictionary: Dictionary,
    next_record: u64,
}

impl BcfChunks {
    /// Reads the header; `start` is what has been read already, from the file's first byte, and `ended` whether that
    /// was all. `prepare` completes the header and digests it.
    ///
    /// # Errors
    /// When the file is cut off within its header or the header is not one.
    pub fn new(
        container: Container,
        start: Vec<u8>,
        ended: bool,
        prepare: impl FnOnce(&mut VcfHeader) -> Result<u128, StageError>,
    ) -> Result<BcfChunks, StageError> {
        let mut input = Input { container, buffer: start, at: 0, ended };
        let cut_off = |input: &Input| damaged(input.container.file(), "its header is cut off");
        // Magic and version take five bytes, the length of the header text four.
        let Some(prefix) = input.take(9)? else { return Err(cut_off(&input)) };
        let length = u32::from_le_bytes([prefix[5], prefix[6], prefix[7], prefix[8]]) as usize;
        if length > MAX_LINE_BYTES {
            return Err(damaged(input.container.file(), &format!("it declares a header of {length} bytes")));
        }
        let text = match input.take(length)? {
            Some(text) => text.to_vec(),
            None => return Err(cut_off(&input)),
        };
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        let mut header = VcfHeader::parse(text, input.container.file())?;
        header.first_origin = 1;
        let dictionary = Dictionary::parse(text);
        let header_digest = prepare(&mut header)?;
        let header_bytes = 9 + length as u64;
        Ok(BcfChunks { input, header_digest, header: Arc::new(header), header_bytes, dictionary, next_record: 1 })
    }

    /// Renders the next record after `text`; false at the end of the file.
    fn render_next(&mut self, text: &mut Vec<u8>) -> Result<bool, StageError> {
        let number = self.next_record;
        let place = |input: &Input, what: &str| damaged(input.container.file(), &format!("record {number} {what}"));
        let Some(lengths) = self.input.take(8)? else {
            return match self.input.is_empty() {
                true => Ok(false),
                false => Err(place(&self.input, "is cut off")),
            };
        };
        let length =
            |at: usize| u32::from_le_bytes([lengths[at], lengths[at + 1], lengths[at + 2], lengths[at + 3]]) as usize;
        let (shared, individual) = (length(0), length(4));
        if shared > MAX_LINE_BYTES || individual > MAX_LINE_BYTES {
            return Err(place(&self.input, &format!("declares {} bytes", shared + individual)));
        }
        let Some(bytes) = self.input.take(shared + individual)? else {
            return Err(place(&self.input, "is cut off"));
        };
        let (shared, individual) = bytes.split_at(shared);
        let start = text.len();
        if let Err(what) = record::render(shared, individual, &self.header, &self.dictionary, text) {
            return Err(place(&self.input, &format!("cannot be decoded: {what}")));
        }
        if text.len() - start > MAX_LINE_BYTES {
            return Err(place(&self.input, &format!("is longer than {MAX_LINE_BYTES} bytes as text")));
        }
        self.next_record += 1;
        Ok(true)
    }
}

impl Indexable for BcfChunks {
    fn container(&self) -> &Container {
        &self.input.container
    }

    fn header_bytes(&self) -> u64 {
        self.header_bytes
    }

    fn header_mut(&mut self) -> &mut VcfHeader {
        Arc::make_mut(&mut self.header)
    }

    fn contig_of(&self) -> Option<Box<dyn Fn(usize) -> Option<String> + '_>> {
        Some(Box::new(|number| Some(self.dictionary.contig(i32::try_from(number).ok()?)?.to_owned())))
    }

    fn read_only(&mut self, stretches: Vec<Stretch>) -> Result<(), StageError> {
        self.input.container.read_only(stretches, false)?;
        self.input.buffer.clear();
        (self.input.at, self.input.ended) = (0, false);
        Ok(())
    }
}

impl ChunkReader for BcfChunks {
    fn header(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::clone(&self.header) as _
    }

    fn header_digest(&self) -> u128 {
        self.header_digest
    }

    fn next_chunk(&mut self) -> Result<Option<RawChunk>, StageError> {
        let first_origin = self.next_record;
        let mut bytes = Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 16);
        while bytes.len() < CHUNK_BYTES && self.render_next(&mut bytes)? {}
        let origins = self.next_record - first_origin;
        Ok((origins > 0).then_some(RawChunk { first_origin, origins, bytes }))
    }

    fn position_bytes(&self) -> u64 {
        self.input.container.position_bytes()
    }

    fn bytes_digest(&self) -> Option<u128> {
        self.input.container.bytes_digest()
    }
}

/// Decompressed bytes, buffered.
struct Input {
    container: Container,
    buffer: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Input {
    /// The next `count` bytes; `None`, and nothing consumed, where fewer are left.
    fn take(&mut self, count: usize) -> Result<Option<&[u8]>, StageError> {
        while self.buffer.len() - self.at < count {
            if self.ended {
                return Ok(None);
            }
            self.buffer.drain(..self.at);
            self.at = 0;
            self.ended = self.container.read_into(&mut self.buffer, CHUNK_BYTES)? < CHUNK_BYTES;
        }
        let taken = &self.buffer[self.at..self.at + count];
        self.at += count;
        Ok(Some(taken))
    }

    /// Whether everything has been taken; asked after a [`Input::take`] that found too little.
    fn is_empty(&self) -> bool {
        self.at == self.buffer.len()
    }
}

fn damaged(file: &str, what: &str) -> StageError {
    StageError::new(format!("{file} is not a whole BCF file: {what}"))
        .with_hint("Deliver the file again; nothing of it was loaded.")
}
