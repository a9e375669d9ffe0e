//! Cuts a table into chunks of whole records, on the reader thread.

use std::{any::Any, sync::Arc};

use vardelta_engine::contract::{
    source::{ChunkReader, RawChunk},
    stage::StageError,
};

use super::{
    columns::Columns,
    dialect::Dialect,
    header::{self, Header, Start},
    records::RecordEnds,
};
use crate::sources::shared::{container::Container, lines::TextCutter};

/// Reads a table.
pub(super) struct DelimitedChunks {
    text: TextCutter<RecordEnds>,
    header: Arc<Header>,
}

impl DelimitedChunks {
    /// Reads the header.
    ///
    /// # Errors
    /// As [`header::read`].
    pub fn new(mut container: Container, dialect: Dialect, columns: &Columns) -> Result<DelimitedChunks, StageError> {
        let Start { header, rest, ended } = header::read(&mut container, dialect, columns)?;
        let ends = RecordEnds::new(Arc::clone(&header.dialect));
        let text = TextCutter::new(container, ends, rest, header.first_origin, ended);
        Ok(DelimitedChunks { text, header: Arc::new(header) })
    }
}

impl ChunkReader for DelimitedChunks {
    fn header(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::clone(&self.header) as _
    }

    fn header_digest(&self) -> u128 {
        self.header.digest()
    }

    fn next_chunk(&mut self) -> Result<Option<RawChunk>, StageError> {
        self.text.next_chunk()
    }

    fn position_bytes(&self) -> u64 {
        self.text.container().position_bytes()
    }

    fn bytes_digest(&self) -> Option<u128> {
        self.text.container().bytes_digest()
    }
}
