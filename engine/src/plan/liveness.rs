//! Which columns of each stage somebody reads. What nobody reads is not built, and not copied from batch to batch.

use crate::{
    contract::stage::Planned,
    plan::{PerStage, Plan},
};

/// For each stage, which of its output columns are read by a stage after it.
pub(crate) fn live_columns(plan: &Plan) -> PerStage<Vec<bool>> {
    let mut live: PerStage<Vec<bool>> =
        plan.stages.iter().map(|stage| vec![false; stage.schema.columns().len()]).collect();
    // From the sink backwards, as stages are mostly planned. Whatever their order, each round reaches one stage further; there are no
    // cycles.
    loop {
        let mut changed = false;
        for (at, stage) in plan.stages.indexed().rev() {
            for input in &stage.inputs {
                for column in 0..live[*input].len() {
                    let is_read = match &stage.planned {
                        Planned::Transform(transform) => {
                            let is_live = |place: &usize| live[at].get(*place).copied().unwrap_or(true);
                            transform.reads(column) || transform.carries(column).iter().any(is_live)
                        }
                        Planned::Relational(relational) => relational.relation().needs(column),
                        _ => true,
                    };
                    changed |= is_read && !live[*input][column];
                    live[*input][column] |= is_read;
                }
            }
        }
        if !changed {
            return live;
        }
    }
}
