//! A stretch of a file, made by itself: text, or BGZF blocks with where each line lies in them.

use std::io::{self, Write as _};

use noodles_bgzf as bgzf;
use vardelta_stages::sources::bgzf::END_BLOCK;

use super::{CHUNK_RECORDS, Kind, Settings, clinvar, drugs, genes, line::Placed, packing::Packing, records};

/// A finished stretch.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Text or whole BGZF blocks.
    pub bytes: Vec<u8>,
    /// Bytes of text.
    pub text_bytes: u64,
    /// Data lines.
    pub records: u64,
    /// Of these, the ones that no reader can use.
    pub broken: u64,
    /// For an index: where each line lies in the genome, and where it begins and ends in `bytes`.
    pub placed: Vec<(Placed, bgzf::VirtualPosition, bgzf::VirtualPosition)>,
}

impl Chunk {
    /// A chunk of text that is no data line.
    ///
    /// # Errors
    /// When it cannot be packed.
    pub fn of_text(text: Vec<u8>, packing: Packing) -> io::Result<Chunk> {
        let mut chunk = Chunk { text_bytes: text.len() as u64, ..Chunk::default() };
        match packing {
            Packing::Plain => chunk.bytes = text,
            Packing::Bgzf => {
                let mut writer = bgzf::io::Writer::new(Vec::new());
                writer.write_all(&text)?;
                chunk.bytes = without_end(writer)?;
            }
        }
        Ok(chunk)
    }

    /// Chunk `number` of a file.
    ///
    /// # Errors
    /// When it cannot be packed.
    pub fn new(settings: &Settings, number: u64, packing: Packing) -> io::Result<Chunk> {
        let first = number * CHUNK_RECORDS;
        let indexes = first..settings.records.min(first + CHUNK_RECORDS);
        match settings.kind {
            Kind::Calls => Chunk::of_records(indexes, packing, |line, index| records::write(line, settings, index)),
            Kind::Clinvar => Chunk::of_records(indexes, packing, |line, index| clinvar::write(line, settings, index)),
            Kind::Genes | Kind::Drugs => {
                let (mut text, mut records) = (Vec::new(), 0);
                for gene in first..super::chunks_of(settings).min(first + CHUNK_RECORDS) {
                    records += match settings.kind {
                        Kind::Drugs => drugs::write(&mut text, settings.seed, settings.edition, gene),
                        _ => {
                            let before = text.len();
                            genes::write(&mut text, gene);
                            text[before..].iter().filter(|byte| **byte == b'\n').count() as u64
                        }
                    };
                }
                let mut chunk = Chunk::of_text(text, packing)?;
                chunk.records = records;
                Ok(chunk)
            }
        }
    }

    fn of_records(
        indexes: std::ops::Range<u64>,
        packing: Packing,
        mut write: impl FnMut(&mut Vec<u8>, u64) -> Placed,
    ) -> io::Result<Chunk> {
        let mut chunk = Chunk { records: indexes.end.saturating_sub(indexes.start), ..Chunk::default() };
        match packing {
            Packing::Plain => {
                chunk.bytes.reserve(chunk.records as usize * 320);
                for index in indexes {
                    chunk.broken += u64::from(write(&mut chunk.bytes, index).broken);
                }
                chunk.text_bytes = chunk.bytes.len() as u64;
            }
            Packing::Bgzf => {
                let mut writer = bgzf::io::Writer::new(Vec::new());
                let mut line = Vec::new();
                for index in indexes {
                    line.clear();
                    let start = writer.virtual_position();
                    let placed = write(&mut line, index);
                    writer.write_all(&line)?;
                    chunk.broken += u64::from(placed.broken);
                    chunk.text_bytes += line.len() as u64;
                    chunk.placed.push((placed, start, writer.virtual_position()));
                }
                chunk.bytes = without_end(writer)?;
            }
        }
        Ok(chunk)
    }
}

/// The blocks that were written, without the one that ends a file.
fn without_end(writer: bgzf::io::Writer<Vec<u8>>) -> io::Result<Vec<u8>> {
    let mut bytes = writer.finish()?;
    bytes.truncate(bytes.len().saturating_sub(END_BLOCK.len()));
    Ok(bytes)
}
