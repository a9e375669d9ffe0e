//! Rows that are taken out of a table because the sink's database does not take them.
//!
//! What the database refuses must not stay in the state, or tables and views would no longer agree. So a further chunk of the
//! run takes back what a drop asserts for the key, of this run or of an earlier one: a row that stood below another drop's was
//! never judged before. Whatever stood below it stands again, and the views follow.

use std::{collections::BTreeMap, sync::Mutex};
use vardelta_schemas::ledger::{DropId, Epoch};

use arrow_array::RecordBatch;

use crate::{
    error::{RunError, RunErrorKind},
    flow::{
        Mode, RunContext,
        table::{Assertion, Removal, Stored},
    },
    locks::Locked as _,
    plan::StageIndex,
    relational::Conflict,
    rows::Row,
    state::{key_hash, shard_of},
};

/// A row that the database refuses.
#[derive(Clone)]
pub(crate) struct Asked {
    /// The key.
    pub key: Row,
    /// The columns that are not in the key.
    pub value: Row,
    /// The row as the table lays it out.
    pub row: RecordBatch,
    /// What the database said.
    pub message: String,
}

/// What one drop asserted of it, which was taken back.
pub(crate) struct Quarantined {
    /// The table stage.
    pub stage: StageIndex,
    /// The drop's number.
    pub drop_id: DropId,
    /// The epoch in which the drop's content was loaded.
    pub version: Epoch,
    /// The record's origin in the drop.
    pub origin: u64,
    /// The row.
    pub asked: Asked,
}

/// The rows of one round.
#[derive(Default)]
pub(crate) struct Corrections {
    asked: Mutex<BTreeMap<(StageIndex, u32), Vec<Asked>>>,
    done: Mutex<Vec<Quarantined>>,
}

impl Corrections {
    /// Asks for a row of a table stage to be taken back by the next chunk.
    pub fn ask(&self, stage: StageIndex, row: Asked) {
        let mut asked = self.asked.locked();
        asked.entry((stage, shard_of(&row.key))).or_default().push(row);
    }

    /// What was taken back, in the order of drops and records.
    pub fn take_done(&self) -> Vec<Quarantined> {
        let mut done = std::mem::take(&mut *self.done.locked());
        done.sort_by(|a, b| {
            (a.drop_id, a.origin, a.stage, &a.asked.key).cmp(&(b.drop_id, b.origin, b.stage, &b.asked.key))
        });
        done
    }

    /// The assertions to be taken back in one shard of one table; `stored` opens what the state holds of it.
    pub fn removals(
        &self,
        run: &RunContext,
        stage: StageIndex,
        shard: u32,
        stored: impl FnOnce() -> Result<Stored, RunError>,
    ) -> Result<Vec<Removal>, RunError> {
        let asked = self.asked.locked().remove(&(stage, shard));
        let Some(asked) = asked else { return Ok(Vec::new()) };
        let conflict = run.plan.stages[stage].as_table().map_or(Conflict::LatestDrop, |spec| spec.conflict);
        let (mut stored, mut removals) = (stored()?, Vec::new());
        for asked in asked {
            let mut list = stored.read_all(key_hash(&asked.key), &asked.key)?;
            let refused = |list: &[Assertion]| {
                Assertion::winner(list, conflict)
                    .filter(|standing| *conflict.row(&standing.value) == *asked.value)
                    .cloned()
            };
            if refused(&list).is_none() {
                return Err(computed(run, stage, &asked.key, &asked.message));
            }
            // A drop that asserts the very same row below would only have it refused in the next round.
            while let Some(Assertion { place, version, origin, .. }) = refused(&list) {
                list.retain(|assertion| (assertion.place, assertion.version) != (place, version));
                removals.push(Removal::new(asked.key.clone(), place, version));
                let done = Quarantined {
                    stage,
                    drop_id: DropId::new(place),
                    version: Epoch::new(version),
                    origin,
                    asked: asked.clone(),
                };
                self.done.locked().push(done);
            }
        }
        Ok(removals)
    }
}

/// A row that cannot be taken back: no drop asserts it.
pub(crate) fn computed(run: &RunContext, stage: StageIndex, key: &[u8], message: &str) -> RunError {
    let name = &run.plan.stages[stage].name;
    let key = run.layout(stage).map(|layout| layout.describe_key(key)).unwrap_or_default();
    let (why, hint) = match run.mode {
        Mode::Load => (
            "the row is computed from others, so it cannot be quarantined",
            "Only rows that a drop asserts can be: withdraw or correct what the row comes from, or change the constraint.",
        ),
        Mode::Replay => (
            "the tables are made again from rows that were taken before, so it cannot be quarantined",
            "Leave the constraint out, or put the pipeline file back as it was and withdraw or correct the drop that asserts the \
             row first.",
        ),
    };
    RunError::new(RunErrorKind::Sink, format!("table `{name}`, {key}: {message}; {why}")).with_hint(hint)
}
