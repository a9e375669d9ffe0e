//! One dataflow: built on every worker in the same order, run to its end, its changes handed over as sorted runs.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc, time::Duration};

use timely::{
    dataflow::{Scope, StreamVec, operators::Concatenate},
    logging::TimelyEventBuilder,
    worker::Worker,
};

use crate::{
    changes::RunBuilder,
    contract::stage::Planned,
    error::{RunError, RunErrorKind},
    flow::{Mode, RunContext, Update, WorkerContext, aggregate, ingest, meter::Meters, replay, table, view},
    relational::Relational,
    state::Snapshot,
};

/// How long an idle worker sleeps before it looks whether the run is to end.
const PARK: Duration = Duration::from_millis(5);

/// Runs one dataflow over what the feed holds for it, and one step of every retraction.
pub(crate) fn run_chunk(run: &Arc<RunContext>, chunk: u64) -> Result<(), RunError> {
    let config = match run.workers {
        1 => timely::Config::thread(),
        workers => timely::Config::process(workers),
    };
    let (shared, before) = (Arc::clone(run), run.session.snapshot());
    let guards = timely::execute(config, move |worker| {
        shared.abort.guard("a worker", || work(worker, &shared, &before, chunk));
        // Timely goes on stepping whatever is left, and would wait for ever for workers that have given up.
        if shared.abort.is_raised() {
            for dataflow in worker.installed_dataflows() {
                worker.drop_dataflow(dataflow);
            }
        }
    })
    .map_err(|error| RunError::internal(format!("worker threads could not be started: {error}")))?;
    for result in guards.join() {
        if let Err(error) = result {
            run.abort.raise(RunError::internal(error));
        }
    }
    run.abort.check()
}

fn work(worker: &mut Worker, run: &Arc<RunContext>, before: &Arc<Snapshot>, chunk: u64) -> Result<(), RunError> {
    let tables = run.plan.tables().len();
    let context = WorkerContext {
        run: Arc::clone(run),
        before: Arc::clone(before),
        meters: Meters::new(run.plan.stages.len()),
        index: worker.index(),
        peers: worker.peers(),
        captured: Rc::new(RefCell::new(vec![Vec::new(); tables])),
    };
    time_relational_operators(worker, &context);
    worker.dataflow::<u64, _, _>(|scope| build(scope, &context))?;
    while worker.has_dataflows() {
        if run.abort.is_raised() {
            return Ok(());
        }
        worker.step_or_park(Some(PARK));
    }
    // The log closure holds the meters as well; it ends here, so that the figures are complete.
    if let Some(mut registry) = worker.log_register() {
        registry.remove("timely");
    }
    for (table, updates) in context.captured.borrow_mut().drain(..).enumerate() {
        let built = RunBuilder::fold(updates).map_err(|key| two_rows(run, table, &key))?;
        run.changes.push(table, chunk, built).map_err(|error| {
            RunError::new(
                RunErrorKind::Sink,
                format!("the changes cannot be kept beside the state: {error}; nothing was written"),
            )
            .with_hint("Make room on that disk, or point `state_dir` elsewhere.")
        })?;
    }
    context.meters.merge_into(&run.totals);
    Ok(())
}

fn two_rows(run: &RunContext, table: usize, key: &[u8]) -> RunError {
    let stage = run.plan.stages[run.plan.sink].inputs[table];
    let key = run.layout(stage).map(|layout| layout.describe_key(key)).unwrap_or_default();
    RunError::internal(format!("stage `{}` yielded two rows for {key}", run.plan.stages[stage].name))
}

fn build<'scope>(scope: Scope<'scope, u64>, context: &WorkerContext) -> Result<(), RunError> {
    let plan = Arc::clone(&context.run.plan);
    let mut rows = BTreeMap::new();
    let mut replayed = BTreeMap::new();
    match context.run.mode {
        Mode::Load => rows = ingest::render(scope, context)?,
        Mode::Replay => replayed = replay::render(scope, context),
    }
    let mut contributions: BTreeMap<usize, Vec<StreamVec<'scope, u64, aggregate::Contribution>>> = BTreeMap::new();
    // Stages come after their inputs, so every stream is there when its reader is built.
    for (at, stage) in plan.stages.iter().enumerate() {
        let changes: Option<StreamVec<'scope, u64, Update>> = match &stage.planned {
            Planned::Relational(Relational::Table(spec)) => match (rows.remove(&at), replayed.remove(&at)) {
                (Some(rows), _) => Some(table::render(rows, at, spec, context)),
                (None, replayed) => replayed,
            },
            Planned::Relational(Relational::Aggregate(_)) => match contributions.remove(&at) {
                Some(streams) => Some(aggregate::render(scope.concatenate(streams), at, context)?),
                None => None,
            },
            _ => None,
        };
        if let Some(changes) = changes {
            for (aggregate, stream) in view::render(changes, at, context)? {
                contributions.entry(aggregate).or_default().push(stream);
            }
        }
    }
    Ok(())
}

/// Differential's operators carry their stage's name; timely's log tells how long they were busy.
fn time_relational_operators(worker: &mut Worker, context: &WorkerContext) {
    use timely::logging::{StartStop, TimelyEvent};
    let stages: BTreeMap<String, usize> =
        context.run.plan.stages.iter().enumerate().map(|(at, stage)| (format!("stage:{}", stage.name), at)).collect();
    let meters = context.meters.clone();
    let mut operators: BTreeMap<usize, usize> = BTreeMap::new();
    let mut started: BTreeMap<usize, Duration> = BTreeMap::new();
    let Some(mut registry) = worker.log_register() else { return };
    registry.insert::<TimelyEventBuilder, _>("timely", move |_, events| {
        for (time, event) in events.iter_mut().flat_map(|events| events.drain(..)) {
            match event {
                TimelyEvent::Operates(operates) => {
                    let name = operates.name.trim_start_matches("Arrange: ");
                    if let Some(stage) = stages.get(name) {
                        operators.insert(operates.id, *stage);
                    }
                }
                TimelyEvent::Schedule(schedule) => match schedule.start_stop {
                    StartStop::Start => {
                        started.insert(schedule.id, time);
                    }
                    StartStop::Stop => {
                        let start = started.remove(&schedule.id);
                        if let (Some(start), Some(stage)) = (start, operators.get(&schedule.id)) {
                            meters.busy(*stage, time.saturating_sub(start));
                        }
                    }
                },
                _ => {}
            }
        }
    });
}
