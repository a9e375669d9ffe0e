//! `run --trace` and `explain --analyze`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Bench, array, number, text};

#[test]
fn a_trace_has_workers_stages_chunks_and_the_sink() {
    let bench = Bench::new();
    let report = bench.vardelta("run", &["--json", "--workers", "2", "--trace", "trace.json"]).expect(0).json();
    let read = std::fs::read(bench.path("trace.json")).expect("a trace");
    let trace: Value = serde_json::from_slice(&read).expect("a trace is JSON");
    let events = array(&trace, "traceEvents");
    let mut rows: BTreeMap<u64, &str> = BTreeMap::new();
    let mut spans: Vec<(&str, &str, f64, f64)> = Vec::new();
    for event in events {
        let row = event["tid"].as_u64().expect("a row");
        assert!(event["pid"].is_u64() && event["name"].is_string(), "{event}");
        match text(event, "ph") {
            "M" => drop(rows.insert(row, text(&event["args"], "name"))),
            "X" => spans.push((rows[&row], text(event, "name"), number(event, "ts"), number(event, "dur"))),
            "i" => assert!(number(event, "ts") >= 0.0),
            other => panic!("an event of an unknown kind: {other}"),
        }
    }
    let has = |row: &str, name: &str| spans.iter().any(|span| (span.0, span.1) == (row, name));
    for (row, name) in [
        ("run", "run"),
        ("worker 0", "chunk 0"),
        ("worker 1", "chunk 0"),
        ("reader 0", "read calls"),
        ("sink", "warehouse"),
        ("sink", "commit"),
    ] {
        assert!(has(row, name), "no `{name}` on `{row}`: {spans:?}");
    }
    for stage in ["calls", "alleles", "consequences", "passing", "annotated", "variants", "mutation_summary"] {
        assert!(has("worker 0", stage) || has("worker 1", stage), "no `{stage}`: {spans:?}");
    }
    // All of it lies within the run, to a twentieth of a second, and is as long as the report says.
    let whole = spans.iter().find(|span| span.0 == "run").expect("the run").3;
    assert!((whole / 1e6 - number(&report, "seconds")).abs() < 0.05, "{whole}");
    assert!(spans.iter().all(|span| span.2 >= 0.0 && span.2 + span.3 <= whole + 50_000.0), "{spans:?}");
    let of_commit = spans.iter().find(|span| span.1 == "commit").expect("the commit").3;
    assert!((of_commit / 1e6 - number(&report["commit"], "seconds")).abs() < 0.001, "{of_commit}");
    let chunk = spans.iter().find(|span| span.0 == "worker 0" && span.1 == "chunk 0").expect("the chunk");
    let is_inside = |span: &&(&str, &str, f64, f64)| {
        span.0 != "worker 0" || (span.2 + 1.0 >= chunk.2 && span.2 + span.3 <= chunk.2 + chunk.3 + 1.0)
    };
    assert_eq!(spans.iter().find(|span| !is_inside(span)), None, "work of a worker lies in its chunk: {chunk:?}");
}

#[test]
fn only_a_trace_is_overwritten() {
    let bench = Bench::new();
    bench.vardelta("run", &["--trace", "trace.json"]).expect(0);
    let first = std::fs::read(bench.path("trace.json")).expect("a trace");
    bench.vardelta("run", &["gene_summary/later/day2.vcf", "--trace", "trace.json"]).expect(0);
    assert_ne!(std::fs::read(bench.path("trace.json")).expect("a trace"), first);
    for other in ["gene_summary.toml", "gene_summary.sqlite", "gene_summary/drops/day1.vcf"] {
        let before = std::fs::read(bench.path(other)).expect("a file");
        bench.vardelta("run", &["--trace", other]).expect(2).says(&["would overwrite what is not its own"]);
        assert_eq!(std::fs::read(bench.path(other)).expect("a file"), before);
    }
}

#[test]
fn figures_stand_beside_the_plan_and_nothing_is_written() {
    let bench = Bench::new();
    let before = bench.everything();
    let said = bench.vardelta("explain", &["--analyze"]).expect(0);
    assert_eq!(bench.everything(), before);
    // Each operator's heading is followed by its stages' figures.
    let lines: Vec<&str> = said.stdout.lines().collect();
    let source = lines.iter().position(|line| *line == "1. source: calls (vcf)").expect("the source");
    assert!(lines[source + 1].contains("calls: 17 rows in, 16 out"), "{}", said.stdout);
    assert!(said.stdout.contains("variants: ") && said.stdout.contains("measured in a dry run: 17 records of 1 drop,"));

    let found = bench.vardelta("explain", &["--analyze", "--json", "gene_summary/later/day2.vcf"]).expect(0).json();
    let operators = array(&found, "operators");
    let figures = operators.iter().flat_map(|operator| array(operator, "figures"));
    let calls = figures.clone().find(|stage| text(stage, "name") == "calls").expect("the source");
    assert_eq!(number(calls, "rows_in"), 4.0);
    assert_eq!(figures.count(), 8);
    assert_eq!(found["run"]["dry_run"], true);
    bench.vardelta("explain", &["gene_summary/later/day2.vcf"]).expect(2);
}
