//! Copies of folders.

use std::{fs, io, path::Path};

/// Copies a folder with all that is in it, in place of what was there.
///
/// # Panics
/// When it cannot be copied.
pub fn copy(from: &Path, to: &Path) {
    let copied = || -> io::Result<()> {
        if to.exists() {
            fs::remove_dir_all(to)?;
        }
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let target = to.join(entry.file_name());
            match entry.path().is_dir() {
                true => copy(&entry.path(), &target),
                false => drop(fs::copy(entry.path(), target)?),
            }
        }
        Ok(())
    };
    copied().unwrap_or_else(|error| panic!("{} cannot be copied to {}: {error}", from.display(), to.display()));
}
