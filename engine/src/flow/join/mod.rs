//! `join` at work: rows of two inputs side by side, exact under every change of either.
//!
//! Each side is gathered by its `on` columns (see [`side`]); differential's join driver says which changes meet which rows, and
//! [`pairs`] makes the output rows, reading the stored side as it goes. A left join is an inner one against the *completed*
//! right side (see [`complete`]).
//!
//! The right side's changes come first. So a new left row meets the right side as it is after the chunk, and comes out once.

mod complete;
mod layout;
mod pairs;
mod side;
mod stored;

use std::rc::Rc;

use timely::{
    container::CapacityContainerBuilder,
    dataflow::{StreamVec, channels::pact::Pipeline, operators::generic::operator::Operator},
};

pub(crate) use self::layout::{SideLayout, SideRow};
use self::{layout::Nulls, pairs::Pairing, side::Keeper};
use crate::{
    contract::stage::Planned,
    differential::{self, Side, arrange_after, arrange_finished},
    error::RunError,
    flow::{RunContext, WorkerContext},
    plan::StageIndex,
    relational::{JoinSpec, Relational},
    rows::RowBatch,
};

/// The plan of a join stage.
pub(crate) fn spec(run: &RunContext, stage: StageIndex) -> Result<&JoinSpec, RunError> {
    match &run.plan.stages[stage].planned {
        Planned::Relational(Relational::Join(spec)) => Ok(spec),
        _ => Err(RunError::internal("rows of a side came to a stage that is no join")),
    }
}

/// Renders a join: rows of both sides in, changes of the joined collection out.
pub(crate) fn render<'scope>(
    left: StreamVec<'scope, u64, SideRow>,
    right: StreamVec<'scope, u64, SideRow>,
    stage: StageIndex,
    worker: &WorkerContext,
) -> Result<StreamVec<'scope, u64, RowBatch>, RunError> {
    let name = format!("stage:{}", worker.run.plan.stages[stage].name);
    let [left_keeper, right_keeper] = [Side::Left, Side::Right].map(|side| Keeper::new(stage, side, worker));
    let (left_keeper, right_keeper) = (left_keeper?, right_keeper?);
    let to = |row: &SideRow| u64::from(row.shard);
    let right = arrange_finished(right, &name, &worker.before, to, move |rows| right_keeper.keep(rows));
    let first = right.stream.clone();
    let left = arrange_after(left, first, &name, &worker.before, to, move |rows| left_keeper.keep(rows));
    let pairing = Pairing::new(stage, worker, Nulls::of(worker, stage)?)?;
    let joined = differential::join(right, left, Rc::new(pairing));
    Ok(joined.unary::<CapacityContainerBuilder<Vec<RowBatch>>, _, _, _>(Pipeline, &name, |_, _| {
        move |input, output| {
            input.for_each_time(|time, containers| {
                let mut session = output.session(&time);
                for container in containers {
                    session.give(std::mem::take(container).0);
                }
            });
        }
    }))
}
