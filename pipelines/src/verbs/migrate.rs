//! `migrate`: the tables are changed to what the pipeline now declares, and only rows that differ are written.

use vardelta_engine::{
    contract::migration::{Phase, Rename, Step},
    error::{RunError, RunErrorKind},
    run::{self, Backfill, ComparedTable, Context, MigrateOptions, MigrationReport, Origin},
};

use crate::{
    arguments::PipelineArguments, failure::Failure, interrupt, output::Output, pipeline_file, progress::Live, report,
    watcher::Watcher,
};

/// Arguments of `migrate`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,

    /// Print the definitions, how the database would carry each out, and where values come from; change nothing.
    #[arg(long)]
    plan: bool,

    /// Also drop the columns, indexes and tables that the pipeline no longer has, and forbid NULL where it says so.
    #[arg(long)]
    contract: bool,

    /// A column that keeps its values under another name, e.g. `variants.gene_symbol=gene`. May be given several times.
    #[arg(long = "rename", value_name = "TABLE.OLD=NEW", value_parser = rename)]
    renames: Vec<Rename>,

    /// Rows that are written at a time where new columns are filled.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    batch_rows: u32,

    /// Worker threads, 1 to 1024, instead of the pipeline's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
}

fn rename(text: &str) -> Result<Rename, String> {
    let parts = text.split_once('=').and_then(|(old, to)| Some((old.split_once('.')?, to)));
    match parts {
        Some(((table, from), to)) if !table.is_empty() && !from.is_empty() && !to.is_empty() => {
            Ok(Rename { table: table.into(), from: from.into(), to: to.into() })
        }
        _ => Err("it is not of the form TABLE.OLD=NEW".into()),
    }
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let options = MigrateOptions {
            workers: self.workers.map(usize::from),
            plan: self.plan,
            contract: self.contract,
            renames: self.renames.clone(),
            batch_rows: self.batch_rows.into(),
        };
        let mut watcher = Watcher::without_rows(Live::start(output.progress()));
        let abort = interrupt::watch();
        output.follow(&abort);
        let report = run::migrate(Context { plan: &plan, abort: &abort, observer: &watcher }, &options);
        // The lines go before anything is said.
        watcher.progress = None;
        let report = report?;
        if output.is_json() {
            output.json(&report)?;
        } else if !output.is_quiet() {
            output.text(&text(&report, self, output.is_verbose())?)?;
        }
        Ok(0)
    }
}

/// What happens to the rows of a table, or has happened.
fn of_table(table: &ComparedTable, backfill: &Backfill, executed: bool) -> String {
    let mut text = format!("{}: {} rows compared, those that differ written", table.name, table.rows);
    if table.new_columns.is_empty() {
        return text;
    }
    let columns = table.new_columns.join(", ");
    text += &match (executed, table.batches_max) {
        (_, 0) => format!(", {columns} in one transaction with the rest"),
        (false, most) => {
            let s = if most == 1 { "" } else { "es" };
            format!("; {columns} filled before that, in at most {most} batch{s} of {} rows", backfill.batch_rows)
        }
        (true, _) => {
            let s = if table.batches == 1 { "" } else { "es" };
            format!("; {columns} filled before that in {} rows, {} batch{s}", table.filled, table.batches)
        }
    };
    text
}

fn text(report: &MigrationReport, arguments: &Arguments, is_verbose: bool) -> Result<String, RunError> {
    use std::fmt::Write as _;
    let mut text = String::new();
    let write = |result: std::fmt::Result| {
        result.map_err(|_| RunError::new(RunErrorKind::Internal, "the report cannot be written"))
    };
    if report.nothing_to_do {
        write(writeln!(text, "{}: nothing to do", report.pipeline))?;
        return Ok(text);
    }
    for change in &report.changes {
        write(writeln!(text, "{change}"))?;
    }
    for (phase, title) in [(Phase::Expand, "expand"), (Phase::Contract, "contract")] {
        let steps: Vec<&Step> = report.steps.iter().filter(|step| step.phase == phase).collect();
        if steps.is_empty() {
            continue;
        }
        let only = if phase == Phase::Contract && !arguments.contract { " (only with --contract)" } else { "" };
        write(writeln!(text, "\n{title}{only}:"))?;
        for step in steps {
            let how = if step.makes_table { "a new table" } else { step.algorithm.as_str() };
            write(writeln!(text, "  {}; -- {how}", step.statement.replace('\n', "\n  ")))?;
        }
    }
    let backfill = &report.backfill;
    match backfill.from {
        Origin::Nothing => write(writeln!(text, "\nbackfill: none, no row changes"))?,
        Origin::State | Origin::Files => {
            let from = match backfill.files.len() {
                _ if backfill.from == Origin::State => "from the state, no file is read".to_owned(),
                1 => "by reading 1 file again".to_owned(),
                files => format!("by reading {files} files again"),
            };
            write(writeln!(text, "\nbackfill: {} recomputed {from}", backfill.stages.join(", ")))?;
            for file in &backfill.files {
                write(writeln!(text, "  {file}"))?;
            }
            for table in &backfill.tables {
                write(writeln!(text, "  {}", of_table(table, backfill, report.executed)))?;
            }
        }
    }
    if let Some(run) = &report.run {
        let (head, tail) = report::run_report(run, is_verbose);
        write(write!(text, "\n{head}{tail}"))?;
    } else if !report.executed {
        write(writeln!(text, "\nnothing was changed"))?;
    }
    Ok(text)
}
