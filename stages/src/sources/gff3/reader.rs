//! Reads a gene model twice: for its genes and transcripts, then chunk by chunk for its rows.

use std::{any::Any, collections::VecDeque, path::Path, sync::Arc};

use vardelta_engine::contract::{
    source::{Chunk, ChunkReader, RawChunk},
    stage::StageError,
};

use super::model::{For, Model, ModelReader};
use crate::sources::shared::{
    container::Container,
    lines::{LineEnds, TextCutter},
    text::{BYTE_ORDER_MARK, refuse_utf16},
};

/// Where the second reading comes from.
enum Second {
    /// The file again.
    File(TextCutter<LineEnds>),
    /// What was kept of a stream that can be read once.
    Kept(VecDeque<RawChunk>, u64),
}

/// Reads a gene model.
pub(super) struct ModelChunks {
    second: Second,
    model: Arc<Model>,
}

impl ModelChunks {
    /// Reads a file for its model, which `model` begins, and for `what`; `open` opens it, once or twice.
    ///
    /// # Errors
    /// When it cannot be read, or is of another assembly.
    pub fn new(
        path: &Path,
        open: impl Fn() -> Result<Container, StageError>,
        mut model: Model,
        what: For,
    ) -> Result<ModelChunks, StageError> {
        let is_stream = path == Path::new("-");
        let (mut first, has_mark) = begin(open()?)?;
        model.has_byte_order_mark = has_mark;
        let mut reader = ModelReader::new(model, first.container().file(), what);
        let mut kept = VecDeque::new();
        while let Some(raw) = first.next_chunk()? {
            let chunk = Chunk { raw, header: Arc::new(()) };
            reader.add(&chunk)?;
            if is_stream {
                kept.push_back(chunk.raw);
            }
        }
        let second = match is_stream {
            true => Second::Kept(kept, first.container().position_bytes()),
            false => Second::File(begin(open()?)?.0),
        };
        Ok(ModelChunks { second, model: Arc::new(reader.finish()) })
    }
}

/// The text of a file; whether it began with a byte order mark, which is left out.
fn begin(mut container: Container) -> Result<(TextCutter<LineEnds>, bool), StageError> {
    /// Enough for any mark.
    const START_BYTES: usize = 4096;
    let mut start = Vec::new();
    let ended = container.read_into(&mut start, START_BYTES)? < START_BYTES;
    refuse_utf16(&start, container.file())?;
    let has_mark = start.starts_with(BYTE_ORDER_MARK);
    if has_mark {
        start.drain(..BYTE_ORDER_MARK.len());
    }
    Ok((TextCutter::new(container, LineEnds::default(), start, 1, ended), has_mark))
}

impl ChunkReader for ModelChunks {
    fn header(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::clone(&self.model) as _
    }

    fn header_digest(&self) -> u128 {
        self.model.digest()
    }

    fn next_chunk(&mut self) -> Result<Option<RawChunk>, StageError> {
        match &mut self.second {
            Second::File(text) => text.next_chunk(),
            Second::Kept(chunks, _) => Ok(chunks.pop_front()),
        }
    }

    fn position_bytes(&self) -> u64 {
        match &self.second {
            Second::File(text) => text.container().position_bytes(),
            Second::Kept(_, bytes) => *bytes,
        }
    }
}
