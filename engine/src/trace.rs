//! What the threads of a run did when: spans of work, kept only where somebody wants them.

use std::{
    sync::Mutex,
    thread::ThreadId,
    time::{Duration, Instant},
};

use crate::{
    locks::Locked as _,
    stage_index::{PerStage, StageIndex},
};

/// Spans that are kept, at the most: some 100 MB.
const SPANS_MAX: usize = 1_000_000;

/// Whose work a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// A worker, from 0.
    Worker(usize),
    /// A thread that reads files, from 0.
    Reader(usize),
    /// The sink.
    Sink,
}

/// What is done in a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A batch of a stage; reading a chunk, where the lane is a reader's.
    Stage(StageIndex),
    /// A dataflow, by its number from 0; the work of stages lies in it.
    Chunk(u64),
    /// The sink's commit.
    Commit,
}

/// One piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Whose.
    pub lane: Lane,
    /// What.
    pub task: Task,
    /// When it began, from the beginning of the run's computing.
    pub start: Duration,
    /// How long it took.
    pub duration: Duration,
}

/// The spans of a run.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The stages' names; a [`Task`] has indexes of them.
    pub stages: PerStage<String>,
    /// The spans, by lane and start; what lies in another span comes after it.
    pub spans: Vec<Span>,
    /// Spans that were not kept because there were too many.
    pub omitted: u64,
}

/// Where the threads of a run note their spans.
pub(crate) struct SpanLog {
    origin: Instant,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    spans: Vec<Span>,
    omitted: u64,
    readers: Vec<ThreadId>,
}

impl SpanLog {
    /// An empty log; time begins now.
    pub fn new() -> SpanLog {
        SpanLog { origin: Instant::now(), kept: Mutex::default() }
    }

    /// A span that began at `start`.
    pub fn span(&self, lane: Lane, task: Task, start: Instant, duration: Duration) -> Span {
        Span { lane, task, start: start.saturating_duration_since(self.origin), duration }
    }

    /// Keeps spans.
    pub fn keep(&self, spans: impl IntoIterator<Item = Span>) {
        let mut kept = self.kept.locked();
        for span in spans {
            if kept.spans.len() < SPANS_MAX {
                kept.spans.push(span);
            } else {
                kept.omitted += 1;
            }
        }
    }

    /// The lane of the thread that asks, one of those that read files.
    pub fn reader(&self) -> Lane {
        let mut kept = self.kept.locked();
        let id = std::thread::current().id();
        let known = kept.readers.iter().position(|known| *known == id);
        Lane::Reader(known.unwrap_or_else(|| {
            kept.readers.push(id);
            kept.readers.len() - 1
        }))
    }

    /// Everything so far.
    pub fn trace(&self, stages: PerStage<String>) -> Trace {
        let kept = self.kept.locked();
        let mut spans = kept.spans.clone();
        spans.sort_by(|a, b| (a.lane, a.start, b.duration).cmp(&(b.lane, b.start, a.duration)));
        Trace { stages, spans, omitted: kept.omitted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_come_by_lane_and_what_lies_in_another_after_it() {
        let log = SpanLog::new();
        let at = |lane, task, start, duration| {
            let of = Duration::from_micros;
            log.span(lane, task, log.origin + of(start), of(duration))
        };
        log.keep([
            at(Lane::Sink, Task::Commit, 90, 5),
            at(Lane::Worker(0), Task::Stage(StageIndex::new(1)), 10, 20),
            at(Lane::Worker(0), Task::Chunk(0), 10, 70),
            at(log.reader(), Task::Stage(StageIndex::new(0)), 0, 3),
            at(log.reader(), Task::Stage(StageIndex::new(0)), 4, 3),
        ]);
        let trace = log.trace(PerStage::from_iter(["calls".into(), "alleles".into()]));
        let found: Vec<_> = trace.spans.iter().map(|span| (span.lane, span.task)).collect();
        let worker = Lane::Worker(0);
        let reader = (Lane::Reader(0), Task::Stage(StageIndex::new(0)));
        let expected = [
            (worker, Task::Chunk(0)),
            (worker, Task::Stage(StageIndex::new(1))),
            reader,
            reader,
            (Lane::Sink, Task::Commit),
        ];
        assert_eq!(found, expected);
        assert_eq!(trace.omitted, 0);
    }
}
