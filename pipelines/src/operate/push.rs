//! Posting metrics to a Pushgateway. POST replaces the metrics that it names and leaves the others of the group, so that a run
//! that fails does not take the time of the last success away.

use std::time::Duration;

use vardelta_engine::plan::GatewayUrl;

use crate::operate::http::Poster;

/// How long a gateway may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The classic text format.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Posts a text in the classic format under job `vardelta` and this pipeline.
///
/// # Errors
/// What went wrong, in words.
pub fn post(gateway: &GatewayUrl, pipeline: &str, metrics: &str) -> Result<(), String> {
    let GatewayUrl { authority, path } = gateway;
    // A pipeline's name is letters, digits, `_` and `-`, which need no escapes in a path.
    let url = format!("http://{authority}{path}/metrics/job/vardelta/pipeline/{pipeline}");
    let answer = Poster::without_proxy(PATIENCE).post(&url, &[("content-type", CONTENT_TYPE)], metrics);
    match answer {
        Ok(answer) if answer.is_success() => Ok(()),
        Ok(answer) => Err(format!("the Pushgateway at {authority} refused the metrics: {}", answer.said())),
        Err(ureq::Error::Protocol(_)) => Err(format!("{authority} is no Pushgateway: it does not speak HTTP")),
        Err(error) => Err(format!("the Pushgateway at {authority} cannot be reached: {error}")),
    }
}
