//! `validate`: every problem of a pipeline file, all at once; where there is none, advice.

use std::{path::PathBuf, time::Duration};

use serde_json::json;
use vardelta_engine::error::RunError;

use crate::{
    arguments::PipelineArguments,
    failure::Failure,
    interrupt,
    output::Output,
    pipeline_file::{self, Advised},
    stamp::Stamp,
};

/// How often files are looked at.
const GLANCE: Duration = Duration::from_millis(250);
/// Every how many glances a file with problems is validated again although nothing of it has changed.
const GLANCES_AT_WRONG: u32 = 4;

/// Arguments of `validate`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,

    /// Validate again whenever the file or a fragment that it includes changes, until Ctrl-C.
    #[arg(long)]
    watch: bool,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        if self.watch { self.watch(output) } else { self.once(output) }
    }

    fn once(&self, output: &mut Output) -> Result<u8, Failure> {
        let advised = pipeline_file::load_with_advice(&self.pipeline, output, &mut Vec::new())?;
        tell(&advised, output)?;
        Ok(0)
    }

    /// Validates again and again; what is wrong ends nothing.
    fn watch(&self, output: &mut Output) -> Result<u8, Failure> {
        interrupt::outlast_runs();
        let (mut seen, mut said, mut glances) = (Vec::<(PathBuf, Option<Stamp>)>::new(), None, 0);
        while !output.has_failed() {
            let is_changed = seen.iter().any(|(file, stamp)| Stamp::at(file) != *stamp);
            // A fragment that is missing is in no list: while something is wrong, it may come at any time.
            let may_be_mended = said.as_ref().is_some_and(Option::is_some) && glances % GLANCES_AT_WRONG == 0;
            if seen.is_empty() || is_changed || may_be_mended {
                // What is written while it is read is seen the next time.
                let mut files = Vec::new();
                let known: Vec<_> = seen.iter().map(|(file, _)| (file.clone(), Stamp::at(file))).collect();
                let result = pipeline_file::load_with_advice(&self.pipeline, output, &mut files);
                let wrong = result.as_ref().err().map(|failure| format!("{failure:?}"));
                if said.as_ref() != Some(&wrong) || is_changed {
                    match &result {
                        Ok(advised) => tell(advised, output)?,
                        Err(failure) => drop(failure.report(output)),
                    }
                    output.finish()?;
                }
                said = Some(wrong);
                files.dedup();
                let before = |file: &PathBuf| known.iter().find(|(known, _)| known == file).map(|(_, stamp)| *stamp);
                seen = files
                    .into_iter()
                    .map(|file| (file.clone(), before(&file).unwrap_or_else(|| Stamp::at(&file))))
                    .collect();
            }
            glances += 1;
            if interrupt::wait(GLANCE) {
                break;
            }
        }
        Ok(0)
    }
}

/// Says that nothing is wrong, and what is worth a thought.
fn tell(Advised { plan, advice, text, .. }: &Advised, output: &mut Output) -> Result<(), RunError> {
    let (name, stages) = (&plan.pipeline.name, plan.stages.len());
    if output.is_json() {
        return output.json(&json!({ "pipeline": name, "stages": stages, "diagnostics": [], "advice": advice }));
    }
    if output.is_quiet() {
        return Ok(());
    }
    output.text(&format!("{name}: {stages} stages, no problems\n"))?;
    if text.is_empty() { Ok(()) } else { output.text(&format!("\n{text}\n")) }
}
