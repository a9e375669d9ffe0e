//! What is on the command line before any of it is acted upon.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser};

use crate::verbs::Verb;

const AFTER_HELP: &str = "\
Exit codes: 0 done (nothing to do included), 2 usage, 3 invalid pipeline, 4 unreadable or truncated input, 5 reject share
exceeded, 6 sink or state trouble, 7 verification mismatch, 70 a defect of vardelta, 130 interrupted.";

/// Keeps genomic variants in SQL: declare a pipeline in TOML, load drops of VCF, change only what changed.
#[derive(Debug, Parser)]
#[command(name = "vardelta", version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct CommandLine {
    /// Print exactly one JSON object, also for errors.
    #[arg(long, global = true)]
    pub json: bool,

    /// Print no progress and no report; the exit code says how it went.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Tell more: every stage's time, and more of the changed rows.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,

    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The pipeline that a verb is about.
#[derive(Args, Clone, Debug)]
pub struct PipelineArguments {
    /// The pipeline file.
    #[arg(value_name = "PIPELINE.toml")]
    pub pipeline: PathBuf,

    /// Replace an option of the pipeline file, e.g. `stages.calls.path=/data/*.vcf.gz`. May be given several times.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub overrides: Vec<String>,
}

/// How a run is carried out.
#[derive(Args, Clone, Debug)]
pub struct ExecutionArguments {
    /// Worker threads, 1 to 1024, instead of the pipeline's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,

    /// Print the exact row changes and write nothing. The database is not asked: `checks` are judged all the same, its FOREIGN KEYs,
    /// triggers and what its columns cannot hold are not.
    #[arg(long)]
    pub dry_run: bool,

    /// Write every row that this run changes into a file, one JSON object a line, also in a dry run; `-` is standard output,
    /// with --quiet.
    #[arg(long, value_name = "FILE.ndjson")]
    pub changes: Option<PathBuf>,

    /// Write every reject of this run into a tab-separated file, also in a dry run and where too many of them end the run;
    /// `-` is standard output, with --quiet. See docs/reasons.md.
    #[arg(long, value_name = "FILE.tsv")]
    pub rejects: Option<PathBuf>,
}

/// A drop's name, which people must be able to read and to type.
///
/// # Errors
/// When it is empty, or holds what cannot be printed.
pub fn drop_name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        Err("a drop's name cannot be empty".to_owned())
    } else if text.contains(char::is_control) {
        Err("a drop's name cannot hold control characters".to_owned())
    } else {
        Ok(text.to_owned())
    }
}
