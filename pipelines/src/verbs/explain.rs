//! `explain`: the plan in words, and on request with the figures of a dry run.

use std::path::PathBuf;

use vardelta_engine::{
    plan::explain,
    run::{self, RunOptions},
};

use crate::{
    analysis, arguments::PipelineArguments, failure::Failure, output::Output, pipeline_file, verbs::execution,
};

/// Arguments of `explain`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,

    /// Carry the plan out as a dry run, which writes nothing, and put the figures beside it.
    #[arg(long)]
    analyze: bool,

    /// With --analyze: files to load, relative to the working directory. Without any: what is new or changed where the
    /// sources' paths lead.
    #[arg(value_name = "FILE", requires = "analyze")]
    files: Vec<PathBuf>,

    /// The source stage the files go to; needed when there are several.
    #[arg(long, value_name = "STAGE", requires = "files")]
    into: Option<String>,

    /// With --analyze: worker threads, 1 to 1024, instead of the pipeline's.
    #[arg(long, value_name = "N", requires = "analyze", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        if !self.analyze {
            match output.is_json() {
                true => output.json(&explain::explanation(&plan))?,
                false => output.text(&explain::explain(&plan))?,
            }
            return Ok(0);
        }
        let options = RunOptions {
            files: self.files.clone(),
            into: self.into.clone(),
            workers: self.workers.map(usize::from),
            dry_run: true,
            ..RunOptions::default()
        };
        let report = execution::unlisted(output, &plan, |context| run::run(context, &options))?;
        match output.is_json() {
            true => output.json(&analysis::json(&plan, &report)?)?,
            false => output.text(&analysis::text(&plan, &report))?,
        }
        Ok(0)
    }
}
