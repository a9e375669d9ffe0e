//! Reads the header of a VCF text and cuts the rest into chunks of whole lines, on the reader thread.

use std::{any::Any, sync::Arc};

use vardelta_engine::contract::{
    source::{ChunkReader, RawChunk},
    stage::StageError,
};

use crate::sources::{
    shared::{
        container::Container,
        lines::{LineEnds, TextCutter},
        place::shown,
        stretches::Stretch,
    },
    vcf::{
        header::{VcfHeader, is_column_line, no_column_line},
        index::Indexable,
    },
};

/// No header is longer: one of a million contigs and as many samples takes 100 MB.
const MAX_HEADER_BYTES: usize = 1 << 28;

/// Reads a VCF text.
pub(super) struct TextChunks {
    text: TextCutter<LineEnds>,
    header: Arc<VcfHeader>,
    header_digest: u128,
    /// The length of the header's text.
    header_bytes: u64,
}

impl TextChunks {
    /// Reads the header; `start` is what has been read already, and `ended` whether that was all. `prepare` completes the
    /// header and digests it.
    ///
    /// # Errors
    /// When there is none, or it is not one.
    pub fn new(
        mut container: Container,
        start: Vec<u8>,
        mut ended: bool,
        prepare: impl FnOnce(&mut VcfHeader) -> Result<u128, StageError>,
    ) -> Result<TextChunks, StageError> {
        let mut text = start;
        let length = read_header(&mut container, &mut text, &mut ended)?;
        let mut header = VcfHeader::parse(&text[..length], container.file())?;
        let header_digest = prepare(&mut header)?;
        let carry = text.split_off(length);
        let header_bytes = length as u64;
        let text = TextCutter::new(container, LineEnds::default(), carry, header.first_origin, ended);
        Ok(TextChunks { text, header_digest, header_bytes, header: Arc::new(header) })
    }
}

impl Indexable for TextChunks {
    fn container(&self) -> &Container {
        self.text.container()
    }

    fn header_bytes(&self) -> u64 {
        self.header_bytes
    }

    fn header_mut(&mut self) -> &mut VcfHeader {
        Arc::make_mut(&mut self.header)
    }

    fn contig_of(&self) -> Option<Box<dyn Fn(usize) -> Option<String> + '_>> {
        None
    }

    fn read_only(&mut self, stretches: Vec<Stretch>) -> Result<(), StageError> {
        self.text.restart(|container| container.read_only(stretches, true))?;
        self.header_mut().first_origin = 1;
        Ok(())
    }
}

/// Reads until the `#CHROM` line is whole; returns where it ends.
fn read_header(container: &mut Container, text: &mut Vec<u8>, ended: &mut bool) -> Result<usize, StageError> {
    /// Headers are read in pieces of this size.
    const PIECE_BYTES: usize = 64 * 1024;
    // What has been searched for a line end is not searched again, however long the line becomes.
    let (mut start, mut searched, mut lines) = (0, 0, 0);
    loop {
        while let Some(at) = memchr::memchr(b'\n', &text[searched..]) {
            let end = searched + at;
            lines += 1;
            if is_last_header_line(&text[start..end], start == 0, lines, container.file())? {
                return Ok(end + 1);
            }
            (start, searched) = (end + 1, end + 1);
        }
        searched = text.len();
        if *ended {
            if text.is_empty() {
                return Err(StageError::new(format!("{} holds no text: it has no VCF header", container.file()))
                    .with_hint("A drop without records is a file of a header alone."));
            }
            let last = start < text.len();
            if last && is_last_header_line(&text[start..], start == 0, lines + 1, container.file())? {
                return Ok(text.len());
            }
            let error = no_column_line(container.file(), lines + u64::from(last));
            return Err(match memchr::memchr(b'\r', text) {
                Some(_) if lines == 0 => {
                    error.with_hint("Its lines end in carriage returns alone; convert them to line feeds.")
                }
                _ => error,
            });
        }
        // Whatever cannot begin a header line is refused before its line's end is looked for: it may never come.
        if start < text.len() {
            refuse_foreign_start(&text[start..], start == 0, lines + 1, container.file())?;
        }
        if text.len() > MAX_HEADER_BYTES {
            return Err(StageError::new(format!(
                "{}: no #CHROM line in its first {MAX_HEADER_BYTES} bytes",
                container.file()
            ))
            .with_hint("This is no VCF file, or its line ends are lost."));
        }
        *ended = container.read_into(text, PIECE_BYTES)? < PIECE_BYTES;
    }
}

fn is_last_header_line(line: &[u8], first: bool, number: u64, file: &str) -> Result<bool, StageError> {
    let line = if first { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
    refuse_foreign_start(line, first, number, file)?;
    Ok(is_column_line(line))
}

/// Header lines start with `#`; blank ones are tolerated.
fn refuse_foreign_start(line: &[u8], first: bool, number: u64, file: &str) -> Result<(), StageError> {
    match line.first() {
        Some(b'#') if first && line.get(1) == Some(&0) => rewritten(line, first, number, file).map_or(Ok(()), Err),
        None | Some(b'#' | b'\r' | b' ' | b'\t') => Ok(()),
        Some(0xef) if first => Ok(()),
        Some(_) => {
            let line = line.split(|byte| *byte == b'\n').next().unwrap_or(line);
            if let Some(error) = rewritten(line, first, number, file) {
                return Err(error);
            }
            Err(StageError::new(format!(
                "{file}: line {number} is neither a header line nor does a #CHROM line come before it: `{}`",
                shown(line)
            ))
            .with_hint("A VCF file starts with its ## lines and the #CHROM line, which names the columns and samples."))
        }
    }
}

/// A VCF file that another program has rewritten in a way of its own.
fn rewritten(line: &[u8], first: bool, number: u64, file: &str) -> Option<StageError> {
    // With a byte order mark or without; in ASCII every second byte is zero.
    let is_utf16 = first
        && (line.starts_with(b"\xff\xfe")
            || line.starts_with(b"\xfe\xff")
            || line.starts_with(b"\0#")
            || line.starts_with(b"#\0"));
    if is_utf16 {
        let message = format!("{file} is UTF-16 text, not UTF-8: PowerShell's `>` and some editors write files so");
        return Some(
            StageError::new(message)
                .with_hint("Take the original file, or convert it with `iconv -f UTF-16 -t UTF-8`."),
        );
    }
    line.starts_with(b"\"#").then(|| {
        StageError::new(format!(
            "{file}: line {number} is a header line in quotation marks, as a spreadsheet saves it: `{}`",
            shown(line)
        ))
        .with_hint("Take the original file: a spreadsheet also changes values, gene names and dates for example.")
    })
}

impl ChunkReader for TextChunks {
    fn header(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::clone(&self.header) as _
    }

    fn header_digest(&self) -> u128 {
        self.header_digest
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
