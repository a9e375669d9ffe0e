//! The rows of the aggregates that a stage is made of, where a walk cannot do without: they are recomputed from the tables' state,
//! all at once, as `verify` recomputes what it compares.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use vardelta_schemas::ledger::Epoch;

use super::{walk::Aggregates, wanted::encode};
use crate::{
    changes::Change,
    epoch::{context::Context, open::Opened, plane::What},
    error::RunError,
    flow::{RunContext, feed::Item},
    locks::Locked as _,
    plan::{Plan, PlannedStage, StageIndex, TableIndex},
    run::{
        compute::{self, Work},
        rebuild::send_table,
    },
    state::State,
};

/// The rows of every aggregate before a stage, itself included.
pub(super) fn recompute(context: Context<'_>, opened: &Opened, stage: StageIndex) -> Result<Aggregates, RunError> {
    let mut plan = context.plan.clone();
    let stages = aggregates_before(&plan, stage);
    // What the sink keeps is what a replay yields.
    plan.stages[plan.sink].inputs.clone_from(&stages);
    let scratch = opened.aside(&plan)?;
    let scratch_state = Arc::new(Mutex::new(State::open(scratch.path())?));
    let state = opened.state.locked().begin()?;
    let work = Work::on(&scratch_state, Epoch::FIRST, plan.pipeline.workers, scratch.path().to_path_buf())?;
    let rows = |run: &RunContext, send: &mut dyn FnMut(Item) -> bool| {
        for at in run.plan.stages.places_where(PlannedStage::is_table) {
            if !send_table(run, at, &state, send)? {
                break;
            }
        }
        Ok(())
    };
    let plane = compute::replay(Context { plan: &plan, ..context }, work, Box::new(rows))?;
    let mut aggregates = Aggregates::new();
    for (at, stage) in stages.iter().enumerate() {
        let layout = plan.stages[*stage].layout()?;
        let groups: Vec<usize> = plan.stages[*stage].key.clone().unwrap_or_default();
        let (mut net, mut by_group) = (plane.net(TableIndex::new(at), What::All)?, BTreeMap::new());
        while let Some(Change { key, new, .. }) = net.next().map_err(RunError::from)? {
            let Some(value) = new else { continue };
            let row = layout.decode(std::iter::once((&*key, &*value))).map_err(RunError::internal)?;
            let group = match groups.is_empty() {
                true => Box::default(),
                false => encode(&row, &groups).map_err(RunError::internal)?.row(0).data().into(),
            };
            by_group.insert(group, row);
        }
        aggregates.insert(*stage, by_group);
    }
    Ok(aggregates)
}

fn aggregates_before(plan: &Plan, stage: StageIndex) -> Vec<StageIndex> {
    let (mut found, mut open) = (std::collections::BTreeSet::new(), vec![stage]);
    while let Some(at) = open.pop() {
        if plan.stages[at].as_aggregate().is_some() {
            found.insert(at);
        }
        open.extend(&plan.stages[at].inputs);
    }
    found.into_iter().collect()
}
