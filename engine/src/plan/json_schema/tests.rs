#![allow(clippy::unwrap_used)]

use crate::plan::{fakes::REGISTRY, json_schema::*};

fn schema() -> Json {
    serde_json::from_str(&pipeline_json_schema(REGISTRY)).unwrap()
}

#[test]
fn a_stage_has_its_options_and_no_others() {
    let schema = schema();
    assert_eq!(
        schema["definitions"]["table"],
        json!({
            "type": "object",
            "description": "Turns the records of drops into a keyed table, and remembers which drop asserted which row.",
            "additionalProperties": false,
            "required": ["type", "key"],
            "oneOf": [{ "required": ["input"] }, { "required": ["inputs"] }],
            "properties": {
                "type": { "const": "table" },
                "input": { "type": "string", "description": "A stage's name." },
                "inputs": {
                    "type": "array", "minItems": 1, "maxItems": 1, "uniqueItems": true,
                    "items": { "type": "string", "description": "A stage's name." },
                    "description": "The stages it reads.",
                },
                "key": {
                    "type": "array", "items": { "type": "string" },
                    "description": "The key columns, in key order: at least one, none of which may be NULL. Rows with equal keys are the same row.",
                },
                "conflict": {
                    "enum": ["latest_drop", "first_drop", "greatest"], "default": "latest_drop",
                    "description": "Which drop's row wins when several drops assert a key: the one that comes last (`latest_drop`) or first (`first_drop`) in ledger order, or the one with the greatest value in the column `conflict_by` (`greatest`).",
                },
                "conflict_by": {
                    "type": "string",
                    "description": "With `conflict = \"greatest\"` the column that decides, such as the release of an annotation, so that an older release that is loaded later does not win. Numbers and dates by their value, texts by their bytes; NULL is less than any value; of equal values the row of the drop that comes last in ledger order wins.",
                },
            },
        })
    );
    assert_eq!(schema["definitions"]["memory"]["required"], json!(["type", "tables"]));
    assert_eq!(schema["definitions"]["events"]["required"], json!(["type", "columns"]));
    assert!(schema["definitions"]["events"]["properties"].get("input").is_none());
}

#[test]
fn every_type_is_told_apart_by_its_name() {
    let stage = &schema()["properties"]["stages"]["additionalProperties"];
    assert_eq!(
        stage["properties"]["type"]["enum"],
        json!(["events", "keep", "table", "count_by", "union", "join", "distinct", "memory"])
    );
    assert_eq!(stage["allOf"].as_array().unwrap().len(), REGISTRY.len());
    assert_eq!(stage["allOf"][2]["then"], json!({ "$ref": "#/definitions/table" }));
}

#[test]
fn the_pipeline_table_has_bounds_and_defaults() {
    let pipeline = &schema()["properties"]["pipeline"];
    assert_eq!(pipeline["required"], json!(["name"]));
    assert_eq!(pipeline["properties"]["chunk_records"]["default"], 250_000);
    assert_eq!(pipeline["properties"]["chunk_records"]["minimum"], 1);
    assert_eq!(pipeline["properties"]["max_reject_share"]["maximum"], 1);
    // A default in words is in the description only.
    assert!(pipeline["properties"]["workers"].get("default").is_none());
    assert!(pipeline["properties"]["workers"]["description"].as_str().unwrap().contains("cores"));
}

#[test]
fn an_empty_registry_still_makes_a_schema() {
    assert!(pipeline_json_schema(&[]).contains("draft-07"));
}
