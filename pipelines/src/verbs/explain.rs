//! `explain`: the plan in words.

use vardelta_engine::plan::explain;

use crate::{arguments::PipelineArguments, failure::Failure, output::Output, pipeline_file};

/// Arguments of `explain`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        match output.is_json() {
            true => output.json(&explain::explanation(&plan))?,
            false => output.text(&explain::explain(&plan))?,
        }
        Ok(0)
    }
}
