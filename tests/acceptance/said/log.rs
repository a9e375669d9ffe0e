//! `[operate] log = "json"`: one object a line, of a known form, and of the same figures as the report.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use vardelta_tests::project::Project;

use super::pipeline;

/// What every line has.
const ALWAYS: [&str; 9] = ["time", "level", "run", "pipeline", "epoch", "event", "phase", "status", "message"];
/// What lines of each event have beside it: the schema of docs/operate.md.
const FACTS: [(&str, &[&str]); 17] = [
    ("started", &["workers", "dry_run"]),
    ("discovered", &["drop", "stage", "bytes"]),
    ("chunk_done", &["chunk", "records_processed", "duration_seconds"]),
    (
        "drop",
        &[
            "drop",
            "stage",
            "action",
            "why",
            "records_processed",
            "loaded",
            "filtered",
            "records_rejected",
            "duplicates",
            "no_alternate",
            "reference_blocks",
        ],
    ),
    ("rejected", &["reason", "count"]),
    ("warned", &["reason", "drop", "stage", "field", "count", "first"]),
    ("alert", &["alert", "severity", "state", "detail"]),
    ("notice", &[]),
    ("waiting", &[]),
    ("retry", &["attempt"]),
    (
        "stage",
        &[
            "stage",
            "rows_in",
            "rows_out",
            "records_processed",
            "duration_seconds",
            "wait_s",
            "p50_us",
            "p90_us",
            "p99_us",
            "max_us",
        ],
    ),
    (
        "lookup",
        &[
            "stage",
            "wanted",
            "memory",
            "disk",
            "database",
            "redis",
            "answered",
            "absent",
            "failed",
            "requests",
            "tier_errors",
            "waiting",
        ],
    ),
    ("reader", &["stage", "chunks", "duration_seconds", "wait_s", "p50_us", "p90_us", "p99_us", "max_us"]),
    ("worker", &["worker", "busy_s", "wait_s"]),
    ("table", &["table", "inserted", "updated", "deleted", "unchanged"]),
    ("committed", &["retries", "rows_ahead", "duration_seconds", "wait_s", "p50_us", "p90_us", "p99_us", "max_us"]),
    ("finished", &["duration_seconds", "records_processed"]),
];
const FAILED: [&str; 5] = ["kind", "exit_code", "hint", "duration_seconds", "records_processed"];

fn project() -> Project {
    let project = Project::new(&format!("{}\n[operate]\nlog = \"json\"\n", pipeline("info = [\"DP\"]")));
    let records = ["1 5 . A C 9 PASS DP=x", "1 x . A C 9 PASS .", "1 6 . A C inf PASS DP=2", "1 6 . A C 9 PASS ."];
    project.write_drop("one", "", &records);
    project.write_drop("two", "", &["2 5 . A C 9 PASS ."]);
    project
}

/// The lines of a log, each held against the schema.
#[track_caller]
fn lines(text: &str) -> Vec<Value> {
    let schema: BTreeMap<&str, BTreeSet<&str>> =
        FACTS.iter().map(|(event, facts)| (*event, facts.iter().copied().collect())).collect();
    let lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("one JSON object a line")).collect();
    for line in &lines {
        let mut keys: BTreeSet<&str> = line.as_object().expect("an object").keys().map(String::as_str).collect();
        for key in ALWAYS {
            assert!(keys.remove(key), "{key} is missing: {line}");
        }
        let event = line["event"].as_str().expect("a name");
        match event {
            "failed" => assert!(keys.is_subset(&FAILED.into_iter().collect()) && keys.contains("exit_code"), "{line}"),
            _ => assert_eq!(Some(&keys), schema.get(event), "{line}"),
        }
        assert!(["info", "warn", "error"].contains(&line["level"].as_str().expect("a level")), "{line}");
        let time = line["time"].as_str().expect("a time");
        assert!(time.len() == 24 && time.ends_with('Z') && time.as_bytes()[10] == b'T', "{line}");
        assert!(line["run"] == lines[0]["run"] && line["run"].as_str().is_some_and(|run| run.len() == 32), "{line}");
    }
    lines
}

fn of<'a>(lines: &'a [Value], event: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == event).collect()
}

#[test]
fn log_and_report_agree_on_every_number() {
    let project = project();
    let said = project.vardelta("run", &["--json", "--workers", "2"]).expect(0);
    let (report, lines) = (said.json(), lines(&said.stderr));
    let last = |event: &str, key: &str, name: &Value| -> Value {
        of(&lines, event).into_iter().rfind(|line| line[key] == *name).cloned().unwrap_or_default()
    };
    // The names that figures have in the log, where they have others than in the report.
    let names = [
        ("read", "records_processed"),
        ("rejected", "records_rejected"),
        ("reason", "why"),
        ("seconds", "duration_seconds"),
    ];
    let agree = |figures: &Value, line: &Value, leave: &[&str]| {
        for (key, value) in
            figures.as_object().expect("an object").iter().filter(|(key, _)| !leave.contains(&key.as_str()))
        {
            let key = names.iter().find(|(name, _)| name == key).map_or(key.as_str(), |(_, name)| name);
            assert_eq!(&line[key], value, "{key}: {line}");
        }
    };
    for drop in report["drops"].as_array().expect("drops") {
        agree(drop, &last("drop", "drop", &drop["name"]), &["name", "source"]);
    }
    for table in report["tables"].as_array().expect("tables") {
        agree(table, &last("table", "table", &table["name"]), &["name"]);
    }
    for stage in report["stages"].as_array().expect("stages") {
        agree(stage, &last("stage", "stage", &stage["name"]), &["name"]);
    }
    for reader in report["readers"].as_array().expect("readers") {
        agree(reader, &last("reader", "stage", &reader["name"]), &["name"]);
    }
    for worker in report["worker_times"].as_array().expect("workers") {
        agree(worker, &last("worker", "worker", &worker["worker"]), &[]);
    }
    for (reason, count) in report["rejects"].as_object().expect("rejects") {
        assert_eq!(last("rejected", "reason", &reason.as_str().into())["count"], *count);
    }
    let warned: Vec<Value> = of(&lines, "warned")
        .into_iter()
        .map(|line| {
            let keys = ["reason", "drop", "stage", "field", "count", "first"];
            keys.iter().map(|key| ((*key).to_owned(), line[*key].clone())).collect::<serde_json::Map<_, _>>().into()
        })
        .collect();
    assert_eq!(report["warnings"], Value::from(warned));
    let notices: Vec<&Value> = of(&lines, "notice").into_iter().map(|line| &line["message"]).collect();
    assert_eq!(report["notices"].as_array().expect("notices").iter().collect::<Vec<_>>(), notices);
    let committed = of(&lines, "committed");
    agree(&report["commit"], committed[0], &[]);
    assert_eq!((&committed[0]["epoch"], &committed[0]["retries"]), (&report["epoch"], &report["retries"]));
    let finished = of(&lines, "finished");
    assert_eq!((&finished[0]["duration_seconds"], &finished[0]["records_processed"]), (&report["seconds"], &5.into()));
    assert_eq!(of(&lines, "discovered").len(), 2);
    assert!(!of(&lines, "rejected").is_empty() && !of(&lines, "warned").is_empty());
    // Work and waiting of a worker are all its time, and the stages' work is part of it.
    let sum = |list: &str, key: &str| -> f64 {
        report[list].as_array().expect("a list").iter().filter_map(|entry| entry[key].as_f64()).sum()
    };
    let of_sink =
        report["stages"].as_array().and_then(|stages| stages.last()).and_then(|sink| sink["seconds"].as_f64());
    assert!(
        sum("stages", "seconds") - of_sink.unwrap_or_default() <= sum("worker_times", "busy_s") + 0.001,
        "{report}"
    );
}

#[test]
fn an_error_is_a_line_too_and_nothing_else_is_on_standard_error() {
    let project = project();
    project.write("drops/two.vcf", b"nonsense\n");
    for arguments in [&[][..], &["--json"], &["-q"], &["-v"]] {
        let said = project.vardelta("run", arguments).expect(4);
        let lines = lines(&said.stderr);
        let failed = of(&lines, "failed");
        assert_eq!(failed.len(), 1, "{}", said.stderr);
        assert_eq!((&failed[0]["kind"], &failed[0]["exit_code"]), (&"input".into(), &4.into()));
        assert!(failed[0]["message"].as_str().is_some_and(|message| message.contains("two.vcf")), "{failed:?}");
        assert!(of(&lines, "committed").is_empty() && of(&lines, "finished").is_empty());
    }
    // Withdrawal and a run that has nothing to do are logged as well.
    project.write_drop("two", "", &["2 5 . A C 9 PASS ."]);
    project.vardelta("run", &[]).expect(0);
    for (verb, arguments) in [("run", &[][..]), ("withdraw", &["two"])] {
        let said = project.vardelta(verb, arguments).expect(0);
        let lines = lines(&said.stderr);
        let events: Vec<&str> = lines.iter().filter_map(|line| line["event"].as_str()).collect();
        assert_eq!((events.first(), events.last()), (Some(&"started"), Some(&"finished")), "{events:?}");
        assert!(events.contains(&"drop") && events.contains(&"table"), "{events:?}");
    }
}
