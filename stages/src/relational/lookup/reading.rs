//! What a body says of the keys that were asked for.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;
use vardelta_engine::contract::lookup::LookupValue;

use super::{
    options::{AnswerType, Missing},
    path::{Path, Place},
};

/// How answers are taken out of a body.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub rows: Path,
    pub answer_key: Option<Path>,
    pub not_found: Option<Path>,
    pub error: Option<Path>,
    pub release: Option<Release>,
    pub fields: Vec<AnswerField>,
    pub absent_status: Vec<u16>,
    pub missing: Missing,
}

/// The release of the service's data.
#[derive(Clone, Debug)]
pub(super) enum Release {
    /// What the pipeline file says.
    Text(String),
    /// Where the body says it.
    Path(Path),
}

impl Release {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Release::Text(text) => text,
            Release::Path(path) => path.as_str(),
        }
    }
}

/// A column of an answer.
#[derive(Clone, Debug)]
pub(super) struct AnswerField {
    pub name: String,
    pub path: Path,
    pub column_type: AnswerType,
}

/// What a service says of a key.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// It knows it.
    Found(Vec<Option<LookupValue>>),
    /// It does not know it.
    Absent,
    /// What it says cannot be used, in words.
    Unusable(String),
}

/// What a body says.
#[derive(Debug, PartialEq)]
pub(super) struct Body {
    /// One for each key that was asked for, in their order.
    pub said: Vec<Said>,
    /// The release that it names.
    pub release: Option<String>,
}

/// A message of a service is shown so far.
const SHOWN_CHARACTERS: usize = 200;

impl Reading {
    /// Reads the body of a response with status 200 to 299 for these keys, which are distinct.
    ///
    /// # Errors
    /// In words, when the body is no answer: no JSON, an error, without rows where they should be, or about other keys.
    pub fn read(&self, bytes: &[u8], asked: &[Arc<str>]) -> Result<Body, String> {
        let body: Value = serde_json::from_slice(bytes).map_err(|error| {
            let start: String = String::from_utf8_lossy(&bytes[..bytes.len().min(400)]).chars().take(60).collect();
            format!("its answer is no whole JSON ({error}); it begins: {start}")
        })?;
        let root = Place { name: None, value: &body };
        if let Some(message) = self.error.as_ref().and_then(|path| path.values(root).into_iter().find(is_something)) {
            return Err(format!("it answered with an error: {}", shown(&message)));
        }
        if !self.rows.is_there(root) {
            return Err(format!("its answer holds nothing at `{}`: {}", self.rows.as_str(), shown(&body)));
        }
        let release = match &self.release {
            Some(Release::Text(text)) => Some(text.clone()),
            Some(Release::Path(path)) => path.values(root).first().map(text_of),
            None => None,
        };
        let rows = self.rows.places(root);
        let said = match &self.answer_key {
            Some(path) => self.by_key(path, &rows, asked)?,
            None => vec![rows.first().map_or_else(|| self.missing(), |row| self.row(*row))],
        };
        Ok(Body { said, release })
    }

    fn by_key(&self, path: &Path, rows: &[Place<'_>], asked: &[Arc<str>]) -> Result<Vec<Said>, String> {
        let places: HashMap<&str, usize> = asked.iter().enumerate().map(|(at, key)| (&**key, at)).collect();
        let mut said: Vec<Option<Said>> = vec![None; asked.len()];
        let (mut other, mut keyed) = (None, false);
        for row in rows {
            let Some(key) = path.values(*row).first().map(text_of) else {
                // Beside the rows there may be lists and texts about them; a row without its key may be anybody's.
                if row.value.is_object() {
                    other = Some("a row without its key".to_owned());
                }
                continue;
            };
            keyed = true;
            match places.get(key.as_str()) {
                // Of several rows for a key the service's first is taken.
                Some(at) => said[*at] = said[*at].take().or_else(|| Some(self.row(*row))),
                None => other = Some(format!("`{}`, which was not asked for", shown(&Value::from(key)))),
            }
        }
        if !keyed && !rows.is_empty() {
            return Err(format!("no row of its answer names a key at `{}`", path.as_str()));
        }
        match other {
            Some(other) if said.iter().all(Option::is_none) => Err(format!("its answer is about {other}")),
            // What is missing may be what was called by another name: that is not to be told apart from absent.
            Some(other) => Ok(said
                .into_iter()
                .map(|said| {
                    said.unwrap_or_else(|| Said::Unusable(format!("its answer lacks the key and is about {other}")))
                })
                .collect()),
            None => Ok(said.into_iter().map(|said| said.unwrap_or_else(|| self.missing())).collect()),
        }
    }

    fn missing(&self) -> Said {
        match self.missing {
            Missing::Absent => Said::Absent,
            Missing::Failed => Said::Unusable("its answer lacks the key".into()),
        }
    }

    fn row(&self, row: Place<'_>) -> Said {
        let is_not_found = self.not_found.as_ref().is_some_and(|path| path.values(row).iter().any(is_something));
        if row.value.is_null() || is_not_found {
            return Said::Absent;
        }
        let values = self
            .fields
            .iter()
            .map(|field| field.value(row).map_err(|why| format!("the column `{}` cannot be read: {why}", field.name)));
        match values.collect() {
            Ok(values) => Said::Found(values),
            Err(why) => Said::Unusable(why),
        }
    }
}

impl AnswerField {
    fn value(&self, row: Place<'_>) -> Result<Option<LookupValue>, String> {
        let found = self.path.values(row);
        let value = match (&found[..], self.column_type) {
            ([], _) => return Ok(None),
            ([value], _) => value,
            (several, AnswerType::Text) => {
                let texts: Vec<String> = several.iter().map(text_of).collect();
                return Ok(Some(LookupValue::Text(texts.join("|"))));
            }
            (several, _) => return Err(format!("`{}` leads to {} values", self.path.as_str(), several.len())),
        };
        let wrong = || format!("{} is no {}", shown(value), self.column_type.as_str());
        let text = value.as_str().map(str::trim);
        let converted = match self.column_type {
            AnswerType::Text => LookupValue::Text(text_of(value)),
            AnswerType::Int64 => {
                let number = value.as_i64().or_else(|| text?.parse().ok());
                LookupValue::Int64(number.ok_or_else(wrong)?)
            }
            AnswerType::Float64 => {
                let number = value.as_f64().or_else(|| text?.parse().ok()).filter(|number| number.is_finite());
                // -0.0 and 0.0 are one value in a database.
                LookupValue::Float64(number.ok_or_else(wrong)? + 0.0)
            }
            AnswerType::Bool => match (value, text) {
                (Value::Bool(value), _) => LookupValue::Bool(*value),
                (_, Some("true")) => LookupValue::Bool(true),
                (_, Some("false")) => LookupValue::Bool(false),
                _ => return Err(wrong()),
            },
        };
        Ok(Some(converted))
    }
}

/// Whether a value says something: not null, false, or an empty text, list or object.
fn is_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

/// A value as a text: a text as it is, all else as JSON.
fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn shown(value: &Value) -> String {
    let text = text_of(value);
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
