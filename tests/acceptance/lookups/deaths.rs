//! Death at each step of asking and writing: what was committed is whole, what was not is asked for by the next run, and the
//! tables are those of a pipeline that nobody killed.

use std::{path::Path, process::Command};

use vardelta_engine::{
    abort::Abort,
    failpoint::{Effect, points},
    observer::Unobserved,
    run::{self, Context, RunOptions},
};
use vardelta_tests::{database::assert_same_rows, in_process::resolve, scripted::Failing};

use super::{sample, text_of};

/// Names the directory in which the child runs.
const CHILD: &str = "VARDELTA_TEST_LOOKUP_CHILD";

/// The steps, as the variable names them.
fn steps() -> Vec<String> {
    let asking = points(Effect::Dies, &["lookup"]).into_iter().map(str::to_owned);
    let panicking = points(Effect::Panics, &["lookup"]).into_iter().map(|point| format!("panic:{point}"));
    let writing =
        ["commit:begin", "state:prepared", "commit:before-sink", "commit:after-sink", "state:before-finalize"];
    asking.chain(panicking).chain(writing.map(str::to_owned)).collect()
}

/// One run in the directory that the parent names; not a test of its own.
#[test]
fn child() {
    let Some(directory) = std::env::var_os(CHILD) else { return };
    let services = sample(99);
    let text = text_of(&services.genes, &services.words);
    let plan = resolve(&Path::new(&directory).join("pipeline.toml"), &text, &[]).expect("the pipeline is valid");
    let context = Context { plan: &plan, abort: &Abort::default(), observer: &Unobserved };
    run::run(context, &RunOptions::default()).expect("a run");
}

/// Runs the child in this directory, and has it die at a step.
#[track_caller]
fn dies_at(point: &str, directory: &Path) {
    let status = Command::new(std::env::current_exe().expect("a process knows its executable"))
        .args(["--exact", "lookups::deaths::child"])
        .env(CHILD, directory)
        .env("VARDELTA_FAILPOINT", point)
        .output()
        .expect("the test can be started again")
        .status;
    assert!(!status.success(), "the run did not come by {point}");
}

#[test]
fn a_run_that_dies_while_it_asks_or_writes_loses_nothing() {
    let whole = sample(20);
    whole.run();
    let (expected, ledger) = (whole.tables(), whole.ledger());
    for (at, point) in steps().iter().enumerate() {
        // The first load, and the run that completes what waits.
        for has_waiting in [false, true] {
            let sample = sample(30 + at as u64);
            if has_waiting {
                sample.genes.script().failing = Failing::Everything;
                sample.run();
                sample.genes.script().failing = Failing::Nothing;
            }
            dies_at(point, sample.warehouse.directory.path());
            sample.run();
            assert_same_rows(point, &expected.rows, &sample.tables().rows);
            assert_eq!(ledger, sample.ledger(), "{point}");
            sample.is_sound();
        }
    }
}
