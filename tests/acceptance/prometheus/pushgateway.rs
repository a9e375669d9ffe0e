//! A real Pushgateway, which keeps what runs push.

use super::{deliver, project, servers::Server, tool};

#[test]
fn a_real_pushgateway_keeps_the_last_success_of_a_run_that_failed() {
    let what = "a real Pushgateway";
    let Some(gateway) = tool(what, "prometheus-pushgateway") else { return };
    let project = project();
    let gateway = Server::start(&gateway, &project, "pushgateway", &[]);
    let text = String::from_utf8(project.bytes("pipeline.toml")).expect("UTF-8");
    let text = format!("{text}\n[operate]\npush_gateway = \"http://{}\"\n", gateway.address);
    project.write("pipeline.toml", text.as_bytes());
    deliver(&project, 1);
    let said = project.vardelta("run", &[]).expect(0);
    assert!(!said.stderr.contains("notice"), "{}", said.stderr);
    let value = |name: &str| -> f64 {
        let (_, body) = gateway.get("/metrics").expect("an answer");
        let is_of = |line: &&str| line.starts_with(&format!("{name}{{")) && line.contains("pipeline=\"measured\"");
        let line = body.lines().find(is_of).unwrap_or_else(|| panic!("{name}: {body}"));
        assert!(line.contains("job=\"vardelta\""), "{line}");
        line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a number")
    };
    let success = value("vardelta_last_success_timestamp_seconds");
    assert_eq!((value("vardelta_last_run_status"), value("vardelta_epoch")), (1.0, 1.0));
    project.write("drops/bad.vcf", b"nonsense\n");
    project.vardelta("run", &[]).expect(4);
    assert_eq!(value("vardelta_last_run_status"), 0.0);
    assert_eq!(value("vardelta_last_success_timestamp_seconds"), success);
}
