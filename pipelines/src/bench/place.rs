//! Where measurements write: directories and databases that are made for them and gone afterwards, whatever happens.

use std::{
    cell::Cell,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::TempDir;
use vardelta_engine::{
    contract::sink::SinkStage,
    error::{RunError, RunErrorKind},
};

use crate::output;

/// What names of scratch places begin with.
const PREFIX: &str = "vardelta_bench_";

/// The scratch place of a bench.
pub struct Place {
    root: TempDir,
    sink: Option<Arc<dyn SinkStage>>,
    made: Cell<u32>,
}

/// The scratch place of one measurement.
pub struct Spot {
    /// For state and SQLite file.
    pub directory: TempDir,
    /// On the sink's server, where it has one.
    pub database: Option<String>,
    sink: Option<Arc<dyn SinkStage>>,
}

impl Place {
    /// A place in the directory for temporary files; `sink` is the pipeline's, unless nothing is written.
    ///
    /// # Errors
    /// When no directory can be made.
    pub fn new(sink: Option<Arc<dyn SinkStage>>) -> Result<Place, RunError> {
        let root = tempfile::Builder::new().prefix(PREFIX).rand_bytes(12).tempdir().map_err(no_directory)?;
        Ok(Place { root, sink, made: Cell::new(0) })
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// An empty directory in it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn directory(&self, name: &str) -> Result<PathBuf, RunError> {
        let path = self.path().join(name);
        std::fs::create_dir_all(&path).map_err(no_directory)?;
        Ok(path)
    }

    /// A place that nothing was written to yet.
    ///
    /// # Errors
    /// When the directory or the database cannot be made.
    pub fn spot(&self) -> Result<Spot, RunError> {
        self.made.set(self.made.get() + 1);
        let directory = tempfile::tempdir_in(self.path()).map_err(no_directory)?;
        let mut spot = Spot { directory, database: None, sink: self.sink.clone() };
        if let Some(sink) = &self.sink {
            let root = self.path().file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            let name = format!("{}_{}", root.trim_start_matches('.'), self.made.get());
            spot.database = sink.make_database(&name)?.then_some(name);
        }
        Ok(spot)
    }
}

impl Drop for Spot {
    fn drop(&mut self) {
        let (Some(sink), Some(database)) = (&self.sink, &self.database) else { return };
        if let Err(error) = sink.drop_database(database) {
            let text = format!("notice: the scratch database `{database}` could not be dropped: {error}");
            // Nobody else would hear of it: this happens also where something else went wrong.
            let _ = writeln!(std::io::stderr(), "{}", output::safe(&text));
        }
    }
}

fn no_directory(error: std::io::Error) -> RunError {
    RunError::new(RunErrorKind::Sink, format!("no scratch directory can be made: {error}"))
        .with_hint("Make room in the directory for temporary files, or name another one with the variable TMPDIR.")
}
