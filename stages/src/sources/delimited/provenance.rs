//! Where a batch's rows came from: looked up in the chunk's text, and only when one of them is rejected.

use std::{
    any::Any,
    ops::Range,
    sync::{Arc, OnceLock},
};

use vardelta_engine::contract::{
    batch::{Place, Provenance},
    source::Chunk,
};

use super::{header::Header, records::records};
use crate::sources::shared::place::raw_text;

/// The chunk that a batch was parsed from.
pub(super) struct RecordProvenance {
    chunk: Arc<Chunk>,
    /// Where the chunk's records lie, by their lines; found when the first of them is asked for.
    records: OnceLock<Vec<(u64, Range<usize>)>>,
}

impl RecordProvenance {
    /// The provenance of a chunk's records.
    pub fn new(chunk: Arc<Chunk>) -> RecordProvenance {
        RecordProvenance { chunk, records: OnceLock::new() }
    }
}

impl Provenance for RecordProvenance {
    fn place(&self, origin: u64) -> Place {
        match self.record(origin) {
            Some(record) => place(record, origin),
            None => Place { line: Some(origin), ..Place::default() },
        }
    }

    fn record(&self, origin: u64) -> Option<&[u8]> {
        let header = self.chunk.header.downcast_ref::<Header>()?;
        let raw = &self.chunk.raw;
        let known = self.records.get_or_init(|| {
            let all = records(&raw.bytes, &header.dialect);
            all.map(|(found, line, _)| (raw.first_origin + line, found.start..found.end)).collect()
        });
        let at = known.binary_search_by_key(&origin, |(line, _)| *line).ok()?;
        raw.bytes.get(known[at].1.clone())
    }

    fn header(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::clone(&self.chunk.header)
    }
}

/// The place of a record that begins in this line.
pub(super) fn place(record: &[u8], line: u64) -> Place {
    Place { line: Some(line), raw: Some(raw_text(record)), ..Place::default() }
}
