//! Where a batch's rows came from: looked up in the chunk's text, and only when one of them is rejected.

use std::{any::Any, sync::Arc};

use vardelta_engine::contract::{
    batch::{Place, Provenance},
    source::Chunk,
};

use crate::sources::shared::place::{LineStarts, line_place};

/// The chunk that a batch was parsed from.
pub(super) struct LineProvenance {
    chunk: Arc<Chunk>,
    starts: LineStarts,
}

impl LineProvenance {
    /// The provenance of a chunk's records.
    pub fn new(chunk: Arc<Chunk>) -> LineProvenance {
        LineProvenance { chunk, starts: LineStarts::default() }
    }
}

impl Provenance for LineProvenance {
    fn place(&self, origin: u64) -> Place {
        match self.record(origin) {
            Some(line) => place(line, origin),
            None => Place { line: Some(origin), ..Place::default() },
        }
    }

    fn record(&self, origin: u64) -> Option<&[u8]> {
        self.starts.line(&self.chunk.raw, origin)
    }

    fn header(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::clone(&self.chunk.header)
    }
}

/// The place of a record: its contig and start are the first and the fourth column.
pub(super) fn place(line: &[u8], number: u64) -> Place {
    line_place(line, Some(number), 0, 3)
}
