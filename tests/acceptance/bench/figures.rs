//! The figures: their names, that they add up, and that taking them touches nothing of the user's.

use serde_json::Value;

use super::{Bench, array, number, text};

/// Every stage of the shipped pipeline, in the order of the plan's edges.
const STAGES: [&str; 8] =
    ["calls", "alleles", "consequences", "passing", "annotated", "variants", "mutation_summary", "warehouse"];

fn stage<'a>(run: &'a Value, name: &str) -> &'a Value {
    array(run, "stages")
        .iter()
        .find(|stage| text(stage, "name") == name)
        .unwrap_or_else(|| panic!("no `{name}`: {run}"))
}

/// What each worker was busy and what it waited is the whole of the run, measured by different clocks.
#[track_caller]
pub fn busy_and_waiting_are_the_run(run: &Value) {
    let seconds = number(run, "seconds");
    assert_eq!(array(run, "worker_times").len() as f64, number(run, "workers"));
    for worker in array(run, "worker_times") {
        let whole = number(worker, "busy_s") + number(worker, "wait_s");
        assert!((whole - seconds).abs() <= 0.03 * seconds + 0.02, "{whole} of {seconds} s: {run}");
    }
}

#[test]
fn the_figures_add_up_and_nothing_of_the_users_is_touched() {
    let bench = Bench::new();
    // The user has a database and a state.
    bench.vardelta("run", &[]).expect(0);
    let before = bench.everything();
    let found = bench.json(&["--records", "6000", "--workers", "2,1", "--repeat", "2"]);
    assert_eq!(bench.everything(), before, "files of the user's changed");
    bench.leaves_nothing();

    assert_eq!((text(&found, "pipeline"), text(&found, "sink")), ("gene_summary", "sqlite"));
    assert_eq!((&found["input"]["generated"], &found["input"]["records"]), (&true.into(), &6000.into()));
    let runs = array(&found, "runs");
    assert_eq!(runs.iter().map(|run| number(run, "workers")).collect::<Vec<_>>(), [1.0, 2.0]);
    for run in runs {
        let seconds = number(run, "seconds");
        assert!(number(run, "seconds_min") <= seconds && seconds <= number(run, "seconds_max"), "{run}");
        assert!((number(run, "records_per_s") - 6000.0 / seconds).abs() < 1.0, "{run}");
        assert!(number(run, "peak_bytes") > 1e6 && number(run, "cpu_seconds") > 0.0, "{run}");
        assert!(number(run, "state_bytes") > 10_000.0, "{run}");
        // All that is left was written; a first load reads back what it has merged.
        assert!(number(run, "state_written_bytes") > 10_000.0 && number(run, "state_read_bytes") >= 0.0, "{run}");
        assert!(
            number(run, "allocations") > 6000.0 && number(run, "allocated_bytes") > number(run, "allocations"),
            "{run}"
        );
        for stage in array(run, "stages") {
            let is_counted = !["variants", "mutation_summary", "warehouse"].contains(&text(stage, "name"));
            assert_eq!(stage["allocations_per_row"].is_f64(), is_counted, "{stage}");
            assert_eq!(stage["allocated_bytes_per_row"].is_f64(), is_counted, "{stage}");
        }
        let bytes_per_row = number(stage(run, "calls"), "allocated_bytes_per_row");
        assert!((100.0..100_000.0).contains(&bytes_per_row), "a record of some 250 bytes: {bytes_per_row}");
        let mut names: Vec<&str> = array(run, "stages").iter().map(|stage| text(stage, "name")).collect();
        names.sort_unstable();
        let mut expected = STAGES;
        expected.sort_unstable();
        assert_eq!(names, expected);
        for stage in array(run, "stages") {
            for key in ["rows_in", "rows_out", "busy_s", "wait_s", "p50_us", "p90_us", "p99_us", "max_us"] {
                assert!(number(stage, key) >= 0.0, "{stage}");
            }
            assert!(
                number(stage, "p50_us") <= number(stage, "p99_us")
                    && number(stage, "p99_us") <= number(stage, "max_us")
            );
        }
        assert_eq!(number(stage(run, "calls"), "rows_in"), 6000.0);
        assert_eq!(number(stage(run, "calls"), "rows_out"), number(stage(run, "alleles"), "rows_in"));
        assert!(number(stage(run, "calls"), "mb_per_s") > 0.0 && number(stage(run, "calls"), "records_per_s") > 0.0);
        busy_and_waiting_are_the_run(run);
    }
    let speedup = array(&found, "speedup");
    assert_eq!(number(&speedup[0], "ratio"), 1.0);
    let expected = number(&runs[0], "seconds") / number(&runs[1], "seconds");
    assert!((number(&speedup[1], "ratio") - expected).abs() < 1e-9, "{speedup:?}");

    let cost = &found["cost"];
    let rate = number(cost, "loop_records_per_s");
    let beats = runs.iter().find(|run| number(run, "records_per_s") > rate).map(|run| run["workers"].clone());
    assert!(rate > 0.0 && cost["workers"] == beats.unwrap_or(Value::Null), "{cost}");
    let delta = array(&found, "delta");
    let sizes: Vec<_> = delta.iter().map(|one| (number(one, "history_records"), number(one, "drop_records"))).collect();
    assert_eq!(sizes, [(600.0, 60.0), (6000.0, 60.0)]);
    let ratio = number(&delta[1], "seconds") / number(&delta[0], "seconds");
    assert!(delta[0]["ratio"] == 1.0 && (number(&delta[1], "ratio") - ratio).abs() < 1e-9, "{delta:?}");
    assert!(STAGES.contains(&text(&found["bottleneck"], "stage")), "{}", found["bottleneck"]);
    assert!(text(&found["bottleneck"], "why").contains(text(&found["bottleneck"], "stage")));
}

#[test]
fn a_users_file_is_measured_as_it_is_and_parted_for_its_drops() {
    let bench = Bench::new();
    let made = std::process::Command::new(vardelta_tests::binary::binary())
        .args(["generate", "--records", "1000", "--out"])
        .arg(bench.path("mine.vcf.gz"))
        .output();
    assert!(made.is_ok_and(|made| made.status.success()));
    let found = bench.json(&["--input", "mine.vcf.gz", "--workers", "1", "--repeat", "1"]);
    assert_eq!((&found["input"]["generated"], &found["input"]["records"]), (&false.into(), &1000.into()));
    let sizes: Vec<_> = array(&found, "delta").iter().map(|one| number(one, "history_records")).collect();
    assert_eq!(sizes, [100.0, 990.0]);
    assert_eq!(number(&array(&found, "delta")[1], "drop_records"), 10.0);
    // The text is what a file that is not packed would hold.
    let unpacked = std::process::Command::new("sh")
        .args(["-c", "gzip -dc mine.vcf.gz | wc -c"])
        .current_dir(bench.path(""))
        .output();
    let bytes = String::from_utf8(unpacked.expect("gzip").stdout).expect("a number");
    assert_eq!(number(&found["input"], "text_bytes"), bytes.trim().parse::<f64>().expect("a number"));
    bench.leaves_nothing();
}

#[test]
fn one_stage_is_measured_by_itself_where_it_can_be() {
    let bench = Bench::new();
    for (name, is_alone) in [("calls", true), ("consequences", true), ("variants", false), ("warehouse", false)] {
        let found = bench.json(&["--records", "3000", "--repeat", "2", "--stage", name]);
        let [run] = array(&found, "runs") else { panic!("one run: {found}") };
        let [stage] = array(run, "stages") else { panic!("one stage: {run}") };
        assert_eq!((text(stage, "name"), text(&found, "stage")), (name, name));
        assert!(
            number(stage, "rows_in") > 0.0 && number(stage, "busy_s") > 0.0 && number(stage, "max_us") > 0.0,
            "{stage}"
        );
        assert_eq!(stage["allocations_per_row"].is_f64(), is_alone, "{stage}");
        let says = array(&found, "notices").iter().any(|notice| notice.to_string().contains("by itself on one thread"));
        assert_eq!(says, is_alone, "{name}: {}", found["notices"]);
    }
    bench.vardelta("bench", &["--stage", "nothing"]).expect(2).says(&["no stage `nothing`", "mutation_summary"]);
    bench.leaves_nothing();
}

#[test]
fn without_a_sink_nothing_is_written_anywhere() {
    let bench = Bench::new();
    let found = bench.json(&["--records", "2000", "--workers", "1", "--repeat", "1", "--no-sink"]);
    assert_eq!(text(&found, "sink"), "none");
    assert_eq!(number(stage(&array(&found, "runs")[0], "warehouse"), "rows_out"), 0.0);
    assert!(array(&found, "delta").is_empty() && !found["cost"].is_null());
    let said =
        bench.vardelta("bench", &["--records", "2000", "--workers", "1", "--repeat", "1", "--no-sink"]).expect(0);
    said.says(&["runs\n", "stages, with 1 worker\n", "COST: a plain loop", "bottleneck: `", "written nowhere"]);
    bench.leaves_nothing();
}
