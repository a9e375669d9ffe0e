//! Finding the files of a source: the glob of `path`, relative to the pipeline file.

use std::path::{Path, PathBuf};

use vardelta_engine::{
    contract::{
        options::Spanned,
        stage::{PipelineSettings, StageError},
    },
    diagnostics::Diagnostics,
};

/// The glob of a source.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// The glob as the pipeline file writes it.
    pub pattern: String,
    /// The glob made independent of the working directory.
    resolved: glob::Pattern,
}

impl Files {
    /// The glob, relative to the pipeline file; the directory's own name is taken literally.
    pub fn plan(path: &Spanned<String>, pipeline: &PipelineSettings, diagnostics: &mut Diagnostics) -> Option<Files> {
        let pattern = if Path::new(&path.value).is_absolute() {
            path.value.clone()
        } else {
            let base = glob::Pattern::escape(&pipeline.base_dir.to_string_lossy());
            Path::new(&base).join(&path.value).to_string_lossy().into_owned()
        };
        match glob::Pattern::new(&pattern) {
            Ok(resolved) if !path.value.is_empty() => Some(Files { pattern: path.value.clone(), resolved }),
            outcome => {
                let problem = outcome.err().map_or("it is empty".to_string(), |error| error.msg.to_string());
                diagnostics
                    .error(path.span.clone(), format!("`path` is not a glob: {problem}"))
                    .hint("Write a file name in which `*` stands for any characters, such as `drops/*.vcf.gz`.");
                None
            }
        }
    }

    /// The files that it matches now, sorted by name. Hidden files are left alone, and indexes of other files: globs such
    /// as `drops/*.vcf*` take them along.
    ///
    /// # Errors
    /// When a directory cannot be read.
    pub fn discover(&self) -> Result<Vec<PathBuf>, StageError> {
        let pattern = &self.resolved;
        // Copying tools write to hidden names first.
        let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
        let paths = glob::glob_with(pattern.as_str(), options)
            .map_err(|error| StageError::new(format!("`{pattern}` is not a glob: {error}")))?;
        let mut found = Vec::new();
        for path in paths {
            let path = path.map_err(|error| {
                StageError::new(format!("cannot read {}: {}", error.path().display(), error.error()))
                    .with_hint("Check the permissions of the directory.")
            })?;
            if !path.is_dir() && !is_index(&path) {
                found.push(path);
            }
        }
        found.sort_by(|a, b| (a.file_name(), a).cmp(&(b.file_name(), b)));
        Ok(found)
    }
}

/// Whether a file is the index of another.
fn is_index(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|extension| ["tbi", "csi", "gzi"].contains(&extension.as_str()))
}

/// The extensions of compression.
pub(crate) const COMPRESSION: &[&str] = &[".gz", ".bgz", ".bgzf"];

/// The file name without the extensions of compression and of these formats; `stdin` for `-`.
pub(crate) fn drop_name(path: &Path, formats: &[&str]) -> String {
    let name = match path.file_name() {
        Some(name) if path != Path::new("-") => name.to_string_lossy().into_owned(),
        _ => return "stdin".into(),
    };
    let mut stem = name.as_str();
    for extensions in [COMPRESSION, formats] {
        stem = extensions.iter().find_map(|extension| without_extension(stem, extension)).unwrap_or(stem);
    }
    stem.to_string()
}

/// Takes an extension off, in whatever case, unless nothing would be left.
pub(crate) fn without_extension<'a>(name: &'a str, extension: &str) -> Option<&'a str> {
    let at = name.len().checked_sub(extension.len()).filter(|at| *at > 0 && name.is_char_boundary(*at))?;
    name[at..].eq_ignore_ascii_case(extension).then_some(&name[..at])
}
