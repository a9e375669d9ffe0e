//! A `vardelta watch` that runs beside a test, what it says, and what its server answers.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::{
    process::{signal, until, wait_at_most},
    project::Project,
};

/// Nothing that is asked for takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A `watch` under way; killed when it is dropped.
pub struct Watching {
    child: Child,
    stdout: (PathBuf, usize),
    stderr: (PathBuf, usize),
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub code: u16,
    /// Status line and headers.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Watching {
    /// Starts `watch` over the project's pipeline with these arguments and variables.
    pub fn start(project: &Project, arguments: &[&str], variables: &[(&str, &str)]) -> Watching {
        let mut command = project.command("watch", arguments);
        command.envs(variables.iter().copied());
        Watching::run(&mut command, project)
    }

    /// Starts a `watch` over the project's pipeline by a command of the caller's own, which becomes it.
    pub fn run(command: &mut Command, project: &Project) -> Watching {
        let (stdout, stderr) = (project.path("watch.out"), project.path("watch.err"));
        let file = |path: &PathBuf| File::options().create(true).append(true).open(path).expect("a file can be made");
        let length = |path: &PathBuf| std::fs::read(path).map_or(0, |bytes| bytes.len());
        // What an earlier one of the same project has said stays before it.
        let (told, complained) = (length(&stdout), length(&stderr));
        command.stdout(file(&stdout)).stderr(file(&stderr)).stdin(Stdio::null());
        let child = command.spawn().expect("vardelta can be started");
        Watching { child, stdout: (stdout, told), stderr: (stderr, complained) }
    }

    /// What it wrote to standard output so far.
    pub fn stdout(&self) -> String {
        since(&self.stdout)
    }

    /// What it wrote to standard error so far.
    pub fn stderr(&self) -> String {
        since(&self.stderr)
    }

    /// Its process.
    pub fn child(&self) -> &Child {
        &self.child
    }

    /// Where it listens.
    #[track_caller]
    pub fn address(&self) -> String {
        let mut address = None;
        until("it says where it listens", || {
            let said = self.stderr();
            let told = said.split("listening on http://").last().filter(|told| *told != said);
            address = told.and_then(|told| {
                told.split(|letter: char| letter.is_whitespace() || letter == '"').next().map(str::to_owned)
            });
            address.is_some()
        });
        address.unwrap_or_default()
    }

    /// Asks its server.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        ask(&self.address(), &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n"), "").expect("an answer")
    }

    /// Waits until something is so of what its server answers.
    #[track_caller]
    pub fn until(&self, what: &str, path: &str, holds: impl Fn(&Answer) -> bool) -> Answer {
        let address = self.address();
        let mut last = None;
        let started = std::time::Instant::now();
        while started.elapsed() < PATIENCE {
            last = ask(&address, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n"), "");
            if let Some(answer) = last.take_if(|answer| holds(answer)) {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{what}: not within {PATIENCE:?}; at last {last:?}\n{}", self.stderr());
    }

    /// The states of its drops by name.
    #[track_caller]
    pub fn states(&self) -> std::collections::BTreeMap<String, String> {
        states(&self.get("/api/drops"))
    }

    /// Waits until the drops are in these states.
    #[track_caller]
    pub fn until_drops(&self, wanted: &[(&str, &str)]) {
        let wanted: std::collections::BTreeMap<String, String> =
            wanted.iter().map(|(name, state)| ((*name).to_owned(), (*state).to_owned())).collect();
        self.until(&format!("the drops are {wanted:?}"), "/api/drops", |answer| {
            answer.code == 200 && states(answer) == wanted
        });
    }

    /// Sends a signal and waits for the end.
    #[track_caller]
    pub fn end(&mut self, name: &str) -> ExitStatus {
        signal(&self.child, name);
        wait_at_most(&mut self.child, PATIENCE).unwrap_or_else(|| panic!("SIG{name} ends it\n{}", self.stderr()))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is in a file after so many bytes.
fn since((path, before): &(PathBuf, usize)) -> String {
    let bytes = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(bytes.get(*before..).unwrap_or_default()).into_owned()
}

fn states(answer: &Answer) -> std::collections::BTreeMap<String, String> {
    let drops: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let of = |drop: &Value| Some((drop["name"].as_str()?.to_owned(), drop["state"].as_str()?.to_owned()));
    drops.as_array().into_iter().flatten().filter_map(of).collect()
}

/// Sends a request (its lines, each with its end) and a body; `None` where nobody answers.
pub fn ask(address: &str, head: &str, body: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    stream.write_all(format!("{head}{length}Connection: close\r\n\r\n{body}").as_bytes()).ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let code = head.split_whitespace().nth(1)?.parse().ok()?;
    let body = match head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        true => unchunked(body),
        false => body.to_owned(),
    };
    Some(Answer { code, head: head.to_owned(), body })
}

/// A body that came in chunks, whole.
fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = usize::from_str_radix(length.trim(), 16).unwrap_or(0);
        if length == 0 || rest.len() < length {
            break;
        }
        whole.push_str(&rest[..length]);
        body = rest[length..].trim_start_matches("\r\n");
    }
    whole
}
