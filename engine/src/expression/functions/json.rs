//! Values taken out of JSON texts.

use arrow_array::ArrayRef;
use serde_json::Value;

use super::{ABSENT, Accepts, Database::*, Family, Function, Nulls, Parameter, Returns};
use crate::expression::{
    BAD_CAST,
    call::{Call, Stop},
};

const PATH: &[Parameter] = &[Parameter::one("json", Accepts::Text), Parameter::one("path", Accepts::Text)];

const fn json(name: &'static str, about: &'static str) -> Function {
    Function::new(Family::Json, name, about)
}

/// Functions of JSON texts.
pub(super) static JSON: &[Function] = &[
    json(
        "json_extract",
        "The JSON text of what a path (`$.name`, `$.\"a b\"`, `$[0]`) leads to: a text keeps its quotes; `json -> path` is \
         the same. What is no JSON, or no path, rejects the row.",
    )
    .takes(PATH)
    .gives(Returns::Text, |call| extract(call, false))
    .fails()
    .nulls(Nulls::Also("where the path leads nowhere"))
    .examples(&[("json_extract('{\"a\": [1, 2]}', '$.a[1]')", "2"), ("json_extract('{\"a\": \"x\"}', '$.a')", "\"x\"")])
    .elsewhere(&[(Sqlite, "a text loses its quotes")]),
    json("json_unquote", "A JSON text without its quotes; any other text as it is.")
        .takes(&[Parameter::one("json", Accepts::Text)])
        .gives(Returns::Text, |call| {
            call.texts(|row, out| {
                let text = call.text(0).at(row);
                match text.starts_with('"') && text.len() > 1 && text.ends_with('"') {
                    true => out.push_str(&parsed::<String>(text)?),
                    false => out.push_str(text),
                }
                Ok(())
            })
        })
        .fails()
        .examples(&[("json_unquote('\"x\"')", "x")])
        .elsewhere(&[(Sqlite, ABSENT)]),
    json("json_text", "The value that a path leads to, a text without its quotes; `json ->> path` is the same.")
        .takes(PATH)
        .gives(Returns::Text, |call| extract(call, true))
        .fails()
        .nulls(Nulls::Also("where the path leads nowhere"))
        .examples(&[("json_text('{\"a\": \"x\"}', '$.a')", "x")])
        .elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)]),
    json("json_valid", "Whether the text is JSON.")
        .takes(&[Parameter::one("text", Accepts::Text)])
        .gives(Returns::Bool, |call| {
            call.bools(|row| Ok(serde_json::from_str::<serde::de::IgnoredAny>(call.text(0).at(row)).is_ok()))
        })
        .examples(&[("json_valid('{}')", "1"), ("json_valid('x')", "0")]),
];

fn parsed<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Stop> {
    serde_json::from_str(text).map_err(|error| Stop::Failed(BAD_CAST, format!("the text is no JSON: {error}")))
}

fn extract(call: &Call<'_>, unquoted: bool) -> ArrayRef {
    let (texts, paths) = (call.text(0), call.text(1));
    call.texts(|row, out| {
        let path = paths.at(row);
        let steps =
            steps(path).ok_or_else(|| Stop::failed(format!("'{path}' is no path such as '$.a' or '$[0].b'")))?;
        let json: Value = parsed(texts.at(row))?;
        let mut value = &json;
        for step in &steps {
            value = match step {
                Step::Member(name) => value.get(name),
                Step::Item(at) => value.get(at),
            }
            .ok_or(Stop::Null)?;
        }
        match value {
            Value::String(text) if unquoted => out.push_str(text),
            value => write(value, out),
        }
        Ok(())
    })
}

/// Appends a value as MySQL writes it: a space after commas and colons, members by length and then by name.
fn write(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by_key(|(name, _)| (name.len(), *name));
            out.push('{');
            for (at, (name, value)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push_str(": ");
                write(value, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

enum Step {
    Member(String),
    Item(usize),
}

/// The steps of a path.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.trim().strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let end = after.find(']')?;
            steps.push(Step::Item(after[..end].trim().parse().ok()?));
            rest = &after[end + 1..];
        } else if let Some(after) = rest.strip_prefix(".\"") {
            let end = after.find('"')?;
            steps.push(Step::Member(after[..end].to_string()));
            rest = &after[end + 1..];
        } else {
            let after = rest.strip_prefix('.')?;
            let end = after.find(['.', '[']).unwrap_or(after.len());
            if end == 0 || after[..end].contains('*') {
                return None;
            }
            steps.push(Step::Member(after[..end].to_string()));
            rest = &after[end..];
        }
    }
    Some(steps)
}
