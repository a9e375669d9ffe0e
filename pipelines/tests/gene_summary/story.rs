use std::fs;

use serde_json::{Value, json};

use crate::Copy;

const PIPELINE: &str = "gene_summary.toml";

/// The accounting of each drop: name, action, read, loaded, filtered, rejected, duplicates.
fn drops(report: &Value) -> Vec<Value> {
    let keys = ["name", "action", "read", "loaded", "filtered", "rejected", "duplicates"];
    let drops = report["drops"].as_array().expect("drops");
    drops.iter().map(|drop| keys.iter().map(|key| drop[*key].clone()).collect()).collect()
}

/// What happened to each table: inserted, updated, deleted, unchanged.
fn tables(report: &Value) -> Vec<Value> {
    let keys = ["name", "inserted", "updated", "deleted", "unchanged"];
    let tables = report["tables"].as_array().expect("tables");
    tables.iter().map(|table| keys.iter().map(|key| table[*key].clone()).collect()).collect()
}

#[test]
fn a_drop_a_second_one_and_its_withdrawal() {
    let copy = Copy::new();

    // Seventeen records: one has a spreadsheet's number as its position, one is LowQual, one is an insertion that comes
    // twice, spelled differently. The other fourteen make fifteen rows, because one of them has two alleles.
    let first = copy.json(&["run", PIPELINE]);
    assert_eq!(first["epoch"], 1);
    assert_eq!(first["committed"], true);
    assert_eq!(drops(&first), [json!(["day1", "added", 17, 14, 1, 1, 1])]);
    assert_eq!(tables(&first), [json!(["variants", 15, 0, 0, 0]), json!(["mutation_summary", 9, 0, 0, 0])]);
    assert_eq!(first["rejects"], json!({ "bad_position": 1 }));
    assert_eq!(
        copy.summary(&["BRCA1", "KRAS", "TP53"]),
        [("BRCA1".into(), 2, 66.0, 2, 1), ("KRAS".into(), 2, 79.0, 2, 1), ("TP53".into(), 2, 79.0, 1, 1)]
    );
    let after_first = copy.dump();

    let again = copy.json(&["run", PIPELINE]);
    assert_eq!((&again["epoch"], &again["committed"]), (&json!(1), &json!(false)));
    assert_eq!(drops(&again), [json!(["day1", "unchanged", 17, 14, 1, 1, 1])]);
    assert_eq!(tables(&again), [json!(["variants", 0, 0, 0, 15]), json!(["mutation_summary", 0, 0, 0, 9])]);

    // The second drop says the same of F5, something else of TP53, more of BRCA1, and PTEN is new.
    copy.deliver_day2();
    let second = copy.json(&["run", PIPELINE]);
    assert_eq!(second["epoch"], 2);
    assert_eq!(drops(&second)[1], json!(["day2", "added", 4, 4, 0, 0, 0]));
    assert_eq!(tables(&second), [json!(["variants", 2, 1, 0, 14]), json!(["mutation_summary", 1, 2, 0, 7])]);
    let changed: Vec<_> = copy.summary(&[]).into_iter().filter(|row| row.4 == 2).collect();
    assert_eq!(
        changed,
        [("BRCA1".into(), 3, 69.0, 3, 2), ("PTEN".into(), 1, 84.0, 1, 2), ("TP53".into(), 2, 89.0, 1, 2)]
    );
    assert_eq!(copy.json(&["verify", PIPELINE])["difference_count"], 0);

    // Its file is not needed any more.
    fs::remove_file(copy.path("gene_summary/drops/day2.vcf")).expect("removed");
    let withdrawn = copy.json(&["withdraw", PIPELINE, "day2"]);
    assert_eq!(withdrawn["epoch"], 3);
    assert_eq!(withdrawn["drops"][0]["action"], "withdrawn");
    assert_eq!(tables(&withdrawn), [json!(["variants", 0, 1, 2, 14]), json!(["mutation_summary", 0, 2, 1, 7])]);
    assert_eq!(copy.dump(), after_first);

    let loaded = copy.json(&["drops", PIPELINE]);
    assert_eq!(loaded["drops"].as_array().expect("drops").len(), 1);
    assert_eq!(loaded["drops"][0]["read"], 17);
    let history = copy.json(&["history", PIPELINE]);
    let events = history["events"].as_array().expect("events");
    let actions: Vec<&Value> = events.iter().map(|event| &event["action"]).collect();
    assert_eq!(actions, ["added", "added", "withdrawn"]);
}

#[test]
fn pruning_withdraws_what_is_gone() {
    let copy = Copy::new();
    copy.json(&["run", PIPELINE]);
    let after_first = copy.dump();
    copy.deliver_day2();
    copy.json(&["run", PIPELINE]);
    fs::remove_file(copy.path("gene_summary/drops/day2.vcf")).expect("removed");

    let kept = copy.json(&["run", PIPELINE]);
    assert_eq!(kept["committed"], false);
    let pruned = copy.json(&["run", PIPELINE, "--prune-all"]);
    assert_eq!(pruned["committed"], true);
    assert_eq!(copy.dump(), after_first);
}

#[test]
fn a_dry_run_shows_every_change_and_writes_nothing() {
    let copy = Copy::new();
    copy.json(&["run", PIPELINE]);
    let database = || fs::read(copy.path("gene_summary.sqlite")).expect("database");
    let before = database();
    copy.deliver_day2();

    let report = copy.json(&["run", PIPELINE, "--dry-run"]);
    assert_eq!((&report["epoch"], &report["committed"], &report["dry_run"]), (&json!(1), &json!(false), &json!(true)));
    let summary = json!([
        {
            "op": "update",
            "key": { "gene_symbol": "BRCA1" },
            "old": { "gene_symbol": "BRCA1", "variant_count": 2, "avg_quality": "66.000000", "pathogenic_count": 2 },
            "new": { "gene_symbol": "BRCA1", "variant_count": 3, "avg_quality": "69.000000", "pathogenic_count": 3 },
        },
        {
            "op": "insert",
            "key": { "gene_symbol": "PTEN" },
            "old": null,
            "new": { "gene_symbol": "PTEN", "variant_count": 1, "avg_quality": "84.000000", "pathogenic_count": 1 },
        },
        {
            "op": "update",
            "key": { "gene_symbol": "TP53" },
            "old": { "gene_symbol": "TP53", "variant_count": 2, "avg_quality": "79.000000", "pathogenic_count": 1 },
            "new": { "gene_symbol": "TP53", "variant_count": 2, "avg_quality": "89.000000", "pathogenic_count": 1 },
        },
    ]);
    assert_eq!(report["changes"]["mutation_summary"], summary);
    assert_eq!(report["changes"]["variants"].as_array().expect("variants").len(), 3);

    let text = copy.vardelta(&["run", PIPELINE, "--dry-run"]).stdout;
    assert!(text.contains("nothing was written"), "{text}");
    assert!(text.contains("  ~ gene_symbol=TP53 avg_quality 79.000000 -> 89.000000\n"), "{text}");
    assert!(database() == before, "the dry run wrote to the database");
    assert_eq!(copy.json(&["drops", PIPELINE])["epoch"], 1);
}

#[test]
fn a_dry_run_before_the_first_leaves_nothing_behind() {
    let copy = Copy::new();
    let report = copy.json(&["run", PIPELINE, "--dry-run"]);
    assert_eq!(report["changes"]["mutation_summary"].as_array().expect("changes").len(), 9);
    assert!(!copy.path("gene_summary.sqlite").exists());
    assert!(!copy.path(".vardelta").exists());
}

#[test]
fn paths_are_relative_to_the_pipeline_file_and_files_to_the_working_directory() {
    let copy = Copy::new();
    let elsewhere = tempfile::tempdir().expect("temporary directory");
    fs::copy(copy.path("gene_summary/later/day2.vcf"), elsewhere.path().join("mine.vcf")).expect("copied");
    let pipeline = copy.path(PIPELINE);
    let pipeline = pipeline.to_str().expect("UTF-8");

    let mut command = copy.command(&["run", pipeline, "mine.vcf", "--as", "named", "--json"]);
    let outcome = crate::Outcome::from(command.current_dir(elsewhere.path()).output().expect("vardelta runs"));
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_eq!(drops(&outcome.json()), [json!(["named", "added", 4, 4, 0, 0, 0])]);
    assert!(copy.path("gene_summary.sqlite").exists());
    assert_eq!(fs::read_dir(elsewhere.path()).expect("directory").count(), 1);
}
