//! The workers of a run: threads that live as long as the run computes, and take chunk after chunk.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use timely::{communication::WorkerGuards, worker::Worker};

use crate::{
    error::RunError,
    flow::{RunContext, dataflow},
    state::Snapshot,
};

/// How long an idle worker sleeps before it looks whether the run is to end.
const PARK: Duration = Duration::from_millis(5);
/// How often a worker shows how far it is.
const SHOWN_EVERY: Duration = Duration::from_millis(100);

/// A chunk to be computed, and the state before it.
#[derive(Clone)]
struct Command {
    chunk: u64,
    before: Arc<Snapshot>,
}

/// The workers of a run. Dropping them ends their threads.
pub(crate) struct Workers {
    run: Arc<RunContext>,
    commands: Vec<Sender<Command>>,
    done: Receiver<()>,
    guards: Option<WorkerGuards<()>>,
}

impl Workers {
    /// Starts the threads; they wait.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub fn start(run: &Arc<RunContext>) -> Result<Workers, RunError> {
        let config = match run.workers {
            1 => timely::Config::thread(),
            workers => timely::Config::process(workers),
        };
        let (commands, waiting): (Vec<_>, Vec<_>) = (0..run.workers.max(1)).map(|_| bounded::<Command>(1)).unzip();
        let (finished, done) = unbounded();
        let shared = Arc::clone(run);
        let guards = timely::execute(config, move |worker| {
            let born = Instant::now();
            loop {
                let asked = Instant::now();
                let command = waiting[worker.index()].recv();
                shared.totals.worker(worker.index(), asked.elapsed(), asked.elapsed());
                let Ok(Command { chunk, before }) = command else {
                    shared.totals.worker_lived(worker.index(), born.elapsed());
                    return;
                };
                shared.abort.guard("a worker", || work(worker, &shared, &before, chunk));
                drop(before);
                let is_raised = shared.abort.is_raised();
                // Timely goes on stepping whatever is left, and would wait for ever for workers that have given up.
                if is_raised {
                    for dataflow in worker.installed_dataflows() {
                        worker.drop_dataflow(dataflow);
                    }
                }
                let _ = finished.send(());
                if is_raised {
                    return;
                }
            }
        })
        .map_err(|error| RunError::internal(format!("worker threads could not be started: {error}")))?;
        Ok(Workers { run: Arc::clone(run), commands, done, guards: Some(guards) })
    }

    /// Runs one dataflow over what the feed holds for it, and one step of every retraction.
    ///
    /// # Errors
    /// Whatever ended the run.
    pub fn run_chunk(&mut self, chunk: u64) -> Result<(), RunError> {
        let before = self.run.session.snapshot();
        for worker in &self.commands {
            if worker.send(Command { chunk, before: Arc::clone(&before) }).is_err() {
                self.run.abort.check()?;
                return Err(RunError::internal("a worker is gone"));
            }
        }
        for _ in &self.commands {
            // Hung up when all workers have ended, which they do only when the run is to end.
            if self.done.recv().is_err() {
                break;
            }
        }
        self.run.abort.check()?;
        self.run.models.next_chunk();
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.commands.clear();
        for result in self.guards.take().into_iter().flat_map(WorkerGuards::join) {
            if let Err(error) = result {
                self.run.abort.raise(RunError::internal(error));
            }
        }
    }
}

fn work(worker: &mut Worker, run: &Arc<RunContext>, before: &Arc<Snapshot>, chunk: u64) -> Result<(), RunError> {
    let started = Instant::now();
    let (context, activity) = dataflow::install(worker, run, before, chunk)?;
    let mut shown = started;
    while worker.has_dataflows() {
        if run.abort.is_raised() {
            return Ok(());
        }
        worker.step_or_park(Some(PARK));
        if shown.elapsed() >= SHOWN_EVERY {
            shown = Instant::now();
            let waiting = activity.parked() + context.meters.waiting();
            context.meters.show(&run.totals, context.index, shown - started, waiting);
        }
    }
    let parked = activity.end(worker);
    context.captured.borrow_mut().finish()?;
    run.totals.worker(context.index, started.elapsed(), parked + context.meters.waiting());
    context.meters.chunk_done(chunk, started.elapsed());
    context.meters.merge_into(&run.totals, context.index);
    Ok(())
}
