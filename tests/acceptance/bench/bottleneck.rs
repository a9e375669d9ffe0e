//! A stage that is made slow on purpose is the one that is named.

use vardelta_tests::project::finish;

use super::{Bench, text};

/// Makes each batch so many milliseconds slower: far more than all other work on so few records.
#[track_caller]
fn named(slow: (&str, u64), stage: &str, why: &str, arguments: &[&str]) {
    named_of(&Bench::new(), slow, stage, why, arguments);
}

/// The same of any pipeline.
#[track_caller]
pub fn named_of(bench: &Bench, (point, slower_ms): (&str, u64), stage: &str, why: &str, arguments: &[&str]) {
    let arguments: Vec<&str> =
        ["--json", "--records", "1500", "--repeat", "1"].iter().chain(arguments).copied().collect();
    let mut command = bench.command("bench", &arguments);
    command.env("VARDELTA_FAILPOINT", format!("sleep@{point}:{slower_ms}"));
    let found = finish(&mut command).expect(0).json();
    let bottleneck = &found["bottleneck"];
    assert_eq!(text(bottleneck, "stage"), stage, "{point}: {bottleneck}\n{found}");
    assert!(text(bottleneck, "why").contains(why), "{point}: {bottleneck}");
}

#[test]
fn slow_reading_is_named() {
    named(("reader:calls", 1_500), "calls", "reading and unpacking its files", &["--workers", "1", "--no-sink"]);
}

#[test]
fn slow_parsing_is_named() {
    named(("stage:calls", 1_500), "calls", "its work keeps the worker busy", &["--workers", "1", "--no-sink"]);
}

#[test]
fn a_slow_transform_is_named() {
    named(("stage:passing", 1_500), "passing", "its work keeps the 2 workers busy", &["--workers", "2", "--no-sink"]);
}

#[test]
fn a_slow_table_is_named() {
    named(("stage:variants", 1_500), "variants", "its work keeps the worker busy", &["--workers", "1", "--no-sink"]);
}

#[test]
fn a_slow_sink_is_named() {
    named(("stage:warehouse", 500), "warehouse", "writing takes", &["--workers", "1"]);
}
