//! Files beside the drops that decide what a stage computes: a reference, a list of regions, a pedigree.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// A file that a planned stage computes with.
///
/// Its content is part of what the stage computes: the engine digests it before a run and refuses to go on when it is not
/// what the state was made with. Its path is not, so that a file may be moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SideInput {
    /// The option that names it; where it is in `[pipeline]`, that one's name.
    pub option: &'static str,
    /// The file, independent of the working directory.
    pub path: PathBuf,
}

/// Reads such a file while planning.
///
/// # Errors
/// When it cannot be read, or is no regular file: it is read more than once, which a pipe does not allow, and opening one
/// might wait for ever.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    check(path)?;
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Refuses what is no regular file.
///
/// # Errors
/// When it is none, or is not there.
pub fn check(path: &Path) -> io::Result<()> {
    let kind = std::fs::metadata(path)?;
    if kind.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
    }
    match kind.is_file() {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file, and is read more than once")),
    }
}

impl SideInput {
    /// The file that an option names.
    pub fn new(option: &'static str, path: PathBuf) -> SideInput {
        SideInput { option, path }
    }
}
