use crate::Copy;

const PIPELINE: &str = "gene_summary.toml";

#[test]
fn every_verb_prints_one_object() {
    let copy = Copy::new();
    for arguments in [
        &["validate", PIPELINE][..],
        &["graph", PIPELINE],
        &["explain", PIPELINE],
        &["run", PIPELINE, "--dry-run"],
        &["run", PIPELINE],
        &["run", PIPELINE, "-q"],
        &["run", PIPELINE, "-v"],
        &["drops", PIPELINE],
        &["history", PIPELINE],
        &["verify", PIPELINE],
        &["withdraw", PIPELINE, "day1", "--dry-run"],
        &["rebuild", PIPELINE],
        &["withdraw", PIPELINE, "day1"],
        &["stages"],
        &["stages", "vcf"],
        &["schema"],
    ] {
        copy.json(arguments);
    }
}

#[test]
fn errors_are_objects_too() {
    let copy = Copy::new();
    for (arguments, kind, code) in [
        (&["run", "--json"][..], "usage", 2),
        (&["--json"], "usage", 2),
        (&["withdraw", PIPELINE, "day3", "--json"], "usage", 2),
        (&["validate", "absent.toml", "--json"], "pipeline", 3),
        (&["validate", PIPELINE, "--set", "stages.calls.type=vfc", "--json"], "pipeline", 3),
        (&["run", PIPELINE, "absent.vcf", "--json"], "input", 4),
        (&["run", PIPELINE, "--set", "pipeline.max_reject_share=0", "--json"], "reject_share", 5),
    ] {
        let outcome = copy.vardelta(arguments);
        let object = outcome.json();
        assert_eq!((outcome.code, &object["error"]["kind"]), (code, &kind.into()), "{arguments:?}: {object}");
        assert_eq!(object["error"]["exit_code"], code);
        assert!(object["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{object}");
        assert_eq!(outcome.stderr, "", "{arguments:?}");
    }
}

#[test]
fn diagnostics_have_places() {
    let copy = Copy::new();
    let object = copy.vardelta(&["validate", PIPELINE, "--set", "stages.passing.were=x", "--json"]).json();
    let diagnostics = object["diagnostics"].as_array().expect("diagnostics");
    assert!(!diagnostics.is_empty());
    for diagnostic in diagnostics {
        assert!(diagnostic["line"].is_u64() && diagnostic["column"].is_u64() && diagnostic["message"].is_string());
    }
}

#[test]
fn the_report_has_the_keys_that_programs_rely_on() {
    let copy = Copy::new();
    let report = copy.json(&["run", PIPELINE]);
    for key in ["pipeline", "epoch", "drops", "tables", "rejects", "warnings", "stages", "lookups", "seconds", "commit"]
    {
        assert!(!report[key].is_null(), "{key}");
    }
    for (list, keys) in [
        ("drops", &["name", "action", "read", "loaded", "filtered", "rejected", "duplicates"][..]),
        ("tables", &["name", "inserted", "updated", "deleted"]),
        ("stages", &["name", "rows_in", "rows_out", "seconds", "wait_s", "p50_us", "p90_us", "p99_us", "max_us"]),
        ("readers", &["name", "chunks", "seconds", "wait_s", "p50_us", "p90_us", "p99_us", "max_us"]),
        ("worker_times", &["worker", "busy_s", "wait_s"]),
    ] {
        for key in keys {
            assert!(!report[list][0][*key].is_null(), "{list}.{key}");
        }
    }
}
