//! The `vardelta` binary that is judged, and what its reports say.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    failure::{Result, expect_equal},
    process::{self, Outcome, Output},
};

/// The binary.
pub struct Binary {
    path: PathBuf,
}

/// A process of the binary, and its report.
pub struct Run {
    /// Wall-clock seconds of the whole process.
    pub seconds: f64,
    /// Processor seconds of the whole process.
    pub cpu_seconds: f64,
    /// The most memory it held, in bytes.
    pub peak_bytes: u64,
    /// Its JSON report.
    pub report: Value,
}

impl Binary {
    /// This binary; without a path the one of this tree, brought up to date by cargo, optimised if this program is.
    ///
    /// # Errors
    /// When it does not build, or is not there.
    pub fn new(path: Option<&Path>) -> Result<Binary> {
        let path = match path {
            Some(path) => path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))?,
            None => build()?,
        };
        Ok(Binary { path })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs a verb of a pipeline and reads its report.
    ///
    /// # Errors
    /// When it fails, or prints no JSON object.
    pub fn report(&self, verb: &str, pipeline: &Path, arguments: &[&str]) -> Result<Run> {
        let mut command = self.command(verb, pipeline, arguments);
        let Outcome { seconds, cpu_seconds, peak_bytes, output } =
            process::run(command.arg("--json"), Output::Captured)?;
        let report = serde_json::from_slice(&output).map_err(|error| format!("`{verb} --json`: {error}"))?;
        Ok(Run { seconds, cpu_seconds, peak_bytes, report })
    }

    /// Runs a verb of a pipeline for its exit code; what it prints goes nowhere.
    ///
    /// # Errors
    /// When it fails.
    pub fn silent(&self, verb: &str, pipeline: &Path, arguments: &[&str]) -> Result<Outcome> {
        process::run(&mut self.command(verb, pipeline, arguments), Output::Discarded)
    }

    fn command(&self, verb: &str, pipeline: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.arg(verb).arg(pipeline).args(arguments).stdin(Stdio::null());
        command
    }
}

/// Builds the binary with cargo, and learns from cargo where it lies.
fn build() -> Result<PathBuf> {
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--package", "vardelta", "--bin", "vardelta", "--message-format", "json", "--profile", profile])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo cannot be started: {error}"))?;
    if !output.status.success() {
        return Err("the vardelta binary does not build".into());
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "vardelta")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| "cargo does not say where the vardelta binary lies".into())
}

impl Run {
    /// A number of the one drop that the report is about.
    ///
    /// # Errors
    /// When the report does not have it.
    pub fn of_drop(&self, count: &str) -> Result<u64> {
        self.number(&self.report["drops"][0][count], count)
    }

    /// Rows that the sink took while others were still computed.
    ///
    /// # Errors
    /// When the report does not have them.
    pub fn rows_ahead(&self) -> Result<u64> {
        self.number(&self.report["rows_ahead"], "rows_ahead")
    }

    /// Holds the report against the rows of a table that must have been inserted, updated and deleted.
    ///
    /// # Errors
    /// When they were not.
    pub fn expect_changes(&self, table: &str, inserted: u64, updated: u64, deleted: u64) -> Result<()> {
        let tables = self.report["tables"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found = tables.iter().find(|found| found["name"] == table).unwrap_or(&Value::Null);
        for (count, expected) in [("inserted", inserted), ("updated", updated), ("deleted", deleted)] {
            expect_equal(&format!("{table}, {count}"), expected, self.number(&found[count], count)?)?;
        }
        Ok(())
    }

    /// What one stage did.
    ///
    /// # Errors
    /// When the report does not have the stage.
    pub fn stage(&self, name: &str) -> Result<StageFigures> {
        let stages = self.report["stages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found = stages.iter().find(|stage| stage["name"] == name).unwrap_or(&Value::Null);
        let seconds = found["seconds"].as_f64().ok_or_else(|| format!("no seconds of stage `{name}` in the report"))?;
        Ok(StageFigures { rows_in: self.number(&found["rows_in"], "rows_in")?, seconds })
    }

    fn number(&self, value: &Value, what: &str) -> Result<u64> {
        value.as_u64().ok_or_else(|| format!("no `{what}` in the report {}", self.report).into())
    }
}

/// What one stage did.
#[derive(Clone, Copy, Debug)]
pub struct StageFigures {
    /// Rows it took in.
    pub rows_in: u64,
    /// Busy seconds, summed over threads.
    pub seconds: f64,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::Run;

    #[test]
    fn a_report_is_held_against_what_is_expected() {
        let report = json!({
            "drops": [{"name": "a", "read": 7}],
            "tables": [{"name": "t", "inserted": 1, "updated": 2, "deleted": 3}],
            "stages": [{"name": "s", "rows_in": 5, "seconds": 0.5}],
        });
        let run = Run { seconds: 1.0, cpu_seconds: 1.0, peak_bytes: 0, report };
        assert_eq!(run.of_drop("read").unwrap(), 7);
        assert!(run.of_drop("loaded").is_err());
        assert!(run.expect_changes("t", 1, 2, 3).is_ok());
        assert!(run.expect_changes("t", 1, 2, 4).is_err());
        assert!(run.expect_changes("u", 0, 0, 0).is_err());
        assert_eq!(run.stage("s").unwrap().rows_in, 5);
        assert!(run.stage("t").is_err());
    }
}
