//! The `[operate]` table: what a run says beside its report, and what health is measured by. None of it changes what is
//! computed.

mod address;
mod alerts;
mod lineage;

use std::path::PathBuf;

use crate::{
    choices,
    contract::options::{OptionReader, OptionValue, wrong_type},
    diagnostics::Diagnostics,
    options,
    plan::json_schema,
    spec::{Entry, Node, Value},
};

pub(super) use self::alerts::check;
pub use self::{
    address::{MailAddress, SmtpSecurity, SmtpUrl, WebhookUrl},
    alerts::{AlertOptions, EmailOptions, ReclassificationOptions, Severity, SlackOptions},
    lineage::LineageTarget,
};

/// A table of options inside another one.
macro_rules! nested {
    ($type:ident, $owner:literal) => {
        impl OptionValue for $type {
            const EXPECTS: &'static str = "a table";
            fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
                let Value::Table(entries) = &node.value else { return wrong_type(node, Self::EXPECTS, diagnostics) };
                $type::read(OptionReader::new($owner.into(), node.span.clone(), entries.iter()), diagnostics)
            }
            fn json_schema() -> String {
                json_schema::table($type::DOCS).to_string()
            }
        }
    };
}
use nested;

options! {
    /// Options of `[operate]`.
    pub struct OperateOptions {
        /// What a run writes to standard error while it works: "text", for people; "json", one JSON object a line
        /// (docs/operate.md).
        "log" => log: LogForm = LogForm::Text, "\"text\"",
        /// A file in the classic text format of Prometheus, for node_exporter's textfile collector, relative to the pipeline
        /// file; every run replaces it. Its counters grow from run to run.
        "textfile" => textfile: Option<PathBuf> = None, "none",
        /// A Pushgateway, `http://host:9091`: every run posts its metrics there, grouped by job `vardelta` and pipeline. One
        /// that cannot be reached is a notice, never a failure.
        "push_gateway" => push_gateway: Option<GatewayUrl> = None, "none",
        /// Where OpenLineage events go: `file:lineage.ndjson`, one a line, relative to the pipeline file; or the address of a
        /// service, `http://host:5000` (then `/api/v1/lineage` there) or with a path of its own. One that cannot be reached is
        /// a notice, never a failure.
        "openlineage" => openlineage: Option<LineageTarget> = None, "none",
        /// What the lineage service asks for as `Authorization: Bearer`; best from a variable.
        "openlineage_token" => openlineage_token: Option<String> = None, "none",
        /// Who is notified when something is wrong, and when it is over. Without this table nobody is.
        "alerts" => alerts: Option<AlertOptions> = None, "none",
        /// What `vardelta health` asks for.
        "health" => health: HealthOptions = HealthOptions::default(), "{}",
    }
}

options! {
    /// Options of `[operate.health]`.
    pub struct HealthOptions {
        /// Gigabytes (10^9 bytes) that must be free where the state lies, and where the sink's file lies if it has one.
        "disk_free_gb" => disk_free_gb: f64 = 1.0, "1.0",
        /// Gigabytes (10^9 bytes) of memory that must be available.
        "memory_available_gb" => memory_available_gb: f64 = 0.5, "0.5",
        /// Hours since the last committed epoch, at the most. Default: any number.
        "fresh_hours" => fresh_hours: Option<f64> = None, "any",
    }
}

impl Default for OperateOptions {
    fn default() -> OperateOptions {
        OperateOptions {
            log: LogForm::Text,
            textfile: None,
            push_gateway: None,
            openlineage: None,
            openlineage_token: None,
            alerts: None,
            health: HealthOptions::default(),
        }
    }
}

impl Default for HealthOptions {
    fn default() -> HealthOptions {
        HealthOptions { disk_free_gb: 1.0, memory_available_gb: 0.5, fresh_hours: None }
    }
}

/// Reads the `[operate]` table, which may be missing.
pub(super) fn read(entry: Option<&Entry>, problems: &mut Diagnostics) -> Option<OperateOptions> {
    let Some(entry) = entry else { return Some(OperateOptions::default()) };
    match &entry.node.value {
        Value::Table(entries) => {
            let reader = OptionReader::new("[operate]".into(), entry.node.span.clone(), entries.iter());
            OperateOptions::read(reader, problems)
        }
        _ => wrong_type(&entry.node, "a table", problems),
    }
}

choices! {
    /// How a run's log is written.
    pub enum LogForm {
        /// For people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

nested!(HealthOptions, "[operate.health]");

/// Where a Pushgateway listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayUrl {
    /// `host:port`.
    pub authority: String,
    /// The path before `/metrics`, without a final `/`.
    pub path: String,
}

impl OptionValue for GatewayUrl {
    const EXPECTS: &'static str = "an address, `http://host:port`";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = String::read(node, diagnostics)?;
        let url = gateway(&text);
        if url.is_none() {
            diagnostics
                .error(node.span.clone(), "`push_gateway` is no address that vardelta can post to")
                .hint("Write `http://host:port`: a Pushgateway is in the same network, without TLS and password.");
        }
        url
    }
    fn json_schema() -> String {
        r#"{"type":"string","pattern":"^http://"}"#.into()
    }
}

fn gateway(text: &str) -> Option<GatewayUrl> {
    let rest = text.strip_prefix("http://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_sound =
        |text: &str| text.chars().all(|letter| letter.is_ascii_graphic() && !matches!(letter, '@' | '?' | '#'));
    if authority.is_empty() || !is_sound(authority) || !is_sound(path) {
        return None;
    }
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let authority = if has_port { authority.to_owned() } else { format!("{authority}:80") };
    let path = path.trim_end_matches('/');
    Some(GatewayUrl { authority, path: if path.is_empty() { String::new() } else { format!("/{path}") } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateways_are_addresses_without_secrets() {
        let url = |authority: &str, path: &str| Some(GatewayUrl { authority: authority.into(), path: path.into() });
        assert_eq!(gateway("http://127.0.0.1:9091"), url("127.0.0.1:9091", ""));
        assert_eq!(gateway("http://push/a/b/"), url("push:80", "/a/b"));
        assert_eq!(gateway("http://[::1]:9091/"), url("[::1]:9091", ""));
        for text in [
            "https://push",
            "push:9091",
            "http://",
            "http://a:b@push",
            "http://push/x y",
            "http://push?x",
            "http://pu\r\nsh",
        ] {
            assert_eq!(gateway(text), None, "{text}");
        }
    }
}
