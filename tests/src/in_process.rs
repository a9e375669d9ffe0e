//! Runs inside the test's own process: hundreds of them take seconds.

use std::path::{Path, PathBuf};

use vardelta_engine::{
    abort::Abort,
    contract::stage::StageType,
    diagnostics::Diagnostics,
    error::RunError,
    observer::Unobserved,
    plan::Plan,
    report::RunReport,
    run::{self, Context, EraseReport, RunOptions, VerifyReport},
    spec::SpecFile,
};

use crate::{scripted::Scripted, server_project::URL_VARIABLE};

/// A directory for databases and states, in memory where the machine has such a place: the tests that run in process
/// are about what is computed, not about what survives a power cut.
pub fn fast_directory() -> tempfile::TempDir {
    let shared_memory = Path::new("/dev/shm");
    let in_memory = shared_memory.is_dir().then(|| tempfile::tempdir_in(shared_memory).ok()).flatten();
    in_memory.unwrap_or_else(|| tempfile::tempdir().expect("a temporary directory can be made"))
}

/// Resolves a pipeline file; the problems as texts when there are some.
///
/// # Errors
/// The problems' messages.
pub fn resolve(path: &Path, text: &str, overrides: &[String]) -> Result<Plan, Vec<String>> {
    resolve_with(path, text, overrides, &|_| None)
}

/// As [`resolve`], with these variables before those of the environment.
fn resolve_with(
    path: &Path,
    text: &str,
    overrides: &[String],
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Plan, Vec<String>> {
    let mut diagnostics = Diagnostics::default();
    let environment = |name: &str| variable(name).or_else(|| std::env::var(name).ok());
    let spec = SpecFile::parse(path.to_path_buf(), text.to_owned(), overrides, &environment, &mut diagnostics);
    let registry: Vec<&dyn StageType> =
        vardelta_stages::REGISTRY.iter().copied().chain([&Scripted as &dyn StageType]).collect();
    let plan = Plan::resolve(&spec, &registry, &mut diagnostics);
    let problems: Vec<String> = diagnostics.into_sorted().into_iter().map(|problem| problem.message).collect();
    match plan {
        Some(plan) if problems.is_empty() => Ok(plan),
        _ => Err(problems),
    }
}

/// A pipeline in a directory of its own.
pub struct Warehouse {
    /// The directory: `pipeline.toml`, `drops/`, the database and the state.
    pub directory: tempfile::TempDir,
    text: String,
    /// The address of the server, if the pipeline asks for one.
    url: Option<String>,
}

impl Warehouse {
    /// A pipeline that has run nothing yet.
    pub fn new(text: &str) -> Warehouse {
        let directory = fast_directory();
        std::fs::create_dir(directory.path().join("drops")).expect("a directory can be made");
        Warehouse { directory, text: text.to_owned(), url: None }
    }

    /// A pipeline that has run nothing yet, and keeps its tables where this address says.
    pub fn at(url: String, text: &str) -> Warehouse {
        Warehouse { url: Some(url), ..Warehouse::new(text) }
    }

    /// Where drops lie.
    pub fn drops(&self) -> PathBuf {
        self.directory.path().join("drops")
    }

    /// The plan, at this many records per dataflow (0: the default).
    pub fn plan(&self, chunk_records: u64) -> Plan {
        let overrides: Vec<String> =
            (chunk_records > 0).then(|| format!("pipeline.chunk_records={chunk_records}")).into_iter().collect();
        let variable = |name: &str| self.url.clone().filter(|_| name == URL_VARIABLE);
        resolve_with(&self.directory.path().join("pipeline.toml"), &self.text, &overrides, &variable)
            .expect("the pipeline is valid")
    }

    /// Loads what is new or changed.
    ///
    /// # Errors
    /// As [`run::run`].
    pub fn run(&self, chunk_records: u64, options: &RunOptions) -> Result<RunReport, RunError> {
        run::run(Context { plan: &self.plan(chunk_records), abort: &Abort::default(), observer: &Unobserved }, options)
    }

    /// Withdraws drops.
    ///
    /// # Errors
    /// As [`run::withdraw`].
    pub fn withdraw(&self, chunk_records: u64, names: &[String], options: &RunOptions) -> Result<RunReport, RunError> {
        let plan = self.plan(chunk_records);
        run::withdraw(Context { plan: &plan, abort: &Abort::default(), observer: &Unobserved }, names, options)
    }

    /// Withdraws drops and forgets them.
    ///
    /// # Errors
    /// As [`run::erase`].
    pub fn erase(&self, chunk_records: u64, names: &[String], options: &RunOptions) -> Result<EraseReport, RunError> {
        let plan = self.plan(chunk_records);
        run::erase(Context { plan: &plan, abort: &Abort::default(), observer: &Unobserved }, names, options)
    }

    /// Verifies the tables.
    ///
    /// # Errors
    /// As [`run::verify`].
    pub fn verify(&self, options: &RunOptions) -> Result<VerifyReport, RunError> {
        run::verify(Context { plan: &self.plan(0), abort: &Abort::default(), observer: &Unobserved }, options)
    }
}
