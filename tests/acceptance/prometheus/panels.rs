//! A real Prometheus that scrapes real runs: no panel of the dashboard is empty, and the rules are evaluated.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use vardelta_tests::process::until;

use super::{deliver, expressions, filled, project, servers::Server, shipped, tool, watched};

/// Within this long every panel has something.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn no_panel_is_empty_once_runs_were_scraped() {
    let Some(tool) = tool("panels of the dashboard", "prometheus") else { return };
    let project = project();
    deliver(&project, 0);
    let watching = watched(&project);
    let prometheus = Server::prometheus(&tool, &project, &watching.address(), &shipped("alerts.yml"));
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
