//! Reads stretches of a BGZF file, one after the other, and checks that they are what the index took them for.

use std::io::{self, BufRead as _, Read, Seek};

use noodles_bgzf::{self as bgzf, VirtualPosition};

/// Records that follow each other in a BGZF file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Where the first begins.
    pub start: VirtualPosition,
    /// After the last.
    pub end: VirtualPosition,
    /// The contig they are on, as the file writes it.
    pub contig: String,
}

/// The decompressed bytes of some stretches.
pub(crate) struct Stretches<R> {
    reader: bgzf::io::Reader<R>,
    ahead: std::vec::IntoIter<Stretch>,
    current: Option<Stretch>,
    /// Whether the records are lines, which can be checked.
    is_text: bool,
    last: u8,
}

impl<R: Read + Seek> Stretches<R> {
    /// Reads these stretches, in this order.
    pub fn new(file: R, stretches: Vec<Stretch>, is_text: bool) -> Stretches<R> {
        let reader = bgzf::io::Reader::new(file);
        Stretches { reader, ahead: stretches.into_iter(), current: None, is_text, last: b'\n' }
    }

    /// Appends up to `count` bytes, fewer only at the end.
    pub fn read_into(&mut self, bytes: &mut Vec<u8>, count: usize) -> io::Result<usize> {
        let wanted = bytes.len() + count;
        while bytes.len() < wanted {
            let Some(stretch) = &self.current else {
                match self.ahead.next() {
                    Some(next) => self.enter(next)?,
                    None => break,
                }
                continue;
            };
            // The position is that of the next byte only once its block is there.
            let available = self.reader.fill_buf()?.len();
            let (at, end) = (self.reader.virtual_position(), stretch.end);
            if at >= end {
                self.leave()?;
                continue;
            }
            if available == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let in_block = match at.compressed() == end.compressed() {
                true => usize::from(end.uncompressed() - at.uncompressed()),
                false => available,
            };
            let taken = in_block.min(available).min(wanted - bytes.len());
            let block = self.reader.fill_buf()?;
            bytes.extend_from_slice(&block[..taken]);
            self.last = block[taken - 1];
            self.reader.consume(taken);
        }
        Ok(count - (wanted - bytes.len()))
    }

    /// Goes to a stretch. It begins with a record of its contig.
    fn enter(&mut self, stretch: Stretch) -> io::Result<()> {
        self.reader.seek(stretch.start)?;
        if self.is_text {
            // A block that ends within the name says nothing; the next line will.
            let block = self.reader.fill_buf()?;
            let name = block.split(|byte| *byte == b'\t').next().unwrap_or_default();
            if name.len() < block.len() && name != stretch.contig.as_bytes() {
                return Err(foreign());
            }
        }
        self.current = Some(stretch);
        Ok(())
    }

    /// Leaves a stretch. It ends with the end of a line.
    fn leave(&mut self) -> io::Result<()> {
        self.current = None;
        match self.is_text && self.last != b'\n' {
            true => Err(foreign()),
            false => Ok(()),
        }
    }
}

fn foreign() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "its index points between records: it is of another file")
}
