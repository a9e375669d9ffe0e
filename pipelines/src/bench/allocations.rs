//! What sources and transforms allocate, each by itself on one thread: rows go through the stages in the order of the plan, once, and
//! allocations are counted stage by stage. What an operator of the dataflow allocates cannot be told apart from what timely does, so
//! relational stages and sinks have no such figure; the whole run has one.

use std::collections::{BTreeMap, BTreeSet};

use vardelta_engine::{
    abort::Abort,
    contract::batch::Batch,
    contract::stage::Planned,
    error::RunError,
    plan::{Plan, StageIndex},
};

use super::{
    alone::{apply, parse, read, rows},
    histogram::Batches,
    request::{Alone, PerRow},
};
use crate::allocations::{Allocations, Count};

/// What each source and transform allocates; a stage that no row reaches is not in it.
///
/// # Errors
/// When a file cannot be read, or a stage cannot go on.
pub fn measure(plan: &Plan, abort: &Abort) -> Result<BTreeMap<String, PerRow>, RunError> {
    let (count, mut found) = (Count::begin(), BTreeMap::new());
    // Of stages that others take rows from; the plan lists inputs first.
    let mut kept: BTreeMap<StageIndex, Vec<Batch>> = BTreeMap::new();
    for (at, stage) in plan.stages.indexed() {
        abort.check()?;
        let told = |error| RunError::stage(&stage.name, error);
        let (rows_in, before, out) = match (&stage.planned, stage.inputs.as_slice()) {
            (Planned::Source(source), _) => {
                let mut text = Alone::default();
                let chunks = read(source.as_ref(), &mut text, abort).map_err(told)?;
                let before = count.so_far();
                let (batches, records) =
                    parse(source.as_ref(), &stage.name, &chunks, &mut Batches::default()).map_err(told)?;
                (records, before, batches)
            }
            (Planned::Transform(transform), [input]) => {
                let Some(batches) = kept.get(input) else { continue };
                let before = count.so_far();
                let out = apply(transform.as_ref(), &stage.name, batches, &mut Batches::default()).map_err(told)?;
                (rows(batches), before, out)
            }
            _ => continue,
        };
        let of_stage = count.so_far().since(before);
        found.extend(per_row(of_stage, rows_in).map(|per_row| (stage.name.clone(), per_row)));
        kept.insert(at, out);
        // Nobody after this stage asks for rows that only stages up to here take.
        let later = plan.stages.indexed().filter(|(later, _)| *later > at);
        let wanted: BTreeSet<StageIndex> = later.flat_map(|(_, later)| later.inputs.iter().copied()).collect();
        kept.retain(|of, _| wanted.contains(of));
    }
    Ok(found)
}

fn per_row(all: Allocations, rows: u64) -> Option<PerRow> {
    (rows > 0).then(|| PerRow { allocations: all.count as f64 / rows as f64, bytes: all.bytes as f64 / rows as f64 })
}
