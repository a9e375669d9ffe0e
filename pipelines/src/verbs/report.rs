//! `report`: what became of a pipeline, as one file to mail.

use std::path::PathBuf;

use serde_json::json;
use vardelta_engine::{
    error::{RunError, RunErrorKind},
    observer::Unobserved,
    path_text::to_text,
    run::Context,
};

use crate::{
    arguments::PipelineArguments,
    destination::{self, Kind},
    failure::Failure,
    interrupt,
    output::Output,
    page::file,
    pipeline_file,
};

/// What such a file is, and what it may replace: one of its kind, or an empty one.
static KIND: Kind = Kind {
    option: "--out",
    what: "a report of vardelta",
    is_own: |start| start.starts_with(file::BEGINNING.as_bytes()),
};

/// Arguments of `report`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,

    /// The file: HTML that needs nothing else, for any browser. An older report there is replaced.
    #[arg(long, value_name = "FILE.html")]
    out: PathBuf,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let path = destination::check(&self.out, &plan, &KIND)?;
        let abort = interrupt::watch();
        let content = file::gather(Context { plan: &plan, abort: &abort, observer: &Unobserved })?;
        let html = content.html();
        destination::replace(&path, &KIND, &html).map_err(|error| {
            let message = format!("the report cannot be written to {}: {error}", path.display());
            RunError::new(RunErrorKind::Sink, message).with_hint("Name a file in a folder that may be written to.")
        })?;
        let (name, epoch) = (&plan.pipeline.name, content.epoch());
        if output.is_json() {
            output.json(&json!({ "pipeline": name, "epoch": epoch, "file": to_text(&path), "bytes": html.len() }))?;
        } else if !output.is_quiet() {
            output.text(&format!("{name}: epoch {epoch} is shown in {} ({} bytes)\n", path.display(), html.len()))?;
        }
        Ok(0)
    }
}
