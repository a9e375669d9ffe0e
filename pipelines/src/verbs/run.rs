//! `run`: what is new or changed is loaded.

use std::path::PathBuf;

use vardelta_engine::run::{self, RunOptions};

use crate::{
    arguments::{self, ExecutionArguments, PipelineArguments},
    failure::Failure,
    output::Output,
    pipeline_file,
    trace_file::TraceFile,
    verbs::execution::{self, Beside},
};

/// Arguments of `run`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,

    /// Files to load, relative to the working directory; `-` is standard input. Without any: what the sources' paths
    /// match now.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The source stage the files go to; needed when there are several.
    #[arg(long, value_name = "STAGE", requires = "files")]
    into: Option<String>,

    /// The drop's name, for a single file, instead of the file's name.
    #[arg(long = "as", value_name = "NAME", requires = "files", value_parser = arguments::drop_name)]
    name: Option<String>,

    /// Withdraw drops whose file is gone, unless a source matches no file at all or more than `max_prune_share` of its
    /// drops are gone.
    #[arg(long, conflicts_with = "files")]
    prune: bool,

    /// Withdraw drops whose file is gone, however many they are.
    #[arg(long, conflicts_with = "files")]
    prune_all: bool,

    /// Load nothing, and ask for every looked-up key that waits for an answer, also where its service wanted to be left alone
    /// for longer.
    #[arg(long, conflicts_with_all = ["files", "prune", "prune_all", "dry_run"])]
    retry_lookups: bool,

    /// Take a new delivery of a drop that has lost more than `max_shrink_share` of its records.
    #[arg(long)]
    accept_smaller: bool,

    /// Take a sample in again that `withdraw --sample` took back; the drops that hold it are read again.
    #[arg(long, value_name = "SAMPLE", conflicts_with = "files")]
    readmit: Vec<String>,

    /// Write what workers, readers and the sink did when into a file that Chrome's and Perfetto's trace viewers open.
    #[arg(long, value_name = "FILE.json")]
    trace: Option<PathBuf>,

    #[command(flatten)]
    execution: ExecutionArguments,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let options = RunOptions {
            files: self.files.clone(),
            into: self.into.clone(),
            name: self.name.clone(),
            prune: self.prune || self.prune_all,
            prune_all: self.prune_all,
            accept_smaller: self.accept_smaller,
            readmit: self.readmit.clone(),
            retry_lookups: self.retry_lookups,
            ..execution::options(&self.execution)
        };
        let trace = self.trace.as_deref().map(|path| TraceFile::create(path, &plan)).transpose()?;
        let beside = Beside { trace, ..Beside::default() };
        execution::execute_beside(output, &plan, &self.execution, beside, |context| run::run(context, &options))
    }
}
