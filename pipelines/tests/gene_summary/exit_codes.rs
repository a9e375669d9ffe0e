use std::{fs, process::Stdio};

use rusqlite::Connection;

use crate::Copy;

const PIPELINE: &str = "gene_summary.toml";

/// Runs `vardelta`, expects this exit code and this text on standard error.
#[track_caller]
fn fails(copy: &Copy, code: i32, expected: &str, arguments: &[&str]) {
    let outcome = copy.vardelta(arguments);
    assert_eq!(outcome.code, code, "{}", outcome.stderr);
    assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
}

#[test]
fn usage_is_2() {
    let copy = Copy::new();
    fails(&copy, 2, "Usage: vardelta", &[]);
    fails(&copy, 2, "--prune", &["run", PIPELINE, "--pruned"]);
    fails(&copy, 2, "1..=1024", &["run", PIPELINE, "--workers", "0"]);
    fails(&copy, 2, "no drop `day3`", &["withdraw", PIPELINE, "day3"]);
    fails(&copy, 2, "Did you mean `filter`?", &["stages", "fliter"]);
    fails(&copy, 2, "nope", &["run", PIPELINE, "gene_summary/drops/day1.vcf", "--into", "nope"]);
}

#[test]
fn an_invalid_pipeline_is_3() {
    let copy = Copy::new();
    fails(&copy, 3, "no pipeline file `absent.toml`", &["validate", "absent.toml"]);
    let text = fs::read_to_string(copy.path(PIPELINE)).expect("pipeline");
    let broken = text.replace("pick = \"worst\"", "pic = \"worst\"").replace("type = \"sqlite\"", "type = \"sqlight\"");
    fs::write(copy.path("broken.toml"), broken).expect("written");
    fails(&copy, 3, "broken.toml:21:1", &["validate", "broken.toml"]);
    fails(&copy, 3, "Did you mean `pick`?", &["run", "broken.toml"]);
    fails(&copy, 3, "sqlight", &["graph", "broken.toml"]);
    assert!(!copy.path("gene_summary.sqlite").exists());
}

#[test]
fn an_unreadable_input_is_4() {
    let copy = Copy::new();
    fails(&copy, 4, "absent.vcf", &["run", PIPELINE, "absent.vcf"]);
    fs::write(copy.path("no.vcf"), "this is no VCF\n").expect("written");
    fails(&copy, 4, "no.vcf", &["run", PIPELINE, "no.vcf"]);
}

#[test]
fn too_many_rejects_are_5_and_nothing_is_written() {
    let copy = Copy::new();
    fails(&copy, 5, "bad_position", &["run", PIPELINE, "--set", "pipeline.max_reject_share=0.01"]);
    assert_eq!(copy.json(&["drops", PIPELINE])["epoch"], 0);
}

#[test]
fn trouble_with_the_sink_is_6() {
    let copy = Copy::new();
    fs::write(copy.path("text.sqlite"), "this is no database, and long enough to be looked at".repeat(100))
        .expect("written");
    fails(&copy, 6, "text.sqlite", &["run", PIPELINE, "--set", "stages.warehouse.path=text.sqlite"]);
}

#[test]
fn a_mismatch_is_7_and_shows_the_row() {
    let copy = Copy::new();
    copy.json(&["run", PIPELINE]);
    let connection = Connection::open(copy.path("gene_summary.sqlite")).expect("database");
    let sql = "UPDATE mutation_summary SET variant_count = 99 WHERE gene_symbol = 'TP53'";
    assert_eq!(connection.execute(sql, []), Ok(1));
    drop(connection);

    let outcome = copy.vardelta(&["verify", PIPELINE]);
    assert_eq!(outcome.code, 7);
    assert!(outcome.stdout.contains("mutation_summary gene_symbol=TP53"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("expected  variant_count=2 "), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("found     variant_count=99 "), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("vardelta rebuild"), "{}", outcome.stderr);

    copy.json(&["rebuild", PIPELINE]);
    assert_eq!(copy.vardelta(&["verify", PIPELINE]).code, 0);
}

#[test]
fn a_reader_who_goes_away_is_no_failure() {
    let copy = Copy::new();
    let mut child = copy.command(&["schema"]).stdout(Stdio::piped()).spawn().expect("vardelta runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("ended").code(), Some(0));
}

#[test]
fn quiet_says_nothing_but_notices() {
    let copy = Copy::new();
    let outcome = copy.vardelta(&["run", PIPELINE, "-q"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""));
    let notices: Vec<&str> = outcome.stderr.lines().collect();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(
        notices[0].starts_with("notice: drop `day1`: 1 row gave way to a later row of the same key"),
        "{notices:?}"
    );
}
