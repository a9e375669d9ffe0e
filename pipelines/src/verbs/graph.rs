//! `graph`: the stages and the columns on each edge.

use clap::ValueEnum;
use serde_json::{Value, json};
use vardelta_engine::plan::{
    Plan, PlannedStage,
    graph::{self, Format},
};

use crate::{arguments::PipelineArguments, failure::Failure, output::Output, pipeline_file};

/// Arguments of `graph`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,

    /// How to draw it; `--json` gives the stages as data instead.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Drawing,
}

/// How the graph is drawn.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Drawing {
    /// For a terminal.
    Text,
    /// For Graphviz.
    Dot,
    /// For Markdown renderers.
    Mermaid,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        if output.is_json() {
            let stages: Vec<Value> = plan.stages.iter().map(|stage| stage_json(&plan, stage)).collect();
            output.json(&json!({ "pipeline": plan.pipeline.name, "stages": stages }))?;
            return Ok(0);
        }
        let format = match self.format {
            Drawing::Text => Format::Text,
            Drawing::Dot => Format::Dot,
            Drawing::Mermaid => Format::Mermaid,
        };
        output.text(&graph::render(&plan, format))?;
        Ok(0)
    }
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
