//! A pipeline file as it is written: a tree of values with spans. Nothing is resolved here.

mod document;
mod include;
mod interpolate;
mod overrides;
mod secrets;

use std::{ops::Range, path::PathBuf};

use crate::{
    diagnostics::{Diagnostic, Diagnostics},
    edge::secret,
};

use interpolate::Interpolation;

/// A pipeline file: its path, its text, and the tree read from it.
#[derive(Clone, Debug)]
pub struct SpecFile {
    /// The path as the user gave it.
    pub path: PathBuf,
    /// The whole text; spans are byte ranges of it.
    pub text: String,
    /// The top-level table.
    pub root: Vec<Entry>,
    /// The fragments that it includes. Spans in them start after the text, see [`SpecFile::source_at`].
    pub fragments: Vec<Fragment>,
    /// The `--set` overrides as they were given. Spans in them start after the fragments.
    pub overrides: Vec<String>,
    /// Places that are not TOML. Something that seems to be missing may be there.
    pub syntax_errors: Vec<Range<usize>>,
    /// Values that could not be read as meant (an unset variable, a number too large). What later checks say of them
    /// would be nonsense.
    pub unreadable: Vec<Range<usize>>,
    /// The variables that were put into texts, so that messages can be kept free of their values.
    pub(crate) substitutions: Vec<Substitution>,
    /// The secrets in it, which no message shows.
    secrets: Vec<secrets::Secret>,
}

/// A file that a pipeline file includes.
#[derive(Clone, Debug)]
pub struct Fragment {
    /// Its path, as the including file leads to it.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// The offset at which spans in it start.
    pub start: usize,
}

/// A variable's value that is in the tree.
#[derive(Clone)]
pub(crate) struct Substitution {
    /// Where the text is that holds it.
    pub span: Range<usize>,
    /// The variable.
    pub name: String,
    /// What it said. May be a secret.
    pub value: String,
}

impl std::fmt::Debug for Substitution {
    /// Leaves the value out: it may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Substitution").field("span", &self.span).field("name", &self.name).finish_non_exhaustive()
    }
}

/// The text that a span is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecSource<'a> {
    /// The path of the file, or `--set`.
    pub name: String,
    /// Its text.
    pub text: &'a str,
    /// The offset at which spans in it start.
    pub start: usize,
    /// The number of its first line, 1-based: 1 for the file, the number of the override for an override.
    pub first_line: usize,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key is.
    pub key_span: Range<usize>,
    /// The value.
    pub node: Node,
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where the value is.
    pub span: Range<usize>,
    /// The value.
    pub value: Value,
}

/// A TOML value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction or exponent.
    Float(f64),
    /// A text, with `${NAME}` already replaced.
    Text(String),
    /// A list.
    Array(Vec<Node>),
    /// A table, in the order in which it is written.
    Table(Vec<Entry>),
}

impl Value {
    /// The type, in words.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Bool(_) => "a boolean",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Text(_) => "a text",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

impl SpecFile {
    /// Parses a pipeline file: TOML, then the fragments that `include` names (read from disk), then the `--set` overrides
    /// (`stages.x.path=…`), which are taken literally, then `${NAME}` and `${NAME:-default}` inside texts (so that a value
    /// can never change the structure).
    ///
    /// What can be read is returned even when there are problems, so that later checks can report theirs too.
    pub fn parse(
        path: PathBuf,
        text: String,
        overrides: &[String],
        environment: &dyn Fn(&str) -> Option<String>,
        diagnostics: &mut Diagnostics,
    ) -> SpecFile {
        let document = document::read(&text, diagnostics);
        let mut spec = SpecFile {
            path,
            text,
            root: document.entries,
            fragments: Vec::new(),
            overrides: overrides.to_vec(),
            syntax_errors: document.syntax_errors,
            unreadable: document.unreadable,
            substitutions: Vec::new(),
            secrets: Vec::new(),
        };
        include::resolve(&mut spec, diagnostics);
        // Overrides come first, so that a variable whose text is overridden need not be set.
        let mut start = spec.texts_end();
        for text in overrides {
            overrides::apply(&mut spec, text, start, diagnostics);
            start += text.len() + 1;
        }
        let fragments = spec.fragments.iter().map(|fragment| (fragment.start, fragment.text.as_str()));
        let mut interpolation = Interpolation {
            texts: std::iter::once((0, spec.text.as_str())).chain(fragments).collect(),
            environment,
            diagnostics,
            substitutions: Vec::new(),
            unreadable: Vec::new(),
        };
        interpolation.entries(&mut spec.root);
        let Interpolation { substitutions, unreadable, .. } = interpolation;
        spec.substitutions = substitutions;
        spec.unreadable.extend(unreadable);
        spec.secrets = secrets::find(&spec);
        diagnostics.iter_mut().for_each(|diagnostic| spec.redact(diagnostic));
        spec
    }

    /// The variables that texts took their values from; those of which the default was taken are not among them.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.substitutions.iter().map(|substitution| substitution.name.as_str())
    }

    /// Where spans may start after the texts of the file and its fragments.
    fn texts_end(&self) -> usize {
        self.fragments.last().map_or(self.text.len(), |last| last.start + last.text.len()) + 1
    }

    /// The text that an offset is in: the file's up to its end, then each fragment's, then each override's.
    pub fn source_at(&self, offset: usize) -> SpecSource<'_> {
        let inside = |fragment: &&Fragment| (fragment.start..=fragment.start + fragment.text.len()).contains(&offset);
        if let Some(fragment) = self.fragments.iter().find(inside) {
            let name = fragment.path.display().to_string();
            return SpecSource { name, text: &fragment.text, start: fragment.start, first_line: 1 };
        }
        let mut start = self.texts_end();
        if offset >= start {
            for (index, text) in self.overrides.iter().enumerate() {
                if offset <= start + text.len() {
                    return SpecSource { name: "--set".into(), text, start, first_line: index + 1 };
                }
                start += text.len() + 1;
            }
        }
        SpecSource { name: self.path.display().to_string(), text: &self.text, start: 0, first_line: 1 }
    }

    /// Whether a place is, or lies in, something that could not be read as meant, so that nothing more should be said of
    /// it.
    pub(crate) fn is_unreadable(&self, span: &Range<usize>) -> bool {
        let mut unreadable = self.unreadable.iter().chain(&self.syntax_errors);
        unreadable.any(|unreadable| unreadable.start <= span.start && span.end <= unreadable.end)
    }

    /// For each of these entries, whether a syntax error lies between its start and the start of the next one, so that
    /// what seems to be missing in it may be there. Entries must be tables that do not lie in one another.
    pub(crate) fn damaged<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> Vec<bool> {
        let mut starts: Vec<(usize, usize)> =
            entries.enumerate().map(|(at, entry)| (entry.key_span.start.min(entry.node.span.start), at)).collect();
        starts.sort_unstable();
        let mut damaged = vec![false; starts.len()];
        for error in &self.syntax_errors {
            let next = starts.partition_point(|(start, _)| *start <= error.start);
            if let Some((_, at)) = next.checked_sub(1).and_then(|last| starts.get(last)) {
                damaged[*at] = true;
            }
        }
        damaged
    }

    /// Takes secrets and the values of variables out of a message. Where the message is about the very text that holds one,
    /// every value counts; elsewhere only one long enough not to be an everyday word.
    pub(crate) fn redact(&self, diagnostic: &mut Diagnostic) {
        const TELLING_CHARACTERS: usize = 6;
        let span = diagnostic.span.clone();
        let is_here = |place: &Range<usize>| span.start <= place.end && place.start <= span.end;
        let mut hide = |text: &dyn Fn(&str) -> String| {
            diagnostic.message = text(&diagnostic.message);
            diagnostic.label = text(&diagnostic.label);
            diagnostic.hint = diagnostic.hint.as_deref().map(text);
        };
        for Substitution { span, name, value } in &self.substitutions {
            if !value.is_empty() && (is_here(span) || value.chars().count() >= TELLING_CHARACTERS) {
                hide(&|text| text.replace(value.as_str(), &format!("${{{name}}}")));
            }
        }
        for secret in self.secrets.iter().filter(|secret| is_here(&secret.span)) {
            hide(&|text| secret.hide(text));
        }
        hide(&|text| secret::hide(text).into_owned());
    }

    /// Where secrets are in a source, as byte ranges of its text, in order and apart.
    pub(crate) fn secrets_in(&self, source: &SpecSource<'_>) -> Vec<Range<usize>> {
        let places = self.secrets.iter().flat_map(|secret| &secret.hidden);
        let within = |range: &Range<usize>| {
            let range = range.start.checked_sub(source.start)?..range.end.checked_sub(source.start)?;
            (range.end <= source.text.len()).then_some(range)
        };
        let mut ranges: Vec<_> = places.filter_map(within).collect();
        ranges.sort_by_key(|range| range.start);
        ranges
    }
}

#[cfg(test)]
mod tests;
