//! A real Prometheus that scrapes real runs: no panel of the dashboard is empty, and the rules are evaluated.

use std::{
    collections::BTreeMap,
    fs::File,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use vardelta_tests::{process::until, project::Project, watching::ask};

use super::{deliver, expressions, filled, project, shipped, tool, watched};

/// Within this long every panel has something.
const PATIENCE: Duration = Duration::from_secs(120);

/// A Prometheus under way; killed when it is dropped.
struct Prometheus {
    child: Child,
    address: String,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    /// Starts one that scrapes an address every second.
    fn start(tool: &std::path::Path, project: &Project, target: &str) -> Prometheus {
        let rules = shipped("alerts.yml");
        let configuration = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [\"{}\"]\nscrape_configs:\n  - job_name: vardelta\n    static_configs: [{{ targets: [\"{target}\"] }}]\n",
            rules.display()
        );
        let configuration = project.write("prometheus.yml", configuration.as_bytes());
        let log = project.path("prometheus.log");
        let child = Command::new(tool)
            .arg(format!("--config.file={}", configuration.display()))
            .arg(format!("--storage.tsdb.path={}", project.path("prometheus").display()))
            .arg("--web.listen-address=127.0.0.1:0")
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a file can be made"))
            .spawn()
            .expect("Prometheus can be started");
        let mut prometheus = Prometheus { child, address: String::new() };
        until("Prometheus says where it listens", || {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let line = said.lines().find(|line| line.contains("Listening on"));
            let address =
                line.and_then(|line| line.split("address=").nth(1)).and_then(|rest| rest.split_whitespace().next());
            prometheus.address = address.unwrap_or_default().trim_matches('"').to_owned();
            !prometheus.address.is_empty()
        });
        until("Prometheus is ready", || prometheus.get("/-/ready").is_some_and(|(code, _)| code == 200));
        prometheus
    }

    fn get(&self, path: &str) -> Option<(u16, String)> {
        let answer = ask(&self.address, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n"), "")?;
        Some((answer.code, answer.body))
    }

    /// How many series an expression yields now.
    fn series(&self, expression: &str) -> usize {
        let encoded: String = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let (code, body) = self.get(&format!("/api/v1/query?query={encoded}")).expect("an answer");
        assert_eq!(code, 200, "{expression}: {body}");
        let answer: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
        answer["data"]["result"].as_array().expect("a vector").len()
    }
}

#[test]
fn no_panel_is_empty_once_runs_were_scraped() {
    let Some(tool) = tool("panels of the dashboard", "prometheus") else { return };
    let project = project();
    deliver(&project, 0);
    let watching = watched(&project);
    let prometheus = Prometheus::start(&tool, &project, &watching.address());
    let mut empty: BTreeMap<String, String> =
        expressions().into_iter().map(|(title, expression)| (filled(&expression), title)).collect();
    // A drop now and then, until what is counted over time has something to count.
    let (started, mut drops) = (Instant::now(), 1);
    let mut delivered = Instant::now();
    while !empty.is_empty() {
        assert!(started.elapsed() < PATIENCE, "these panels are empty: {empty:#?}");
        if delivered.elapsed() > Duration::from_secs(3) {
            deliver(&project, drops);
            (drops, delivered) = (drops + 1, Instant::now());
        }
        empty.retain(|expression, _| prometheus.series(expression) == 0);
        std::thread::sleep(Duration::from_millis(200));
    }
    // Two thirds of the records are good, so the alert of rejects fires for real; a run that was good fires none.
    until("an alert fires", || prometheus.series("ALERTS{alertname=\"RejectShareHigh\", alertstate=\"firing\"}") == 1);
    assert_eq!(prometheus.series("ALERTS{alertname=\"PipelineFailed\"}"), 0);
    let (_, rules) = prometheus.get("/api/v1/rules").expect("an answer");
    assert!(!rules.contains("\"health\":\"err\""), "{rules}");
}
