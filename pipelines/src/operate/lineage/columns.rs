//! The facet that says from which columns of which data sets the columns of a table are made.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vardelta_engine::plan::{
    StageIndex,
    columns::{Derivation, Influence, Origins},
};
use vardelta_schemas::Schema;

use super::{facet, name::Name};

/// The facet of a table; `named` knows the data set and the column's name of a source's column. A column of which the plan
/// does not say what it is made from is left out.
pub fn facet(schema: &Schema, origins: &Origins, named: &dyn Fn(StageIndex, usize) -> Option<(Name, String)>) -> Value {
    let field = |source: StageIndex, column: usize, transformations: Vec<Value>| {
        named(source, column).map(|(Name { namespace, name }, field)| {
            json!({ "namespace": namespace, "name": name, "field": field, "transformations": transformations })
        })
    };
    let mut fields: BTreeMap<&str, Value> = BTreeMap::new();
    for (column, made) in schema.columns().iter().zip(&origins.columns) {
        let from = made.iter().filter_map(|((source, at), how)| field(*source, *at, vec![direct(*how)]));
        let from: Vec<Value> = from.collect();
        if !from.is_empty() {
            fields.insert(&column.name, json!({ "inputFields": from }));
        }
    }
    let rows = origins.rows.iter();
    let rows =
        rows.filter_map(|((source, at), how)| field(*source, *at, how.iter().map(|how| indirect(*how)).collect()));
    let dataset: Vec<Value> = rows.collect();
    facet::facet("1-2-0", "ColumnLineageDatasetFacet", json!({ "fields": fields, "dataset": dataset }))
}

fn direct(how: Derivation) -> Value {
    let subtype = match how {
        Derivation::Identity => "IDENTITY",
        Derivation::Transformation => "TRANSFORMATION",
        Derivation::Aggregation => "AGGREGATION",
    };
    json!({ "type": "DIRECT", "subtype": subtype })
}

fn indirect(how: Influence) -> Value {
    let subtype = match how {
        Influence::Filter => "FILTER",
        Influence::Join => "JOIN",
        Influence::GroupBy => "GROUP_BY",
        Influence::Sort => "SORT",
    };
    json!({ "type": "INDIRECT", "subtype": subtype })
}
