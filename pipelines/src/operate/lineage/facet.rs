//! Facets: parts of an event that say who makes them, and after which published schema.

use serde_json::{Value, json};

/// Who makes the events.
pub const PRODUCER: &str = concat!("urn:vardelta:", env!("CARGO_PKG_VERSION"));
/// The schema of the events.
pub const SCHEMA_URL: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/// A facet after a schema: its version and its name.
pub fn facet(version: &str, name: &str, mut body: Value) -> Value {
    // Most facets are in a file of their name.
    let file = if name == "InputSubsetInputDatasetFacet" { "BaseSubsetDatasetFacet" } else { name };
    body["_producer"] = PRODUCER.into();
    body["_schemaURL"] = format!("https://openlineage.io/spec/facets/{version}/{file}.json#/$defs/{name}").into();
    body
}

/// The columns of a data set.
pub fn schema(columns: &[vardelta_schemas::Column]) -> Value {
    let field = |column: &vardelta_schemas::Column| {
        let mut field = json!({ "name": column.name, "type": column.column_type.to_string() });
        if !column.doc.is_empty() {
            field["description"] = column.doc.as_str().into();
        }
        field
    };
    let fields: Vec<Value> = columns.iter().map(field).collect();
    facet("1-2-0", "SchemaDatasetFacet", json!({ "fields": fields }))
}
