//! `--update`: expectations rewritten as what came.

use serde_json::Value as Json;

use super::{
    outcome::FileOutcome,
    tables::{Cell, TableRows},
};

/// The text of a pipeline file with every failed expectation rewritten, and how many were. What is in another file, and
/// an exit code that nobody wrote, is left.
pub fn updated(file: &FileOutcome) -> (String, usize) {
    let mut edits: Vec<_> = file
        .tests
        .iter()
        .flat_map(|test| &test.failures)
        .filter(|failed| failed.span.end <= file.spec.text.len())
        .filter_map(|failed| Some((failed.span.clone(), failed.replacement.as_deref()?)))
        .collect();
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut text = file.spec.text.clone();
    for (span, replacement) in &edits {
        text.replace_range(span.clone(), replacement);
    }
    (text, edits.len())
}

/// A table's rows as TOML, with these columns; with all of them where none are named.
pub fn rows(table: &TableRows, columns: Option<Vec<&str>>) -> String {
    let places: Vec<usize> = match columns {
        Some(columns) => columns.iter().filter_map(|column| table.place(column)).collect(),
        None => (0..table.table.schema.columns().len()).collect(),
    };
    let row = |cells: &Vec<Cell>| {
        let pairs = places.iter().map(|at| format!("{} = {}", table.column(*at), value(&cells[*at])));
        format!("    {{ {} }},\n", pairs.collect::<Vec<_>>().join(", "))
    };
    list(table.rows.values().map(row))
}

/// Changes as TOML.
pub fn lines(lines: &[String]) -> String {
    list(lines.iter().map(|line| format!("    {},\n", quoted(line))))
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: String = items.collect();
    if items.is_empty() { "[]".into() } else { format!("[\n{items}]") }
}

fn value(cell: &Cell) -> String {
    match &cell.json {
        Json::Null => "\"NULL\"".into(),
        Json::Bool(value) => value.to_string(),
        Json::Number(value) => value.to_string(),
        Json::String(text) => quoted(text),
        other => quoted(&other.to_string()),
    }
}

/// A basic TOML string; JSON's escapes are TOML's.
fn quoted(text: &str) -> String {
    Json::from(text).to_string().replace('\u{7f}', "\\u007F")
}
