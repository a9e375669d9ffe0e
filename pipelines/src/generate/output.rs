//! The file that chunks end in, and its index.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use noodles_bgzf as bgzf;
use noodles_core::Position;
use noodles_csi::binning_index::index::{Header, header, reference_sequence::bin};
use noodles_tabix as tabix;

use super::{Generated, Kind, chunks::Chunk, contig_name, packing::Packing};

/// A file that is being written.
pub struct Output {
    path: PathBuf,
    writer: Box<dyn Write>,
    kind: Kind,
    packing: Packing,
    indexer: tabix::index::Indexer,
    generated: Generated,
}

impl Output {
    /// Begins a file; `-` is standard output.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(path: &Path, kind: Kind, packing: Packing) -> io::Result<Output> {
        let writer: Box<dyn Write> = match path == Path::new("-") {
            true => Box::new(io::stdout().lock()),
            false => Box::new(BufWriter::with_capacity(1 << 20, File::create(path)?)),
        };
        let mut indexer = tabix::index::Indexer::default();
        indexer.set_header(index_header());
        Ok(Output { path: path.to_path_buf(), writer, kind, packing, indexer, generated: Generated::default() })
    }

    /// Appends a chunk.
    ///
    /// # Errors
    /// When the file takes no more.
    pub fn write(&mut self, chunk: Chunk) -> io::Result<()> {
        let start = self.generated.file_bytes;
        // Positions in a chunk count from its start; those in the file from the file's.
        let placed = |position: bgzf::VirtualPosition| -> io::Result<bgzf::VirtualPosition> {
            let place = (position.compressed() + start, position.uncompressed());
            bgzf::VirtualPosition::try_from(place).map_err(io::Error::other)
        };
        for (at, from, to) in &chunk.placed {
            let position = |base: u64| {
                let base = usize::try_from(base).map_err(io::Error::other)?;
                Position::try_from(base).map_err(io::Error::other)
            };
            let chunk = bin::Chunk::new(placed(*from)?, placed(*to)?);
            self.indexer.add_record(
                contig_name(self.kind, at.contig),
                position(at.start)?,
                position(at.end)?,
                chunk,
            )?;
        }
        self.writer.write_all(&chunk.bytes)?;
        self.generated.records += chunk.records;
        self.generated.broken += chunk.broken;
        self.generated.text_bytes += chunk.text_bytes;
        self.generated.file_bytes += chunk.bytes.len() as u64;
        Ok(())
    }

    /// Ends the file, and writes the index of a packed VCF without broken lines.
    ///
    /// # Errors
    /// When the files take no more.
    pub fn finish(mut self) -> io::Result<Generated> {
        if self.packing == Packing::Bgzf {
            let end = bgzf::io::Writer::new(Vec::new()).finish()?;
            self.writer.write_all(&end)?;
            self.generated.file_bytes += end.len() as u64;
        }
        self.writer.flush()?;
        let is_vcf = matches!(self.kind, Kind::Calls | Kind::Clinvar);
        // No index can be made of lines that have no position.
        if self.packing == Packing::Bgzf && is_vcf && self.generated.broken == 0 {
            let mut name: OsString = self.path.into();
            name.push(".tbi");
            tabix::fs::write(name, &self.indexer.build())?;
        }
        Ok(self.generated)
    }
}

fn index_header() -> Header {
    header::Builder::vcf().build()
}
