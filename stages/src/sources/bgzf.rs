//! How a BGZF file begins and ends (SAM 1.6, section 4.1).

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
};

/// Bytes of a block's header: as many tell it from other containers.
pub const HEADER_BYTES: usize = 18;

/// The empty block that ends every complete file (section 4.1.2).
pub const END_BLOCK: [u8; 28] = [
    0x1f, 0x8b, 0x08, 0x04, 0, 0, 0, 0, 0, 0xff, 0x06, 0, 0x42, 0x43, 0x02, 0, 0x1b, 0, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

/// Whether these are the first bytes of a block, rather than of another gzip stream.
pub fn is_block(magic: &[u8]) -> bool {
    matches!(magic, [0x1f, 0x8b, 8, flags, _, _, _, _, _, _, 6, 0, b'B', b'C', 2, 0, ..] if flags & 4 != 0)
}

/// Whether a file ends with the block that ends every complete one.
///
/// # Errors
/// When its last bytes cannot be read.
pub fn ends_whole(file: &mut File) -> io::Result<bool> {
    let bytes = file.metadata()?.len();
    file.seek(SeekFrom::Start(bytes.saturating_sub(END_BLOCK.len() as u64)))?;
    let mut last = Vec::with_capacity(END_BLOCK.len());
    file.take(END_BLOCK.len() as u64).read_to_end(&mut last)?;
    Ok(last == END_BLOCK)
}
