//! `--changes`: every row that a run changes, as one JSON object a line.
//!
//! `{"table": …, "op": "insert" | "update" | "delete", "key": {…}, "old": {…} or null, "new": {…} or null}`, table by table in
//! the order of the sink, each in key order. Values are whole, numbers as JSON writes them, decimals and dates as texts.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use vardelta_engine::{
    contract::sink::ChangeBatch,
    error::{RunError, RunErrorKind},
    locks::Locked as _,
    plan::Plan,
};
use vardelta_schemas::TableSchema;

use crate::{
    changes,
    destination::{self, Kind},
};

/// How every line begins, by which a file of ours is known.
const BEGINNING: &[u8] = b"{\"table\":";

/// What such a file is, and what it may replace: one of its kind, or an empty one.
static KIND: Kind = Kind {
    option: "--changes",
    what: "a file of changed rows",
    is_own: |start| start.is_empty() || start.starts_with(BEGINNING),
};

/// A file being written beside its final place.
pub struct ChangesFile {
    /// The final place; `None` for standard output.
    place: Option<(PathBuf, tempfile::TempPath)>,
    written: Mutex<Written>,
}

struct Written {
    writer: BufWriter<Box<dyn Write + Send>>,
    failed: Option<io::Error>,
}

impl ChangesFile {
    /// Begins a file. What is at `path` stays until [`ChangesFile::finish`].
    ///
    /// # Errors
    /// When something else than changes is there, or no file can be made in its directory.
    pub fn create(path: &Path, plan: &Plan) -> Result<ChangesFile, RunError> {
        let (place, writer): (_, Box<dyn Write + Send>) = if path == Path::new("-") {
            (None, Box::new(io::stdout()))
        } else {
            let path = &destination::check(path, plan, &KIND)?;
            let file = destination::begin(path).map_err(|error| unwritable(path, &error))?;
            let (file, temporary) = file.into_parts();
            (Some((path.to_path_buf(), temporary)), Box::new(file))
        };
        Ok(ChangesFile { place, written: Mutex::new(Written { writer: BufWriter::new(writer), failed: None }) })
    }

    /// Takes the next changes of a table. What goes wrong is reported by [`ChangesFile::finish`].
    pub fn take(&self, table: &TableSchema, batch: &ChangeBatch) {
        let mut written = self.written.locked();
        if written.failed.is_none() {
            let lines = changes::lines(table, batch).map_err(io::Error::other);
            written.failed = lines.and_then(|lines| written.writer.write_all(lines.as_bytes())).err();
        }
    }

    /// Puts the file into its place, whole.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn finish(self) -> Result<(), RunError> {
        let Written { mut writer, failed } = self.written.into_inner().unwrap_or_else(PoisonError::into_inner);
        let flushed = failed.map_or(Ok(()), Err).and_then(|()| writer.flush());
        drop(writer);
        match self.place {
            None => flushed.map_err(|error| unwritable(Path::new("-"), &error)),
            Some((path, temporary)) => {
                flushed.map_err(|error| unwritable(&path, &error))?;
                temporary.persist(&path).map_err(|error| unwritable(&path, &error.error))
            }
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> RunError {
    RunError::new(RunErrorKind::Sink, format!("the changed rows cannot be written to {}: {error}", path.display()))
        .with_hint("What the run was to do is not affected; `vardelta history` lists what was committed.")
}
