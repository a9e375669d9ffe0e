//! An HTTP server on loopback that keeps what is posted to it: it stands in for Slack and for a lineage service.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

use serde_json::Value;

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
    /// Heads of the next answers: a status, and perhaps headers behind a line feed.
    answers: Vec<&'static str>,
    ends: bool,
}

/// The server; its thread ends with it.
pub struct WebSink {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
    thread: Option<JoinHandle<()>>,
}

impl WebSink {
    /// A server on a port of its own.
    ///
    /// # Panics
    /// When there is none.
    pub fn start() -> WebSink {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shared = Arc::clone(&kept);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if lock(&shared).ends {
                    return;
                }
                let _ = stream.and_then(|stream| serve(stream, &shared));
            }
        });
        WebSink { address, kept, thread: Some(thread) }
    }

    /// An address there.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers the next request with this head (`429 Slow\r\nRetry-After: 1`) instead of `200 OK`.
    pub fn answer(&self, head: &'static str) {
        lock(&self.kept).answers.push(head);
    }

    /// What was posted so far.
    pub fn posted(&self) -> Vec<Posted> {
        lock(&self.kept).posted.clone()
    }
}

impl Drop for WebSink {
    fn drop(&mut self) {
        lock(&self.kept).ends = true;
        // The thread waits for somebody to come.
        let _ = TcpStream::connect(self.address);
        self.thread.take().map(JoinHandle::join);
    }
}

fn lock(kept: &Mutex<Kept>) -> std::sync::MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut stream: TcpStream, kept: &Mutex<Kept>) -> io::Result<()> {
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
        let mut kept = lock(kept);
        kept.posted.push(posted);
        if kept.answers.is_empty() { "200 OK" } else { kept.answers.remove(0) }
    };
    stream.write_all(format!("HTTP/1.1 {head}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").as_bytes())
}
