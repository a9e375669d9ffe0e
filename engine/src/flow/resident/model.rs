//! The models of a run: one for each stage, shared by its workers, carried from chunk to chunk.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use super::{ResidentRow, spec, store::Store};
use crate::{
    error::RunError, flow::WorkerContext, locks::Locked as _, plan::StageIndex, relational::ResidentIndex, rows::Row,
    state::SHARDS,
};

/// A model, and the rows that it is made of, by entry.
#[derive(Clone)]
pub(super) struct Model {
    rows: Arc<BTreeMap<Row, Row>>,
    pub index: Arc<dyn ResidentIndex>,
}

/// The model of a stage before the chunk, and after it, as far as anybody has asked for them.
#[derive(Clone, Default)]
struct Pair {
    before: Option<Model>,
    after: Option<Model>,
}

/// The models of a run.
#[derive(Default)]
pub(crate) struct Models {
    by_stage: Mutex<BTreeMap<StageIndex, Pair>>,
}

impl Models {
    /// A chunk is done: what was after it is before the next one.
    pub fn next_chunk(&self) {
        for pair in self.by_stage.locked().values_mut() {
            if let Some(after) = pair.after.take() {
                pair.before = Some(after);
            }
        }
    }

    /// The model before the chunk and after these changes, which are all of the chunk and net. The first worker makes it; the
    /// others wait for it.
    pub(super) fn of(
        &self,
        worker: &WorkerContext,
        stage: StageIndex,
        changes: &[ResidentRow],
    ) -> Result<(Model, Model), RunError> {
        let mut by_stage = self.by_stage.locked();
        let pair = by_stage.entry(stage).or_default();
        let before = match &pair.before {
            Some(before) => before.clone(),
            None => pair.before.insert(stored(worker, stage)?).clone(),
        };
        let after = match &pair.after {
            Some(after) => after.clone(),
            None if changes.is_empty() => before.clone(),
            None => {
                let mut rows = BTreeMap::clone(&before.rows);
                for change in changes {
                    if change.diff < 0 && rows.get(&change.entry) == Some(&change.value) {
                        rows.remove(&change.entry);
                    } else if change.diff > 0 {
                        rows.insert(change.entry.clone(), change.value.clone());
                    }
                }
                pair.after.insert(model(worker, stage, rows)?).clone()
            }
        };
        Ok((before, after))
    }
}

/// The model that the state holds.
fn stored(worker: &WorkerContext, stage: StageIndex) -> Result<Model, RunError> {
    let store = Store::new(worker, stage, 1)?;
    let mut rows = Vec::new();
    for shard in 0..SHARDS {
        store.read(shard, (&[], None), usize::MAX, &mut rows)?;
    }
    model(worker, stage, rows.into_iter().map(|row| (row.entry, row.value)).collect())
}

fn model(worker: &WorkerContext, stage: StageIndex, rows: BTreeMap<Row, Row>) -> Result<Model, RunError> {
    let run = &worker.run;
    let layout = run.layout(run.plan.stages[stage].inputs[1])?;
    let batch = layout.decode(rows.iter().map(|(key, value)| (&**key, &**value))).map_err(RunError::internal)?;
    let index = spec(run, stage)?.resident.index(&batch);
    let index = index.map_err(|error| RunError::stage(&run.plan.stages[stage].name, error))?;
    Ok(Model { rows: Arc::new(rows), index })
}
