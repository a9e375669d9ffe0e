//! `run --trace`: what workers, readers and the sink did when, as a trace that Chrome (`chrome://tracing`) and Perfetto
//! (<https://ui.perfetto.dev>) open: the JSON object format of the Trace Event Format, complete events (`"ph": "X"`), times in
//! microseconds.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use vardelta_engine::{
    edge::{escape, secret},
    error::{RunError, RunErrorKind},
    event::RunEvent,
    locks::Locked as _,
    plan::{Plan, StageIndex},
    trace::{Lane, Task, Trace},
};

use crate::destination::{self, Kind};

/// How every such file begins.
const BEGINNING: &str = "{\"otherData\":{\"made_by\":\"vardelta\"";

/// What such a file is, and what it may replace.
static KIND: Kind =
    Kind { option: "--trace", what: "a trace of vardelta", is_own: |start| start.starts_with(BEGINNING.as_bytes()) };

/// The rows of the picture that are no thread's own, and where those of threads begin.
const RUN_ROW: usize = 0;
const WORKER_ROWS: usize = 1;
const READER_ROWS: usize = 2_000;
const SINK_ROW: usize = 3_000;

/// A trace that is being gathered.
pub struct TraceFile {
    path: PathBuf,
    gathered: Mutex<Gathered>,
}

#[derive(Default)]
struct Gathered {
    started: Option<Instant>,
    finished: Option<Instant>,
    /// When each chunk was done.
    chunks: Vec<(u64, Instant)>,
    /// What happened at one moment.
    moments: Vec<(String, Instant)>,
    trace: Trace,
}

impl TraceFile {
    /// A trace that is to go to `path`.
    ///
    /// # Errors
    /// When something else than a trace lies there.
    pub fn create(path: &Path, plan: &Plan) -> Result<TraceFile, RunError> {
        let path = destination::check(path, plan, &KIND)?;
        Ok(TraceFile { path, gathered: Mutex::default() })
    }

    /// Takes an event of the run.
    pub fn event(&self, event: &RunEvent) {
        let mut gathered = self.gathered.locked();
        let now = Instant::now();
        match event {
            RunEvent::Finished { seconds } => {
                // It began before anybody heard of it.
                gathered.started = now.checked_sub(Duration::from_secs_f64(*seconds));
                gathered.finished = Some(now);
            }
            RunEvent::ChunkDone { chunk, .. } => gathered.chunks.push((*chunk, now)),
            RunEvent::Waiting { cause } => gathered.moments.push((format!("waiting: {cause}"), now)),
            RunEvent::Retry { attempt } => gathered.moments.push((format!("retry {attempt}"), now)),
            RunEvent::Committed { epoch, .. } => gathered.moments.push((format!("epoch {epoch}"), now)),
            _ => {}
        }
    }

    /// Takes what the threads did.
    pub fn take(&self, trace: &Trace) {
        self.gathered.locked().trace = trace.clone();
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When it cannot be written, or something else lies there by now.
    pub fn finish(self) -> Result<(), RunError> {
        let text = self.gathered.into_inner().unwrap_or_else(PoisonError::into_inner).text();
        destination::replace(&self.path, &KIND, &text).map_err(|error| {
            RunError::new(
                RunErrorKind::Sink,
                format!("the trace cannot be written to {}: {error}", self.path.display()),
            )
            .with_hint("What the run was to do is not affected; `vardelta history` lists what was committed.")
        })
    }
}

impl Gathered {
    /// The moment from which the trace's times count: its first chunk ended when its event came.
    fn origin(&self) -> Option<Instant> {
        let of_first = |chunk: u64| {
            let spans = self.trace.spans.iter().filter(|span| span.task == Task::Chunk(chunk));
            spans.map(|span| span.start + span.duration).max()
        };
        let (chunk, done) = self.chunks.first()?;
        done.checked_sub(of_first(*chunk)?)
    }

    fn text(&self) -> String {
        let origin = self.origin().or(self.started).unwrap_or_else(Instant::now);
        let begun = self.started.unwrap_or(origin).min(origin);
        // What lies before the computing is not left out: all times count from the start of the run.
        let before = origin - begun;
        let mut events = vec![named(RUN_ROW, "run")];
        if let (Some(started), Some(finished)) = (self.started, self.finished) {
            events.push(complete(RUN_ROW, "run", started.saturating_duration_since(begun), finished - started));
        }
        for (what, when) in &self.moments {
            let ts = when.saturating_duration_since(begun).as_micros() as u64;
            events.push(json!({ "ph": "i", "s": "g", "pid": 1, "tid": RUN_ROW, "ts": ts, "name": safe(what) }));
        }
        let mut rows: Vec<Lane> = self.trace.spans.iter().map(|span| span.lane).collect();
        rows.dedup();
        for lane in rows {
            let name = match lane {
                Lane::Worker(worker) => format!("worker {worker}"),
                Lane::Reader(reader) => format!("reader {reader}"),
                Lane::Sink => "sink".into(),
            };
            events.push(named(row(lane), &name));
        }
        for span in &self.trace.spans {
            let name = match (span.task, span.lane) {
                (Task::Stage(stage), Lane::Reader(_)) => format!("read {}", self.stage(stage)),
                (Task::Stage(stage), _) => self.stage(stage).to_owned(),
                (Task::Chunk(chunk), _) => format!("chunk {chunk}"),
                (Task::Commit, _) => "commit".into(),
            };
            events.push(complete(row(span.lane), &name, before + span.start, span.duration));
        }
        let events: Vec<String> = events.iter().map(Value::to_string).collect();
        let version = env!("CARGO_PKG_VERSION");
        format!(
            "{BEGINNING},\"version\":\"{version}\",\"spans_omitted\":{}}},\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n{}\n]}}\n",
            self.trace.omitted,
            events.join(",\n")
        )
    }

    fn stage(&self, stage: StageIndex) -> &str {
        self.trace.stages.get(stage).map_or("", String::as_str)
    }
}

fn row(lane: Lane) -> usize {
    match lane {
        Lane::Worker(worker) => WORKER_ROWS + worker,
        Lane::Reader(reader) => READER_ROWS + reader,
        Lane::Sink => SINK_ROW,
    }
}

/// The name of a row.
fn named(row: usize, name: &str) -> Value {
    json!({ "ph": "M", "pid": 1, "tid": row, "name": "thread_name", "args": { "name": name } })
}

/// Work from one moment to another.
fn complete(row: usize, name: &str, start: Duration, duration: Duration) -> Value {
    let (ts, dur) = (start.as_nanos() as f64 / 1e3, duration.as_nanos() as f64 / 1e3);
    json!({ "ph": "X", "pid": 1, "tid": row, "ts": ts, "dur": dur, "name": name })
}

fn safe(text: &str) -> String {
    escape::line(&secret::hide(text)).into_owned()
}

#[cfg(test)]
mod tests {
    use vardelta_engine::{plan::PerStage, trace::Span};

    use super::*;

    #[test]
    fn a_trace_is_one_json_object_that_is_known_again() {
        let of = Duration::from_micros;
        let span = |lane, task, start, duration| Span { lane, task, start: of(start), duration: of(duration) };
        let now = Instant::now();
        let gathered = Gathered {
            started: Some(now),
            finished: Some(now + of(900)),
            chunks: vec![(0, now + of(800))],
            moments: vec![("epoch 1".into(), now + of(850))],
            trace: Trace {
                stages: PerStage::from_iter(["calls".into()]),
                spans: vec![
                    span(Lane::Worker(0), Task::Chunk(0), 100, 600),
                    span(Lane::Worker(0), Task::Stage(StageIndex::new(0)), 150, 100),
                    span(Lane::Reader(0), Task::Stage(StageIndex::new(0)), 10, 50),
                ],
                omitted: 0,
            },
        };
        let text = gathered.text();
        assert!((KIND.is_own)(text.as_bytes()));
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let found: Vec<(String, f64, f64)> = value["traceEvents"]
            .as_array()
            .expect("events")
            .iter()
            .filter(|event| event["ph"] == "X")
            .map(|event| {
                let number = |key: &str| event[key].as_f64().unwrap_or(-1.0);
                (event["name"].as_str().unwrap_or_default().to_owned(), number("ts"), number("dur"))
            })
            .collect();
        // The chunk ended 800 us after the start, and by its own clock at 700.
        let expected =
            [("run", 0.0, 900.0), ("chunk 0", 200.0, 600.0), ("calls", 250.0, 100.0), ("read calls", 110.0, 50.0)];
        assert_eq!(found, expected.map(|(name, ts, dur)| (name.to_owned(), ts, dur)));
    }
}
