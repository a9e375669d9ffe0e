//! `${NAME}` and `${NAME:-default}` inside texts, replaced after parsing, so that a value can never change the structure.
//!
//! `$$` is a literal `$`, and a `$` before anything but `{` or `$` stands for itself. As in a shell, the default of
//! `${NAME:-default}` stands in when the variable is unset or empty; it is literal text up to the first `}`. What a
//! variable says is never looked at again: a `${…}` in it stays as it is.

use std::ops::Range;

use crate::{
    diagnostics::Diagnostics,
    spec::{Entry, Node, Substitution, Value},
};

const LITERAL_HINT: &str = "Write `${NAME}` or `${NAME:-default}`; a literal `$` is written `$$`.";

/// Replaces the variables of a whole tree.
pub(super) struct Interpolation<'a> {
    /// The texts of the file and its fragments, to find the exact places in, each with the offset of its spans.
    pub texts: Vec<(usize, &'a str)>,
    /// The variables.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Takes the problems.
    pub diagnostics: &'a mut Diagnostics,
    /// Takes what was replaced.
    pub substitutions: Vec<Substitution>,
    /// Takes the places of the texts in which something could not be replaced.
    pub unreadable: Vec<Range<usize>>,
}

impl<'a> Interpolation<'a> {
    /// Replaces the variables in the values of these entries. Keys are left alone.
    pub fn entries(&mut self, entries: &mut [Entry]) {
        for entry in entries {
            self.node(&mut entry.node);
        }
    }

    fn node(&mut self, node: &mut Node) {
        // Overrides lie after the texts; the shell has already replaced what was to be replaced in them.
        if self.text_at(&node.span).is_none() {
            return;
        }
        match &mut node.value {
            Value::Table(entries) => self.entries(entries),
            Value::Array(items) => items.iter_mut().for_each(|item| self.node(item)),
            Value::Text(text) if text.contains('$') => *text = self.replace(text, &node.span),
            _ => {}
        }
    }

    /// The text that a span is in, and the offset of its spans.
    fn text_at(&self, span: &Range<usize>) -> Option<(usize, &'a str)> {
        let inside = |(start, text): &&(usize, &str)| (*start..=start + text.len()).contains(&span.start);
        self.texts.iter().find(inside).copied()
    }

    fn replace(&mut self, text: &str, span: &Range<usize>) -> String {
        let (start, file) = self.text_at(span).unwrap_or_default();
        let places = Places::find(file, start, text, span);
        let (mut replaced, mut rest) = (String::with_capacity(text.len()), text);
        // How many `${` there are before `rest`.
        let mut openings = 0;
        while let Some(dollar) = rest.find('$') {
            replaced.push_str(&rest[..dollar]);
            let after = &rest[dollar + 1..];
            if let Some(literal) = after.strip_prefix('$') {
                replaced.push('$');
                openings += usize::from(literal.starts_with('{'));
                rest = literal;
            } else if let Some(reference) = after.strip_prefix('{') {
                let opening = openings;
                openings += 1;
                let closed = reference.split_once('}');
                match self.resolve(closed.map(|(body, _)| body), || places.place(opening), span) {
                    Some(value) => replaced.push_str(&value),
                    None => self.unreadable.push(span.clone()),
                }
                rest = closed.map_or("", |(_, behind)| behind);
                openings += closed.map_or(0, |(body, _)| body.matches("${").count());
            } else {
                replaced.push('$');
                rest = after;
            }
        }
        replaced.push_str(rest);
        replaced
    }

    /// The value of what is between `${` and `}`; `None` after reporting why there is none.
    fn resolve(&mut self, body: Option<&str>, place: impl Fn() -> Range<usize>, span: &Range<usize>) -> Option<String> {
        let Some(body) = body else {
            self.diagnostics.error(place(), "`${` is not closed").label("no `}` follows").hint(LITERAL_HINT);
            return None;
        };
        let (name, default) = body.split_once(":-").map_or((body, None), |(name, default)| (name, Some(default)));
        let mut letters = name.chars();
        let starts = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
        if !starts || !letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            self.diagnostics.error(place(), format!("`{name}` is not the name of a variable")).hint(LITERAL_HINT);
            return None;
        }
        if default.is_some_and(|default| default.contains("${")) {
            self.diagnostics
                .error(place(), format!("the default of `{name}` holds another variable"))
                .hint("A default is literal text: set the variable, or write the default out.");
            return None;
        }
        match ((self.environment)(name), default) {
            (Some(value), default) if !value.is_empty() || default.is_none() => {
                self.substitutions.push(Substitution {
                    span: span.clone(),
                    name: name.to_owned(),
                    value: value.clone(),
                });
                Some(value)
            }
            (_, Some(default)) => Some(default.to_owned()),
            (_, None) => {
                self.diagnostics
                    .error(place(), format!("the environment variable `{name}` is not set"))
                    .label("not set")
                    .hint(format!("Set it, or give a default: `${{{name}:-…}}`."));
                None
            }
        }
    }
}

/// Where the `${` of a text are in the file.
struct Places<'a> {
    raw: &'a str,
    span: &'a Range<usize>,
    openings: Vec<usize>,
}

impl<'a> Places<'a> {
    /// A text's characters may be written as escapes; then its openings cannot be told apart in the file, and the whole
    /// text has to do.
    fn find(file: &'a str, start: usize, text: &str, span: &'a Range<usize>) -> Places<'a> {
        let raw = file.get(span.start - start..span.end - start).unwrap_or_default();
        let mut openings: Vec<usize> = raw.match_indices("${").map(|(at, _)| at).collect();
        if openings.len() != text.matches("${").count() {
            openings.clear();
        }
        Places { raw, span, openings }
    }

    /// The place of one reference, braces included.
    fn place(&self, opening: usize) -> Range<usize> {
        let Some(at) = self.openings.get(opening) else { return self.span.clone() };
        let length = self.raw[*at..].find('}').map_or(2, |end| end + 1);
        self.span.start + at..self.span.start + at + length
    }
}
