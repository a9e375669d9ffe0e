//! What a source is: deliveries found on disk, cut into chunks by a reader thread, parsed into batches by the workers.

use std::{
    any::Any,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::{RecordBatch, StringArray};
use vardelta_schemas::Schema;

pub use crate::contract::content::ContentDigest;
use crate::contract::{
    batch::Batch,
    emit::{Emit, StageError},
    side_input::SideInput,
};

/// A file to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// Where it lies.
    pub path: PathBuf,
    /// What it is called in messages: its path, or what came by another way than a file.
    pub shown: String,
}

impl InputFile {
    /// A file that is called by its path.
    pub fn at(path: impl Into<PathBuf>) -> InputFile {
        let path = path.into();
        InputFile { shown: path.display().to_string(), path }
    }
}

/// What the path of a source matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovered {
    /// The files that may be drops, sorted by name.
    pub paths: Vec<PathBuf>,
    /// Files that the path matches and that are none, with what each is; indexes, which are read where they lie, are not among
    /// them.
    pub left_alone: Vec<(PathBuf, &'static str)>,
    /// Things worth saying: what lies beside drops and is none, where a path leads that matches nothing.
    pub notices: Vec<String>,
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
pub trait Source: Any + Send + Sync {
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

    /// The column, text and never NULL, by whose values the rows of a drop can be taken back by themselves: the sample, where a
    /// drop holds several. No transform may change such a column's values.
    fn member_column(&self) -> Option<usize> {
        None
    }

    /// Where a drop's records are read from, if not from everywhere: completes "has no records …".
    fn restriction(&self) -> Option<&'static str> {
        None
    }

    /// The files that its `path` matches now; nothing where it has none.
    ///
    /// # Errors
    /// When a directory cannot be read.
    fn discover(&self) -> Result<Discovered, StageError>;

    /// What `path` says, for messages; `None` where it has none.
    fn pattern(&self) -> Option<String>;

    /// The drop's default name for a file: its name without the extensions of this source's formats, or what the source's
    /// own rule makes of its path.
    ///
    /// # Errors
    /// When the rule gives the file no name.
    fn drop_name(&self, path: &Path) -> Result<String, StageError>;

    /// Whether the source has a rule of its own for the names of drops. A file that is loaded keeps its name when the rule
    /// changes.
    fn names_by_rule(&self) -> bool {
        false
    }

    /// What a file of this name is, if it is none that a drop can have: an index, a checksum, a copy that is not complete.
    fn by_product(&self, path: &Path) -> Option<&'static str> {
        let _ = path;
        None
    }

    /// Whether the last column of its schema is the drop's name (text, never NULL). Parsers leave that column out; the
    /// engine adds it to their batches.
    fn has_drop_column(&self) -> bool {
        false
    }

    /// Opens a file for one pass. Runs on a reader thread.
    ///
    /// # Errors
    /// When the file cannot be read or is not what the source reads. The message calls it what [`InputFile::shown`] says; an
    /// error of another file that the source computes with is marked by [`StageError::of_side_input`].
    fn open(&self, file: &InputFile, decompression_threads: usize) -> Result<Box<dyn ChunkReader>, StageError>;

    /// Opens a file whose records are digested and not decoded: what only decoding needs to know of the whole file may be left
    /// out.
    ///
    /// # Errors
    /// As [`Source::open`].
    fn open_to_digest(
        &self,
        file: &InputFile,
        decompression_threads: usize,
    ) -> Result<Box<dyn ChunkReader>, StageError> {
        self.open(file, decompression_threads)
    }

    /// A parser for one worker.
    fn parser(&self) -> Box<dyn Parser>;
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

/// Whole records as they are in the file, decompressed.
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

/// Adds the column with the drop's name to batches of a source that has one.
///
/// # Errors
/// When the batches are not laid out as the source's schema says.
pub fn add_drop_column(source: &dyn Source, drop: &str, batches: &mut [Batch]) -> Result<(), StageError> {
    if !source.has_drop_column() {
        return Ok(());
    }
    let schema = source.schema().to_arrow();
    for batch in batches {
        let names = StringArray::from_iter_values(std::iter::repeat_n(drop, batch.rows()));
        let mut columns = batch.columns.columns().to_vec();
        columns.push(Arc::new(names));
        *batch = batch.with_columns(RecordBatch::try_new(Arc::clone(&schema), columns)?);
    }
    Ok(())
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
