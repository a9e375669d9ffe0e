//! Lines of a file, packed or not, read in the plainest way.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;

/// How a packed file begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Bytes that are read at a time.
const BUFFER_BYTES: usize = 1 << 20;

/// Opens a file; gzip and BGZF are unpacked.
///
/// # Errors
/// When it cannot be read.
pub fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::with_capacity(BUFFER_BYTES, File::open(path)?);
    if file.fill_buf()?.starts_with(&GZIP) {
        return Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(file))));
    }
    Ok(Box::new(file))
}

/// Whether a file is BCF, which has no lines.
///
/// # Errors
/// When it cannot be read.
pub fn is_binary(path: &Path) -> io::Result<bool> {
    Ok(open(path)?.fill_buf()?.starts_with(b"BCF"))
}

/// Gives every line, its end taken off, to `each`, until that has enough. Yields the bytes that were read.
///
/// # Errors
/// When the file cannot be read, or `each` fails.
pub fn lines(path: &Path, mut each: impl FnMut(&[u8]) -> io::Result<bool>) -> io::Result<u64> {
    let (mut reader, mut line, mut bytes) = (open(path)?, Vec::new(), 0);
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        bytes += read as u64;
        let end = line.strip_suffix(b"\n").unwrap_or(&line);
        if read == 0 || !each(end.strip_suffix(b"\r").unwrap_or(end))? {
            return Ok(bytes);
        }
    }
}
