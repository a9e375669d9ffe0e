//! What is shipped for Prometheus, Alertmanager and Grafana (`operate/`): it names metrics that are written, its rules do what
//! their cases say, and every panel shows something once real runs were scraped.
//!
//! The tools are Debian's `prometheus` and `prometheus-alertmanager`, in the PATH or in the folder that `VARDELTA_PROMETHEUS`
//! names; with `VARDELTA_REQUIRE_PROMETHEUS=1` a test that does not find them fails.

mod alarms;
mod panels;
mod pushgateway;
mod rules;
mod servers;

use std::{collections::BTreeSet, path::PathBuf};

use serde_json::Value;
use vardelta_tests::{binary::root, project::Project, shared::skipped, watching::Watching};

/// A file of `operate/`.
fn shipped(name: &str) -> PathBuf {
    root().join("operate").join(name)
}

fn text_of(name: &str) -> String {
    let path = shipped(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A tool of Prometheus; `None`, said aloud, where it is not there.
fn tool(what: &str, name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("VARDELTA_PROMETHEUS").into_iter().map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = folders.chain(std::env::split_paths(&path)).map(|folder| folder.join(name)).find(|tool| tool.is_file());
    if found.is_none() {
        let required = std::env::var("VARDELTA_REQUIRE_PROMETHEUS").is_ok_and(|value| value == "1");
        assert!(!required, "{what}: there is no `{name}`, and VARDELTA_REQUIRE_PROMETHEUS is 1");
        skipped(what, &format!("there is no `{name}`"));
    }
    found
}

/// Records that load, records that are rejected and adapted, and a look-up that nobody answers.
fn project() -> Project {
    Project::new(
        r#"
[pipeline]
name = "measured"
max_reject_share = 1.0

[stages.calls]
type = "vcf"
path = "drops/*.vcf"
info = ["DP"]

[stages.alleles]
type = "normalize"
input = "calls"

[stages.variants]
type = "table"
input = "alleles"
key = ["chrom", "pos", "ref", "alt"]

[stages.facts]
type = "lookup"
input = "variants"
key = "chrom"
url = "http://127.0.0.1:9/facts?q={key}"
retries = 0
deadline = "1s"
rows = "$"
[stages.facts.columns]
fact = { path = "$.fact" }

[stages.warehouse]
type = "sqlite"
path = "measured.sqlite"
tables = ["variants", "facts"]
"#,
    )
}

/// A drop with one record that loads, one that is adapted and one that is rejected.
fn deliver(project: &Project, number: usize) {
    let records = [
        format!("{number} 5 . A C 9 PASS DP=x"),
        format!("{number} x . A C 9 PASS ."),
        format!("{number} 6 . A C 9 PASS DP=2"),
    ];
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    project.write_drop(&format!("d{number}"), "##INFO=<ID=DP,Number=1,Type=Integer,Description=\"d\">\n", &records);
}

fn watched(project: &Project) -> Watching {
    Watching::start(project, &["--listen", "127.0.0.1:0", "--settle", "50ms", "--every", "50ms"], &[])
}

/// The names of metrics that are in a text.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices("vardelta_") {
        let is_inside = text[..at]
            .chars()
            .next_back()
            .is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '/');
        let name: String =
            text[at..].chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect();
        if !is_inside {
            names.insert(name);
        }
    }
    names
}

/// The expressions of the dashboard, each with its panel's title.
fn expressions() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&text_of("grafana_dashboard.json")).expect("the dashboard is JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let of = |panel: &Value| {
        let title = panel["title"].as_str().expect("a title").to_owned();
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        targets
            .into_iter()
            .map(move |target| (title.clone(), target["expr"].as_str().expect("an expression").to_owned()))
    };
    panels.iter().flat_map(of).collect()
}

/// An expression as Prometheus takes it.
fn filled(expression: &str) -> String {
    expression.replace("$__rate_interval", "1m").replace("$__range", "10m").replace("$pipeline", ".*")
}
