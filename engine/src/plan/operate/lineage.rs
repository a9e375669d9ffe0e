//! Where OpenLineage events go.

use std::path::PathBuf;

use crate::{contract::options::OptionValue, diagnostics::Diagnostics, spec::Node};

/// Where OpenLineage events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineageTarget {
    /// To the end of a file, one event a line.
    File(PathBuf),
    /// By POST to this address.
    Url(String),
}

impl OptionValue for LineageTarget {
    const EXPECTS: &'static str = "`file:PATH` or an address, `http://host:port`";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = String::read(node, diagnostics)?;
        let target = target(&text);
        if target.is_none() {
            diagnostics
                .error(node.span.clone(), "`openlineage` is nothing that events can be written to")
                .hint("Write `file:lineage.ndjson`, or `http://host:5000` without user and password (see `openlineage_token`).");
        }
        target
    }
    fn json_schema() -> String {
        r#"{"type":"string","pattern":"^(file:.|https?://.)"}"#.into()
    }
}

/// A service whose address has no path takes events where OpenLineage's clients send them.
fn target(text: &str) -> Option<LineageTarget> {
    if let Some(path) = text.strip_prefix("file:") {
        return (!path.is_empty()).then(|| LineageTarget::File(PathBuf::from(path)));
    }
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_sound = |text: &str| text.chars().all(|letter| letter.is_ascii_graphic() && letter != '@');
    if authority.is_empty() || !is_sound(rest) || authority.contains(['?', '#']) {
        return None;
    }
    let url = if path.is_empty() { format!("{}/api/v1/lineage", text.trim_end_matches('/')) } else { text.to_owned() };
    Some(LineageTarget::Url(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_files_and_addresses_without_secrets() {
        let url = |text: &str| Some(LineageTarget::Url(text.into()));
        assert_eq!(target("file:a/b.ndjson"), Some(LineageTarget::File("a/b.ndjson".into())));
        assert_eq!(target("http://h:5000"), url("http://h:5000/api/v1/lineage"));
        assert_eq!(target("https://h/"), url("https://h/api/v1/lineage"));
        assert_eq!(
            target("https://h/gms/openapi/openlineage/api/v1/lineage?x=1"),
            url("https://h/gms/openapi/openlineage/api/v1/lineage?x=1")
        );
        for text in ["", "file:", "lineage.ndjson", "http://", "http://a:b@h", "http://h /x", "ftp://h", "http://?x"] {
            assert_eq!(target(text), None, "{text}");
        }
    }
}
