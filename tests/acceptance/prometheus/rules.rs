//! Rules and configuration.

use std::{collections::BTreeSet, path::Path, process::Command};

use vardelta_tests::project::finish;

use super::{deliver, expressions, filled, metrics_in, project, shipped, text_of, tool, watched};

/// What the rules, their cases and the dashboard speak of is what `watch` reports, by name, and what docs/operate.md lists.
#[test]
fn every_metric_is_one_that_is_written() {
    let project = project();
    deliver(&project, 1);
    let watching = watched(&project);
    let written = watching
        .until("a run is measured", "/metrics", |answer| answer.body.contains("vardelta_run_duration_seconds_count"));
    let written: BTreeSet<String> = written
        .body
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split('{').next())
        .map(str::to_owned)
        .collect();
    let documented = metrics_in(&text_of("../docs/operate.md"));
    let not_metrics =
        ["vardelta_rejects", "vardelta_warnings", "vardelta_runs", "vardelta_resources", "vardelta_quality"];
    let rules = text_of("alerts.yml") + &text_of("alerts_test.yml");
    let panels: String = expressions().into_iter().map(|(_, expression)| expression + "\n").collect();
    let used: BTreeSet<String> =
        metrics_in(&(rules + &panels)).into_iter().filter(|name| !not_metrics.contains(&name.as_str())).collect();
    assert!(used.len() > 10, "{used:?}");
    let unknown: Vec<&String> = used.difference(&written).collect();
    assert!(unknown.is_empty(), "no run writes {unknown:?}; there is {written:?}");
    let plain = |name: &String| {
        ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned()
    };
    let told: Vec<&String> = written.iter().filter(|name| !documented.contains(&plain(name))).collect();
    assert!(told.is_empty(), "docs/operate.md does not list {told:?}");
}

/// The seed's alerts and ours are there, each with a severity that a route takes and a case that shows it fire.
#[test]
fn every_alert_has_a_severity_a_summary_and_a_case() {
    let (rules, cases) = (text_of("alerts.yml"), text_of("alerts_test.yml"));
    let names: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    for wanted in
        ["PipelineFailed", "SlowProcessing", "LowDiskSpace", "StaleTables", "RejectShareHigh", "LookupDegraded"]
    {
        assert!(names.contains(&wanted), "{wanted} is missing of {names:?}");
    }
    for (at, rule) in rules.split("- alert: ").skip(1).enumerate() {
        assert!(rule.contains("severity: critical") || rule.contains("severity: warning"), "{}", names[at]);
        assert!(rule.contains("summary: \"{{ $labels.pipeline }}"), "{} says of which pipeline", names[at]);
        let fires = cases.contains(&format!("alertname=\"{}\", alertstate=\"firing\"", names[at]))
            || cases.contains(&format!("alertname: {}\n        exp_alerts", names[at]));
        assert!(fires, "no case shows {} fire", names[at]);
    }
    // Nothing secret is in what is shipped.
    let routes = text_of("alertmanager.yml");
    assert!(!routes.contains("hooks.slack.com") && !routes.contains("smtp_auth_password:"), "secrets lie in files");
}

fn check(what: &str, tool_name: &str, arguments: &[&str]) {
    let Some(tool) = tool(what, tool_name) else { return };
    let folder = shipped("alerts.yml").parent().map(Path::to_path_buf).expect("a folder");
    let said = finish(Command::new(tool).args(arguments).current_dir(folder));
    assert!(said.code == 0 && said.stdout.contains("SUCCESS"), "{arguments:?}\n{}\n{}", said.stdout, said.stderr);
}

#[test]
fn the_rules_do_what_their_cases_say() {
    check("rules of Prometheus", "promtool", &["check", "rules", "alerts.yml"]);
    check("cases of the rules of Prometheus", "promtool", &["test", "rules", "alerts_test.yml"]);
}

#[test]
fn the_configurations_are_good() {
    check("the configuration of Prometheus", "promtool", &["check", "config", "prometheus.yml"]);
    check("the routes of Alertmanager", "amtool", &["check-config", "alertmanager.yml"]);
}

/// What Grafana fills in leaves nothing behind that Prometheus does not know.
#[test]
fn the_dashboard_has_its_four_groups_and_no_unknown_variable() {
    let text = text_of("grafana_dashboard.json");
    for group in ["Performance", "Resources", "Quality", "Business"] {
        assert!(text.contains(&format!("\"title\": \"{group}\"")), "{group}");
    }
    let all = expressions();
    assert!(all.len() >= 20, "{} expressions", all.len());
    for (title, expression) in all {
        assert!(!filled(&expression).contains('$'), "{title}: {expression}");
        assert!(expression.contains("pipeline=~\"$pipeline\""), "{title} is of the chosen pipelines: {expression}");
    }
}
