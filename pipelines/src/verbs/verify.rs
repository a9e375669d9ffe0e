//! `verify`: every view is recomputed and compared with what the sink holds.

use serde_json::json;
use vardelta_engine::{
    error::{RunError, RunErrorKind},
    observer::{Observer, Unobserved},
    run::{self, Context, RunOptions, VerifiedTable, VerifyReport},
};

use crate::{
    arguments::PipelineArguments, failure, failure::Failure, interrupt, output::Output, pipeline_file, report::grouped,
};

/// Arguments of `verify`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,

    /// Worker threads, 1 to 1024, instead of the pipeline's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,

    /// Recompute every view by vardelta's own operators as well, also one that the database computed.
    #[arg(long)]
    replay: bool,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let (abort, observer): (_, &dyn Observer) = (interrupt::watch(), &Unobserved);
        let workers = self.workers.map(usize::from);
        let options = RunOptions { workers, replay: self.replay, ..RunOptions::default() };
        let report = run::verify(Context { plan: &plan, abort: &abort, observer }, &options)?;
        let mismatch = (report.difference_count > 0).then(|| {
            let rows = if report.difference_count == 1 { "row differs" } else { "rows differ" };
            let count = grouped(report.difference_count);
            RunError::new(RunErrorKind::Mismatch, format!("{count} {rows} from what the drops say"))
                .with_hint(hint(&report))
        });
        if output.is_json() {
            let mut object = json!(report);
            if let Some(mismatch) = &mismatch {
                object["error"] = failure::error_json(mismatch);
            }
            output.json(&object)?;
        } else {
            if !output.is_quiet() || mismatch.is_some() {
                output.text(&text(&report))?;
            }
            report.notices.iter().for_each(|notice| output.complain(&format!("notice: {notice}")));
            if let Some(mismatch) = &mismatch {
                output.finish()?;
                output.error(mismatch);
            }
        }
        Ok(mismatch.map_or(0, |mismatch| mismatch.kind.exit_code()))
    }
}

fn text(report: &VerifyReport) -> String {
    let VerifyReport { pipeline, epoch, seconds, .. } = report;
    let verdict = if report.difference_count == 0 { "verified, nothing differs" } else { "does not verify" };
    let mut text = format!("{pipeline}: epoch {epoch} {verdict} ({seconds:.2} s)\n\n");
    for table in &report.tables {
        let differing = match table.differences {
            0 => String::new(),
            differences => format!(", {} different", grouped(differences)),
        };
        text += &format!("  {}: {} rows against {}{differing}\n", table.name, grouped(table.rows), table.against);
        if !table.tolerant.is_empty() {
            let columns = table.tolerant.join(", ");
            text += &format!("    {columns}: within what the database loses where it adds doubles\n");
        }
        if let Some(why) = &table.not_sql {
            text += &format!("    {why}\n");
        }
    }
    for difference in &report.differences {
        let shown = |row: &Option<String>| row.clone().unwrap_or_else(|| "no such row".into());
        text += &format!("\n{} {}\n", difference.table, difference.key);
        text += &format!("  expected  {}\n  found     {}\n", shown(&difference.expected), shown(&difference.found));
    }
    let untold = report.difference_count - report.differences.len() as u64;
    if untold > 0 {
        text += &format!("\nand {} more\n", grouped(untold));
    }
    text
}

fn hint(report: &VerifyReport) -> &'static str {
    let is_ledger = |table: &VerifiedTable| table.name == "vardelta_drops" && table.differences > 0;
    if report.tables.iter().any(is_ledger) {
        "Something else wrote to the tables or to the state; `vardelta rebuild` makes both from scratch. What the ledger says of its own past it \
         cannot: if `vardelta_drops` differs then too, put a sound copy of the database back."
    } else {
        "Something else wrote to the tables; `vardelta rebuild` makes them from scratch."
    }
}
