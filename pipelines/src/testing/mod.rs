//! `[[tests]]` of a pipeline file: sequences of loads and withdrawals with what they must lead to, run through the whole
//! pipeline, with the sink replaced by a SQLite file in a scratch directory.
//!
//! A test that expects nothing is an error, since it could not fail.

mod answers;
mod changes;
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
    junit::{JUNIT_START, junit},
    outcome::{Failed, FileOutcome, TestOutcome},
    update::updated,
};

use std::{path::Path, time::Instant};

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
use crate::failure::Failure;

/// Runs the tests of one pipeline file whose names hold `filter`.
///
/// # Errors
/// When the file is no valid pipeline or its tests cannot be read; a test that fails is an outcome.
pub fn run_file(path: &Path, filter: Option<&str>, color: bool, abort: &Abort) -> Result<FileOutcome, Failure> {
    let text = crate::pipeline_file::read(path)?;
    let mut diagnostics = Diagnostics::default();
    let spec = scratch::read(path, &text, &mut diagnostics);
    let tests = Tests::read(&spec, &mut diagnostics);
    // The file itself first: what `validate` finds is what a test would stumble over.
    let plan = scratch::plan(&spec, Path::new("scratch"), &mut diagnostics);
    let (Some(_), true) = (plan, diagnostics.is_empty()) else {
        let sorted = diagnostics.into_sorted();
        return Err(Failure::Invalid { text: render(&spec, &sorted, color), problems: located(&spec, &sorted) });
    };
    let mut outcomes = Vec::new();
    for test in tests.tests.iter().filter(|test| filter.is_none_or(|filter| test.name.contains(filter))) {
        if abort.is_raised() {
            return Err(RunError::interrupted().into());
        }
        outcomes.push(run_test(&spec, test, abort)?);
    }
    Ok(FileOutcome { path: path.to_path_buf(), spec, tests: outcomes })
}

fn run_test(spec: &SpecFile, test: &Test, abort: &Abort) -> Result<TestOutcome, RunError> {
    let started = Instant::now();
    let scratch = Scratch::new(spec)?;
    let mut before = scratch.tables()?;
    let mut failures = Vec::new();
    for (at, step) in test.steps.iter().enumerate() {
        let observed = carry_out(&scratch, step, abort)?;
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
        match act(scratch, action, abort) {
            Ok(report) => observed.add(&report),
            Err(error) if error.kind == RunErrorKind::Internal => return Err(error),
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
