//! Problems of a pipeline file: every one with its place, the span underlined, and what to do.

mod render;

use std::ops::Range;

pub use render::{Located, locate, located, render, render_advice};

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

/// Problems that are kept, at the most. A file of many thousand is no pipeline; the rest is counted.
const MOST_KEPT: usize = 1_000;
/// Problems for which it is worth looking for what was meant.
const MOST_SUGGESTIONS: usize = 100;

/// All problems found so far; looking goes on after each.
#[derive(Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    /// How many more there are.
    not_kept: usize,
    /// Takes label and hint of a problem that is not kept.
    spare: Option<Diagnostic>,
    /// What is no problem, and worth a thought.
    advice: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Records a problem and returns it, so that label and hint can be added.
    pub fn error(&mut self, span: Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        let problem = Diagnostic { message: message.into(), span, label: String::new(), hint: None };
        if self.list.len() == MOST_KEPT {
            self.not_kept += 1;
            return self.spare.insert(problem);
        }
        self.list.push(problem);
        self.list.last_mut().expect("just pushed")
    }

    /// Records what is no problem, and worth a thought: `validate` reports it, nothing is refused for it.
    pub fn advise(&mut self, span: Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        self.advice.push(Diagnostic { message: message.into(), span, label: String::new(), hint: None });
        self.advice.last_mut().expect("just pushed")
    }

    /// Takes the advice out, in order of its place.
    pub fn take_advice(&mut self) -> Vec<Diagnostic> {
        let mut advice = std::mem::take(&mut self.advice);
        advice.sort_by_key(|one| (one.span.start, one.span.end));
        advice.dedup();
        advice
    }

    /// Takes over advice that was given apart.
    pub(crate) fn take_over_advice(&mut self, advice: impl IntoIterator<Item = Diagnostic>) {
        self.advice.extend(advice);
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many problems were found.
    pub fn len(&self) -> usize {
        self.list.len() + self.not_kept
    }

    /// Whether so few were found that each may be worth a search for what was meant.
    pub fn wants_suggestions(&self) -> bool {
        self.list.len() < MOST_SUGGESTIONS
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
        for problem in problems {
            match self.list.len() < MOST_KEPT {
                true => self.list.push(problem),
                false => self.not_kept += 1,
            }
        }
    }

    /// The problems, in order of their place. The last one says how many more there are than are kept.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|d| (d.span.start, d.span.end));
        self.list.dedup();
        if let Some(last) = self.list.last().filter(|_| self.not_kept > 0) {
            let message = format!("{} more problems are not listed", self.not_kept);
            let hint = Some("Mend these first; the others will be listed then.".to_owned());
            self.list.push(Diagnostic { message, span: last.span.clone(), label: String::new(), hint });
        }
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
