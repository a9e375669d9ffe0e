//! `top` at work: the first rows of each group, by what they are ordered by and then by the key.
//!
//! The state keeps the rows of every group in order (`<stage>/values`). A chunk's rows are merged in from the front, up to as many
//! as are put out and stay: the cost follows the change and `n`, not the group. The first rows before the chunk and those after it
//! are both among what was read; where they differ, that is the change.

mod encoding;
mod rows;

use std::sync::Arc;

use timely::dataflow::StreamVec;

use self::encoding::Encoding;
pub(crate) use self::rows::TopRows;
use super::{
    RunContext, WorkerContext,
    aggregate::{Contribution, GatheredContributions},
    values::{Delta, Values, value_prefix},
};
use crate::{
    contract::stage::Planned,
    differential::{KeyLocal, arrange, reduce},
    error::RunError,
    plan::StageIndex,
    relational::{Relational, TopSpec, spaces},
    rows::{Row, RowBatch},
    state::{Snapshot, shard_of},
    varint,
};

/// Rows that are made together.
const BATCH_ROWS: usize = 8_192;

fn spec(run: &RunContext, stage: StageIndex) -> Result<&TopSpec, RunError> {
    match &run.plan.stages[stage].planned {
        Planned::Relational(Relational::Top(spec)) => Ok(spec),
        _ => Err(RunError::internal("rows came to a stage that is no top")),
    }
}

/// Renders a top: rows by group in, changes of the keyed collection out.
pub(crate) fn render<'scope>(
    rows: StreamVec<'scope, u64, Contribution>,
    stage: StageIndex,
    worker: &WorkerContext,
) -> Result<StreamVec<'scope, u64, RowBatch>, RunError> {
    let name = worker.run.plan.stages[stage].name.clone();
    let spec = spec(&worker.run, stage)?;
    let operator = Top {
        stage,
        worker: worker.clone(),
        encoding: Encoding::of(spec)?,
        n: usize::try_from(spec.n).unwrap_or(usize::MAX),
        space: spaces::values(&name),
    };
    let name = format!("stage:{name}");
    let to_shard = |row: &Contribution| u64::from(shard_of(&row.group));
    let arranged = arrange::<GatheredContributions>(rows, &name, &worker.before, to_shard);
    Ok(reduce(arranged, &name, Arc::clone(&worker.before), operator, worker.run.abort.clone()))
}

/// One top on one worker.
struct Top {
    stage: StageIndex,
    worker: WorkerContext,
    encoding: Encoding,
    n: usize,
    space: String,
}

impl KeyLocal for Top {
    type Incoming = GatheredContributions;
    type Output = RowBatch;

    fn changes(&mut self, before: &Snapshot, incoming: &GatheredContributions) -> Result<Vec<RowBatch>, RunError> {
        let (mut batches, mut changes) = (Vec::new(), Vec::new());
        for (shard, contributions) in (0..).zip(&incoming.0).filter(|(_, contributions)| !contributions.is_empty()) {
            self.worker.run.abort.check()?;
            self.shard(before, shard, contributions, &mut changes)?;
            while changes.len() >= BATCH_ROWS {
                let rest = changes.split_off(BATCH_ROWS);
                batches.push(self.rows(&std::mem::replace(&mut changes, rest))?);
            }
        }
        if !changes.is_empty() {
            batches.push(self.rows(&changes)?);
        }
        Ok(batches)
    }
}

impl Top {
    /// Brings the groups of a shard up to date; adds how the rows that are put out change.
    fn shard(
        &self,
        before: &Snapshot,
        shard: u32,
        contributions: &[Contribution],
        changes: &mut Vec<Delta>,
    ) -> Result<(), RunError> {
        let reader = before.reader(&self.space, shard)?;
        let mut kept = Values { reader, entries: Vec::new(), space: &self.space, is_stored: true };
        for same in contributions.chunk_by(|a, b| a.group == b.group) {
            let mut deltas: Vec<Delta> = same
                .iter()
                .flat_map(|contribution| contribution.values.iter().map(|(_, row, count)| (row.clone(), *count)))
                .collect();
            super::values::add_up(&mut deltas);
            if deltas.is_empty() {
                continue;
            }
            let (mut old, mut new): (Vec<Row>, Vec<Row>) = (Vec::new(), Vec::new());
            kept.all(&value_prefix(0, &same[0].group), &deltas, &mut |row, was, is| {
                if was > 0 && old.len() < self.n {
                    old.push(row.into());
                }
                if is > 0 && new.len() < self.n {
                    new.push(row.into());
                }
                old.len() < self.n || new.len() < self.n
            })?;
            changes.extend(difference(old, new));
        }
        if kept.entries.is_empty() {
            return Ok(());
        }
        kept.entries.sort();
        let mut writer = self.worker.run.session.run_writer(&self.space, shard);
        for (entry, count) in &kept.entries {
            let mut bytes = Vec::new();
            varint::push(&mut bytes, *count as u64);
            writer.push(entry, (*count > 0).then_some(&bytes[..]))?;
        }
        writer.finish()?;
        Ok(())
    }

    /// The changes as rows of the stage.
    fn rows(&self, changes: &[Delta]) -> Result<RowBatch, RunError> {
        let layout = self.worker.run.layout(self.stage)?;
        let rows = self.encoding.decode(changes.iter().map(|(row, _)| &**row), layout.schema())?;
        let encoded = layout.encode(&rows).map_err(RunError::internal)?;
        let mut batch = RowBatch::default();
        for (row, (_, diff)) in changes.iter().enumerate() {
            batch.push(encoded.key(row), encoded.value(row), *diff);
        }
        Ok(batch)
    }
}

/// What makes the old rows of the new ones; both are in order.
fn difference(old: Vec<Row>, new: Vec<Row>) -> Vec<Delta> {
    let gone = old.iter().filter(|row| new.binary_search(row).is_err()).map(|row| (row.clone(), -1));
    let came = new.iter().filter(|row| old.binary_search(row).is_err()).map(|row| (row.clone(), 1));
    gone.chain(came).collect()
}
