//! `changes`: what an epoch did to the rows of tables with a history.

use clap::ValueEnum;
use serde_json::{Value as Json, json};
use vardelta_engine::{
    error::{RunError, RunErrorKind},
    run,
};
use vardelta_schemas::ledger::Epoch;

use crate::{
    arguments::PipelineArguments,
    failure::Failure,
    happened::{self, Histories, Missing},
    output::Output,
    pipeline_file,
};

/// How changes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for people.
    Text,
    /// Comma-separated values, of one table.
    Csv,
}

/// Arguments of `changes`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,

    /// What this epoch did. Default: the last one.
    #[arg(long, value_name = "N", conflicts_with = "since")]
    epoch: Option<u64>,

    /// What every epoch after this one did; 0 for all.
    #[arg(long, value_name = "N")]
    since: Option<u64>,

    /// Of this table alone.
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,

    /// In the order of how far this column, a number, rose: what rose most first, what fell most last; none counts as 0.
    #[arg(long, value_name = "COLUMN", requires = "table")]
    by: Option<String>,

    /// Tell the columns that did not change too.
    #[arg(long)]
    whole: bool,

    /// How they are written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let histories = Histories::of(&plan, self.table.as_deref())?;
        if self.format == Format::Csv && histories.tables.len() > 1 {
            let names: Vec<&str> = histories.tables.iter().map(|(table, _)| table.name.as_str()).collect();
            return Err(RunError::new(RunErrorKind::Usage, "comma-separated values are of one table")
                .with_hint(format!("Add `--table`, one of: {}.", names.join(", ")))
                .into());
        }
        let last = run::drops(&plan)?.epoch;
        let epochs = match (self.epoch.map(Epoch::new), self.since) {
            (Some(epoch), _) if epoch == Epoch::NONE || epoch > last => {
                return Err(RunError::new(RunErrorKind::Usage, format!("there is no epoch {epoch}"))
                    .with_hint(format!("The last one is {last}; `vardelta history` lists them."))
                    .into());
            }
            (Some(epoch), _) => epoch..=epoch,
            (None, Some(since)) => Epoch::new(since.saturating_add(1))..=last,
            (None, None) => last..=last,
        };
        let mut found = if last == Epoch::NONE { Vec::new() } else { histories.read(&plan, epochs.clone())? };
        let missing: Vec<Missing> = histories.missing(&plan, &epochs)?;
        // Whoever reads values or `-q` sees it too: without it rows look complete that are not.
        missing.iter().for_each(|missing| output.complain(&format!("warning: {missing}")));
        if let Some(column) = &self.by {
            histories.sort_by_rise(column, &mut found)?;
        }
        let name = &plan.pipeline.name;
        if output.is_json() {
            let changes: Vec<Json> = found.iter().map(|row| histories.json(row)).collect();
            output.json(&json!({ "pipeline": name, "epoch": last, "changes": changes, "missing": missing }))?;
        } else if self.format == Format::Csv {
            output.text(&happened::csv(&histories, &found))?;
        } else if found.is_empty() {
            output.text(&format!("{name}: no rows changed\n"))?;
        } else {
            output.text(&happened::text(&histories, &found, self.whole))?;
        }
        Ok(0)
    }
}
