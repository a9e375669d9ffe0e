//! Probes of health, answered before the HTTP library is asked.
//!
//! Load balancers and orchestrators ask every few seconds by a new connection each time, of every process that they look after. What
//! they hear is written already and rarely another; a parser of requests and one write are all that it takes. Through the library it
//! is several times as much, nearly all of it code that has left the processor's caches since the last probe. So what is a plain
//! probe and has a known answer is answered here; everything else goes on to the library, with what was read of it.

use std::{
    io::{self, Write},
    net::TcpStream,
};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{api, served::Served};

/// Bytes of a request that are read here, at most: a probe has a line and a few headers.
pub const REQUEST_BYTES_MAX: usize = 2_048;
/// Bytes of an answer that is given here, at most: what a new connection takes without anybody having to read it.
const ANSWER_BYTES_MAX: usize = 8_192;
/// Headers of a request that is read here, at most.
const HEADERS_MAX: usize = 16;

/// What was answered of what was read.
#[derive(Default)]
pub struct Answered {
    /// The bytes of it that are answered.
    pub bytes: usize,
    /// Whether the client wants the connection to end with that.
    pub is_last: bool,
}

/// A probe.
struct Probe {
    /// What it asks for.
    path: String,
    /// Its headers.
    headers: HeaderMap,
    /// How many bytes it has.
    length: usize,
}

impl Probe {
    /// Whether the client wants the connection to end with the answer.
    fn is_last(&self) -> bool {
        let values = self.headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|wish| wish.trim().eq_ignore_ascii_case("close"))
    }
}

/// Answers what was read of a connection, if that is a plain probe whose answer is known.
///
/// # Errors
/// When the client is gone.
pub fn answer(read: &[u8], stream: &mut TcpStream, served: &Served) -> io::Result<Answered> {
    let text = probe(read).filter(|probe| served.gate.admits(&probe.headers)).and_then(|probe| {
        let answered = Answered { bytes: probe.length, is_last: probe.is_last() };
        Some((api::written(served, &probe.path, answered.is_last)?, answered))
    });
    match text.filter(|(text, _)| text.len() <= ANSWER_BYTES_MAX) {
        None => Ok(Answered::default()),
        Some((text, answered)) => stream.write_all(&text).map(|()| answered),
    }
}

/// The request that begins here, where it may be a probe: a GET by HTTP/1.1, without a body and without a wish to go on by another protocol.
fn probe(read: &[u8]) -> Option<Probe> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = request.parse(read).ok()? else { return None };
    if request.method != Some("GET") || request.version != Some(1) {
        return None;
    }
    let mut known = HeaderMap::with_capacity(HEADERS_MAX);
    for header in request.headers.iter() {
        known.append(HeaderName::from_bytes(header.name.as_bytes()).ok()?, HeaderValue::from_bytes(header.value).ok()?);
    }
    let more = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::EXPECT, header::UPGRADE];
    let is_plain = more.iter().all(|name| !known.contains_key(name));
    is_plain.then(|| Probe { path: request.path.unwrap_or_default().to_owned(), headers: known, length })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Probe> {
        probe(format!("{}\r\n\r\n", text.replace('\n', "\r\n")).as_bytes())
    }

    #[test]
    fn a_plain_request_is_taken_and_knows_its_end() {
        let asked = of("GET /health HTTP/1.1\nHost: localhost\nConnection: close").expect("a probe");
        assert_eq!((asked.path.as_str(), asked.is_last(), asked.headers.len()), ("/health", true, 2));
        let asked = of("GET /readyz HTTP/1.1\nHost: localhost\nConnection: keep-alive, Close").expect("a probe");
        assert!(asked.is_last());
        let two = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n";
        let asked = probe(two).expect("a probe");
        assert!(!asked.is_last() && two[asked.length..].starts_with(b"GET /metrics"));
    }

    #[test]
    fn what_the_library_has_to_judge_is_left_to_it() {
        for head in [
            "POST /health HTTP/1.1\nHost: a",
            "HEAD /health HTTP/1.1\nHost: a",
            "GET /health HTTP/1.0\nHost: a",
            "GET /health HTTP/1.1\nHost: a\nContent-Length: 3",
            "GET /health HTTP/1.1\nHost: a\nTransfer-Encoding: chunked",
            "GET /health HTTP/1.1\nHost: a\nExpect: 100-continue",
            "GET /health HTTP/1.1\nHost: a\nUpgrade: h2c",
            "GET /health\nHost: a",
            "nonsense",
            "",
        ] {
            assert!(of(head).is_none(), "{head}");
        }
        assert!(of(&format!("GET /health HTTP/1.1{}", "\na: b".repeat(HEADERS_MAX + 1))).is_none());
        let whole = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
        assert!((0..whole.len()).all(|end| probe(&whole[..end]).is_none()));
    }
}
