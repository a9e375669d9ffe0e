//! What is left in a state directory when something was to be forgotten.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::PathBuf;

use super::directory::{LOCK, MANIFEST};
use super::error::StateError;
use super::file::{file_name, serial_of};
use super::store::State;

impl State {
    /// The state's own files that its epoch does not refer to: left by a run that was killed, or kept by the file system.
    ///
    /// # Errors
    /// When the directory cannot be listed.
    pub fn leftovers(&self) -> Result<Vec<PathBuf>, StateError> {
        let used: HashSet<String> =
            self.finalised.catalog.files().iter().map(|(file, _)| file_name(file.serial())).collect();
        let path = &self.directory.path;
        let failed = |error: io::Error| StateError::io("list", path, &error);
        let mut leftovers = Vec::new();
        for entry in fs::read_dir(path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let Some(name) = name.to_str() else { continue };
            let is_data = serial_of(name).is_some() && !used.contains(name);
            if is_data || (name.starts_with("PREPARED") && ![LOCK, MANIFEST].contains(&name)) {
                leftovers.push(path.join(name));
            }
        }
        leftovers.sort();
        Ok(leftovers)
    }

    /// The files of the directory.
    ///
    /// # Errors
    /// When the directory cannot be listed.
    pub fn files(&self) -> Result<Vec<PathBuf>, StateError> {
        let path = &self.directory.path;
        let failed = |error: io::Error| StateError::io("list", path, &error);
        let mut files = Vec::new();
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_file() {
                files.push(entry.path());
            }
        }
        files.sort();
        Ok(files)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use vardelta_schemas::ledger::{Epoch, EpochId};

    use super::*;
    use crate::state::SHARDS;

    fn write(session: &std::sync::Arc<crate::state::Session>, entries: &[(&str, Option<&str>)]) {
        let mut writer = session.run_writer("table", 3);
        for (key, value) in entries {
            writer.push(key.as_bytes(), value.map(str::as_bytes)).unwrap();
        }
        writer.finish().unwrap();
    }

    fn holds(directory: &Path, text: &str) -> bool {
        fs::read_dir(directory).unwrap().any(|entry| {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            memchr::memmem::find(&bytes, text.as_bytes()).is_some()
        })
    }

    #[test]
    fn of_what_is_deleted_no_byte_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let mut state = State::open(directory.path()).unwrap();
        let session = state.begin().unwrap();
        write(&session, &[("a", Some("stays")), ("marker-key", Some("marker-value")), ("z", Some("marker-old"))]);
        state.prepare(session, EpochId::numbered(Epoch::FIRST), Default::default()).unwrap();
        state.finalize().unwrap();
        let session = state.begin().unwrap();
        write(&session, &[("marker-key", None), ("z", Some("marker-passing"))]);
        write(&session, &[("z", Some("new"))]);
        assert!(holds(directory.path(), "marker"));
        session.rewrite().unwrap();
        let mut reader = session.reader("table", 3).unwrap();
        let mut scan = reader.scan(&[]).unwrap();
        let mut entries = Vec::new();
        while let Some((key, value)) = scan.next().unwrap() {
            entries.push((String::from_utf8(key).unwrap(), String::from_utf8(value).unwrap()));
        }
        assert_eq!(entries, [("a".into(), "stays".into()), ("z".into(), "new".into())]);
        drop(reader);
        state.prepare(session, EpochId::numbered(Epoch::new(2)), Default::default()).unwrap();
        state.finalize().unwrap();
        assert!(!holds(directory.path(), "marker"));
        assert_eq!(state.leftovers().unwrap(), Vec::<PathBuf>::new());
        drop(state);
        let state = State::open(directory.path()).unwrap();
        assert_eq!(state.statistics().iter().map(|space| space.entries).sum::<u64>(), 2);
        assert!((0..SHARDS).all(|shard| state.finalised.catalog.runs("table", shard).len() <= 1));
    }

    #[test]
    fn a_file_that_nobody_refers_to_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let state = State::open(directory.path()).unwrap();
        let stray = directory.path().join(file_name(9));
        fs::write(&stray, b"old").unwrap();
        assert_eq!(state.leftovers().unwrap(), [stray]);
    }
}
