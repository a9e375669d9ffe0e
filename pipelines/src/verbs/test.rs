//! `test`: the tests of pipeline files.

use std::path::{Path, PathBuf};

use serde_json::json;
use vardelta_engine::error::{RunError, RunErrorKind};

use crate::{
    destination::{self, Kind},
    failure::Failure,
    interrupt,
    output::Output,
    pipeline_file,
    testing::{self, FileOutcome, Selection},
};

/// Arguments of `test`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Pipeline files with `[[tests]]`. Default: those of the folder that this is started in.
    #[arg(value_name = "PIPELINE.toml")]
    files: Vec<PathBuf>,

    /// Replace an option of each pipeline file, e.g. `stages.passing.where=qual >= 30`. May be given several times.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,

    /// Only tests whose name holds this text.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,

    /// Rewrite the expectations that failed as what came.
    #[arg(long)]
    update: bool,

    /// Also write the outcomes as JUnit XML.
    #[arg(long, value_name = "FILE.xml")]
    junit: Option<PathBuf>,
}

/// What may be written over.
const JUNIT: Kind = Kind {
    option: "--junit",
    what: "a list of outcomes as JUnit XML",
    is_own: |start| start.starts_with(testing::JUNIT_START.as_bytes()),
};

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let junit = self.junit.as_deref().map(|path| destination::check_alone(path, &JUNIT)).transpose()?;
        pipeline_file::check_overrides(&self.overrides)?;
        let found = match self.files.is_empty() {
            true => testing::files_of(Path::new("."))?,
            false => self.files.clone(),
        };
        let abort = interrupt::watch();
        let selection = Selection { overrides: &self.overrides, name: self.name.as_deref() };
        let mut files = Vec::new();
        for path in &found {
            let file = testing::run_file(path, &selection, output.complains_in_color(), &abort)?;
            if !output.is_json() && !output.is_quiet() {
                output.text(&file.text())?;
            }
            files.push(file);
        }
        let (passed, failed) =
            files.iter().map(FileOutcome::counts).fold((0, 0), |sum, counts| (sum.0 + counts.0, sum.1 + counts.1));
        if passed + failed == 0 {
            let what = match (&self.name, found.is_empty()) {
                (_, true) => "no pipeline file of this folder has tests",
                (Some(_), false) => "no test has such a name",
                (None, false) => "there are no tests",
            };
            return Err(RunError::new(RunErrorKind::Usage, what)
                .with_hint("Write `[[tests]]` into the pipeline file; docs/tests.md shows how.")
                .into());
        }
        if let Some(path) = &junit {
            write(path, &testing::junit(&files))?;
        }
        let mut rewritten = 0;
        if self.update {
            for file in &files {
                let (text, edits) = testing::updated(file);
                if edits > 0 {
                    write(&file.path, &text)?;
                    rewritten += edits;
                }
            }
        }
        if output.is_json() {
            let tests: Vec<_> = files.iter().flat_map(FileOutcome::json).collect();
            output.json(&json!({ "passed": passed, "failed": failed, "rewritten": rewritten, "tests": tests }))?;
        } else if !output.is_quiet() {
            let rewritten = if rewritten > 0 { format!("; {rewritten} expectations rewritten") } else { String::new() };
            output.text(&format!("\n{passed} passed, {failed} failed{rewritten}\n"))?;
        }
        Ok(if failed > 0 { RunErrorKind::Mismatch.exit_code() } else { 0 })
    }
}

fn write(path: &Path, text: &str) -> Result<(), RunError> {
    std::fs::write(path, text).map_err(|error| {
        RunError::new(RunErrorKind::Sink, format!("{} cannot be written: {error}", path.display()))
            .with_hint("Check the path and the rights on it.")
    })
}
