//! Whether a file is still the one that was looked at.

use std::{
    fs::{File, Metadata},
    io::{self, Read as _},
    path::Path,
    time::SystemTime,
};

use crate::{
    contract::source::InputFile,
    error::{RunError, RunErrorKind},
};

/// What a file system says of a file when it is looked at: another answer later means that the file was changed under our
/// hands. The time of modification can be put back by anybody; that of the last change of the file's entry cannot, and a file
/// that was put in its place is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileStamp {
    /// Bytes.
    pub bytes: u64,
    modified: Option<SystemTime>,
    /// Which file it is, and when its entry was changed last.
    identity: Option<Identity>,
}

/// Device, inode, and the time of the last change in seconds and nanoseconds.
type Identity = (u64, u64, i64, i64);

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<Identity> {
    None
}

impl FileStamp {
    /// The stamp of a file as it is now.
    pub fn of(path: &Path) -> io::Result<FileStamp> {
        let metadata = File::open(path)?.metadata()?;
        Ok(FileStamp { bytes: metadata.len(), modified: metadata.modified().ok(), identity: identity(&metadata) })
    }

    /// The time of modification as a text that is the same for the same time: seconds and nanoseconds since 1970.
    pub fn modified_text(&self) -> Option<String> {
        let since = self.modified?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(format!("{}.{:09}", since.as_secs(), since.subsec_nanos()))
    }
}

/// The stamp of a file that can be read as a drop.
pub(crate) fn look_at(path: &Path) -> io::Result<FileStamp> {
    // A file may be read more than once, which a pipe does not allow; and opening one might wait for ever.
    let kind = std::fs::metadata(path)?;
    if kind.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
    }
    if !kind.is_file() {
        let message = "it is no regular file; pass what comes through a pipe as `-`, with `--as NAME`";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    FileStamp::of(path)
}

/// xxh3-128 of a file's bytes as 32 hexadecimal digits.
pub(crate) fn digest_bytes(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(digest_text(hasher.digest128()));
        }
        hasher.update(&buffer[..count]);
    }
}

/// A digest of bytes as it is recorded: 32 hexadecimal digits.
pub(crate) fn digest_text(digest: u128) -> String {
    format!("{digest:032x}")
}

/// Refuses a file that is no longer the one that was looked at.
pub(crate) fn check_unchanged(file: &InputFile, stamp: &FileStamp) -> Result<(), RunError> {
    match FileStamp::of(&file.path) {
        Ok(now) if now == *stamp => Ok(()),
        _ => Err(changed(file)),
    }
}

/// Refuses a file of which other bytes were read than those that were digested (32 hexadecimal digits).
pub(crate) fn check_bytes(file: &InputFile, digested: &str, read: u128) -> Result<(), RunError> {
    if digest_text(read) == digested { Ok(()) } else { Err(changed(file)) }
}

/// A file that the system does not give.
pub(crate) fn unreadable(file: &InputFile, error: &io::Error) -> RunError {
    RunError::new(RunErrorKind::Input, format!("{} cannot be read: {error}", file.shown))
        .with_hint("Check the path and the rights on it.")
}

fn changed(file: &InputFile) -> RunError {
    RunError::new(RunErrorKind::Input, format!("{} was changed while it was read; nothing was written", file.shown))
        .with_hint("Run again when the file is complete; deliver files under another name and rename them.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_whose_time_was_put_back_is_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.vcf");
        std::fs::write(&path, "one").expect("a file");
        let stamp = FileStamp::of(&path).expect("a file");
        check_unchanged(&InputFile::at(&path), &stamp).expect("nothing was changed");
        let time = std::fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("a time");
        // A new file in its place, of the same size and time.
        let other = folder.path().join("other");
        std::fs::write(&other, "two").expect("a file");
        File::options().append(true).open(&other).and_then(|file| file.set_modified(time)).expect("the time is set");
        std::fs::rename(&other, &path).expect("a rename");
        let error = check_unchanged(&InputFile::at(&path), &stamp).expect_err("another file");
        assert!(error.message.contains("changed while it was read"), "{}", error.message);
    }

    #[test]
    fn bytes_are_compared_as_they_are_recorded() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.vcf");
        std::fs::write(&path, "one").expect("a file");
        let digest = digest_bytes(&path).expect("a file");
        check_bytes(&InputFile::at(&path), &digest, xxhash_rust::xxh3::xxh3_128(b"one")).expect("the same");
        check_bytes(&InputFile::at(&path), &digest, xxhash_rust::xxh3::xxh3_128(b"two")).expect_err("others");
    }
}
