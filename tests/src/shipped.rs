//! Copies of what is shipped, for tests that run it.

use std::{fs, path::Path};

/// Folders and files of the shipped pipelines, in a directory of their own.
pub fn copied(folders: &[&str], files: &[&str]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("temporary directory");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines");
    for folder in folders {
        copy_folder(&shipped.join(folder), &directory.path().join(folder));
    }
    for file in files {
        fs::copy(shipped.join(file), directory.path().join(file)).expect("pipeline");
    }
    directory
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folder");
    for entry in fs::read_dir(from).expect("folder").flatten() {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).expect("file")),
        }
    }
}
