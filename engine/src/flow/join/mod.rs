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
use self::{
    layout::Nulls,
    pairs::{Joined, Pairing},
    side::Gatherer,
};
use crate::{
    contract::stage::Planned,
    differential::{self, Side},
    error::RunError,
    flow::{RunContext, Update, WorkerContext},
    relational::{JoinSpec, Relational},
};

/// The plan of a join stage.
pub(crate) fn spec(run: &RunContext, stage: usize) -> Result<&JoinSpec, RunError> {
    match &run.plan.stages[stage].planned {
        Planned::Relational(Relational::Join(spec)) => Ok(spec),
        _ => Err(RunError::internal("rows of a side came to a stage that is no join")),
    }
}

/// Renders a join: rows of both sides in, changes of the joined collection out.
pub(crate) fn render<'scope>(
    left: StreamVec<'scope, u64, SideRow>,
    right: StreamVec<'scope, u64, SideRow>,
    stage: usize,
    worker: &WorkerContext,
) -> Result<StreamVec<'scope, u64, Update>, RunError> {
    let name = format!("stage:{}", worker.run.plan.stages[stage].name);
    let right = side::gather(right, None, Gatherer::new(stage, Side::Right, worker)?, &name);
    // Frontier only: the left side sends when the right one has.
    let left = side::gather(left, Some(right.stream.clone()), Gatherer::new(stage, Side::Left, worker)?, &name);
    let pairing = Pairing::new(stage, worker, Nulls::of(worker, stage)?)?;
    let joined = differential::join(right, left, Rc::new(pairing));
    Ok(joined.unary::<CapacityContainerBuilder<Vec<Update>>, _, _, _>(Pipeline, &name, |_, _| {
        move |input, output| {
            input.for_each_time(|time, containers| {
                let mut session = output.session(&time);
                for container in containers {
                    let Joined { updates, .. } = std::mem::take(container);
                    session.give_iterator(updates.into_iter());
                }
            });
        }
    }))
}
