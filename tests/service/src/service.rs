//! The service: its connections, what it remembers, and what it does by script.

use std::{
    collections::VecDeque,
    io::{self, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::{
    acts::Act,
    answers::{answer, keys},
    exchange::{Request, head, respond},
};

/// How the service starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on the loopback interface; 0 for a free one.
    pub port: u16,
    /// Milliseconds before each answer.
    pub latency_ms: u64,
    /// The release that answers name.
    pub release: String,
}

impl Default for Options {
    fn default() -> Options {
        Options { port: 0, latency_ms: 0, release: "2026-11".into() }
    }
}

/// A request for facts that came.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// When, in microseconds since 1970.
    pub at_us: u64,
    /// For which keys.
    pub keys: Vec<String>,
    /// Path and parameters.
    pub target: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
}

/// A running service; ends when it is dropped.
#[derive(Debug)]
pub struct Service {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    ended: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    asked: Vec<Asked>,
    once: VecDeque<Act>,
    always: Vec<Act>,
    /// What is done with every request for which nothing else is said.
    otherwise: Option<Act>,
    latency_ms: u64,
    release: String,
}

impl State {
    fn script(&mut self, acts: impl IntoIterator<Item = Act>) {
        for act in acts {
            if act.goes_on() { self.always.push(act) } else { self.once.push_back(act) }
        }
    }
}

impl Service {
    /// Starts it.
    ///
    /// # Errors
    /// When the port is not free.
    pub fn start(options: &Options) -> io::Result<Service> {
        let listener = TcpListener::bind(("127.0.0.1", options.port))?;
        let state = State { latency_ms: options.latency_ms, release: options.release.clone(), ..State::default() };
        let shared = Arc::new(Shared { state: Mutex::new(state), ended: AtomicBool::new(false) });
        let (address, accepted) = (listener.local_addr()?, Arc::clone(&shared));
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if accepted.ended.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(stream), shared) = (stream, Arc::clone(&accepted)) else { continue };
                // A connection that breaks is the client's business.
                std::thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        Ok(Service { address, shared, accepting: Some(accepting) })
    }

    /// The address of a path: `/query`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Does these with the next requests, one after the other; those that go on hold for all.
    pub fn script(&self, acts: impl IntoIterator<Item = Act>) {
        self.shared.state().script(acts);
    }

    /// Does this with every request for which nothing else is said; `None`: answers.
    pub fn otherwise(&self, act: Option<Act>) {
        self.shared.state().otherwise = act;
    }

    /// Forgets what was to be done and what was asked.
    pub fn reset(&self) {
        let mut state = self.shared.state();
        *state = State { latency_ms: state.latency_ms, release: state.release.clone(), ..State::default() };
    }

    /// Answers name this release from now on.
    pub fn set_release(&self, release: &str) {
        self.shared.state().release = release.to_owned();
    }

    /// The requests for facts so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.state().asked.clone()
    }

    /// Waits until the service ends, which nothing but the end of the process brings about.
    pub fn join(mut self) {
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "when it was asked is what tests look at")]
fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut writer = stream.try_clone()?;
        let mut reader = BufReader::new(stream);
        while let Some(request) = Request::read(&mut reader)? {
            if self.ended.load(Ordering::Relaxed) || !self.one(&request, &mut writer)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Answers one request; `false` where the connection is to end.
    fn one(&self, request: &Request, stream: &mut TcpStream) -> io::Result<bool> {
        if let Some((status, body)) = self.steered(request) {
            respond(stream, status, &[], body.to_string().as_bytes())?;
            return Ok(true);
        }
        let Some(keys) = keys(request) else {
            respond(stream, 404, &[], b"{\"message\":\"nothing here\"}")?;
            return Ok(true);
        };
        let (act, latency_ms) = {
            let mut state = self.state();
            state.asked.push(Asked {
                at_us: now_us(),
                keys: keys.clone(),
                target: request.target.clone(),
                authorization: request.header("authorization").map(str::to_owned),
            });
            let always = state.always.iter().find(|act| act.fits(&keys)).cloned();
            let act = always.or_else(|| state.once.pop_front()).or_else(|| state.otherwise.clone());
            (act.unwrap_or(Act::Answer), state.latency_ms)
        };
        std::thread::sleep(Duration::from_millis(latency_ms));
        self.act(&act, request, &keys, stream)
    }

    fn act(&self, act: &Act, request: &Request, keys: &[String], stream: &mut TcpStream) -> io::Result<bool> {
        let release = self.state().release.clone();
        let body_for = |keys: &[String]| {
            let (status, body) = answer(request, keys, &release);
            (status, body.to_string().into_bytes())
        };
        let (status, body) = body_for(keys);
        let length = body.len() as u64;
        match act {
            Act::Answer => respond(stream, status, &[], &body)?,
            Act::Status(status, retry_after) => {
                let headers: Vec<_> = retry_after.iter().map(|text| ("Retry-After", date_or(text))).collect();
                respond(stream, *status, &headers, b"{\"error\":\"by script\"}")?;
            }
            Act::Silent(ms) => {
                std::thread::sleep(Duration::from_millis(*ms));
                return Ok(false);
            }
            Act::Drip(ms) => {
                stream.write_all(&head(status, &[], length))?;
                for byte in body {
                    stream.write_all(&[byte])?;
                    std::thread::sleep(Duration::from_millis(*ms));
                }
            }
            Act::Reset => return Ok(false),
            Act::Truncated => {
                stream.write_all(&head(status, &[], length))?;
                stream.write_all(&body[..body.len() / 2])?;
                return Ok(false);
            }
            Act::Cut => respond(stream, status, &[], &body[..body.len() / 2])?,
            Act::Invalid => respond(stream, 200, &[], b"<html>Sorry, down for maintenance</html>")?,
            Act::Error => respond(stream, 200, &[], b"{\"error\":\"API rate limit exceeded\"}")?,
            Act::OtherKey => respond(stream, 200, &[], &body_for(&["NOSUCH".to_owned()]).1)?,
            Act::Half => respond(stream, 200, &[], &body_for(&keys[..keys.len() / 2]).1)?,
            Act::Redirect(status) => {
                respond(stream, *status, &[("Location", format!("/moved{}", request.target))], b"")?;
            }
            Act::Gzip => respond(stream, status, &[("Content-Encoding", "gzip".into())], &compressed(&body))?,
            Act::Huge(bytes) => {
                stream.write_all(&head(200, &[], *bytes))?;
                let (blanks, mut sent) = ([b' '; 65_536], 0);
                while sent < *bytes {
                    stream.write_all(&blanks)?;
                    sent += blanks.len() as u64;
                }
                return Ok(false);
            }
            Act::Bomb(bytes) => {
                let blanks = vec![b' '; usize::try_from(*bytes).unwrap_or(usize::MAX)];
                respond(stream, 200, &[("Content-Encoding", "gzip".into())], &compressed(&blanks))?;
            }
            Act::Poison(status, _) => respond(stream, *status, &[], b"{\"error\":\"bad identifier\"}")?,
            Act::Most(_) => respond(stream, 413, &[], b"{\"error\":\"too many\"}")?,
        }
        Ok(true)
    }

    /// Requests that steer the service or ask what was asked of it.
    fn steered(&self, request: &Request) -> Option<(u16, Value)> {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        match (request.method.as_str(), request.path()) {
            ("GET", "/figures") => {
                let state = self.state();
                let times: Vec<u64> = state.asked.iter().map(|asked| asked.at_us).collect();
                let keys: usize = state.asked.iter().map(|asked| asked.keys.len()).sum();
                Some((200, json!({ "requests": times.len(), "keys": keys, "times_us": times })))
            }
            ("POST", "/script") => {
                let acts = text.split([';', '\n']).map(str::trim).filter(|act| !act.is_empty()).map(Act::parse);
                Some(match acts.collect::<Result<Vec<Act>, String>>() {
                    Ok(acts) => {
                        self.state().script(acts);
                        (200, json!({}))
                    }
                    Err(why) => (400, json!({ "error": why })),
                })
            }
            ("POST", "/release") => {
                self.state().release = text.trim().to_owned();
                Some((200, json!({})))
            }
            _ => None,
        }
    }
}

/// A text, or the date so many seconds from now for `date+2`.
fn date_or(text: &str) -> String {
    match text.strip_prefix("date+").and_then(|seconds| seconds.parse::<u64>().ok()) {
        Some(seconds) => {
            let now = UNIX_EPOCH + Duration::from_micros(now_us());
            httpdate::fmt_http_date(now + Duration::from_secs(seconds))
        }
        None => text.to_owned(),
    }
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    // Memory takes everything.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
