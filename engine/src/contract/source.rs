//! What a source is: deliveries found on disk, cut into chunks by a reader thread, parsed into batches by the workers.

use std::{
    any::Any,
    path::{Path, PathBuf},
    sync::Arc,
};

use vardelta_schemas::Schema;

pub use crate::contract::content::ContentDigest;
use crate::contract::{
    emit::{Emit, StageError},
    side_input::SideInput,
};

/// One delivery of records to a source stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The drop's logical name. Default: the file name without extensions.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

/// The columns that hold a record's place: the contig as text, and the position as int64, 1-based.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlaceColumns {
    /// The contig's.
    pub contig: Option<usize>,
    /// The position's.
    pub position: Option<usize>,
}

/// A planned source.
pub trait Source: Send + Sync {
    /// The columns its batches have.
    fn schema(&self) -> &Schema;

    /// The files beside the drops that decide what it computes.
    fn side_inputs(&self) -> Vec<SideInput> {
        Vec::new()
    }

    /// What it computes with of the settings of the whole pipeline (name and value): part of its fingerprint.
    fn settings(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The columns that hold a record's place, for rejects of rows whose record is no longer at hand.
    fn place_columns(&self) -> PlaceColumns {
        PlaceColumns::default()
    }

    /// Where a drop's records are read from, if not from everywhere: completes "has no records …".
    fn restriction(&self) -> Option<&'static str> {
        None
    }

    /// The files that its `path` matches now, sorted by name; empty where it has none.
    ///
    /// # Errors
    /// When a directory cannot be read.
    fn discover(&self) -> Result<Vec<PathBuf>, StageError>;

    /// What `path` says, for messages; `None` where it has none.
    fn pattern(&self) -> Option<String>;

    /// The drop's default name for a file: its name without the extensions of this source's formats.
    fn drop_name(&self, path: &Path) -> String;

    /// Opens a file for one pass. Runs on a reader thread.
    ///
    /// # Errors
    /// When the file cannot be read or is not what the source reads.
    fn open(&self, path: &Path, decompression_threads: usize) -> Result<Box<dyn ChunkReader>, StageError>;

    /// A parser for one worker.
    fn parser(&self) -> Box<dyn Parser>;

    /// The same without its checks, for the benchmark of what they cost; `None` where there is none. What it makes of a
    /// file that is not sound is worth nothing, and its text may be bytes: no pipeline runs it.
    #[doc(hidden)]
    fn parser_without_checks(&self) -> Option<Box<dyn Parser>> {
        None
    }
}

/// Reads a file once, from the start, on a reader thread.
pub trait ChunkReader: Send {
    /// What parsing the chunks needs to know of the whole file: its header. Known before the first chunk.
    fn header(&self) -> Arc<dyn Any + Send + Sync>;

    /// The digest of what in the header changes how records are decoded (declared types, field lists, sample names);
    /// it is part of the drop's content digest.
    fn header_digest(&self) -> u128;

    /// The next chunk of whole records, about 1 MiB; `None` at the end of a complete file.
    ///
    /// # Errors
    /// When the file is truncated, damaged or unreadable: with the place, before anything of the run is written.
    fn next_chunk(&mut self) -> Result<Option<RawChunk>, StageError>;

    /// How many bytes of the file have been consumed, for the progress line.
    fn position_bytes(&self) -> u64;

    /// At the end: xxh3-128 of all bytes of the file as they were read; `None` where it was not read from its first byte
    /// to its last. It proves that what was parsed is what was digested before.
    fn bytes_digest(&self) -> Option<u128> {
        None
    }
}

/// Whole records as they stand in the file, decompressed.
#[derive(Debug, Default)]
pub struct RawChunk {
    /// Origin of the first record: its line, 1-based; for a binary format its number, 1-based.
    pub first_origin: u64,
    /// How many origins the chunk spans (lines, blank ones and comments included). Origins of its records lie in
    /// `first_origin .. first_origin + origins`.
    pub origins: u64,
    /// The records' text.
    pub bytes: Vec<u8>,
}

/// A chunk on its way to a worker.
pub struct Chunk {
    /// The raw records.
    pub raw: RawChunk,
    /// The header of its file, as [`ChunkReader::header`] gave it.
    pub header: Arc<dyn Any + Send + Sync>,
}

/// Parses chunks on one worker.
pub trait Parser: Send {
    /// Decodes a chunk into batches and rejects, in the order of the records. Every record of the chunk is read into
    /// `digest.records`, and is either in a batch, rejected, filtered (outside the source's regions, say), or without
    /// alternate allele.
    ///
    /// # Errors
    /// When the run cannot go on; a bad record is a reject.
    fn parse(&mut self, chunk: Arc<Chunk>, emit: &mut Emit) -> Result<ContentDigest, StageError>;

    /// The digest alone, without decoding: the same as [`Parser::parse`] returns.
    fn digest(&mut self, chunk: &Chunk) -> ContentDigest;
}
