//! `table` at work: the rows that drops assert become a keyed collection.
//!
//! The state keeps, by key, what each drop asserts (`<stage>/by-key`), and by drop the keys it asserts (`<stage>/drops`), which
//! is all that a withdrawal needs. Of the keys that a chunk touches, the operator reads what the chunk's own drops asserted and
//! the assertion that would stand without them, works out which row stood and which one stands, and writes its own drops'
//! assertions back; the difference is the change.

mod assertions;
mod drops;
pub(crate) mod rank;
mod resolve;
mod retract;
mod stored;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::type_complexity)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use timely::dataflow::StreamVec;

use self::{assertions::PutAside, resolve::Resolve};
pub(crate) use self::{
    assertions::{Assertion, assertion_space},
    drops::{drop_space, parts as drop_entry},
    retract::{Member, Removal, Retraction},
    stored::{Stored, assertions_of, scan_assertions},
};
use crate::{
    differential::{KeyLocal, arrange, reduce},
    error::RunError,
    failpoint,
    flow::{WorkerContext, gather::GatheredRows},
    plan::StageIndex,
    relational::{Conflict, TableSpec, spaces},
    rows::{BatchCutter, RowBatch},
    state::{SHARDS, Snapshot},
};

/// The space that holds assertions in lists by key: what an older vardelta wrote. A key's list gives way to entries when the
/// key is touched, and what is not touched stays readable.
pub(crate) fn list_space(stage: &str) -> String {
    spaces::keys(stage)
}

/// Renders a table: rows in, changes of the keyed collection out.
pub(crate) fn render<'scope>(
    rows: StreamVec<'scope, u64, RowBatch>,
    stage: StageIndex,
    spec: &TableSpec,
    worker: &WorkerContext,
) -> StreamVec<'scope, u64, RowBatch> {
    let name = format!("stage:{}", worker.run.plan.stages[stage].name);
    let operator = Table { stage, conflict: spec.conflict, worker: worker.clone() };
    let arranged = arrange::<GatheredRows>(rows, &name, &worker.before, |batch| u64::from(batch.to));
    reduce(arranged, &name, Arc::clone(&worker.before), operator, worker.run.abort.clone())
}

/// One table on one worker.
struct Table {
    stage: StageIndex,
    conflict: Conflict,
    worker: WorkerContext,
}

impl KeyLocal for Table {
    type Incoming = GatheredRows;
    type Output = RowBatch;

    fn changes(&mut self, before: &Snapshot, rows: &GatheredRows) -> Result<Vec<RowBatch>, RunError> {
        let run = &self.worker.run;
        failpoint::panics("worker:table");
        let mut changes = BatchCutter::default();
        let mut superseded: BTreeMap<u64, Vec<PutAside>> = BTreeMap::new();
        for shard in (0..SHARDS).filter(|shard| *shard as usize % self.worker.peers == self.worker.index) {
            run.abort.check()?;
            let removals = retract::removals(&self.worker, self.stage, shard, self.conflict)?;
            if rows.shard(shard).is_empty() && removals.is_empty() {
                continue;
            }
            let stage = &run.plan.stages[self.stage].name;
            Resolve { stage, epoch: run.epoch.number(), conflict: self.conflict, session: &run.session, before }
                .shard(shard, rows, &removals, &mut changes, &mut superseded)?;
        }
        for (place, rows) in superseded {
            if let Some(load) = run.loads.iter().find(|load| load.drop_id.number() == place) {
                load.records.superseded(&rows.iter().map(|row| row.origin).collect::<Vec<_>>());
                let contradicted = |row: PutAside| row.contradicted.map(|(by, key)| (row.origin, by, self.stage, key));
                load.contradictions.add(rows.into_iter().filter_map(contradicted));
            }
        }
        self.worker.meters.add(self.stage, rows.rows(), 0, None);
        Ok(changes.finish())
    }
}

/// What is said when the state of a table cannot be read.
fn corrupt(stage: &str) -> RunError {
    RunError::damaged_state(stage, "cannot be read")
}
