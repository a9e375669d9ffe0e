//! `withdraw`: what drops asserted is taken back.

use vardelta_engine::run;

use crate::{
    arguments::{ExecutionArguments, PipelineArguments},
    failure::Failure,
    output::Output,
    pipeline_file,
    verbs::execution,
};

/// Arguments of `withdraw`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,

    /// The drops, as `vardelta drops` names them; STAGE:NAME where two sources have one of that name. Their files are
    /// not needed.
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,

    #[command(flatten)]
    execution: ExecutionArguments,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let options = execution::options(&self.execution);
        execution::execute(output, &plan, &self.execution, |context| run::withdraw(context, &self.names, &options))
    }
}
