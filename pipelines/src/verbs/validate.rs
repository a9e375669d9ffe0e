//! `validate`: every problem of a pipeline file, all at once.

use serde_json::json;

use crate::{arguments::PipelineArguments, failure::Failure, output::Output, pipeline_file};

/// Arguments of `validate`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let (name, stages) = (&plan.pipeline.name, plan.stages.len());
        if output.is_json() {
            output.json(&json!({ "pipeline": name, "stages": stages, "diagnostics": [] }))?;
        } else if !output.is_quiet() {
            output.text(&format!("{name}: {stages} stages, no problems\n"))?;
        }
        Ok(0)
    }
}
