//! Problems of a pipeline file: every one with its place, the span underlined, and what to do.

mod render;

use std::ops::Range;

pub use render::{Located, locate, located, render};

/// One problem, with the byte range of the pipeline file that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong: short, lower case, no full stop.
    pub message: String,
    /// Where: a byte range of the file's text. An empty range points between two bytes.
    pub span: Range<usize>,
    /// A few words under the underline. May be empty.
    pub label: String,
    /// What to do, a full sentence.
    pub hint: Option<String>,
}

/// All problems found so far; looking goes on after each.
#[derive(Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Records a problem and returns it, so that label and hint can be added.
    pub fn error(&mut self, span: Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        self.list.push(Diagnostic { message: message.into(), span, label: String::new(), hint: None });
        self.list.last_mut().expect("just pushed")
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many problems were found.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The problems, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// The same, to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Diagnostic> {
        self.list.iter_mut()
    }

    /// Takes over problems that were found apart.
    pub fn extend(&mut self, problems: impl IntoIterator<Item = Diagnostic>) {
        self.list.extend(problems);
    }

    /// The problems, in order of their place.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|d| (d.span.start, d.span.end));
        self.list.dedup();
        self.list
    }
}

impl Diagnostic {
    /// Adds a few words under the underline.
    pub fn label(&mut self, label: impl Into<String>) -> &mut Diagnostic {
        self.label = label.into();
        self
    }

    /// Adds what to do.
    pub fn hint(&mut self, hint: impl Into<String>) -> &mut Diagnostic {
        self.hint = Some(hint.into());
        self
    }
}
