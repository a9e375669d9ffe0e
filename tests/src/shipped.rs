//! Copies of what is shipped, for tests that run it.

use std::{fs, path::Path};

use crate::folder;

/// Folders and files of the shipped pipelines, in a directory of their own.
pub fn copied(folders: &[&str], files: &[&str]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("temporary directory");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines");
    for folder in folders {
        folder::copy(&shipped.join(folder), &directory.path().join(folder));
    }
    for file in files {
        fs::copy(shipped.join(file), directory.path().join(file)).expect("pipeline");
    }
    directory
}
