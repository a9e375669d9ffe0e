//! Whether a file is still the one that was looked at.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
    time::SystemTime,
};

use crate::error::{RunError, RunErrorKind};

/// Size and time of a file when it was looked at: another one later means that the file was changed under our hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileStamp {
    /// Bytes.
    pub bytes: u64,
    modified: Option<SystemTime>,
}

impl FileStamp {
    /// The stamp of a file as it is now.
    pub fn of(path: &Path) -> io::Result<FileStamp> {
        let metadata = File::open(path)?.metadata()?;
        Ok(FileStamp { bytes: metadata.len(), modified: metadata.modified().ok() })
    }

    /// The time of modification as a text that is the same for the same time: seconds and nanoseconds since 1970.
    pub fn modified_text(&self) -> Option<String> {
        let since = self.modified?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(format!("{}.{:09}", since.as_secs(), since.subsec_nanos()))
    }
}

/// A file's stamp and the digest of its bytes.
pub(crate) type Digested = io::Result<(FileStamp, String)>;

/// The stamp of a file, and xxh3-128 of its bytes as 32 hexadecimal digits.
pub(crate) fn digest_bytes(path: &Path) -> Digested {
    // A file is read more than once, which a pipe does not allow; and opening one might wait for ever.
    let kind = std::fs::metadata(path)?;
    if kind.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
    }
    if !kind.is_file() {
        let message = "it is no regular file; pass what comes through a pipe as `-`, with `--as NAME`";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let stamp = FileStamp::of(path)?;
    let mut file = File::open(path)?;
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((stamp, format!("{:032x}", hasher.digest128())));
        }
        hasher.update(&buffer[..count]);
    }
}

/// Refuses a file that is no longer the one whose bytes were digested.
pub(crate) fn check_unchanged(path: &Path, stamp: &FileStamp) -> Result<(), RunError> {
    match FileStamp::of(path) {
        Ok(now) if now == *stamp => Ok(()),
        _ => Err(RunError::new(RunErrorKind::Input, format!("{} was changed while it was read", path.display()))
            .with_hint("Run again when the file is complete; deliver files under another name and rename them.")),
    }
}
