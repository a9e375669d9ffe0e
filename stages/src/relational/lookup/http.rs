//! One request and its response.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use ureq::{
    Agent,
    http::{Request, Uri, header},
};

use super::{
    clock::Clock,
    host::{Held, Host},
};

/// What is sent.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Where to; may hold a secret.
    pub url: String,
    /// Headers; they may be secrets.
    pub headers: super::setting::Resolved,
    /// The body of a POST.
    pub body: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Response {
    /// The status, no redirect.
    pub status: u16,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

/// Why nothing came back.
#[derive(Debug)]
pub(super) enum NoResponse {
    /// Nothing was sent.
    Held(Held),
    /// Something went wrong on the way, in words.
    Broken(String),
    /// What would come can never be used, in words; trying again does not help.
    Useless(String),
}

/// A client for one stage.
#[derive(Debug)]
pub(super) struct Http {
    agent: Agent,
    response_bytes_max: u64,
    /// Requests sent, retries and redirects included.
    pub requests: AtomicU64,
}

/// Redirects that are followed one after the other.
const REDIRECTS: usize = 5;

impl Http {
    /// A client. Proxies are those of the usual variables (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`).
    pub fn new(connect_timeout: Duration, concurrency: usize, response_bytes_max: u64) -> Http {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // Each hop has to wait for its host, and none may carry secrets elsewhere.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(connect_timeout))
            .max_idle_connections_per_host(concurrency)
            .user_agent(concat!("vardelta/", env!("CARGO_PKG_VERSION")))
            .build();
        Http { agent: Agent::new_with_config(config), response_bytes_max, requests: AtomicU64::new(0) }
    }

    /// Sends a message once its host may be asked; follows redirects.
    pub fn send(
        &self,
        message: &Message,
        host: &Arc<Host>,
        other_host: &dyn Fn(&str) -> Arc<Host>,
        clock: &dyn Clock,
        deadline_us: u64,
        stop: &AtomicBool,
    ) -> Result<Response, NoResponse> {
        let (mut url, mut host, mut is_first_host) = (message.url.clone(), Arc::clone(host), true);
        for _ in 0..=REDIRECTS {
            host.enter(clock, deadline_us, stop).map_err(NoResponse::Held)?;
            let (response, location) = self.once(message, &url, is_first_host, clock, deadline_us)?;
            let Some(location) = location else { return Ok(response) };
            let next = redirect(&url, &location, response.status, message.method).map_err(NoResponse::Useless)?;
            // A host that redirects is up.
            host.succeeded();
            let name = host_name(&next).map_err(NoResponse::Useless)?;
            if name != host.name() {
                is_first_host = false;
                host = other_host(&name);
            }
            url = next;
        }
        Err(NoResponse::Useless(format!("it redirects more than {REDIRECTS} times")))
    }

    fn once(
        &self,
        message: &Message,
        url: &str,
        with_secrets: bool,
        clock: &dyn Clock,
        deadline_us: u64,
    ) -> Result<(Response, Option<String>), NoResponse> {
        let left = Duration::from_micros(deadline_us.saturating_sub(clock.now_us()));
        if left.is_zero() {
            return Err(NoResponse::Broken("its deadline is over".into()));
        }
        let mut request = Request::builder().method(message.method).uri(url);
        for (name, value) in &message.headers.0 {
            let is_secret = !["accept", "content-type", "user-agent"].contains(&name.to_ascii_lowercase().as_str());
            if with_secrets || !is_secret {
                request = request.header(name, value);
            }
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        let response = match &message.body {
            Some(body) => {
                let request = request.body(body.clone()).map_err(unsendable)?;
                self.agent.run(self.agent.configure_request(request).timeout_global(Some(left)).build())
            }
            None => {
                let request = request.body(()).map_err(unsendable)?;
                self.agent.run(self.agent.configure_request(request).timeout_global(Some(left)).build())
            }
        };
        let mut response = response.map_err(broken)?;
        let text = |name: header::HeaderName| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let (retry_after, location) = (text(header::RETRY_AFTER), text(header::LOCATION));
        let status = response.status().as_u16();
        let location = location.filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308));
        let body = match location.is_some() {
            true => Vec::new(),
            false => response.body_mut().with_config().limit(self.response_bytes_max).read_to_vec().map_err(broken)?,
        };
        Ok((Response { status, retry_after, body }, location))
    }
}

fn unsendable(error: ureq::http::Error) -> NoResponse {
    NoResponse::Useless(format!("the request cannot be made: {error}"))
}

/// An error of the client, without the address, which may hold a secret.
fn broken(error: ureq::Error) -> NoResponse {
    match error {
        ureq::Error::BodyExceedsLimit(bytes) => {
            NoResponse::Useless(format!("its answer has more than {bytes} bytes (`response_bytes_max`)"))
        }
        ureq::Error::BadUri(_) => NoResponse::Useless("the address cannot be read".into()),
        ureq::Error::Timeout(which) => NoResponse::Broken(format!("it did not answer in time ({which})")),
        ureq::Error::HostNotFound => NoResponse::Broken("its name is not known".into()),
        other => NoResponse::Broken(other.to_string()),
    }
}

/// Host and port of an address, as limits are kept for it.
pub(super) fn host_name(url: &str) -> Result<String, String> {
    let uri: Uri = url.parse().map_err(|_| "the address cannot be read".to_owned())?;
    let host = uri.host().filter(|host| !host.is_empty()).ok_or("the address names no host")?;
    let default = match uri.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return Err("the address begins with neither http:// nor https://".into()),
    };
    let host = host.to_ascii_lowercase();
    Ok(match uri.port_u16() {
        Some(port) if port != default => format!("{host}:{port}"),
        _ => host,
    })
}

/// Where a redirect leads.
fn redirect(from: &str, location: &str, status: u16, method: &str) -> Result<String, String> {
    if method != "GET" && !matches!(status, 307 | 308) {
        return Err(format!(
            "it redirects a POST with status {status}, which drops the body: write the new address as `url`"
        ));
    }
    let from_scheme = from.split("://").next().unwrap_or_default();
    let next = match location {
        absolute if absolute.contains("://") => absolute.to_owned(),
        other if other.starts_with("//") => format!("{from_scheme}:{other}"),
        path if path.starts_with('/') => {
            let start = from_scheme.len() + 3;
            let end = from[start..].find(['/', '?', '#']).map_or(from.len(), |at| start + at);
            format!("{}{path}", &from[..end])
        }
        relative => {
            let base = from.split(['?', '#']).next().unwrap_or_default();
            let end = base.rfind('/').filter(|at| *at > from_scheme.len() + 2).unwrap_or(base.len());
            format!("{}/{relative}", &base[..end])
        }
    };
    if from_scheme == "https" && !next.starts_with("https://") {
        return Err("it redirects from https:// to an address that is not encrypted".into());
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_apart_by_name_and_port() {
        for (url, name) in [
            ("https://Rest.Ensembl.org/lookup?x=1", "rest.ensembl.org"),
            ("https://a.b:443/", "a.b"),
            ("http://a.b:443/", "a.b:443"),
            ("http://user:pw@127.0.0.1:8080/q", "127.0.0.1:8080"),
        ] {
            assert_eq!(host_name(url).as_deref(), Ok(name), "{url}");
        }
        assert!(host_name("ftp://a.b/").is_err());
        assert!(host_name("nothing").is_err());
    }

    #[test]
    fn a_redirect_keeps_what_it_must() {
        let to = |from, location, status, method| redirect(from, location, status, method).unwrap_or_else(|why| why);
        assert_eq!(to("http://a/x/y?q", "/z?r", 301, "GET"), "http://a/z?r");
        assert_eq!(to("http://a/x/y?q", "z", 302, "GET"), "http://a/x/z");
        assert_eq!(to("http://a", "z", 302, "GET"), "http://a/z");
        assert_eq!(to("http://a/x", "//b/z", 308, "POST"), "http://b/z");
        assert_eq!(to("http://a/x", "https://b/z", 307, "POST"), "https://b/z");
        assert!(to("http://a/x", "/z", 302, "POST").contains("drops the body"));
        assert!(to("https://a/x", "http://a/x", 307, "GET").contains("not encrypted"));
    }
}
