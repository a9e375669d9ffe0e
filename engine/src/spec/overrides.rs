//! `--set stages.calls.path=other.vcf`: one value of the pipeline file, replaced or added.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::{
    diagnostics::Diagnostics,
    spec::{Entry, Node, SpecFile, Value, document::NodeReader},
    suggest::{listed, nearest},
};

const FORM_HINT: &str = "Write `--set stages.NAME.OPTION=VALUE`; the value is TOML, or else taken as text.";

/// A key of the dotted path and where it is.
struct Key {
    name: String,
    span: Range<usize>,
}

/// Applies one override, whose spans start at `start`. What is wrong with it is reported, and the tree is then left as
/// it was.
pub(super) fn apply(spec: &mut SpecFile, text: &str, start: usize, diagnostics: &mut Diagnostics) {
    let Some(equals) = first_equals(text) else {
        diagnostics.error(start..start + text.len(), "the override has no `=`").hint(FORM_HINT);
        return;
    };
    let Some(mut path) = read_path(&text[..equals], start) else {
        diagnostics
            .error(start..start + equals, "the override does not start with a dotted path of keys")
            .hint(FORM_HINT);
        return;
    };
    let node = read_value(spec, &text[equals + 1..], start + equals + 1, diagnostics);
    let Some(last) = path.pop() else { return };

    let certain = spec.syntax_errors.is_empty();
    let (mut entries, mut walked) = (&mut spec.root, String::new());
    for key in path {
        let known: Vec<String> = entries.iter().map(|entry| entry.key.clone()).collect();
        if !walked.is_empty() {
            walked.push('.');
        }
        walked.push_str(&key.name);
        match entries.iter_mut().find(|entry| entry.key == key.name).map(|entry| &mut entry.node.value) {
            Some(Value::Table(inner)) => entries = inner,
            Some(other) => {
                diagnostics
                    .error(key.span, format!("`{walked}` is {}, not a table", other.type_name()))
                    .hint("An override sets a whole value: name the key that holds it.");
                return;
            }
            // Where the file could not be read whole, the table may be there all the same.
            None if !certain => return,
            None => {
                let problem = diagnostics.error(key.span, format!("the pipeline file has no table `{walked}`"));
                match nearest(&key.name, known.iter().map(String::as_str)) {
                    Some(near) => problem.hint(format!("Did you mean `{near}`?")),
                    None => problem.hint(format!("The keys there are: {}.", listed(known.iter().map(String::as_str)))),
                };
                return;
            }
        }
    }
    let entry = Entry { key: last.name, key_span: last.span, node };
    match entries.iter_mut().find(|known| known.key == entry.key) {
        Some(known) => *known = entry,
        None => entries.push(entry),
    }
}

/// The first `=` that is not inside a quoted key.
fn first_equals(text: &str) -> Option<usize> {
    let mut quote = None;
    text.char_indices().find_map(|(at, letter)| {
        match (quote, letter) {
            (None, '=') => return Some(at),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            _ => {}
        }
        None
    })
}

/// The keys of a dotted path, as TOML reads them.
fn read_path(text: &str, start: usize) -> Option<Vec<Key>> {
    // A line break would let the path be more than a path.
    if text.contains(['\n', '\r', '[', '#']) {
        return None;
    }
    let document = format!("{text}=0");
    let parsed = DeTable::parse(&document).ok()?;
    let (mut table, mut keys) = (parsed.get_ref(), Vec::new());
    loop {
        let (key, value) = table.iter().next()?;
        let span = key.span();
        keys.push(Key { name: key.get_ref().to_string(), span: span.start + start..span.end + start });
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => return Some(keys),
        }
    }
}

/// The value: TOML if it is, else the text itself.
fn read_value(spec: &mut SpecFile, text: &str, start: usize, diagnostics: &mut Diagnostics) -> Node {
    let trimmed = text.trim();
    let start = start + (text.len() - text.trim_start().len());
    match DeValue::parse(trimmed) {
        Ok(value) => {
            let mut reader = NodeReader { start, diagnostics, unreadable: Vec::new() };
            let node = reader.node(&value);
            spec.unreadable.append(&mut reader.unreadable);
            node
        }
        Err(_) => Node { span: start..start + trimmed.len(), value: Value::Text(trimmed.to_owned()) },
    }
}
