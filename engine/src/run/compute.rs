//! Reader threads, dataflows chunk by chunk, and the figures of it all.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crossbeam_channel::unbounded;
use vardelta_schemas::ledger::Epoch;

use crate::{
    epoch::{
        ahead::{Ahead, Sent},
        context::Context,
        plane::{LocalPlane, Plane, SharedState},
    },
    error::{RunError, RunErrorKind},
    event::RunEvent,
    failpoint,
    flow::{
        Mode, RunContext, RunParts,
        feed::{self, Feed, Item, Load, ReadingOrder},
        lookup::forget_orphans,
        meter::so_far,
        table::Retraction,
    },
    locks::Locked as _,
    plan::dimensions::right_sides,
    report::{FileProgress, Progress},
    run::asking::{Asking, Questions},
    state::Session,
};

/// Files read at the same time, at the most.
const READERS_MAX: usize = 4;
/// Chunks after which the state's runs are merged, so that look-ups stay cheap.
const CHUNKS_BETWEEN_MERGES: u64 = 8;
/// Where rows go to the sink ahead, the first chunk is this part of the others: the sink has work so much sooner.
const FIRST_CHUNK_PART: u64 = 4;
/// How often the observer hears how far the run is.
const TICK: Duration = Duration::from_millis(100);

/// What is to be computed.
pub(crate) struct Work {
    pub state: SharedState,
    pub session: Arc<Session>,
    pub epoch: Epoch,
    pub workers: usize,
    pub loads: Vec<Load>,
    pub retractions: Vec<Retraction>,
    pub spill_dir: PathBuf,
}

impl Work {
    /// An epoch on top of a state, in which nothing happens yet.
    pub fn on(state: &SharedState, epoch: Epoch, workers: usize, spill_dir: PathBuf) -> Result<Work, RunError> {
        let (state, session) = (Arc::clone(state), state.locked().begin()?);
        Ok(Work { state, session, epoch, workers, loads: Vec::new(), retractions: Vec::new(), spill_dir })
    }
}

/// Sends rows of tables into the feed.
pub(crate) type RowSource<'a> =
    dyn FnOnce(&RunContext, &mut dyn FnMut(Item) -> bool) -> Result<(), RunError> + Send + 'a;

/// Loads drops and takes others back.
pub(crate) fn load(context: Context<'_>, work: Work) -> Result<Box<dyn Plane>, RunError> {
    load_ahead(context, work, None, None).map(|(plane, _)| plane)
}

/// Loads drops and takes others back, while the sink takes the rows that may go ahead, and services are asked for what is
/// looked up, where they may be.
pub(crate) fn load_ahead(
    context: Context<'_>,
    work: Work,
    ahead: Option<Ahead<'_>>,
    questions: Option<Questions>,
) -> Result<(Box<dyn Plane>, Sent), RunError> {
    let (sender, feed) = Feed::channel(work.workers);
    let plane = prepare(context, work, Mode::Load, feed)?;
    let run = Arc::clone(plane.run());
    let (done, order) = (AtomicBool::new(false), &reading_order(&run));
    // Numbers wait here, not rows: a sink that is slower than the workers costs no memory.
    let (finished, to_write) = unbounded();
    let mut written = Sent::default();
    std::thread::scope(|scope| {
        let ticking = scope.spawn(|| tick(context, &run, &done));
        let readers = run.loads.len().min(READERS_MAX).min(run.workers.max(1));
        let decompression_threads = (run.workers / readers.max(1)).max(1);
        for _ in 0..readers {
            let (sender, run) = (sender.clone(), Arc::clone(&run));
            scope.spawn(move || {
                run.abort.guard("a reader", || {
                    let RunContext { plan, loads, totals, abort, .. } = &*run;
                    feed::read_files(plan, loads, order, decompression_threads, &sender, totals, abort)
                });
            });
        }
        drop(sender);
        let first_part = if ahead.is_some() { FIRST_CHUNK_PART } else { 1 };
        let writer = ahead.map(|ahead| scope.spawn(|| ahead.write(plane.as_ref(), &to_write)));
        // Where nobody writes ahead, or not any more, the rows wait for the end.
        let mut asking = questions.map(|questions| Asking::start(scope, &run, questions));
        let result = chunks(context, plane.as_ref(), first_part, asking.as_mut(), |chunk| {
            let _ = finished.send(chunk);
        });
        if let Err(error) = result {
            run.abort.raise(error);
        }
        drop(asking);
        drop(finished);
        if let Some(writer) = writer {
            written = writer.join().unwrap_or_default();
        }
        done.store(true, Ordering::Release);
        ticking.thread().unpark();
    });
    run.abort.check()?;
    for load in &run.loads {
        let counts = load.records.counts();
        let read = load.records_read.load(Ordering::Relaxed);
        if counts.read != read {
            return Err(RunError::internal(format!(
                "of the {read} records of drop `{}`, {} are accounted for",
                load.name, counts.read
            )));
        }
    }
    hand_over_rejects(context, &run)?;
    Ok((plane, written))
}

/// The loads in the order in which they are read: the right sides of joins first, otherwise as they are given.
fn reading_order(run: &RunContext) -> ReadingOrder {
    let is_right = right_sides(&run.plan);
    let mut order: Vec<usize> = (0..run.loads.len()).collect();
    order.sort_by_key(|load| !is_right[run.loads[*load].source]);
    ReadingOrder::new(order)
}

/// Gives the observer every reject, before anything is judged by them or written.
fn hand_over_rejects(context: Context<'_>, run: &RunContext) -> Result<(), RunError> {
    let mut notes = run.notes.locked();
    // Which worker was first decides nothing that anybody sees.
    notes
        .rejects
        .sort_by(|a, b| (a.drop_id, a.line, &a.stage, &a.detail).cmp(&(b.drop_id, b.line, &b.stage, &b.detail)));
    let Some(log) = &mut notes.log else { return Ok(()) };
    log.read(&mut |reject| context.observer.reject(run.epoch, &reject))
        .map_err(|error| RunError::new(RunErrorKind::Sink, format!("the list of rejects cannot be written: {error}")))
}

/// Replays rows of tables into the views after them.
pub(crate) fn replay(context: Context<'_>, work: Work, rows: Box<RowSource<'_>>) -> Result<Box<dyn Plane>, RunError> {
    let (sender, feed) = Feed::channel(work.workers);
    let plane = prepare(context, work, Mode::Replay, feed)?;
    let run = Arc::clone(plane.run());
    std::thread::scope(|scope| {
        let shared = Arc::clone(&run);
        scope.spawn(move || {
            let run = shared;
            run.abort.guard("the thread that reads tables back", || {
                rows(&run, &mut |item| feed::send(&sender, item, &run.abort))
            });
        });
        if let Err(error) = chunks(context, plane.as_ref(), 1, None, |_| ()) {
            run.abort.raise(error);
        }
    });
    run.abort.check()?;
    forget_orphans(&run.plan, &run.session)?;
    clear_replayed_sides(&run);
    Ok(plane)
}

/// While tables are replayed, joins keep those sides too that lie in a table's state otherwise.
fn clear_replayed_sides(run: &RunContext) {
    for stage in &run.plan.stages {
        let Some(relation) = stage.relation() else { continue };
        relation.replayed_spaces(&stage.name).iter().for_each(|space| run.session.clear_space(space));
    }
}

fn prepare(context: Context<'_>, work: Work, mode: Mode, feed: Feed) -> Result<Box<dyn Plane>, RunError> {
    let state = work.state;
    let parts = RunParts {
        plan: Arc::new(context.plan.clone()),
        mode,
        epoch: work.epoch,
        workers: work.workers,
        session: work.session,
        abort: context.abort.clone(),
        loads: work.loads,
        retractions: work.retractions,
        feed,
        spill_dir: work.spill_dir,
        logs_rejects: context.observer.wants_rejects(),
        traces: context.observer.wants_trace(),
    };
    Ok(Box::new(LocalPlane::begin(state, parts)?))
}

/// Runs chunk after chunk; `finished` hears of each after which another one comes from the feed.
fn chunks(
    context: Context<'_>,
    plane: &dyn Plane,
    first_part: u64,
    asking: Option<&mut Asking<'_, '_>>,
    finished: impl Fn(u64),
) -> Result<(), RunError> {
    let computed = every_chunk(context, plane, first_part, asking, finished);
    plane.rest();
    computed
}

fn every_chunk(
    context: Context<'_>,
    plane: &dyn Plane,
    first_part: u64,
    mut asking: Option<&mut Asking<'_, '_>>,
    finished: impl Fn(u64),
) -> Result<(), RunError> {
    let run = plane.run();
    let compute = |chunk: u64| -> Result<(), RunError> {
        let started = Instant::now();
        plane.chunk(chunk)?;
        let records = run.loads.iter().map(|load| load.records_read.load(Ordering::Relaxed)).sum();
        let seconds = started.elapsed().as_secs_f64();
        context.observer.event(&RunEvent::ChunkDone { chunk, records, seconds });
        Ok(())
    };
    let (mut chunk, mut records) = (0, run.chunk_records.div_ceil(first_part));
    while run.feed.refill(records, &run.abort)? {
        records = run.chunk_records;
        if chunk > 0 {
            finished(chunk - 1);
        }
        compute(chunk)?;
        chunk += 1;
        asking.as_mut().map_or(Ok(()), |asking| asking.ask())?;
        tidy(run, chunk)?;
    }
    // One dataflow runs in any case: an aggregate over everything has a row also when nothing came.
    while chunk == 0 || run.retractions.iter().any(|retraction| !retraction.is_done()) {
        compute(chunk)?;
        chunk += 1;
        tidy(run, chunk)?;
    }
    // Look-ups after look-ups want more when the first ones are answered: never oftener than there are look-ups.
    for _ in run.lookups.all() {
        let Some(asking) = &mut asking else { break };
        asking.ask()?;
        asking.wait()?;
        if !run.lookups.has_answers() {
            break;
        }
        failpoint::hit("lookup:answered");
        compute(chunk)?;
        chunk += 1;
        failpoint::hit("lookup:computed");
    }
    run.lookups.forget_unwanted(&run.session)
}

/// Merges state runs now and then during a long load; the rest is merged while the sink takes the rows.
fn tidy(run: &RunContext, chunk: u64) -> Result<(), RunError> {
    if chunk.is_multiple_of(CHUNKS_BETWEEN_MERGES) {
        run.session.compact()?;
    }
    Ok(())
}

fn tick(context: Context<'_>, run: &RunContext, done: &AtomicBool) {
    while !done.load(Ordering::Acquire) && !run.abort.is_raised() {
        let files = run.loads.iter().map(|load| FileProgress {
            name: load.name.clone(),
            bytes: load.stamp.bytes,
            position_bytes: load.position_bytes.load(Ordering::Relaxed),
            records: load.records_read.load(Ordering::Relaxed),
            rejected: load.rejected.load(Ordering::Relaxed),
        });
        let (rejects, warnings) = {
            let notes = run.notes.locked();
            (notes.reject_counts.clone(), notes.warnings.counts())
        };
        let (stages, readers, workers) = so_far(context.plan, run);
        context.observer.progress(&Progress {
            phase: "loading",
            files: files.collect(),
            rejects,
            warnings,
            stages,
            readers,
            workers,
            queue: Some(run.feed.fill()),
            filling: None,
        });
        // Whoever is done wakes it, so that a short run does not wait for its progress line.
        std::thread::park_timeout(TICK);
    }
}
