//! The stages of a pipeline and the columns on each edge, for programs.

use serde_json::{Value, json};
use vardelta_engine::plan::{Plan, PlannedStage};

/// The stages in order: `name`, `type`, `kind`, `inputs`, `key`, `columns`.
pub fn of(plan: &Plan) -> Value {
    let stages: Vec<Value> = plan.stages.iter().map(|stage| stage_json(plan, stage)).collect();
    json!({ "pipeline": plan.pipeline.name, "stages": stages })
}

fn stage_json(plan: &Plan, stage: &PlannedStage) -> Value {
    let columns = stage.schema.columns();
    let inputs: Vec<&str> = stage.inputs.iter().map(|input| plan.stages[*input].name.as_str()).collect();
    let key = stage.key.as_ref().map(|key| key.iter().map(|at| columns[*at].name.as_str()).collect::<Vec<&str>>());
    let described: Vec<Value> = columns
        .iter()
        .map(|column| {
            json!({
                "name": column.name,
                "type": column.column_type.to_string(),
                "nullable": column.nullable,
                "doc": column.doc,
            })
        })
        .collect();
    json!({
        "name": stage.name,
        "type": stage.type_name,
        "kind": stage.kind.as_str(),
        "inputs": inputs,
        "key": key,
        "columns": described,
    })
}
