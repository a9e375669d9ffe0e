//! Where a batch's rows came from: looked up in the chunk's text, and only when one of them is rejected.

use std::{
    any::Any,
    sync::{Arc, OnceLock},
};

use vardelta_engine::contract::{
    batch::{Place, Provenance},
    source::Chunk,
};

use crate::sources::vcf::{header::VcfHeader, values::digits};

/// The most of a record's raw text that a place keeps, in bytes.
const RAW_BYTES: usize = 4096;

/// The chunk that a batch was parsed from.
pub(super) struct ChunkProvenance {
    chunk: Arc<Chunk>,
    /// Where the chunk's lines begin; found when the first of them is asked for.
    starts: OnceLock<Vec<usize>>,
}

impl ChunkProvenance {
    /// The provenance of a chunk's records.
    pub fn new(chunk: Arc<Chunk>) -> ChunkProvenance {
        ChunkProvenance { chunk, starts: OnceLock::new() }
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
        let raw = &self.chunk.raw;
        let nth = usize::try_from(origin.checked_sub(raw.first_origin)?).ok()?;
        let starts = self.starts.get_or_init(|| {
            std::iter::once(0).chain(memchr::memchr_iter(b'\n', &raw.bytes).map(|end| end + 1)).collect()
        });
        let start = *starts.get(nth)?;
        let end = starts.get(nth + 1).map_or(raw.bytes.len(), |next| next - 1);
        let line = raw.bytes.get(start..end)?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    fn header(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::clone(&self.chunk.header)
    }
}

/// The place of a record whose line this is; behind an index lines have no number.
pub(super) fn place(line: &[u8], number: Option<u64>) -> Place {
    let mut columns = line.split(|byte| *byte == b'\t');
    let contig = columns.next().filter(|contig| !contig.is_empty() && contig.len() < line.len());
    let raw = String::from_utf8_lossy(&line[..line.len().min(RAW_BYTES)]);
    // Undecodable bytes grow when they are replaced, and a cut may fall within a character.
    let end = (0..=RAW_BYTES.min(raw.len())).rev().find(|at| raw.is_char_boundary(*at)).unwrap_or(0);
    Place {
        line: number,
        contig: contig.map(|contig| String::from_utf8_lossy(&contig[..contig.len().min(RAW_BYTES)]).into_owned()),
        pos: columns.next().and_then(digits),
        raw: Some(raw[..end].to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vardelta_engine::contract::source::RawChunk;

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
