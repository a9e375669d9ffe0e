//! Warnings by drop, stage and field, with the first place: in text, JSON and ledger.

use mysql::prelude::Queryable;
use serde_json::{Value, json};
use vardelta_test_servers::each;
use vardelta_tests::{
    database::texts,
    project::{Project, finish},
    server_project::{URL_VARIABLE, discreet},
};

use super::pipeline;

const META: &str = "##INFO=<ID=DP,Number=1,Type=Integer,Description=\"d\">\n##INFO=<ID=AF,Number=A,Type=Float,Description=\"a\">\n\
    ##FILTER=<ID=q10,Description=\"q\">\n##contig=<ID=1>\n";

/// The ledger's warnings of the first epoch, as objects like the report's.
const LEDGER: &str = "SELECT json_object('reason', reason, 'drop', drop_name, 'stage', stage, 'field', field, 'count', \
    occurrences, 'first', json_object('line', first_line, 'contig', first_contig, 'pos', first_pos)) FROM vardelta_warnings \
    WHERE epoch = 1 ORDER BY ordinal";
const DROPS_WARNED_OF: &str = "SELECT DISTINCT drop_name FROM vardelta_warnings";

fn project() -> Project {
    project_into("type = \"sqlite\"\npath = \"said.sqlite\"")
}

fn project_into(sink: &str) -> Project {
    let text = pipeline("info = [\"DP\", \"AF\"]").replace("type = \"sqlite\"\npath = \"said.sqlite\"", sink);
    let project = Project::new(&text);
    let records = [
        "1 5 . A C 9 PASS DP=1",
        "1 6 . A C 9 weird DP=x",
        "7 7 . A C 9 weird DP=y;AF=z",
        "chrUn_x 8 . A C,G 9 q10 AF=0.5",
    ];
    project.write_drop("b", META, &records);
    project.write_drop("a", META, &["1 9 . A C inf PASS DP=2"]);
    project
}

fn expected() -> Value {
    let place = |line: u64, contig: &str, pos: u64| json!({ "line": line, "contig": contig, "pos": pos });
    let row = |reason: &str, drop: &str, stage: &str, field: Value, count: u64, first: Value| json!({ "reason": reason, "drop": drop, "stage": stage, "field": field, "count": count, "first": first });
    json!([
        row("bad_info_value", "b", "calls", "AF".into(), 1, place(9, "7", 7)),
        row("bad_info_value", "b", "calls", "DP".into(), 2, place(8, "1", 6)),
        row("number_mismatch", "b", "alleles", "info_af".into(), 1, place(10, "chrUn_x", 8)),
        row("qual_not_finite", "a", "calls", Value::Null, 1, place(7, "1", 9)),
        row("undeclared_contig", "b", "calls", "7".into(), 1, place(9, "7", 7)),
        row("undeclared_contig", "b", "calls", "chrUn_x".into(), 1, place(10, "chrUn_x", 8)),
        row("undeclared_filter", "b", "calls", "weird".into(), 1, place(8, "1", 6)),
    ])
}

#[test]
fn each_has_its_drop_stage_field_and_first_place() {
    for workers in ["1", "4"] {
        let project = project();
        let report = project.vardelta("run", &["--json", "--workers", workers]).expect(0).json();
        assert_eq!(report["warnings"], expected(), "{workers} workers");
    }
}

#[test]
fn text_tells_them_and_the_ledger_keeps_them() {
    let project = project();
    let said = project.vardelta("run", &["-v"]).expect(0);
    for words in
        ["undeclared_filter 1 b calls weird first at line 8, 1:6", "qual_not_finite 1 a calls - first at line 7, 1:9"]
    {
        let is_there = said.stdout.lines().any(|line| line.split_whitespace().eq(words.split(' ')));
        assert!(is_there, "{words}\n{}", said.stdout);
    }
    assert_eq!(objects(&texts(&project.path("said.sqlite"), LEDGER)), expected());

    // Forgotten with their drop, those of others stay.
    project.vardelta("withdraw", &["b", "--erase"]).expect(0);
    assert_eq!(texts(&project.path("said.sqlite"), DROPS_WARNED_OF), ["a"]);
}

fn objects(rows: &[String]) -> Value {
    rows.iter().map(|row| serde_json::from_str::<Value>(row).expect("JSON")).collect()
}

#[test]
fn ledgers_of_servers_keep_them_and_forget_them_with_their_drop() {
    each("ledgers_of_servers_keep_them_and_forget_them_with_their_drop", |server, name| {
        let project = project_into(&format!("type = \"mysql\"\nurl = \"${{{URL_VARIABLE}}}\""));
        let vardelta = |verb: &str, arguments: &[&str]| {
            let mut command = project.command(verb, arguments);
            discreet(finish(command.env(URL_VARIABLE, server.url(name)))).expect(0)
        };
        let rows = |query: &str| -> Vec<String> { server.root_in(name).query(query).expect("the ledger can be read") };
        let report = vardelta("run", &["--json"]).json();
        assert_eq!(report["warnings"], expected());
        assert_eq!(objects(&rows(LEDGER)), expected());
        vardelta("withdraw", &["b", "--erase"]);
        assert_eq!(rows(DROPS_WARNED_OF), ["a"]);
    });
}

#[test]
fn names_without_end_are_counted_together_beyond_a_thousand() {
    let project = Project::new(&pipeline(""));
    let lines: Vec<String> = (1..=1_500).map(|at| format!("c{at} 5 . A C 9 PASS .")).collect();
    project.write_drop("many", META, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let report = project.vardelta("run", &["--json"]).expect(0).json();
    let rows = report["warnings"].as_array().expect("a list");
    assert_eq!(rows.len(), 1_001);
    assert_eq!((&rows[1_000]["field"], &rows[1_000]["count"]), (&"(others)".into(), &500.into()));
    assert_eq!(rows[1_000]["first"]["contig"], "c1001");
}
