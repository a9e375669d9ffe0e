//! `include`: stages that a pipeline file shares with others, from fragments with parameters.
//!
//! ```toml
//! include = ["fragments/genes.toml", { file = "fragments/clinvar.toml", with = { releases = "clinvar/*.vcf.gz" } }]
//! ```
//!
//! A fragment holds `[stages.NAME]` tables, perhaps `[parameters]` (each with its default), and may include others. In its
//! texts `${parameter}` stands for the value; a text of nothing else becomes the value itself, be it a list or a number.
//! A name that is no parameter is a variable of the environment, as anywhere. The path of a fragment is relative to the file
//! that includes it; the paths in it, of data, are relative to the pipeline file, as if its stages were written there.

mod parameters;

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use self::parameters::Parameters;
use crate::{
    diagnostics::{Diagnostics, locate},
    spec::{Entry, Fragment, Node, SpecFile, Value, document},
    suggest::nearest,
};

const FORM_HINT: &str =
    "Write `include = [\"fragment.toml\"]`, or `{ file = \"fragment.toml\", with = { … } }` for its parameters.";

/// Puts the stages of every fragment into the tree, before the file's own. What is wrong is reported with its place.
pub(super) fn resolve(spec: &mut SpecFile, diagnostics: &mut Diagnostics) {
    let Some(entry) = take(&mut spec.root, "include") else { return };
    let base = spec.path.parent().map(Path::to_path_buf).unwrap_or_default();
    let own = fs::canonicalize(&spec.path).unwrap_or_else(|_| spec.path.clone());
    let mut including = Including { stages: Vec::new(), done: Vec::new(), diagnostics };
    including.list(spec, &entry.node, &base, &mut vec![own]);
    let stages = including.stages;
    let Some(first) = stages.first() else { return };
    let place = first.key_span.clone();
    match spec.root.iter_mut().find(|entry| entry.key == "stages") {
        Some(Entry { node: Node { value: Value::Table(own), .. }, .. }) => {
            own.splice(0..0, stages);
        }
        // What is not a table will be reported.
        Some(_) => {}
        None => spec.root.push(Entry {
            key: "stages".into(),
            key_span: place.clone(),
            node: Node { span: place, value: Value::Table(stages) },
        }),
    }
    refuse_duplicates(spec, diagnostics);
}

/// A fragment as a file asks for it.
struct Wanted<'a> {
    file: &'a str,
    /// Where it is named.
    span: Range<usize>,
    with: &'a [Entry],
}

/// Fragments being read.
struct Including<'a> {
    stages: Vec<Entry>,
    /// What has been read, and with what: another such include adds nothing.
    done: Vec<(PathBuf, Vec<(String, Value)>)>,
    diagnostics: &'a mut Diagnostics,
}

impl Including<'_> {
    /// Includes a list. `chain` is how this list was come to: the canonical paths of the files that include each other.
    fn list(&mut self, spec: &mut SpecFile, node: &Node, base: &Path, chain: &mut Vec<PathBuf>) {
        let Value::Array(items) = &node.value else {
            self.error(
                &node.span,
                format!("expected a list of fragments, found {}", node.value.type_name()),
                FORM_HINT,
            );
            return;
        };
        for item in items {
            if let Some(wanted) = self.wanted(item) {
                self.fragment(spec, &wanted, base, chain);
            }
        }
    }

    fn wanted<'n>(&mut self, item: &'n Node) -> Option<Wanted<'n>> {
        match &item.value {
            Value::Text(file) => Some(Wanted { file, span: item.span.clone(), with: &[] }),
            Value::Table(entries) => {
                let (mut file, mut with) = (None, &[][..]);
                for entry in entries {
                    match (entry.key.as_str(), &entry.node.value) {
                        ("file", Value::Text(text)) => file = Some((text.as_str(), entry.node.span.clone())),
                        ("with", Value::Table(values)) => with = values.as_slice(),
                        ("file" | "with", other) => {
                            let message = format!("`{}` is {} here", entry.key, other.type_name());
                            self.error(&entry.node.span, message, FORM_HINT);
                            return None;
                        }
                        _ => {
                            self.error(&entry.key_span, format!("an include has no `{}`", entry.key), FORM_HINT);
                            return None;
                        }
                    }
                }
                if file.is_none() {
                    self.error(&item.span, "this include names no file".into(), FORM_HINT);
                }
                let (file, span) = file?;
                Some(Wanted { file, span, with })
            }
            other => {
                self.error(&item.span, format!("expected a fragment's path, found {}", other.type_name()), FORM_HINT);
                None
            }
        }
    }

    fn fragment(&mut self, spec: &mut SpecFile, wanted: &Wanted<'_>, base: &Path, chain: &mut Vec<PathBuf>) {
        let path = base.join(wanted.file);
        let read = fs::canonicalize(&path).and_then(|real| Ok((fs::read_to_string(&path)?, real)));
        let (text, real) = match read {
            Ok(read) => read,
            Err(error) => {
                let message = format!("the fragment `{}` cannot be read: {error}", path.display());
                self.error(&wanted.span, message, "Its path is relative to the file that includes it.");
                return;
            }
        };
        if chain.contains(&real) {
            let circle: Vec<String> = chain.iter().chain([&real]).map(|path| format!("`{}`", path.display())).collect();
            let message = format!("the fragments include each other in a circle: {}", circle.join(" → "));
            self.error(&wanted.span, message, "Remove one of the includes.");
            return;
        }
        let values = wanted.with.iter().map(|entry| (entry.key.clone(), entry.node.value.clone())).collect();
        let this = (real.clone(), values);
        if self.done.contains(&this) {
            return;
        }
        self.done.push(this);

        let start = spec.texts_end();
        let mut own_problems = Diagnostics::default();
        let document = document::read(&text, &mut own_problems);
        let moved = |span: Range<usize>| span.start + start..span.end + start;
        self.diagnostics.extend(own_problems.into_sorted().into_iter().map(|mut problem| {
            problem.span = moved(problem.span);
            problem
        }));
        spec.syntax_errors.extend(document.syntax_errors.into_iter().map(moved));
        spec.unreadable.extend(document.unreadable.into_iter().map(moved));
        let mut entries = document.entries;
        shift(&mut entries, start);
        spec.fragments.push(Fragment { path: path.clone(), text, start });
        self.take_in(spec, entries, wanted, &path, real, chain);
    }

    /// Takes over what a fragment holds, its parameters replaced.
    fn take_in(
        &mut self,
        spec: &mut SpecFile,
        mut entries: Vec<Entry>,
        wanted: &Wanted<'_>,
        path: &Path,
        real: PathBuf,
        chain: &mut Vec<PathBuf>,
    ) {
        let declared = take(&mut entries, "parameters");
        let Some(parameters) = Parameters::resolve(declared, wanted.with, wanted.file, self.diagnostics) else {
            return;
        };
        parameters.replace(&mut entries, self.diagnostics);
        if let Some(include) = take(&mut entries, "include") {
            chain.push(real);
            self.list(spec, &include.node, path.parent().unwrap_or(Path::new("")), chain);
            chain.pop();
        }
        for entry in entries {
            match (entry.key.as_str(), entry.node.value) {
                ("stages", Value::Table(stages)) => self.stages.extend(stages),
                ("stages", other) => {
                    let message = format!("`stages` is {}, not a table", other.type_name());
                    self.error(&entry.node.span, message, "Write one table `[stages.NAME]` per stage.");
                }
                (key, _) => {
                    let hint = match nearest(key, ["stages", "parameters", "include"]) {
                        Some(near) => format!("Did you mean `{near}`?"),
                        None => {
                            "A fragment has `[stages.NAME]` tables, `[parameters]` and `include`; everything else is \
                                 the pipeline file's."
                                .into()
                        }
                    };
                    self.error(&entry.key_span, format!("a fragment has no `{key}`"), &hint);
                }
            }
        }
    }

    fn error(&mut self, span: &Range<usize>, message: String, hint: &str) {
        self.diagnostics.error(span.clone(), message).hint(hint);
    }
}

/// Takes an entry out of a table.
fn take(entries: &mut Vec<Entry>, key: &str) -> Option<Entry> {
    let at = entries.iter().position(|entry| entry.key == key)?;
    Some(entries.remove(at))
}

/// Moves the places of whole entries.
fn shift(entries: &mut [Entry], by: usize) {
    fn move_span(span: &mut Range<usize>, by: usize) {
        *span = span.start + by..span.end + by;
    }
    fn move_node(node: &mut Node, by: usize) {
        move_span(&mut node.span, by);
        match &mut node.value {
            Value::Table(entries) => shift(entries, by),
            Value::Array(items) => items.iter_mut().for_each(|item| move_node(item, by)),
            _ => {}
        }
    }
    for entry in entries {
        move_span(&mut entry.key_span, by);
        move_node(&mut entry.node, by);
    }
}

/// Reports stages that two files define, and keeps the first.
fn refuse_duplicates(spec: &mut SpecFile, diagnostics: &mut Diagnostics) {
    let Some(at) = spec.root.iter().position(|entry| entry.key == "stages") else { return };
    let Value::Table(stages) = std::mem::replace(&mut spec.root[at].node.value, Value::Bool(false)) else { return };
    let mut kept: Vec<Entry> = Vec::with_capacity(stages.len());
    for stage in stages {
        let Some(first) = kept.iter().find(|known| known.key == stage.key) else {
            kept.push(stage);
            continue;
        };
        let source = spec.source_at(first.key_span.start);
        let (line, column) = locate(source.text, first.key_span.start - source.start);
        diagnostics
            .error(stage.key_span.clone(), format!("the stage `{}` is there twice", stage.key))
            .label("the second one")
            .hint(format!(
                "It is also at {}:{line}:{column}. Rename one; a parameter of a fragment changes it in place.",
                source.name
            ));
    }
    spec.root[at].node.value = Value::Table(kept);
}

#[cfg(test)]
mod tests;
