//! `alert check`: how alerts stand, without a run.

use serde_json::json;

use super::options;
use crate::{
    arguments::PipelineArguments, failure::Failure, operate::alerts, output::Output, pipeline_file, report::Table,
};

/// Arguments of `alert check`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let (standing, lines) = alerts::check(&plan, options(&plan)?, None, None);
        lines.iter().for_each(|line| output.complain(line));
        if output.is_json() {
            output.json(&json!({ "pipeline": plan.pipeline.name, "alerts": standing }))?;
        } else if !output.is_quiet() {
            let mut table = Table::default();
            for alert in &standing {
                let row = table.row().text(alert.alert).text(alert.severity).text(alert.state);
                row.text(alert.since.as_deref().unwrap_or_default());
            }
            output.text(&table.render())?;
        }
        Ok(0)
    }
}
