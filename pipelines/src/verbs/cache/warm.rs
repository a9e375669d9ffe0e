//! `cache warm`: what a load would look up is asked for before it, into the caches alone.

use vardelta_engine::run::{self, RunOptions};

use crate::{arguments::PipelineArguments, failure::Failure, output::Output, pipeline_file, report, verbs::execution};

/// Arguments of `cache warm`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,

    /// Worker threads, 1 to 1024, instead of the pipeline's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let options =
            RunOptions { workers: self.workers.map(usize::from), dry_run: true, warm: true, ..RunOptions::default() };
        let report = execution::unlisted(output, &plan, |context| run::run(context, &options))?;
        if output.is_json() {
            output.json(&report)?;
        } else if output.is_quiet() {
            report.notices.iter().for_each(|notice| output.complain(&format!("notice: {notice}")));
        } else {
            let (head, tail) = report::run_report(&report, output.is_verbose());
            output.text(&head)?;
            output.text(&tail)?;
        }
        Ok(0)
    }
}
