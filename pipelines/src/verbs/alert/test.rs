//! `alert test`: a message to every channel.

use serde_json::json;
use vardelta_engine::error::{RunError, RunErrorKind};

use super::options;
use crate::{
    arguments::PipelineArguments, failure::Failure, operate::alerts, output::Output, pipeline_file, report::Table,
};

/// Arguments of `alert test`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let tried = alerts::test(&plan, options(&plan)?);
        if tried.is_empty() {
            let message = format!("the alerts of `{}` have no channel: they go to the log alone", plan.pipeline.name);
            return Err(RunError::new(RunErrorKind::Usage, message)
                .with_hint("Add `[operate.alerts.slack]` with its `webhook`, or `[operate.alerts.email]`.")
                .into());
        }
        let is_failing = tried.iter().any(|tried| !tried.ok);
        if output.is_json() {
            output.json(&json!({ "pipeline": plan.pipeline.name, "channels": tried }))?;
        } else if !output.is_quiet() {
            let mut table = Table::default();
            for tried in &tried {
                table.row().text(tried.channel).text(if tried.ok { "ok" } else { "failing" }).text(&tried.answer);
            }
            output.text(&table.render())?;
        }
        Ok(if is_failing { RunErrorKind::Sink.exit_code() } else { 0 })
    }
}
