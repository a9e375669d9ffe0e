//! The JSON Schema (draft-07) of a pipeline file, made from the registry, for editors.

use serde_json::{Map, Value as Json, json};

use crate::{
    contract::{
        options::OptionDoc,
        stage::{Kind, StageType},
    },
    plan::{OperateOptions, PipelineOptions},
};

/// The JSON Schema of a pipeline file that may use these stage types, as text.
pub fn pipeline_json_schema(registry: &[&dyn StageType]) -> String {
    let definitions: Map<String, Json> =
        registry.iter().map(|stage_type| (stage_type.name().to_owned(), stage(*stage_type))).collect();
    // `if`/`then` rather than `oneOf`: an editor then complains of the wrong option, not of every type at once.
    let by_type: Vec<Json> = registry
        .iter()
        .map(|stage_type| {
            json!({
                "if": { "properties": { "type": { "const": stage_type.name() } }, "required": ["type"] },
                "then": { "$ref": format!("#/definitions/{}", stage_type.name()) },
            })
        })
        .collect();
    let names: Vec<&str> = registry.iter().map(|stage_type| stage_type.name()).collect();
    let mut stage = json!({
        "type": "object",
        "required": ["type"],
        "properties": { "type": { "enum": names, "description": "The stage's type." } },
    });
    if !by_type.is_empty() {
        stage["allOf"] = by_type.into();
    }
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "vardelta pipeline",
        "type": "object",
        "additionalProperties": false,
        "required": ["pipeline"],
        "anyOf": [{ "required": ["stages"] }, { "required": ["include"] }],
        "properties": {
            "include": include(),
            "pipeline": table(PipelineOptions::DOCS),
            "operate": table(OperateOptions::DOCS),
            "stages": {
                "type": "object",
                "minProperties": 1,
                "propertyNames": { "pattern": "^(?![Vv][Aa][Rr][Dd][Ee][Ll][Tt][Aa]_)[A-Za-z_][A-Za-z0-9_]*$" },
                "additionalProperties": stage,
            },
            "tests": tests(),
        },
        "definitions": definitions,
    });
    format!("{schema:#}")
}

/// The fragments that a file includes.
fn include() -> Json {
    json!({
        "type": "array",
        "description": "Fragments with stages, relative to this file, each perhaps with values for its parameters.",
        "items": { "anyOf": [
            { "type": "string", "minLength": 1 },
            {
                "type": "object",
                "additionalProperties": false,
                "required": ["file"],
                "properties": { "file": { "type": "string", "minLength": 1 }, "with": { "type": "object" } },
            },
        ] },
    })
}

/// The tests of a pipeline file; their steps are read by `vardelta test`.
fn tests() -> Json {
    let rows = json!({ "type": "array", "items": { "type": "object" } });
    let counts = json!({ "type": "object", "additionalProperties": { "type": "integer", "minimum": 0 } });
    let names = json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] });
    let delivery = json!({
        "type": "object",
        "description": "The source stage and the drop's name, and its records (`records` or `file`).",
        "properties": {
            "records": { "type": "string" },
            "file": { "type": "string" },
            "header": { "type": "string" },
            "samples": { "type": "array", "items": { "type": "string" } },
        },
        "additionalProperties": { "type": "string" },
    });
    let deliveries = json!({ "anyOf": [delivery, { "type": "array", "items": delivery }] });
    let expectations = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "rows": { "type": "object", "additionalProperties": rows },
            "changes": { "type": "object", "additionalProperties": { "type": "array", "items": { "type": "string" } } },
            "counts": counts,
            "rejects": counts,
            "warnings": counts,
            "exit_code": { "type": "integer", "minimum": 0, "maximum": 255 },
        },
    });
    let step = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": { "add": deliveries, "replace": deliveries, "withdraw": names, "withdraw_sample": { "type": "string" }, "expect": expectations },
    });
    json!({
        "type": "array",
        "description": "Sequences of loads with what they must lead to, run by `vardelta test`.",
        "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["name", "steps"],
            "properties": { "name": { "type": "string" }, "steps": { "type": "array", "minItems": 1, "items": step } },
        },
    })
}

/// One stage type: its options and the keys that the planner reads.
fn stage(stage_type: &dyn StageType) -> Json {
    let name = || json!({ "type": "string", "description": "A stage's name." });
    let list = |description: &str| json!({ "type": "array", "items": name(), "minItems": 1, "uniqueItems": true, "description": description });
    let mut properties = Map::new();
    properties.insert("type".into(), json!({ "const": stage_type.name() }));
    let mut required = vec!["type".to_owned()];
    let many = *stage_type.inputs().end() > 1;
    match stage_type.kind() {
        Kind::Source => {}
        Kind::Sink => {
            properties.insert("tables".into(), list("The keyed stages whose rows it keeps."));
            required.push("tables".into());
        }
        Kind::Transform | Kind::Relational => {
            properties.insert("input".into(), name());
            let mut inputs = list("The stages it reads.");
            if !many {
                inputs["maxItems"] = 1.into();
            }
            properties.insert("inputs".into(), inputs);
        }
    }
    let mut schema = table_with(stage_type.options(), properties, required);
    if matches!(stage_type.kind(), Kind::Transform | Kind::Relational) {
        schema["oneOf"] = json!([{ "required": ["input"] }, { "required": ["inputs"] }]);
    }
    schema["description"] = stage_type.manual().lines().next().unwrap_or_default().into();
    schema
}

/// A table with these options.
pub(crate) fn table(docs: &[OptionDoc]) -> Json {
    table_with(docs, Map::new(), Vec::new())
}

/// A table with these options beside other properties.
fn table_with(docs: &[OptionDoc], mut properties: Map<String, Json>, mut required: Vec<String>) -> Json {
    for doc in docs {
        // An option whose schema is not JSON may be anything.
        let mut schema = serde_json::from_str((doc.json_schema)().as_str()).unwrap_or_else(|_| json!({}));
        if let Json::Object(schema) = &mut schema {
            schema.insert("description".into(), paragraph(doc.doc).into());
            match doc.default.map(toml_to_json) {
                Some(Some(default)) => {
                    schema.insert("default".into(), default);
                }
                Some(None) => {}
                None => required.push(doc.name.into()),
            }
        }
        properties.insert(doc.name.into(), schema);
    }
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

/// A doc comment as one line.
fn paragraph(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A default as it is written in TOML, as JSON; `None` where it is described in words.
pub(crate) fn toml_to_json(toml: &str) -> Option<Json> {
    let value: toml::Value = toml::from_str::<toml::Table>(&format!("value = {toml}")).ok()?.remove("value")?;
    serde_json::to_value(value).ok()
}

#[cfg(test)]
mod tests;
