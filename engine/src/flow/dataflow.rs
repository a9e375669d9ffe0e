//! One dataflow: built on every worker in the same order.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc, time::Duration};

use timely::{
    dataflow::{Scope, StreamVec, operators::Concatenate},
    logging::TimelyEventBuilder,
    worker::Worker,
};

use crate::{
    contract::stage::Planned,
    differential::Side,
    error::RunError,
    flow::{
        Mode, RunContext, WorkerContext, aggregate, capture::Capture, ingest, join, meter::Meters, replay, table, view,
    },
    relational::Relational,
    rows::RowBatch,
    state::Snapshot,
};

/// Installs the dataflow of one chunk on one worker.
pub(crate) fn install(
    worker: &mut Worker,
    run: &Arc<RunContext>,
    before: &Arc<Snapshot>,
    chunk: u64,
) -> Result<WorkerContext, RunError> {
    let context = WorkerContext {
        run: Arc::clone(run),
        before: Arc::clone(before),
        meters: Meters::new(run.plan.stages.len()),
        index: worker.index(),
        peers: worker.peers(),
        captured: Rc::new(RefCell::new(Capture::new(run, chunk))),
    };
    time_relational_operators(worker, &context);
    worker.dataflow::<u64, _, _>(|scope| build(scope, &context))?;
    Ok(context)
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
    let mut sides: BTreeMap<(usize, Side), Vec<StreamVec<'scope, u64, join::SideRow>>> = BTreeMap::new();
    // Stages come after their inputs, so every stream is there when its reader is built.
    for (at, stage) in plan.stages.iter().enumerate() {
        let changes: Option<StreamVec<'scope, u64, RowBatch>> = match &stage.planned {
            Planned::Relational(Relational::Table(spec)) => match (rows.remove(&at), replayed.remove(&at)) {
                (Some(rows), _) => Some(table::render(rows, at, spec, context)),
                (None, replayed) => replayed,
            },
            Planned::Relational(Relational::Aggregate(_)) => match contributions.remove(&at) {
                Some(streams) => Some(aggregate::render(scope.concatenate(streams), at, context)?),
                None => None,
            },
            Planned::Relational(Relational::Join(_)) => {
                match (sides.remove(&(at, Side::Left)), sides.remove(&(at, Side::Right))) {
                    (Some(left), Some(right)) => {
                        Some(join::render(scope.concatenate(left), scope.concatenate(right), at, context)?)
                    }
                    _ => return Err(RunError::internal("a side of a join comes from nowhere")),
                }
            }
            _ => None,
        };
        if let Some(changes) = changes {
            let view::Outputs { to_aggregates, to_joins } = view::render(changes, at, context)?;
            for (aggregate, stream) in to_aggregates {
                contributions.entry(aggregate).or_default().push(stream);
            }
            for (side, stream) in to_joins {
                sides.entry(side).or_default().push(stream);
            }
        }
    }
    Ok(())
}

/// Relational operators carry their stage's name; timely's log tells how long they were busy.
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
                    if let Some(stage) = stages.get(&operates.name) {
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
