//! The pipeline files of a folder that have tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

use vardelta_engine::{
    diagnostics::Diagnostics,
    error::{RunError, RunErrorKind},
};

use super::scratch;
use crate::pipeline_file;

/// The files `*.toml` of a folder that have tests, by their names. Other TOML files lie about in many folders.
///
/// # Errors
/// When the folder or one of its TOML files cannot be read.
pub fn files_of(folder: &Path) -> Result<Vec<PathBuf>, RunError> {
    let failed = |error: std::io::Error| {
        RunError::new(RunErrorKind::Usage, format!("the folder {} cannot be read: {error}", folder.display()))
            .with_hint("Name the pipeline files.")
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") && path.is_file() && has_tests(&path)? {
            files.push(path.strip_prefix(".").map(Path::to_path_buf).unwrap_or(path));
        }
    }
    files.sort();
    Ok(files)
}

/// Also where something else is wrong with the file: then its tests cannot be run, which must be said.
fn has_tests(path: &Path) -> Result<bool, RunError> {
    let text = pipeline_file::read(path)?;
    let spec = scratch::read(path, &text, &[], &mut Diagnostics::default());
    Ok(spec.root.iter().any(|entry| entry.key == "tests"))
}
