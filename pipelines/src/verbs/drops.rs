//! `drops`: what is loaded.

use serde_json::{Value, json};
use vardelta_engine::run;
use vardelta_schemas::ledger::{DropRow, WithdrawnMember};

use crate::{arguments::PipelineArguments, failure::Failure, output::Output, pipeline_file, report::Table};

/// Arguments of `drops`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let ledger = run::drops(&plan)?;
        let name = &plan.pipeline.name;
        if output.is_json() {
            let drops: Vec<Value> = ledger.drops.iter().map(|drop| super::flat(json!(drop))).collect();
            output.json(&json!({ "pipeline": name, "epoch": ledger.epoch, "drops": drops,
                "withdrawn_samples": ledger.withdrawn_members }))?;
            return Ok(0);
        }
        let s = if ledger.drops.len() == 1 { "" } else { "s" };
        output.text(&format!("{name}: {} drop{s} at epoch {}\n", ledger.drops.len(), ledger.epoch))?;
        if !ledger.drops.is_empty() {
            output.text(&format!("\n{}", table(&ledger.drops).render()))?;
        }
        if !ledger.withdrawn_members.is_empty() {
            output.text(&format!("\nsamples that are withdrawn\n{}", samples(&ledger.withdrawn_members).render()))?;
        }
        Ok(0)
    }
}

fn table(drops: &[DropRow]) -> Table {
    let mut table = Table::titled([
        "drop",
        "source",
        "added",
        "loaded in",
        "read",
        "loaded",
        "filtered",
        "rejected",
        "duplicates",
        "file",
    ]);
    for drop in drops {
        table.row().text(&drop.name).text(&drop.source);
        table.number(drop.added_epoch.number()).number(drop.loaded_epoch.number());
        super::accounting(&mut table, &drop.counts);
        table.text(&drop.path);
    }
    table
}

fn samples(members: &[WithdrawnMember]) -> Table {
    let mut table = Table::titled(["sample", "source", "drop", "withdrawn in"]);
    for member in members {
        table.row().text(&member.name).text(&member.source);
        table.text(member.drop.as_deref().unwrap_or("(all)")).number(member.epoch.number());
    }
    table
}
