//! `cache stats`: what the tiers of look-ups hold.

use crate::{arguments::PipelineArguments, failure::Failure, output::Output, pipeline_file};

/// Arguments of `cache stats`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        super::tiers::each(output, &plan, ["entries", "bytes"], |tier| {
            tier.size().map(|(entries, bytes)| [entries, bytes])
        })
    }
}
