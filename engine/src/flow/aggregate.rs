//! `aggregate` at work: one row per group, from accumulators that live in the difference.
//!
//! The state keeps, by group, the accumulators (`<stage>`), and for calls that sums do not answer how often the group holds
//! each value (`<stage>/values`, values in order). The operator reads the accumulators of the groups a chunk touches, and of
//! a group's values only those that the chunk touches and, for min and max, the first ones up to one that stays; for a percentile
//! those that move from one side of its place to the other. So the cost follows the change, not the group, but for a
//! `group_concat`, whose text holds them all. A group's row before and its row after are both made of what was read; where
//! they differ, that is the change.

mod answers;
mod concat;
mod contributions;
mod encoding;
mod finish;
mod hydration;

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use timely::dataflow::StreamVec;

pub(crate) use self::contributions::{Contribution, Contributions};
use self::{encoding::Encoding, finish::Finish, hydration::Hydration};
use crate::{
    contract::stage::Planned,
    differential::{Gather, KeyLocal, arrange, reduce},
    error::RunError,
    flow::{RunContext, WorkerContext},
    plan::StageIndex,
    relational::{
        AggregateSpec, Relational,
        accumulate::{Cells, Layout},
    },
    rows::RowBatch,
    state::{SHARDS, Snapshot, shard_of},
};

/// The cells of a group: those of the calls, then, for an aggregate over everything, one that is always 1: its row is there
/// also when there are no rows.
pub(crate) struct GroupCells {
    pub layout: Layout,
    always: Option<usize>,
    count: usize,
}

impl GroupCells {
    pub fn new(spec: &AggregateSpec) -> GroupCells {
        let layout = Layout::new(spec);
        let count = layout.cells();
        let always = spec.group_by.is_empty().then_some(count);
        GroupCells { layout, always, count: count + usize::from(always.is_some()) }
    }

    /// Whether a group with these cells has a row.
    fn has_row(&self, cells: &Cells) -> bool {
        self.always.is_some() || cell(cells, Layout::ROWS_CELL) > 0
    }

    /// How many cells a group has.
    pub fn count(&self) -> usize {
        self.count
    }
}

/// A cell, zero where the vector is cut short.
fn cell(cells: &Cells, at: usize) -> i128 {
    cells.values().get(at).copied().unwrap_or_default()
}

pub(crate) fn spec(run: &RunContext, stage: StageIndex) -> Result<&AggregateSpec, RunError> {
    match &run.plan.stages[stage].planned {
        Planned::Relational(Relational::Aggregate(spec)) => Ok(spec),
        _ => Err(RunError::internal("contributions to a stage that is no aggregate")),
    }
}

/// Renders an aggregate: contributions in, changes of the keyed collection out.
pub(crate) fn render<'scope>(
    contributions: StreamVec<'scope, u64, Contribution>,
    stage: StageIndex,
    worker: &WorkerContext,
) -> Result<StreamVec<'scope, u64, RowBatch>, RunError> {
    let name = format!("stage:{}", worker.run.plan.stages[stage].name);
    let spec = spec(&worker.run, stage)?;
    let operator = Aggregate {
        hydration: Hydration::new(stage, worker.clone(), spec)?,
        finish: Finish::new(stage, worker.clone())?,
    };
    let to_shard = |contribution: &Contribution| u64::from(shard_of(&contribution.group));
    let arranged = arrange::<GatheredContributions>(contributions, &name, &worker.before, to_shard);
    Ok(reduce(arranged, &name, Arc::clone(&worker.before), operator, worker.run.abort.clone()))
}

/// What a chunk contributes to the groups of one worker, by shard, in order of group.
pub(crate) struct GatheredContributions(pub Vec<Vec<Contribution>>);

impl Gather for GatheredContributions {
    type Part = Contribution;

    fn gather(contributions: Vec<Contribution>) -> GatheredContributions {
        let mut shards: Vec<Vec<Contribution>> = (0..SHARDS).map(|_| Vec::new()).collect();
        for contribution in contributions {
            shards[shard_of(&contribution.group) as usize].push(contribution);
        }
        for shard in &mut shards {
            shard.sort_unstable_by(|a, b| a.group.cmp(&b.group));
        }
        GatheredContributions(shards)
    }

    fn weight(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }
}

/// One aggregate on one worker.
struct Aggregate {
    hydration: Hydration,
    finish: Finish,
}

/// Groups whose rows are made together.
const BATCH_GROUPS: usize = 8_192;

impl KeyLocal for Aggregate {
    type Incoming = GatheredContributions;
    type Output = RowBatch;

    fn changes(&mut self, before: &Snapshot, incoming: &GatheredContributions) -> Result<Vec<RowBatch>, RunError> {
        let (mut rows, mut groups) = (Vec::new(), Vec::new());
        self.hydration.run(before, &incoming.0, &mut |change| groups.extend(change.rows()))?;
        for groups in groups.chunks(BATCH_GROUPS) {
            rows.push(self.finish.run(groups)?);
        }
        Ok(rows)
    }
}

/// A batch of a group's columns and its calls' results, for the expressions over them.
pub(crate) fn outer_batch(
    schema: arrow_schema::SchemaRef,
    columns: Vec<ArrayRef>,
    rows: usize,
) -> Result<RecordBatch, RunError> {
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema, columns, &options).map_err(RunError::internal)
}
