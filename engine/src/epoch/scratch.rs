//! Room for what a command keeps while it runs and nobody needs afterwards: what came from standard input, a state that is
//! only computed to be compared, changes that are only shown.
//!
//! It lies in a directory of its own under the state directory; where a command only reads and may not write there, in the
//! system's temporary directory under a name that says whose it is. Beside the directory lies a lock that its process
//! holds: the next start that may write deletes what a killed process has left, in both places.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::{
    contract::sink::Access,
    epoch::identity,
    error::{RunError, RunErrorKind},
};

/// The directory under the state directory.
const DIRECTORY: &str = "scratch";
/// What the lock's name has after the directory's.
const LOCK: &str = ".lock";

/// A directory that goes with this value.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
    /// Held until the directory is gone.
    _lock: File,
}

impl Scratch {
    /// A new directory for a command on the state in `state_directory`. With [`Access::Read`] nothing is needed of that.
    pub(crate) fn new(state_directory: &Path, access: Access) -> Result<Scratch, RunError> {
        let name = identity::random()?.to_string();
        let is_there = access == Access::Write || state_directory.is_dir();
        let beside = state_directory.join(DIRECTORY);
        let mut made = Err(io::Error::from(io::ErrorKind::NotFound));
        if is_there {
            made = fs::create_dir_all(&beside).and_then(|()| make(beside.join(&name)));
        }
        if access == Access::Read && made.is_err() {
            made = make(std::env::temp_dir().join(format!("{}{name}", prefix(state_directory))));
        }
        made.map_err(|error| {
            RunError::new(RunErrorKind::Sink, format!("no room for temporary files can be made: {error}"))
                .with_hint("Make the state directory, or for commands that only read TMPDIR, writable.")
                .caused_by(error)
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn make(path: PathBuf) -> io::Result<Scratch> {
    // The lock comes first: a directory without one that is held belongs to nobody.
    let lock = File::create_new(lock_of(&path))?;
    lock.try_lock().map_err(io::Error::from)?;
    fs::create_dir(&path)?;
    Ok(Scratch { path, _lock: lock })
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is deleted by the next start.
        let _ = fs::remove_dir_all(&self.path);
        let _ = fs::remove_file(lock_of(&self.path));
        if let Some(parent) = self.path.parent().filter(|parent| parent.ends_with(DIRECTORY)) {
            // Only when it is empty.
            let _ = fs::remove_dir(parent);
        }
    }
}

fn lock_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(LOCK);
    PathBuf::from(name)
}

/// What names in the system's temporary directory begin with that belong to this state.
fn prefix(state_directory: &Path) -> String {
    let whole = std::path::absolute(state_directory).unwrap_or_else(|_| state_directory.to_owned());
    format!("vardelta-{:016x}-", xxhash_rust::xxh3::xxh3_64(whole.as_os_str().as_encoded_bytes()))
}

/// The directories of this state whose process is gone.
pub(crate) fn leftovers(state_directory: &Path) -> Vec<PathBuf> {
    let in_state = listed(&state_directory.join(DIRECTORY), "");
    let in_temporary = listed(&std::env::temp_dir(), &prefix(state_directory));
    let is_dead = |path: &PathBuf| match File::open(lock_of(path)) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(_) => true,
    };
    in_state.into_iter().chain(in_temporary).filter(is_dead).collect()
}

fn listed(directory: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let entries = entries.flatten().filter(|entry| entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes()));
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// Deletes what killed processes have left, as far as it can be deleted.
pub(crate) fn clean(state_directory: &Path) {
    for path in leftovers(state_directory) {
        let _ = fs::remove_dir_all(&path);
        let _ = fs::remove_file(lock_of(&path));
    }
    // Only when it is empty.
    let _ = fs::remove_dir(state_directory.join(DIRECTORY));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_goes_with_its_value_and_a_dead_ones_with_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let scratch = Scratch::new(&state, Access::Write).unwrap();
        assert!(scratch.path().starts_with(&state));
        let dead = state.join(DIRECTORY).join("dead");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join("input"), "records").unwrap();
        fs::write(lock_of(&dead), "").unwrap();
        assert_eq!(leftovers(&state), std::slice::from_ref(&dead));
        clean(&state);
        assert!(!dead.exists() && !lock_of(&dead).exists() && scratch.path().is_dir());
        drop(scratch);
        assert!(!state.join(DIRECTORY).exists());
    }

    #[test]
    fn who_only_reads_makes_no_state_directory() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let scratch = Scratch::new(&state, Access::Read).unwrap();
        assert!(!state.exists() && scratch.path().starts_with(std::env::temp_dir()));
        assert_eq!(listed(&std::env::temp_dir(), &prefix(&state)), [scratch.path()]);
        assert_eq!(leftovers(&state), Vec::<PathBuf>::new());
    }
}
