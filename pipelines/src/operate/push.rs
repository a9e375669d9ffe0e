//! Posting metrics to a Pushgateway. POST replaces the metrics that it names and leaves the others of the group, so that a run
//! that fails does not take the time of the last success away.

use std::{
    io::{Read as _, Write as _},
    net::{TcpStream, ToSocketAddrs as _},
    time::Duration,
};

use vardelta_engine::plan::GatewayUrl;

/// How long a gateway may take, for each step.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read.
const ANSWER_BYTES: u64 = 4_096;

/// Posts a text in the classic format under job `vardelta` and this pipeline.
///
/// # Errors
/// What went wrong, in words.
pub fn post(gateway: &GatewayUrl, pipeline: &str, metrics: &str) -> Result<(), String> {
    let GatewayUrl { authority, path } = gateway;
    let told = |error: std::io::Error| format!("the Pushgateway at {authority} cannot be reached: {error}");
    let address = authority.to_socket_addrs().map_err(told)?.next();
    let address = address.ok_or_else(|| format!("the Pushgateway at {authority} has no address"))?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(told)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(told)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(told)?;
    // A pipeline's name is letters, digits, `_` and `-`, which need no escapes in a path.
    let request = format!(
        "POST {path}/metrics/job/vardelta/pipeline/{pipeline} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: text/plain; \
         version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{metrics}",
        metrics.len()
    );
    stream.write_all(request.as_bytes()).map_err(told)?;
    let mut answer = Vec::new();
    // A gateway may close before all of its answer is read; its first line is enough.
    let read = stream.take(ANSWER_BYTES).read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.strip_prefix("HTTP/1.").and_then(|rest| rest.split_whitespace().nth(1));
    match status {
        Some(status) if status.starts_with('2') => Ok(()),
        Some(status) => {
            let why = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body.lines().next().unwrap_or_default());
            Err(format!("the Pushgateway at {authority} refused the metrics: {status} {why}"))
        }
        None => Err(read.err().map_or_else(|| format!("{authority} is no Pushgateway: it does not speak HTTP"), told)),
    }
}
