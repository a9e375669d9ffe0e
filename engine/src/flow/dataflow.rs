//! One dataflow: built on every worker in the same order.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc};

use timely::{
    dataflow::{Scope, StreamVec, operators::Concatenate},
    worker::Worker,
};

use crate::{
    contract::stage::Planned,
    differential::Side,
    error::RunError,
    flow::{
        Mode, RunContext, WorkerContext, activity::Activity, aggregate, capture::Capture, ingest, join, lookup,
        meter::Meters, replay, resident, table, top, view,
    },
    plan::StageIndex,
    relational::Relational,
    rows::RowBatch,
    state::Snapshot,
};

/// Installs the dataflow of one chunk on one worker, and listens to what its operators do.
pub(crate) fn install(
    worker: &mut Worker,
    run: &Arc<RunContext>,
    before: &Arc<Snapshot>,
    chunk: u64,
) -> Result<(WorkerContext, Activity), RunError> {
    let context = WorkerContext {
        run: Arc::clone(run),
        before: Arc::clone(before),
        meters: Meters::of(run.plan.stages.len(), worker.index(), &run.totals),
        index: worker.index(),
        peers: worker.peers(),
        captured: Rc::new(RefCell::new(Capture::new(run, chunk))),
    };
    let activity = Activity::of(worker, &run.plan, &context.meters);
    worker.dataflow::<u64, _, _>(|scope| build(scope, &context))?;
    Ok((context, activity))
}

fn build<'scope>(scope: Scope<'scope, u64>, context: &WorkerContext) -> Result<(), RunError> {
    let plan = Arc::clone(&context.run.plan);
    let mut rows = BTreeMap::new();
    let mut replayed = BTreeMap::new();
    match context.run.mode {
        Mode::Load => rows = ingest::render(scope, context)?,
        Mode::Replay => replayed = replay::render(scope, context),
    }
    let mut contributions: BTreeMap<StageIndex, Vec<StreamVec<'scope, u64, aggregate::Contribution>>> = BTreeMap::new();
    let mut sides: BTreeMap<(StageIndex, Side), Vec<StreamVec<'scope, u64, join::SideRow>>> = BTreeMap::new();
    let mut residents: BTreeMap<(StageIndex, Side), Vec<StreamVec<'scope, u64, resident::ResidentRow>>> =
        BTreeMap::new();
    let mut wishes: BTreeMap<StageIndex, Vec<StreamVec<'scope, u64, lookup::Wish>>> = BTreeMap::new();
    // Stages come after their inputs, so every stream is there when its reader is built.
    for (at, stage) in plan.stages.indexed() {
        let changes: Option<StreamVec<'scope, u64, RowBatch>> = match &stage.planned {
            Planned::Relational(Relational::Table(spec)) => match (rows.remove(&at), replayed.remove(&at)) {
                (Some(rows), _) => Some(table::render(rows, at, spec, context)),
                (None, replayed) => replayed,
            },
            Planned::Relational(Relational::Aggregate(_)) => match contributions.remove(&at) {
                Some(streams) => Some(aggregate::render(scope.concatenate(streams), at, context)?),
                None => None,
            },
            Planned::Relational(Relational::Lookup(_)) => match wishes.remove(&at) {
                Some(streams) => Some(lookup::render(scope.concatenate(streams), at, context)?),
                None => None,
            },
            Planned::Relational(Relational::Top(_)) => match contributions.remove(&at) {
                Some(streams) => Some(top::render(scope.concatenate(streams), at, context)?),
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
            Planned::Relational(Relational::Resident(_)) => {
                match (residents.remove(&(at, Side::Left)), residents.remove(&(at, Side::Right))) {
                    (Some(left), Some(right)) => {
                        Some(resident::render(scope.concatenate(left), scope.concatenate(right), at, context)?)
                    }
                    _ => return Err(RunError::internal("a resident side comes from nowhere")),
                }
            }
            _ => None,
        };
        if let Some(changes) = changes {
            let view::Outputs { to_grouped, to_joins, to_residents, to_lookups } = view::render(changes, at, context)?;
            for (reader, stream) in to_grouped {
                contributions.entry(reader).or_default().push(stream);
            }
            for (side, stream) in to_joins {
                sides.entry(side).or_default().push(stream);
            }
            for (lookup, stream) in to_lookups {
                wishes.entry(lookup).or_default().push(stream);
            }
            for (side, stream) in to_residents {
                residents.entry(side).or_default().push(stream);
            }
        }
    }
    Ok(())
}
