//! An HTTP server on loopback that keeps what is asked of it and answers alike: it stands in for Slack, for a lineage service, and
//! for services whose answers were recorded.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use vardelta_engine::locks::Locked as _;

use crate::listening::Listening;

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Posted {
    /// `POST /path HTTP/1.1`.
    pub line: String,
    /// The headers, a line each.
    pub headers: Vec<String>,
    /// The body.
    pub body: String,
}

impl Posted {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

#[derive(Default)]
struct Kept {
    posted: Vec<Posted>,
    /// Heads of the next answers: a status, and perhaps headers after a line feed.
    answers: Vec<&'static str>,
}

/// The server; it ends when it is dropped.
pub struct WebSink {
    listening: Listening,
    kept: Arc<Mutex<Kept>>,
}

impl WebSink {
    /// A server on a port of its own that answers `200 OK`.
    ///
    /// # Panics
    /// When there is none.
    pub fn start() -> WebSink {
        WebSink::replaying("200 OK", b"ok".to_vec())
    }

    /// A server that gives every request this head (`429 Slow`) and body.
    ///
    /// # Panics
    /// As [`WebSink::start`].
    pub fn replaying(head: &'static str, body: Vec<u8>) -> WebSink {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shared = Arc::clone(&kept);
        WebSink { listening: Listening::start(move |stream| serve(stream, &shared, head, &body)), kept }
    }

    /// An address there.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.listening.address)
    }

    /// Answers the next request with this head (`429 Slow\r\nRetry-After: 1`) instead of the usual one.
    pub fn answer(&self, head: &'static str) {
        self.kept.locked().answers.push(head);
    }

    /// What was posted so far.
    pub fn posted(&self) -> Vec<Posted> {
        self.kept.locked().posted.clone()
    }
}

fn serve(mut stream: TcpStream, kept: &Mutex<Kept>, usual: &str, answer: &[u8]) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut posted, mut line, mut length) = (Posted::default(), String::new(), 0);
    reader.read_line(&mut line)?;
    posted.line = std::mem::take(&mut line).trim_end().to_owned();
    while reader.read_line(&mut line)? > 0 && !line.trim().is_empty() {
        let header = std::mem::take(&mut line).trim_end().to_owned();
        let (name, value) = header.split_once(':').unwrap_or((&header, ""));
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or(0);
        }
        posted.headers.push(header);
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    posted.body = String::from_utf8_lossy(&body).into_owned();
    let head = {
        let mut kept = kept.locked();
        kept.posted.push(posted);
        if kept.answers.is_empty() { usual } else { kept.answers.remove(0) }
    };
    let length = answer.len();
    stream.write_all(format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n").as_bytes())?;
    stream.write_all(answer)
}
