//! Walks the folders that a glob names.

use std::{
    fs, io,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use vardelta_engine::{contract::emit::StageError, path_text::to_text};

use crate::sources::shared::glob::Part;

/// What a glob matches.
#[derive(Debug, Default)]
pub(super) struct Matches {
    /// Everything that is no folder. A link that leads nowhere is among it: reading it will say so.
    pub files: Vec<PathBuf>,
    /// Folders whose own name the last part matches.
    pub folders: Vec<PathBuf>,
}

/// Adds what below `folder` matches these parts.
///
/// # Errors
/// When a folder cannot be read.
pub(super) fn walk(folder: &Path, parts: &[Part], found: &mut Matches) -> Result<(), StageError> {
    let mut walk = Walk { found, above: Vec::new() };
    walk.step(folder, parts)
}

struct Walk<'a> {
    found: &'a mut Matches,
    /// Device and number of the folders that `**` went through to get here: links may lead round in a circle.
    above: Vec<(u64, u64)>,
}

impl Walk<'_> {
    fn step(&mut self, folder: &Path, parts: &[Part]) -> Result<(), StageError> {
        let Some((part, rest)) = parts.split_first() else { return Ok(()) };
        match part {
            Part::Name(name) => self.take(folder.join(name), rest),
            Part::Names { regex, hidden } => {
                for path in entries(folder)? {
                    let name = path.file_name().unwrap_or_default().as_bytes();
                    if (*hidden || !name.starts_with(b".")) && regex.is_match(name) {
                        self.take(path, rest)?;
                    }
                }
                Ok(())
            }
            Part::Folders => {
                let Ok(here) = fs::metadata(folder).map(|metadata| (metadata.dev(), metadata.ino())) else {
                    return Ok(());
                };
                if self.above.contains(&here) {
                    return Ok(());
                }
                self.above.push(here);
                self.step(folder, rest)?;
                for path in entries(folder)? {
                    let name = path.file_name().unwrap_or_default().as_bytes();
                    if name.starts_with(b".") {
                        continue;
                    }
                    match path.is_dir() {
                        true => self.step(&path, parts)?,
                        false if rest.is_empty() => self.found.files.push(path),
                        false => {}
                    }
                }
                self.above.pop();
                Ok(())
            }
        }
    }

    /// Goes on below a path, or takes it.
    fn take(&mut self, path: PathBuf, rest: &[Part]) -> Result<(), StageError> {
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() && rest.is_empty() => self.found.folders.push(path),
            Ok(metadata) if metadata.is_dir() => self.step(&path, rest)?,
            _ if !rest.is_empty() => {}
            Ok(_) => self.found.files.push(path),
            Err(error) if is_absent(&error) && path.symlink_metadata().is_err() => {}
            Err(_) => self.found.files.push(path),
        }
        Ok(())
    }
}

/// What a folder holds, by name; nothing where there is no such folder.
///
/// # Errors
/// When it is there and cannot be read.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, StageError> {
    let unreadable = |error: io::Error| {
        StageError::new(format!("cannot read {}: {error}", to_text(folder)))
            .with_hint("Check the permissions of the directory.")
    };
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let paths: Result<Vec<PathBuf>, io::Error> = listed.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(unreadable)?;
    paths.sort();
    Ok(paths)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
