//! TOML text to a tree with spans; every syntax error is reported, and reading goes on after it.

use std::ops::Range;

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

/// Reads a whole TOML document.
pub(super) fn read(text: &str, diagnostics: &mut Diagnostics) -> Document {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut syntax_errors = Vec::new();
    for error in errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        diagnostics.error(span.clone(), error.message()).label("not valid TOML");
        syntax_errors.push(span);
    }
    let mut reader = NodeReader { start: 0, diagnostics, unreadable: Vec::new() };
    let entries = reader.entries(table.get_ref());
    Document { entries, syntax_errors, unreadable: reader.unreadable }
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
