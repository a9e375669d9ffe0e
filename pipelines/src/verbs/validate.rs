//! `validate`: every problem of a pipeline file, all at once; where there is none, advice.

use serde_json::json;

use crate::{
    arguments::PipelineArguments,
    failure::Failure,
    output::Output,
    pipeline_file::{self, Advised},
};

/// Arguments of `validate`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let Advised { plan, advice, text } = pipeline_file::load_with_advice(&self.pipeline, output)?;
        let (name, stages) = (&plan.pipeline.name, plan.stages.len());
        if output.is_json() {
            output.json(&json!({ "pipeline": name, "stages": stages, "diagnostics": [], "advice": advice }))?;
        } else if !output.is_quiet() {
            output.text(&format!("{name}: {stages} stages, no problems\n"))?;
            if !text.is_empty() {
                output.text(&format!("\n{text}\n"))?;
            }
        }
        Ok(0)
    }
}
