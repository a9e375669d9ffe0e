//! TOML text to a tree with spans; every syntax error is reported, and reading goes on after it.

use std::{collections::BTreeSet, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    diagnostics::Diagnostics,
    spec::{Entry, Node, Value},
};

/// What could be read of a text.
pub(super) struct Document {
    /// The top-level table.
    pub entries: Vec<Entry>,
    /// Places that are not TOML.
    pub syntax_errors: Vec<Range<usize>>,
    /// Values that are TOML, but out of range.
    pub unreadable: Vec<Range<usize>>,
}

/// The parser's word for a line that is no `key = value`, after which it gives up.
const NO_PAIR: &str = "key with no value";

/// How often a line is blanked to read on after it, and how many bytes are read for it in all.
const MOST_ROUNDS: usize = 100;
const MOST_BYTES_AGAIN: usize = 16 << 20;
/// Syntax errors whose places are kept; they bear on what later checks may say.
const MOST_PLACES: usize = 10_000;

/// Reads a whole TOML document.
pub(super) fn read(text: &str, diagnostics: &mut Diagnostics) -> Document {
    let (mut syntax_errors, mut seen) = (Vec::new(), BTreeSet::new());
    let mut readable = text.to_owned();
    let mut rounds = MOST_ROUNDS.min(1 + MOST_BYTES_AGAIN / text.len().max(1));
    loop {
        let (table, errors) = DeTable::parse_recoverable(&readable);
        let mut gave_up = None;
        for error in errors {
            let span = error.span().unwrap_or(text.len()..text.len());
            if error.message().starts_with(NO_PAIR) {
                gave_up = Some(span.start);
            }
            if seen.insert((span.start, span.end)) {
                report(text, &span, error.message(), diagnostics);
                if syntax_errors.len() < MOST_PLACES {
                    syntax_errors.push(span);
                }
            }
        }
        if let Some(at) = gave_up.filter(|_| rounds > 0) {
            let blanked = blank_line(&readable, at);
            if blanked != readable {
                rounds -= 1;
                readable = blanked;
                continue;
            }
        }
        let mut reader = NodeReader { start: 0, diagnostics, unreadable: Vec::new() };
        let entries = reader.entries(table.get_ref());
        return Document { entries, syntax_errors, unreadable: reader.unreadable };
    }
}

/// The text with spaces in place of the line that holds an offset, so that every other place stays the same.
fn blank_line(text: &str, at: usize) -> String {
    let at = text.floor_char_boundary(at.min(text.len()));
    let start = text[..at].rfind('\n').map_or(0, |line_break| line_break + 1);
    let end = text[at..].find(['\r', '\n']).map_or(text.len(), |length| at + length);
    format!("{}{}{}", &text[..start], " ".repeat(end - start), &text[end..])
}

/// Reports a syntax error, with a hint for the usual slips.
fn report(text: &str, span: &Range<usize>, message: &str, diagnostics: &mut Diagnostics) {
    if message == "duplicate key" {
        let key = text.get(span.clone()).unwrap_or_default();
        diagnostics
            .error(span.clone(), format!("`{key}` is there twice"))
            .label("the second one")
            .hint("TOML allows a key or a table once: keep one of them.");
        return;
    }
    let problem = diagnostics.error(span.clone(), message);
    problem.label("not valid TOML");
    if message.starts_with(NO_PAIR) {
        problem.hint("Write `key = value`, or `[table]`, on a line of its own.");
    } else if message.starts_with("string values must be quoted") {
        problem.hint("A value is missing, or a text without its quotes: write `\"…\"`.");
    }
}

/// Turns the parser's values into nodes.
pub(super) struct NodeReader<'a> {
    /// Added to every span.
    pub start: usize,
    /// Takes the problems.
    pub diagnostics: &'a mut Diagnostics,
    /// Takes the places of values that are out of range.
    pub unreadable: Vec<Range<usize>>,
}

impl NodeReader<'_> {
    /// The entries of a table, in the order in which they are written.
    pub fn entries(&mut self, table: &DeTable<'_>) -> Vec<Entry> {
        let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| Entry {
            key: String::from(AsRef::<str>::as_ref(key.get_ref())),
            key_span: self.shift(key.span()),
            node: self.node(value),
        };
        table.iter().map(entry).collect()
    }

    /// One value. The parser bounds the nesting, so this may recurse.
    pub fn node(&mut self, value: &Spanned<DeValue<'_>>) -> Node {
        let span = self.shift(value.span());
        let value = match value.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Boolean(value) => Value::Bool(*value),
            // The formats have no use for a date of its own: an expression or a drop name is text.
            DeValue::Datetime(datetime) => Value::Text(datetime.to_string()),
            DeValue::Array(items) => Value::Array(items.iter().map(|item| self.node(item)).collect()),
            DeValue::Table(table) => Value::Table(self.entries(table)),
            DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(value) => Value::Integer(value),
                Err(_) => {
                    self.out_of_range(&span, "the whole number does not fit 64 bits");
                    Value::Integer(i64::MAX)
                }
            },
            DeValue::Float(float) => match float.as_str().parse::<f64>() {
                Ok(value) if value.is_finite() || !float.as_str().contains(|c: char| c.is_ascii_digit()) => {
                    Value::Float(value)
                }
                _ => {
                    self.out_of_range(&span, "the number is too large for a 64-bit float");
                    Value::Float(f64::MAX)
                }
            },
        };
        Node { span, value }
    }

    fn out_of_range(&mut self, span: &Range<usize>, message: &str) {
        self.diagnostics.error(span.clone(), message).label("out of range");
        self.unreadable.push(span.clone());
    }

    fn shift(&self, span: Range<usize>) -> Range<usize> {
        span.start + self.start..span.end + self.start
    }
}
