//! `[[tests]]` of a pipeline file: sequences of loads and withdrawals with what they must lead to, run through the whole
//! pipeline, with the sink replaced by a SQLite file in a scratch directory.
//!
//! A test that expects nothing is an error, since it could not fail.

mod answers;
mod changes;
mod found;
mod judge;
mod junit;
mod outcome;
mod records;
mod rows;
mod scratch;
mod steps;
mod tables;
mod update;

pub use self::{
    found::files_of,
    junit::{JUNIT_START, junit},
    outcome::{Failed, FileOutcome, TestOutcome},
    update::updated,
};

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread::available_parallelism,
    time::Instant,
};

use vardelta_engine::{
    abort::Abort,
    diagnostics::{Diagnostics, located, render},
    error::{RunError, RunErrorKind},
    observer::Unobserved,
    report::RunReport,
    run::{self, Context, RunOptions},
    spec::SpecFile,
};

use self::{
    judge::{Observed, judge},
    scratch::Scratch,
    steps::{Action, Step, Test, Tests},
    tables::Tables,
};
use crate::{failure::Failure, interrupt};

/// Which tests of a file are run, and what the file says instead of what is written.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// What `--set` replaces.
    pub overrides: &'a [String],
    /// Only tests whose names hold this text.
    pub name: Option<&'a str>,
}

/// Runs the tests of one pipeline file.
///
/// # Errors
/// When the file is no valid pipeline or its tests cannot be read; a test that fails is an outcome.
pub fn run_file(path: &Path, selection: &Selection<'_>, color: bool, abort: &Abort) -> Result<FileOutcome, Failure> {
    let text = crate::pipeline_file::read(path)?;
    let mut diagnostics = Diagnostics::default();
    let spec = scratch::read(path, &text, selection.overrides, &mut diagnostics);
    let tests = Tests::read(&spec, &mut diagnostics);
    // The file itself first: what `validate` finds is what a test would stumble over.
    let plan = scratch::plan(&spec, Path::new("scratch"), &mut diagnostics);
    let (Some(_), true) = (plan, diagnostics.is_empty()) else {
        let sorted = diagnostics.into_sorted();
        return Err(Failure::Invalid { text: render(&spec, &sorted, color), problems: located(&spec, &sorted) });
    };
    let of_name = |test: &&Test| selection.name.is_none_or(|name| test.name.contains(name));
    let outcomes = run_all(&spec, &tests.tests.iter().filter(of_name).collect::<Vec<_>>(), abort)?;
    Ok(FileOutcome { path: path.to_path_buf(), spec, tests: outcomes })
}

/// Runs tests on as many threads as the machine has cores, each with a place of its own; what came of them in the order of the file.
fn run_all(spec: &SpecFile, tests: &[&Test], abort: &Abort) -> Result<Vec<TestOutcome>, RunError> {
    let threads = available_parallelism().map_or(1, usize::from).min(tests.len());
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<(usize, TestOutcome)>, RunError> {
        let (scratch, mut outcomes) = (Scratch::new(spec)?, Vec::new());
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(test) = tests.get(at) else { return Ok(outcomes) };
            outcomes.push((at, run_test(&scratch, test, abort)?));
        }
    };
    let mut outcomes = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut outcomes = Vec::new();
        for thread in threads {
            let ended = thread.join().map_err(|_| RunError::internal("a thread that runs tests ended"))?;
            outcomes.extend(ended?);
        }
        Ok::<_, RunError>(outcomes)
    })?;
    outcomes.sort_by_key(|(at, _)| *at);
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

fn run_test(scratch: &Scratch, test: &Test, abort: &Abort) -> Result<TestOutcome, RunError> {
    let started = Instant::now();
    scratch.clear()?;
    let mut before = scratch.tables()?;
    let mut failures = Vec::new();
    for (at, step) in test.steps.iter().enumerate() {
        let observed = carry_out(scratch, step, abort)?;
        let after = scratch.tables()?;
        failures.extend(judge(at + 1, step, &observed, &before, &after));
        before = after;
        // What comes after a step that ended otherwise than expected says nothing.
        if failures.iter().any(|failure: &Failed| failure.ends_the_test) {
            break;
        }
    }
    Ok(TestOutcome { name: test.name.clone(), seconds: started.elapsed().as_secs_f64(), failures })
}

/// Does what a step says; an action that fails is part of what is observed.
fn carry_out(scratch: &Scratch, step: &Step, abort: &Abort) -> Result<Observed, RunError> {
    let mut observed = Observed::default();
    for action in &step.actions {
        if abort.is_raised() {
            return Err(RunError::interrupted());
        }
        // Of its own: a run that fails ends no other test.
        let run = interrupt::watch();
        match act(scratch, action, &run) {
            Ok(report) => observed.add(&report),
            Err(error) if matches!(error.kind, RunErrorKind::Internal | RunErrorKind::Interrupted) => {
                return Err(error);
            }
            Err(error) => {
                observed.error = Some(error);
                break;
            }
        }
    }
    Ok(observed)
}

fn act(scratch: &Scratch, action: &Action, abort: &Abort) -> Result<RunReport, RunError> {
    let context = Context { plan: &scratch.plan, abort, observer: &Unobserved };
    match action {
        Action::Deliver(delivery) => {
            let options = RunOptions {
                files: vec![scratch.file(delivery)?],
                into: Some(delivery.source.clone()),
                name: Some(delivery.drop.clone()),
                workers: Some(1),
                ..RunOptions::default()
            };
            run::run(context, &options)
        }
        Action::Answers(told) => {
            scratch.answers.tell(&scratch.plan, told)?;
            // What was wanted before is asked for again, as a late answer comes.
            let options = RunOptions { retry_lookups: true, workers: Some(1), ..RunOptions::default() };
            run::run(context, &options)
        }
        Action::Withdraw(names) => {
            run::withdraw(context, names, &RunOptions { workers: Some(1), ..RunOptions::default() })
        }
        Action::WithdrawSample(sample) => {
            run::withdraw_sample(context, sample, &[], &RunOptions { workers: Some(1), ..RunOptions::default() })
        }
    }
}

/// The rows of every table, as a step finds and leaves them.
impl Scratch {
    fn tables(&self) -> Result<Tables, RunError> {
        Tables::read(&self.plan)
    }
}
