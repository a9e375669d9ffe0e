//! Death at each step of asking and writing: what was committed is whole, what was not is asked for by the next run, and the
//! tables are those of a pipeline that nobody killed.

use std::{path::Path, process::Command};

use vardelta_engine::{
    abort::Abort,
    failpoint::{Effect, points},
    observer::Unobserved,
    run::{self, Context, RunOptions},
};
use vardelta_test_servers::{Flavor, Server, shared};
use vardelta_tests::{
    database::assert_same_rows, in_process::resolve, scripted::Failing, server_project::URL_VARIABLE,
};

use super::{
    learn_and_deliver, sample,
    tested::{Tested, on_server},
    text_of,
};

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
    let mut text = text_of(&services.genes, &services.words);
    if std::env::var_os(URL_VARIABLE).is_some() {
        text = on_server(&text);
    }
    let plan = resolve(&Path::new(&directory).join("pipeline.toml"), &text, &[]).expect("the pipeline is valid");
    let context = Context { plan: &plan, abort: &Abort::default(), observer: &Unobserved };
    run::run(context, &RunOptions::default()).expect("a run");
}

/// Runs the child in the directory of this pipeline, and has it die at a step.
#[track_caller]
fn dies_at(point: &str, tested: &Tested) {
    let mut command = Command::new(std::env::current_exe().expect("a process knows its executable"));
    command.args(["--exact", "lookups::deaths::child"]);
    command.env(CHILD, tested.looked_up.warehouse.directory.path()).env("VARDELTA_FAILPOINT", point);
    if let Some(url) = tested.url() {
        command.env(URL_VARIABLE, url);
    }
    let status = command.output().expect("the test can be started again").status;
    assert!(!status.success(), "the run did not come by {point}");
}

fn delivered(seed: u64, server: Option<&'static Server>) -> Tested {
    let tested = Tested::new(seed, server);
    learn_and_deliver(&tested.looked_up);
    tested
}

fn dies_at_every_step(server: Option<&'static Server>) {
    let whole = delivered(20, server);
    whole.looked_up.run();
    let (expected, ledger) = (whole.tables(), whole.ledger());
    for (at, point) in steps().iter().enumerate() {
        // The first load, and the run that completes what waits.
        for has_waiting in [false, true] {
            let tested = delivered(30 + at as u64, server);
            if has_waiting {
                tested.looked_up.genes.script().failing = Failing::Everything;
                tested.looked_up.run();
                tested.looked_up.genes.script().failing = Failing::Nothing;
            }
            dies_at(point, &tested);
            tested.looked_up.run();
            assert_same_rows(point, &expected.rows, &tested.tables().rows);
            assert_eq!(ledger, tested.ledger(), "{point}");
            tested.looked_up.is_sound();
        }
    }
}

#[test]
fn a_run_that_dies_while_it_asks_or_writes_loses_nothing() {
    dies_at_every_step(None);
}

#[test]
fn nor_does_one_on_mariadb() {
    let Some(server) = shared("nor_does_one_on_mariadb", Flavor::MariaDb) else { return };
    dies_at_every_step(Some(server));
}

#[test]
fn nor_does_one_on_mysql() {
    let Some(server) = shared("nor_does_one_on_mysql", Flavor::MySql) else { return };
    dies_at_every_step(Some(server));
}
