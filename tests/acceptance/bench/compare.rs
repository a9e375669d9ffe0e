//! `--save` and `--compare`: what a binary says of itself, and of a slower one.

use serde_json::Value;
use vardelta_tests::project::finish;

use super::{Bench, array, number, text};

const ARGUMENTS: [&str; 7] = ["--records", "3000", "--workers", "1", "--repeat", "3", "--no-sink"];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    ARGUMENTS.iter().chain(more).copied().collect()
}

/// Benches twice and compares, three times: two of them end without a verdict. A machine that does something else for as long as one
/// bench takes can make a difference; it does not do so every time. Gives the last comparison.
#[track_caller]
pub fn no_verdict(bench: &Bench) -> Value {
    let mut pair = || {
        bench.vardelta("bench", &with(&["--save", "before.json"])).expect(0);
        bench.json(&with(&["--compare", "before.json"]))["comparison"].clone()
    };
    let found: Vec<Value> = std::iter::repeat_with(&mut pair).take(3).collect();
    let is_none = |found: &&Value| text(found, "verdict") == "no verdict: within the noise";
    assert!(found.iter().filter(is_none).count() >= 2, "{found:?}");
    found[2].clone()
}

#[test]
fn two_benches_of_one_binary_give_no_verdict_and_a_slower_one_is_found() {
    let bench = Bench::new();
    let comparison = &no_verdict(&bench);
    let seconds = &array(comparison, "figures")[0];
    assert_eq!(text(seconds, "name"), "seconds");
    let ratio = number(seconds, "now") / number(seconds, "before");
    assert!((number(seconds, "ratio") - ratio).abs() < 1e-9 && number(seconds, "noise") > 0.0, "{seconds}");

    let mut slower = bench.command("bench", &with(&["--compare", "before.json"]));
    slower.env("VARDELTA_FAILPOINT", "sleep@stage:passing:3000");
    finish(&mut slower).expect(0).says(&["verdict: slower", "busy_s of passing"]);
    bench.vardelta("bench", &with(&["--compare", "gene_summary.toml"])).expect(2).says(&["is no saved bench"]);
}

#[test]
fn a_file_that_is_no_bench_is_not_overwritten() {
    let bench = Bench::new();
    for option in ["--save", "--svg"] {
        let said = bench.vardelta("bench", &[option, "gene_summary/drops/day1.vcf"]);
        said.expect(2).says(&["would overwrite what is not its own"]);
    }
    std::fs::create_dir(bench.path("plots")).expect("a directory");
    std::fs::write(bench.path("plots/calls.hgrm"), "mine").expect("a file");
    bench.vardelta("bench", &["--hgrm", "plots"]).expect(2).says(&["would overwrite what is not its own"]);
}
