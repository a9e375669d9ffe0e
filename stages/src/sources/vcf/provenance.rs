//! Where a batch's rows came from: looked up in the chunk's text, and only when one of them is rejected.

use std::{any::Any, sync::Arc};

use vardelta_engine::contract::{
    batch::{Place, Provenance},
    source::Chunk,
};

use crate::sources::{
    shared::place::{LineStarts, line_place},
    vcf::header::VcfHeader,
};

/// The chunk that a batch was parsed from.
pub(super) struct ChunkProvenance {
    chunk: Arc<Chunk>,
    starts: LineStarts,
}

impl ChunkProvenance {
    /// The provenance of a chunk's records.
    pub fn new(chunk: Arc<Chunk>) -> ChunkProvenance {
        ChunkProvenance { chunk, starts: LineStarts::default() }
    }
}

impl Provenance for ChunkProvenance {
    fn place(&self, origin: u64) -> Place {
        let is_indexed = self.chunk.header.downcast_ref::<VcfHeader>().is_some_and(|header| header.is_indexed);
        let number = (!is_indexed).then_some(origin);
        match self.record(origin) {
            Some(line) => place(line, number),
            None => Place { line: number, ..Place::default() },
        }
    }

    fn record(&self, origin: u64) -> Option<&[u8]> {
        self.starts.line(&self.chunk.raw, origin)
    }

    fn header(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::clone(&self.chunk.header)
    }
}

/// The place of a record whose line this is; of a file that is read by its index lines have no number.
pub(super) fn place(line: &[u8], number: Option<u64>) -> Place {
    line_place(line, number, 0, 1)
}

#[cfg(test)]
mod tests {
    use vardelta_engine::contract::source::RawChunk;

    use super::*;
    use crate::sources::shared::place::RAW_BYTES;

    #[test]
    fn finds_lines_by_origin() {
        let bytes = b"1\t5\t.\tA\r\n\n2\t6\t.\tC".to_vec();
        let raw = RawChunk { first_origin: 10, origins: 3, bytes };
        let provenance = ChunkProvenance::new(Arc::new(Chunk { raw, header: Arc::new(()) }));
        let expected = Place { line: Some(12), contig: Some("2".into()), pos: Some(6), raw: Some("2\t6\t.\tC".into()) };
        assert_eq!(provenance.place(12), expected);
        assert_eq!(provenance.place(10).raw.as_deref(), Some("1\t5\t.\tA"));
        assert_eq!(provenance.record(11), Some(&b""[..]));
        assert_eq!(provenance.place(9), Place { line: Some(9), ..Place::default() });
        assert_eq!(provenance.place(99), Place { line: Some(99), ..Place::default() });
    }

    #[test]
    fn raw_text_is_bounded() {
        let mut line = b"1\tx\t".to_vec();
        line.resize(10_000, 0xe9);
        let place = place(&line, Some(1));
        assert!(place.raw.as_ref().is_some_and(|raw| raw.len() <= RAW_BYTES && raw.len() > RAW_BYTES - 4));
        assert_eq!(place.pos, None);
    }
}
