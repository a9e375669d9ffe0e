//! Left rows annotated by a resident model, exact under every change of either side.
//!
//! Forward: a left row that goes is annotated by the model before the chunk, one that comes by the model after it. Backward: where
//! the model changed, the left rows in its reaches are read from the state, and those whose annotation differs are taken back
//! and put in place. Rows that the chunk changed itself are left to the first part. Together that is the bilinear rule of a join,
//! with all that a model says of a row as one function.

mod gather;
mod layout;
mod model;
mod reaches;
mod store;

use timely::{
    container::CapacityContainerBuilder,
    dataflow::{
        StreamVec,
        channels::pact::{Exchange, Pipeline},
        operators::{generic::operator::Operator, vec::Broadcast as _},
    },
};

use self::gather::Annotating;
pub(crate) use self::{
    layout::{ResidentRow, ResidentSide},
    model::Models,
};
use crate::{
    contract::stage::Planned,
    error::RunError,
    flow::{INCOMING, RunContext, WorkerContext},
    plan::StageIndex,
    relational::{Relational, ResidentSpec},
    rows::RowBatch,
};

/// The plan of a stage with a resident right side.
pub(crate) fn spec(run: &RunContext, stage: StageIndex) -> Result<&ResidentSpec, RunError> {
    match &run.plan.stages[stage].planned {
        Planned::Relational(Relational::Resident(spec)) => Ok(spec),
        _ => Err(RunError::internal("rows came to a stage that has no resident side")),
    }
}

/// Renders the operator: rows of both sides in, changes of the annotated collection out.
pub(crate) fn render<'scope>(
    left: StreamVec<'scope, u64, ResidentRow>,
    right: StreamVec<'scope, u64, ResidentRow>,
    stage: StageIndex,
    worker: &WorkerContext,
) -> Result<StreamVec<'scope, u64, RowBatch>, RunError> {
    let name = format!("stage:{}", worker.run.plan.stages[stage].name);
    let mut annotating = Annotating::new(stage, worker)?;
    let scope = left.scope();
    let exchange = Exchange::new(|row: &ResidentRow| u64::from(row.shard));
    Ok(left.binary_frontier::<_, CapacityContainerBuilder<Vec<RowBatch>>, _, _, _, _>(
        right.broadcast(),
        exchange,
        Pipeline,
        &name,
        move |mut capability, info| {
            capability.downgrade(&INCOMING);
            let mut capability = Some(capability);
            let activator = scope.activator_for(info.address);
            move |(left, left_frontier), (right, right_frontier), output| {
                left.for_each(|_, rows| annotating.left.append(rows));
                right.for_each(|_, rows| annotating.right.append(rows));
                if !left_frontier.is_empty() || !right_frontier.is_empty() {
                    return;
                }
                let Some(held) = &capability else { return };
                match annotating.step() {
                    Ok(Some(changes)) => {
                        if !changes.is_empty() {
                            output.session(held).give(changes);
                        }
                        // What follows gets its turn before the next rows are made.
                        activator.activate();
                    }
                    Ok(None) => capability = None,
                    Err(error) => {
                        annotating.worker.run.abort.raise(error);
                        capability = None;
                    }
                }
            }
        },
    ))
}
