//! Reading the JSON report of a run.

use std::collections::BTreeMap;

use serde_json::Value;

/// How often each reason was warned of, over all drops, stages and fields.
pub fn warned(report: &Value) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for warning in report["warnings"].as_array().expect("a list of warnings") {
        let reason = warning["reason"].as_str().expect("a reason").to_owned();
        *counts.entry(reason).or_default() += warning["count"].as_u64().expect("a count");
    }
    counts
}

/// How often this reason was warned of.
pub fn warnings_of(report: &Value, reason: &str) -> u64 {
    warned(report).get(reason).copied().unwrap_or_default()
}
