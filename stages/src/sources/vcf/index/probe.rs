//! Reads single records of a BGZF file at the places that an index names, to see whether they are what it takes them for.

use std::{
    fs::File,
    io::{self, BufRead as _, Read as _},
    path::Path,
};

use noodles_bgzf::{self as bgzf, VirtualPosition};

use crate::sources::{
    shared::lines::MAX_LINE_BYTES,
    vcf::{index::file::damaged, values::digits},
};

/// The names of a BCF file's contigs, by number.
pub(super) type ContigOf<'a> = &'a dyn Fn(usize) -> Option<String>;

/// A file being probed.
pub(super) struct Probe<'a> {
    reader: bgzf::io::Reader<File>,
    /// Numbers become names in a BCF file; the records of another are lines.
    contig_of: Option<ContigOf<'a>>,
    line: Vec<u8>,
}

/// Where a record lies.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RecordPlace {
    /// The contig, as the file writes it.
    pub contig: String,
    /// POS, 1-based.
    pub position: i64,
}

impl<'a> Probe<'a> {
    /// Opens a file.
    pub fn open(path: &Path, contig_of: Option<ContigOf<'a>>) -> io::Result<Probe<'a>> {
        Ok(Probe { reader: bgzf::io::Reader::new(File::open(path)?), contig_of, line: Vec::new() })
    }

    /// The virtual position after this many decompressed bytes from the start.
    pub fn after(&mut self, bytes: u64) -> io::Result<VirtualPosition> {
        self.reader.seek(VirtualPosition::MIN)?;
        let skipped = io::copy(&mut self.reader.by_ref().take(bytes), &mut io::sink())?;
        match skipped == bytes {
            true => self.here(),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// The one virtual position of a place that has several: the end of a block, empty blocks, and the beginning of the next.
    pub fn canonical(&mut self, at: VirtualPosition) -> io::Result<VirtualPosition> {
        self.reader.seek(at)?;
        self.here()
    }

    /// Whether nothing follows a place.
    pub fn is_end(&mut self, at: VirtualPosition) -> io::Result<bool> {
        self.reader.seek(at)?;
        Ok(self.reader.fill_buf()?.is_empty())
    }

    /// The record that begins at a place.
    pub fn record(&mut self, at: VirtualPosition) -> io::Result<RecordPlace> {
        self.reader.seek(at)?;
        self.next_record()
    }

    /// Whether all records from one place to another are on this contig, and there are any; the second place must be the end
    /// of one.
    pub fn are_all_on(&mut self, contig: &str, from: VirtualPosition, to: VirtualPosition) -> io::Result<bool> {
        self.reader.seek(from)?;
        let mut any = false;
        loop {
            match self.here()? {
                here if here == to => return Ok(any),
                here if here > to => return Ok(false),
                _ if self.next_record()?.contig == contig => any = true,
                _ => return Ok(false),
            }
        }
    }

    fn here(&mut self) -> io::Result<VirtualPosition> {
        // The position is that of the next byte only once its block is there.
        self.reader.fill_buf()?;
        Ok(self.reader.virtual_position())
    }

    /// Reads a record whole.
    fn next_record(&mut self) -> io::Result<RecordPlace> {
        match self.contig_of {
            None => self.next_line(),
            Some(contig_of) => {
                let mut start = [0; 16];
                self.reader.read_exact(&mut start)?;
                let word = |at: usize| u32::from_le_bytes([start[at], start[at + 1], start[at + 2], start[at + 3]]);
                let rest = (u64::from(word(0)) + u64::from(word(4))).checked_sub(8);
                let rest = rest.filter(|rest| *rest <= 2 * MAX_LINE_BYTES as u64);
                let rest = rest.ok_or_else(|| damaged("no record begins there"))?;
                if io::copy(&mut self.reader.by_ref().take(rest), &mut io::sink())? != rest {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                let contig = contig_of(word(8) as usize).ok_or_else(|| damaged("no record begins there"))?;
                Ok(RecordPlace { contig, position: i64::from(word(12) as i32) + 1 })
            }
        }
    }

    fn next_line(&mut self) -> io::Result<RecordPlace> {
        self.line.clear();
        self.reader.by_ref().take(MAX_LINE_BYTES as u64).read_until(b'\n', &mut self.line)?;
        let mut columns = self.line.split(|byte| *byte == b'\t');
        let contig = columns.next().filter(|contig| !contig.is_empty() && contig[0] != b'#');
        let contig = contig.and_then(|contig| std::str::from_utf8(contig).ok());
        match contig.zip(columns.next().and_then(digits)) {
            Some((contig, position)) => Ok(RecordPlace { contig: contig.to_owned(), position }),
            None => Err(damaged("no record begins there")),
        }
    }
}
