//! The same of pipelines with more to them: several sources and joins, and samples.

use super::{
    Bench, array, bottleneck::named_of, compare::no_verdict, figures::busy_and_waiting_are_the_run, number, text,
};

fn clinical() -> Bench {
    Bench::of("clinical.toml", &["gene_summary", "clinical", "cohort", "fragments"], &[])
}

fn cohort() -> Bench {
    Bench::of("cohort.toml", &["cohort", "fragments"], &[])
}

/// Busy and waiting are the whole, every stage that is planned has its figures, and nothing of the user's is touched.
#[track_caller]
fn adds_up(bench: &Bench, records: &str) {
    let before = bench.everything();
    let found = bench.json(&["--records", records, "--workers", "1,2", "--repeat", "2"]);
    let planned = bench.vardelta("graph", &["--json"]).expect(0).json();
    for run in array(&found, "runs") {
        busy_and_waiting_are_the_run(run);
        let mut names: Vec<&str> = array(run, "stages").iter().map(|stage| text(stage, "name")).collect();
        let mut stages: Vec<&str> = array(&planned, "stages").iter().map(|stage| text(stage, "name")).collect();
        names.sort_unstable();
        stages.sort_unstable();
        assert_eq!(names, stages);
        let seconds = number(run, "seconds") * number(run, "workers");
        let sink = text(array(&planned, "stages").last().expect("the sink"), "name");
        let on_workers = array(run, "stages").iter().filter(|stage| text(stage, "name") != sink);
        let busy: f64 = on_workers.map(|stage| number(stage, "busy_s")).sum();
        assert!(busy > 0.0 && busy <= 1.03 * seconds + 0.02, "{busy} of {seconds} s: {run}");
    }
    let named = text(&found["bottleneck"], "stage");
    assert!(array(&planned, "stages").iter().any(|stage| text(stage, "name") == named), "{named}");
    assert_eq!(bench.everything(), before, "files of the user's changed");
    bench.leaves_nothing();
}

#[test]
fn clinical_adds_up() {
    adds_up(&clinical(), "1500");
}

#[test]
fn cohort_adds_up() {
    adds_up(&cohort(), "1500");
}

#[test]
fn a_slow_stage_of_clinical_is_named() {
    let arguments = ["--workers", "1", "--no-sink"];
    named_of(&clinical(), ("stage:clinvar", 5_000), "clinvar", "its work keeps the worker busy", &arguments);
    for stage in ["consequences", "classified", "variant_summary"] {
        let point = format!("stage:{stage}");
        named_of(&clinical(), (&point, 5_000), stage, "its work keeps the worker busy", &arguments);
    }
}

#[test]
fn a_slow_stage_of_cohort_is_named() {
    let arguments = ["--workers", "1", "--no-sink"];
    named_of(&cohort(), ("reader:cohort_calls", 3_000), "cohort_calls", "reading and unpacking its files", &arguments);
    named_of(&cohort(), ("stage:genotypes", 3_000), "genotypes", "its work keeps the worker busy", &arguments);
}

#[test]
fn two_benches_of_cohort_give_no_verdict() {
    no_verdict(&cohort());
}
