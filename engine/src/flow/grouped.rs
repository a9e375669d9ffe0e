//! What the changes of a chunk mean for the groups of a stage, gathered on one worker before anything is exchanged.

use super::{
    WorkerContext,
    aggregate::{Contribution, Contributions},
    top::TopRows,
};
use crate::{
    contract::{batch::Batch, stage::Planned},
    error::RunError,
    plan::StageIndex,
    relational::Relational,
};

/// Contributions to the groups of an `aggregate` or a `top`.
pub(crate) enum Grouped {
    Aggregate(Contributions),
    Top(TopRows),
}

impl Grouped {
    /// Nothing yet.
    pub fn new(stage: StageIndex, worker: &WorkerContext) -> Result<Grouped, RunError> {
        match &worker.run.plan.stages[stage].planned {
            Planned::Relational(Relational::Top(_)) => TopRows::new(stage, worker).map(Grouped::Top),
            _ => Contributions::new(stage, worker).map(Grouped::Aggregate),
        }
    }

    /// Adds a batch of changes.
    pub fn add(&mut self, batch: &Batch) -> Result<(), RunError> {
        match self {
            Grouped::Aggregate(contributions) => contributions.add(batch),
            Grouped::Top(rows) => rows.add(batch),
        }
    }

    /// Takes what was gathered, in no order: whoever gathers it from the workers sorts it.
    pub fn drain(&mut self) -> impl Iterator<Item = Contribution> + use<> {
        let (aggregated, ordered) = match self {
            Grouped::Aggregate(contributions) => (Some(contributions.drain()), None),
            Grouped::Top(rows) => (None, Some(rows.drain())),
        };
        aggregated.into_iter().flatten().chain(ordered.into_iter().flatten())
    }
}
