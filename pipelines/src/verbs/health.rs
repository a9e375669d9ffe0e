//! `health`: whether a pipeline can work, with an exit code.

use serde_json::json;
use vardelta_engine::error::RunErrorKind;

use crate::{
    arguments::PipelineArguments, failure::Failure, operate::health, output::Output, pipeline_file, report::Table,
};

/// Arguments of `health`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let (checks, name) = (health::check(&plan, &health::Probe::default()), &plan.pipeline.name);
        let is_failing = checks.iter().any(health::Check::is_failing);
        let status = if is_failing { "failing" } else { "ok" };
        if output.is_json() {
            output.json(&json!({ "pipeline": name, "status": status, "checks": checks }))?;
        } else if !output.is_quiet() {
            let mut table = Table::default();
            for check in &checks {
                table.row().text(check.name).text(check.status).text(&check.message);
            }
            output.text(&format!("{name}: {status}\n\n{}", table.render()))?;
        }
        Ok(if is_failing { RunErrorKind::Sink.exit_code() } else { 0 })
    }
}
