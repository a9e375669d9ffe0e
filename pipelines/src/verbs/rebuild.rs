//! `rebuild`: state and tables are brought to a changed definition.

use vardelta_engine::run;

use crate::{
    arguments::{ExecutionArguments, PipelineArguments},
    failure::Failure,
    output::Output,
    pipeline_file,
    verbs::execution,
};

/// Arguments of `rebuild`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,

    #[command(flatten)]
    execution: ExecutionArguments,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let options = execution::options(&self.execution);
        execution::execute(output, &plan, &self.execution, |context| run::rebuild(context, &options))
    }
}
