//! What is shipped, with other addresses and with seconds where it has minutes, hours and days. Everything else is as it is shipped.

use super::super::text_of;

/// A text in which each of these is, and stands for something else.
fn with(mut text: String, replaced: &[(&str, &str)]) -> String {
    for (from, to) in replaced {
        assert!(text.contains(from), "`{from}` is not in what is shipped:\n{text}");
        text = text.replace(from, to);
    }
    text
}

/// The rules. An hour is 20 seconds; a run is slow from 4 seconds on, and a disk of some megabytes is short of room below 20.
pub fn rules() -> String {
    with(
        text_of("alerts.yml"),
        &[
            ("[5m]", "[10s]"),
            ("for: 5m", "for: 2s"),
            ("keep_firing_for: 10m", "keep_firing_for: 5s"),
            ("[7d] offset 1h", "[10m] offset 20s"),
            ("[1h]", "[20s]"),
            (") > 60\n", ") > 4\n"),
            ("> 26 * 3600", "> 25"),
            ("< 10e9", "< 20e6"),
        ],
    )
}

/// The configuration of Prometheus.
pub fn prometheus(watch: &str, gateway: &str, alertmanager: &str) -> String {
    with(
        text_of("prometheus.yml"),
        &[
            ("scrape_interval: 15s", "scrape_interval: 1s"),
            ("evaluation_interval: 30s", "evaluation_interval: 1s"),
            ("\"127.0.0.1:9464\"", &format!("\"{watch}\"")),
            ("\"127.0.0.1:9091\"", &format!("\"{gateway}\"")),
            ("\"127.0.0.1:9093\"", &format!("\"{alertmanager}\"")),
            // Nobody collects a textfile here.
            ("\"127.0.0.1:9100\"", "\"127.0.0.1:1\""),
        ],
    )
}

/// The routes of Alertmanager.
pub fn routes(mail_port: u16, password_file: &str, webhook_file: &str) -> String {
    with(
        text_of("alertmanager.yml"),
        &[
            ("smtp.example.org:587", &format!("127.0.0.1:{mail_port}")),
            ("/etc/alertmanager/smtp_password", password_file),
            ("/etc/alertmanager/slack_webhook", webhook_file),
            ("group_wait: 30s", "group_wait: 1s"),
            ("group_interval: 5m", "group_interval: 2s"),
        ],
    )
}
