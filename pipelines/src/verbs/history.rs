//! `history`: what every epoch did.

use serde_json::{Value, json};
use vardelta_engine::run;

use crate::{arguments::PipelineArguments, failure::Failure, output::Output, pipeline_file, report::Table};

/// Arguments of `history`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let events = run::history(&plan)?;
        let name = &plan.pipeline.name;
        if output.is_json() {
            let events: Vec<Value> = events.iter().map(|event| super::flat(json!(event))).collect();
            output.json(&json!({ "pipeline": name, "events": events }))?;
            return Ok(0);
        }
        if events.is_empty() {
            output.text(&format!("{name}: nothing has been loaded yet\n"))?;
            return Ok(0);
        }
        let mut table = Table::titled([
            "epoch",
            "committed at",
            "drop",
            "action",
            "read",
            "loaded",
            "filtered",
            "rejected",
            "duplicates",
        ]);
        for event in &events {
            table.row().number(event.epoch.number()).text(&event.committed_at);
            // An epoch that is about no drop is about all of them.
            table.text(if event.drop_id.is_some() { &event.name } else { "(all)" }).text(&event.action);
            super::accounting(&mut table, &event.counts);
        }
        output.text(&format!("{name}\n\n{}", table.render()))?;
        Ok(0)
    }
}
