//! The files of a source: what `path` matches, which of it are drops, and what they are called.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use vardelta_engine::{
    contract::{
        emit::StageError,
        options::{OptionValue, Spanned},
        source::Discovered,
        stage::PipelineSettings,
    },
    diagnostics::Diagnostics,
    path_text::to_text,
    spec::{Node, Value},
};
use vardelta_schemas::{Column, ColumnType, Schema};

use crate::sources::shared::{
    by_product::{FOLDER, by_product, is_htslib_index, told},
    glob::{self, Part},
    location,
    naming::{DropNaming, stem},
    walk::{Matches, entries, walk},
};

/// Characters of a glob, at the most.
const MOST_CHARACTERS: usize = 4_096;

/// The option `path`: one glob.
#[derive(Clone, Debug)]
pub struct PathGlob(pub String);

impl OptionValue for PathGlob {
    const EXPECTS: &'static str = "a text";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.value {
            Value::Array(_) => {
                diagnostics
                    .error(node.span.clone(), "`path` is one glob, not a list")
                    .hint("Write the choices in braces, such as `{a,b}/*.{vcf,vcf.gz}`.");
                None
            }
            _ => String::read(node, diagnostics).map(PathGlob),
        }
    }
    fn json_schema() -> String {
        String::json_schema()
    }
}

/// What a pipeline file says about the files of a source: the options `path` and `drop_name`.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileOptions {
    /// The glob.
    pub path: Option<Spanned<PathGlob>>,
    /// How drops are named.
    pub drop_name: Option<DropNaming>,
}

/// The files of a planned source.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// The glob as the pipeline file writes it.
    pattern: Option<String>,
    /// The glob, one list of parts for each alternative that its braces make.
    alternatives: Vec<Vec<Part>>,
    /// Where the glob starts: `/`, or the pipeline file's directory.
    root: PathBuf,
    /// The pipeline file's directory.
    base: PathBuf,
    naming: Option<DropNaming>,
    /// The extensions of the source's formats, with their dots; they are not part of a drop's name.
    formats: &'static [&'static str],
}

impl Files {
    /// Resolves the options, and reports a `path` that is no glob of files on this machine.
    pub fn plan(
        options: FileOptions,
        formats: &'static [&'static str],
        pipeline: &PipelineSettings,
        diagnostics: &mut Diagnostics,
    ) -> Option<Files> {
        let base = pipeline.base_dir.clone();
        let (mut root, mut alternatives) = (base.clone(), Vec::new());
        if let Some(path) = &options.path {
            if path.value.0.starts_with('/') {
                root = PathBuf::from("/");
            }
            alternatives = read_glob(path, &base, diagnostics)?;
        }
        let pattern = options.path.map(|path| path.value.0);
        Some(Files { pattern, alternatives, root, base, naming: options.drop_name, formats })
    }

    /// Whether the pipeline file has a rule for the names of drops.
    pub fn names_by_rule(&self) -> bool {
        self.naming.is_some()
    }

    /// What a file of this name is, if it is no drop.
    pub fn by_product(path: &Path) -> Option<&'static str> {
        by_product(path.file_name().unwrap_or_default().as_bytes())
    }

    /// What `path` says.
    pub fn pattern(&self) -> Option<String> {
        self.pattern.clone()
    }

    /// The files that `path` matches now, and what is worth saying of them.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn discover(&self) -> Result<Discovered, StageError> {
        let Some(pattern) = &self.pattern else { return Ok(Discovered::default()) };
        let mut found = Matches::default();
        for parts in &self.alternatives {
            walk(&self.root, parts, &mut found)?;
        }
        let Matches { files: mut paths, mut folders } = found;
        paths.sort_by(|a, b| (a.file_name(), a).cmp(&(b.file_name(), b)));
        paths.dedup();
        folders.sort();
        folders.dedup();
        let mut left_alone: Vec<_> = folders.into_iter().map(|folder| (folder, FOLDER)).collect();
        paths.retain(|path| {
            let name = path.file_name().unwrap_or_default();
            let what = by_product(name.as_bytes());
            // Indexes are read where they lie; nobody needs to hear of them.
            left_alone.extend(what.filter(|_| !is_htslib_index(name.as_bytes())).map(|what| (path.clone(), what)));
            what.is_none()
        });
        let by_name = |(path, what): &(PathBuf, &'static str)| (to_text(path.file_name().unwrap_or_default()), *what);
        let mut notices = Vec::from_iter(told(&left_alone.iter().map(by_name).collect::<Vec<_>>()));
        if paths.is_empty() {
            notices.insert(0, format!("no file matches {pattern}: {}", self.nearest()?));
        }
        Ok(Discovered { paths, left_alone, notices })
    }

    /// Where the glob leads as far as it is literal, for a message that says why nothing matches.
    fn nearest(&self) -> Result<String, StageError> {
        let mut folder = self.root.clone();
        let parts = self.alternatives.first().map_or(&[][..], Vec::as_slice);
        for part in &parts[..parts.len().saturating_sub(1)] {
            let Part::Name(name) = part else { break };
            let below = folder.join(name);
            if !below.is_dir() {
                let what = if below.symlink_metadata().is_ok() { "is no folder" } else { "is not there" };
                return Ok(format!("{} {what}; the nearest folder is {}", shown(&below), shown(&folder)));
            }
            folder = below;
        }
        let mut names = entries(&folder)?;
        names.retain(|path| by_product(path.file_name().unwrap_or_default().as_bytes()).is_none());
        Ok(match names.first().and_then(|path| path.file_name()) {
            None => format!("the folder {} is empty", shown(&folder)),
            Some(first) => format!("the folder {} is there, and holds {}", shown(&folder), holding(first, names.len())),
        })
    }

    /// The drop's default name for a file.
    ///
    /// # Errors
    /// When the source's rule gives it none.
    pub fn drop_name(&self, path: &Path) -> Result<String, StageError> {
        match &self.naming {
            Some(naming) if path != Path::new("-") => naming.name(path, &self.base, self.formats),
            _ => Ok(stem(path, self.formats)),
        }
    }
}

/// The alternatives of a glob; `None` after reporting what is wrong with it.
fn read_glob(path: &Spanned<PathGlob>, base: &Path, diagnostics: &mut Diagnostics) -> Option<Vec<Vec<Part>>> {
    const HINT: &str = "Write a file name in which `*` stands for any characters, such as `drops/*.vcf.gz`.";
    let text = &path.value.0;
    let problem = if text.len() > MOST_CHARACTERS {
        Some((format!("it has more than {MOST_CHARACTERS} bytes"), HINT.to_owned()))
    } else {
        location::problem(text, base)
    };
    let read = match problem {
        None => glob::read(text).map_err(|problem| (problem, HINT.to_owned())),
        Some(problem) => Err(problem),
    };
    read.map_err(|(problem, hint)| {
        diagnostics.error(path.span.clone(), format!("`path` is not a glob of files: {problem}")).hint(hint);
    })
    .ok()
}

fn shown(folder: &Path) -> String {
    to_text(std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf()))
}

fn holding(first: &OsStr, count: usize) -> String {
    match count {
        1 => to_text(first),
        count => format!("{count} of other names, such as {}", to_text(first)),
    }
}

/// A source's columns with the one that `drop_column` names after them; `None` after reporting that it is there already.
pub(crate) fn with_drop_column(
    schema: &Schema,
    name: Option<&Spanned<String>>,
    diagnostics: &mut Diagnostics,
) -> Option<Schema> {
    let Some(name) = name else { return Some(schema.clone()) };
    if name.value.is_empty() || schema.index_of(&name.value).is_some() {
        diagnostics
            .error(name.span.clone(), format!("there already is a column `{}`", name.value))
            .hint("Name a column that the source does not have, such as `drop_name`.");
        return None;
    }
    let column = Column::required(name.value.clone(), ColumnType::Text).with_doc("The name of the row's drop.");
    Some(Schema::new(schema.columns().iter().cloned().chain([column]).collect()))
}

#[cfg(test)]
mod tests;
