//! What each stage did and how long it took, gathered per worker and merged at the end.
//!
//! Work and waiting are kept apart everywhere, and times of batches are those of batches with rows. Reading a file, which is
//! done by threads of its own, is no part of its stage's work; committing is no batch of the sink's.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::Rc,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use crate::{
    flow::RunContext,
    locks::Locked as _,
    plan::{PerStage, Plan, PlannedStage, StageIndex},
    report::{BusyProgress, ReaderReport, StageProgress, StageReport, TimeReport, WorkerReport},
    trace::{Lane, Span, SpanLog, Task, Trace},
};

/// Figures of one stage.
#[derive(Clone, Default)]
pub(crate) struct Meter {
    pub rows_in: u64,
    pub rows_out: u64,
    /// Busy time, summed over workers.
    pub busy: Duration,
    /// Time spent waiting for rows to come or for room for them, summed over workers.
    pub waiting: Duration,
    /// Microseconds per batch with rows; `None` before the first.
    batch_us: Option<Histogram<u32>>,
    /// When the first batch with rows began, and when the last one ended.
    spell: Option<(Instant, Instant)>,
}

/// Two significant digits up to an hour; larger values are clamped.
fn histogram() -> Histogram<u32> {
    Histogram::new_with_bounds(1, 3_600_000_000, 2).expect("the bounds are in order")
}

impl Meter {
    fn worked(&mut self, busy: Duration, had_rows: bool) {
        self.busy += busy;
        if had_rows {
            self.batch_us.get_or_insert_with(histogram).saturating_record((busy.as_micros() as u64).max(1));
            let now = Instant::now();
            self.extend((now.checked_sub(busy).unwrap_or(now), now));
        }
    }

    fn extend(&mut self, (began, ended): (Instant, Instant)) {
        let (first, last) = self.spell.unwrap_or((began, ended));
        self.spell = Some((first.min(began), last.max(ended)));
    }

    fn merge(&mut self, other: &Meter) {
        self.rows_in += other.rows_in;
        self.rows_out += other.rows_out;
        self.busy += other.busy;
        self.waiting += other.waiting;
        if let Some(batch_us) = &other.batch_us {
            // Both were made with the same bounds, so every value fits.
            let _ = self.batch_us.get_or_insert_with(histogram).add(batch_us);
        }
        if let Some(spell) = other.spell {
            self.extend(spell);
        }
    }

    /// The times, of which those of begin and end count from `zero`.
    fn times(&self, zero: Instant) -> TimeReport {
        let since = |at: Instant| at.saturating_duration_since(zero).as_secs_f64();
        let batch_us = self.batch_us.as_ref();
        let quantile = |quantile| batch_us.map_or(0, |batch_us| batch_us.value_at_quantile(quantile));
        TimeReport {
            spell_s: self.spell.map(|(began, ended)| (since(began), since(ended))),
            seconds: self.busy.as_secs_f64(),
            wait_s: self.waiting.as_secs_f64(),
            p50_us: quantile(0.5),
            p90_us: quantile(0.9),
            p99_us: quantile(0.99),
            max_us: batch_us.map_or(0, Histogram::max),
            batches_us: batch_us
                .into_iter()
                .flat_map(Histogram::iter_recorded)
                .map(|step| (step.value_iterated_to(), step.count_at_value().into()))
                .collect(),
        }
    }
}

/// The meters of one worker, one per stage; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Meters {
    stages: Rc<RefCell<PerStage<Meter>>>,
    /// What was done when, where somebody wants to know.
    spans: Option<Rc<Spans>>,
}

/// The spans of one worker.
struct Spans {
    log: Arc<SpanLog>,
    lane: Lane,
    kept: RefCell<Vec<Span>>,
}

impl Meters {
    /// Meters at zero.
    pub fn new(stages: usize) -> Meters {
        Meters { stages: Rc::new(RefCell::new(PerStage::same(stages, Meter::default()))), spans: None }
    }

    /// Meters at zero of a worker, which also keep its spans where the run wants them.
    pub fn of(stages: usize, worker: usize, total: &MeterTotals) -> Meters {
        let spans = |log: &Arc<SpanLog>| {
            Rc::new(Spans { log: Arc::clone(log), lane: Lane::Worker(worker), kept: RefCell::default() })
        };
        Meters { spans: total.spans.as_ref().map(spans), ..Meters::new(stages) }
    }

    /// Keeps a span that ends now.
    fn span(&self, task: Task, busy: Duration) {
        if self.spans.is_some()
            && let Some(start) = Instant::now().checked_sub(busy)
        {
            self.span_from(task, start, busy);
        }
    }

    fn span_from(&self, task: Task, start: Instant, busy: Duration) {
        if let Some(spans) = &self.spans {
            spans.kept.borrow_mut().push(spans.log.span(spans.lane, task, start, busy));
        }
    }

    /// Counts rows, and the time of one batch where it was measured.
    pub fn add(&self, stage: StageIndex, rows_in: usize, rows_out: usize, busy: Option<Duration>) {
        let mut stages = self.stages.borrow_mut();
        let meter = &mut stages[stage];
        meter.rows_in += rows_in as u64;
        meter.rows_out += rows_out as u64;
        if let Some(busy) = busy {
            meter.worked(busy, true);
            self.span(Task::Stage(stage), busy);
        }
    }

    /// Counts the time of an activation that ends now, which is a batch's if it had rows.
    pub fn worked(&self, stage: StageIndex, busy: Duration, had_rows: bool) {
        self.stages.borrow_mut()[stage].worked(busy, had_rows);
        if had_rows {
            self.span(Task::Stage(stage), busy);
        }
    }

    /// The same of one that began at `start`; `None` where nobody knows.
    pub fn worked_from(&self, stage: StageIndex, start: Option<Instant>, busy: Duration, had_rows: bool) {
        self.stages.borrow_mut()[stage].worked(busy, had_rows);
        if let Some(start) = start.filter(|_| had_rows) {
            self.span_from(Task::Stage(stage), start, busy);
        }
    }

    /// Notes a dataflow that ends now.
    pub fn chunk_done(&self, chunk: u64, wall: Duration) {
        self.span(Task::Chunk(chunk), wall);
    }

    /// Counts time in which nothing was there to work on.
    pub fn waited(&self, stage: StageIndex, waiting: Duration) {
        self.stages.borrow_mut()[stage].waiting += waiting;
    }

    /// Time spent waiting so far, whatever the stage.
    pub fn waiting(&self) -> Duration {
        self.stages.borrow().iter().map(|meter| meter.waiting).sum()
    }

    /// Shows how far this worker is in its dataflow: of its time so far it waited this long.
    pub fn show(&self, total: &MeterTotals, worker: usize, wall: Duration, waiting: Duration) {
        let sums = |meter: &Meter| Sums {
            rows_in: meter.rows_in,
            rows_out: meter.rows_out,
            busy: meter.busy,
            waiting: meter.waiting,
        };
        let stages = self.stages.borrow().iter().map(sums).collect();
        total.change(|totals| {
            if totals.running.len() <= worker {
                totals.running.resize_with(worker + 1, Running::default);
            }
            let waiting = waiting.min(wall);
            totals.running[worker] = Running { stages, busy: wall - waiting, waiting };
        });
    }

    /// Adds this worker's figures to the run's.
    pub fn merge_into(&self, total: &MeterTotals, worker: usize) {
        total.change(|totals| {
            // What was shown of it meanwhile is part of them.
            if let Some(running) = totals.running.get_mut(worker) {
                *running = Running::default();
            }
            for (into, from) in totals.stages.iter_mut().zip(self.stages.borrow().iter()) {
                into.merge(from);
            }
        });
        if let Some(spans) = &self.spans {
            spans.log.keep(spans.kept.take());
        }
    }
}

/// The figures of a whole run.
pub(crate) struct MeterTotals {
    /// When they began to be counted.
    zero: Instant,
    totals: Mutex<Totals>,
    spans: Option<Arc<SpanLog>>,
}

#[derive(Default)]
struct Totals {
    stages: PerStage<Meter>,
    /// By source stage: reading and decompressing.
    readers: BTreeMap<StageIndex, Meter>,
    commit: Meter,
    workers: Vec<WorkerTime>,
    /// For each worker, how far it is in the dataflow that it works on.
    running: Vec<Running>,
}

/// How far a worker is in a dataflow.
#[derive(Default)]
struct Running {
    stages: PerStage<Sums>,
    busy: Duration,
    waiting: Duration,
}

/// A meter without its histogram.
#[derive(Clone, Copy, Default)]
struct Sums {
    rows_in: u64,
    rows_out: u64,
    busy: Duration,
    waiting: Duration,
}

/// How long a worker was busy, how long it waited, and how long it was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct WorkerTime {
    busy: Duration,
    waiting: Duration,
    lived: Duration,
}

impl Totals {
    fn worker(&mut self, index: usize) -> &mut WorkerTime {
        if self.workers.len() <= index {
            self.workers.resize(index + 1, WorkerTime::default());
        }
        &mut self.workers[index]
    }
}

impl MeterTotals {
    /// Totals at zero.
    pub fn new(stages: usize) -> MeterTotals {
        let totals = Totals { stages: PerStage::same(stages, Meter::default()), ..Totals::default() };
        MeterTotals { zero: Instant::now(), totals: Mutex::new(totals), spans: None }
    }

    /// The same of a run whose spans are kept if `traces`.
    pub fn traced(stages: usize, traces: bool) -> MeterTotals {
        MeterTotals { spans: traces.then(|| Arc::new(SpanLog::new())), ..MeterTotals::new(stages) }
    }

    /// Keeps a span that ended `ago`.
    fn span(&self, lane: impl Fn(&SpanLog) -> Lane, task: Task, busy: Duration, ago: Duration) {
        if let Some(log) = &self.spans
            && let Some(start) = Instant::now().checked_sub(busy + ago)
        {
            log.keep([log.span(lane(log), task, start, busy)]);
        }
    }

    /// What was done when, with the stages' names; `None` where nobody wanted to know.
    pub fn trace(&self, plan: &Plan) -> Option<Trace> {
        self.spans.as_ref().map(|log| log.trace(plan.stages.iter().map(|stage| stage.name.clone()).collect()))
    }

    fn change(&self, change: impl FnOnce(&mut Totals)) {
        change(&mut self.totals.locked());
    }

    /// Counts what a reader thread did for one chunk: reading it, and waiting for room for it.
    pub fn read(&self, source: StageIndex, busy: Duration, waiting: Duration) {
        self.change(|totals| {
            let reader = totals.readers.entry(source).or_default();
            reader.worked(busy, true);
            reader.waiting += waiting;
            reader.rows_out += 1;
        });
        self.span(SpanLog::reader, Task::Stage(source), busy, waiting);
    }

    /// Counts what the sink did with one batch.
    pub fn sink(&self, stage: StageIndex, busy: Duration, had_rows: bool) {
        self.change(|totals| totals.stages[stage].worked(busy, had_rows));
        if had_rows {
            self.span(|_| Lane::Sink, Task::Stage(stage), busy, Duration::ZERO);
        }
    }

    /// Counts how long the sink waited for a batch.
    pub fn sink_waited(&self, stage: StageIndex, waiting: Duration) {
        self.change(|totals| totals.stages[stage].waiting += waiting);
    }

    /// Counts one commit.
    pub fn committed(&self, stage: StageIndex, busy: Duration) {
        self.change(|totals| {
            totals.commit.worked(busy, true);
            totals.stages[stage].worked(busy, false);
        });
        self.span(|_| Lane::Sink, Task::Commit, busy, Duration::ZERO);
    }

    /// Counts one worker's time in one dataflow.
    pub fn worker(&self, index: usize, wall: Duration, waiting: Duration) {
        let waiting = waiting.min(wall);
        self.change(|totals| {
            let worker = totals.worker(index);
            worker.busy += wall - waiting;
            worker.waiting += waiting;
        });
    }

    /// Notes how long a worker's thread was there.
    pub fn worker_lived(&self, index: usize, lived: Duration) {
        self.change(|totals| totals.worker(index).lived += lived);
    }
}

/// The figures of a run by stage, reader and worker.
pub(crate) struct Figures {
    pub stages: Vec<StageReport>,
    pub readers: Vec<ReaderReport>,
    pub workers: Vec<WorkerReport>,
    pub commit: TimeReport,
}

/// The figures so far.
pub(crate) fn figures(plan: &Plan, run: &RunContext) -> Figures {
    let zero = run.totals.zero;
    let totals = run.totals.totals.locked();
    let stage = |(stage, meter): (&PlannedStage, &Meter)| StageReport {
        name: stage.name.clone(),
        rows_in: meter.rows_in,
        rows_out: meter.rows_out,
        times: meter.times(zero),
    };
    let reader = |(stage, meter): (&StageIndex, &Meter)| ReaderReport {
        name: plan.stages[*stage].name.clone(),
        chunks: meter.rows_out,
        times: meter.times(zero),
    };
    let worker = |(worker, time): (usize, &WorkerTime)| WorkerReport {
        worker,
        busy_s: time.busy.as_secs_f64(),
        wait_s: time.waiting.as_secs_f64(),
        lived_s: time.lived.as_secs_f64(),
    };
    Figures {
        stages: plan.stages.iter().zip(totals.stages.iter()).map(stage).collect(),
        readers: totals.readers.iter().map(reader).collect(),
        workers: totals.workers.iter().enumerate().map(worker).collect(),
        commit: totals.commit.times(zero),
    }
}

/// What stages, readers and workers have done so far, that of unfinished dataflows included.
pub(crate) fn so_far(plan: &Plan, run: &RunContext) -> (Vec<StageProgress>, BusyProgress, BusyProgress) {
    let totals = run.totals.totals.locked();
    let times =
        |busy: Duration, waiting: Duration| BusyProgress { busy_s: busy.as_secs_f64(), wait_s: waiting.as_secs_f64() };
    let stage = |(at, meter): (StageIndex, &Meter)| {
        let mut sums =
            Sums { rows_in: meter.rows_in, rows_out: meter.rows_out, busy: meter.busy, waiting: meter.waiting };
        for running in totals.running.iter().filter_map(|running| running.stages.get(at)) {
            sums.rows_in += running.rows_in;
            sums.rows_out += running.rows_out;
            sums.busy += running.busy;
            sums.waiting += running.waiting;
        }
        let name = plan.stages[at].name.clone();
        StageProgress { name, rows_in: sums.rows_in, rows_out: sums.rows_out, times: times(sums.busy, sums.waiting) }
    };
    let sum = |all: &mut dyn Iterator<Item = (Duration, Duration)>| {
        let (busy, waiting) = all.fold(<(Duration, Duration)>::default(), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        times(busy, waiting)
    };
    let readers = sum(&mut totals.readers.values().map(|meter| (meter.busy, meter.waiting)));
    let running = totals.running.iter().map(|running| (running.busy, running.waiting));
    let workers = sum(&mut totals.workers.iter().map(|worker| (worker.busy, worker.waiting)).chain(running));
    (totals.stages.indexed().map(stage).collect(), readers, workers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGE: StageIndex = StageIndex::new(0);

    #[test]
    fn what_is_shown_of_a_dataflow_is_not_counted_twice() {
        let (meters, total) = (Meters::new(1), MeterTotals::new(1));
        meters.add(STAGE, 3, 2, Some(Duration::from_secs(1)));
        meters.show(&total, 1, Duration::from_secs(4), Duration::from_secs(3));
        total.change(|totals| {
            assert_eq!(totals.running[1].stages[STAGE].rows_in, 3);
            assert_eq!((totals.running[1].busy, totals.running[1].waiting.as_secs()), (Duration::from_secs(1), 3));
        });
        meters.merge_into(&total, 1);
        total.change(|totals| {
            assert!(totals.stages[STAGE].rows_in == 3 && totals.running[1].stages.get(STAGE).is_none())
        });
    }

    #[test]
    fn activations_without_rows_are_no_batches() {
        let meters = Meters::new(1);
        for _ in 0..1_000 {
            meters.worked(STAGE, Duration::from_micros(2), false);
        }
        meters.worked(STAGE, Duration::from_micros(900), true);
        meters.add(STAGE, 3, 2, Some(Duration::from_micros(300)));
        meters.waited(STAGE, Duration::from_millis(5));
        let total = MeterTotals::new(1);
        meters.merge_into(&total, 0);
        total.change(|totals| {
            let meter = &totals.stages[STAGE];
            let times = meter.times(Instant::now());
            assert_eq!((meter.rows_in, meter.rows_out, times.seconds, times.wait_s), (3, 2, 0.0032, 0.005));
            // Two significant digits.
            assert!((298..=302).contains(&times.p50_us) && (895..=905).contains(&times.max_us), "{times:?}");
            assert_eq!((times.p90_us, times.p99_us), (times.max_us, times.max_us));
        });
    }

    #[test]
    fn busy_and_waiting_are_the_whole_of_a_workers_time() {
        let total = MeterTotals::new(1);
        total.worker(1, Duration::from_secs(3), Duration::from_secs(1));
        total.worker(1, Duration::from_secs(1), Duration::from_secs(2));
        total.worker_lived(1, Duration::from_secs(4));
        total.change(|totals| {
            let of = Duration::from_secs;
            let second = WorkerTime { busy: of(2), waiting: of(2), lived: of(4) };
            assert_eq!(totals.workers, [WorkerTime::default(), second]);
        });
    }
}
