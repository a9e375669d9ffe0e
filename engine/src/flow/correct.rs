//! Rows that are taken out of a table because the sink's database does not take them.
//!
//! What the database refuses must not stay in the state, or tables and views would no longer agree. So a further chunk of the
//! run takes back what the drop of this run asserts for the key; whatever stood below it stands again, and the views follow.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::{
    error::{RunError, RunErrorKind},
    flow::{
        RunContext,
        table::{Assertion, Removal},
    },
    relational::{Conflict, Relational},
    rows::Row,
    stage::Planned,
    state::shard_of,
};

/// A row that is to be taken back.
struct Asked {
    key: Row,
    value: Row,
    message: String,
}

/// A row that was taken back.
pub(crate) struct Quarantined {
    /// The table stage.
    pub stage: usize,
    /// The load whose drop asserted it.
    pub load: usize,
    /// The record's origin in the drop.
    pub origin: u64,
    /// The key.
    pub key: Row,
    /// What the database said.
    pub message: String,
}

/// The rows of one round.
#[derive(Default)]
pub(crate) struct Corrections {
    asked: Mutex<BTreeMap<(usize, u32), Vec<Asked>>>,
    done: Mutex<Vec<Quarantined>>,
}

impl Corrections {
    /// Asks for a row of a table stage to be taken back by the next chunk.
    pub fn ask(&self, stage: usize, key: Row, value: Row, message: String) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.entry((stage, shard_of(&key))).or_default().push(Asked { key, value, message });
    }

    /// What was taken back, in the order of drops and records.
    pub fn take_done(&self) -> Vec<Quarantined> {
        let mut done = std::mem::take(&mut *self.done.lock().unwrap_or_else(PoisonError::into_inner));
        done.sort_by(|a, b| (a.load, a.origin, a.stage, &a.key).cmp(&(b.load, b.origin, b.stage, &b.key)));
        done
    }

    /// The assertions to be taken back in one shard of one table. `stored` reads what the state holds for a key.
    pub fn removals(
        &self,
        run: &RunContext,
        stage: usize,
        shard: u32,
        mut stored: impl FnMut(&[u8]) -> Result<Vec<Assertion>, RunError>,
    ) -> Result<Vec<Removal>, RunError> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(&(stage, shard));
        let conflict = match &run.plan.stages[stage].planned {
            Planned::Relational(Relational::Table(spec)) => spec.conflict,
            _ => Conflict::LatestDrop,
        };
        let mut removals = Vec::new();
        for Asked { key, value, message } in asked.unwrap_or_default() {
            let list = stored(&key)?;
            let standing = Assertion::winner(&list, conflict).filter(|standing| standing.value == value);
            let of_this_run = standing.filter(|standing| standing.version == run.epoch).and_then(|standing| {
                Some((standing, run.loads.iter().position(|load| load.drop_id == standing.place)?))
            });
            let Some((standing, load)) = of_this_run else {
                return Err(beyond_this_run(run, stage, &key, &message));
            };
            removals.push((key.clone(), standing.place, standing.version));
            let done = Quarantined { stage, load, origin: standing.origin, key, message };
            self.done.lock().unwrap_or_else(PoisonError::into_inner).push(done);
        }
        Ok(removals)
    }
}

/// A row that cannot be taken back: no drop of this run asserts it.
pub(crate) fn beyond_this_run(run: &RunContext, stage: usize, key: &[u8], message: &str) -> RunError {
    let name = &run.plan.stages[stage].name;
    let key = run.layout(stage).map(|layout| layout.describe_key(key)).unwrap_or_default();
    RunError::new(
        RunErrorKind::Sink,
        format!(
            "table `{name}`, {key}: {message}; no drop of this run asserts the row itself, so it cannot be quarantined; nothing \
             was written"
        ),
    )
    .with_hint(
        "Only rows that a table takes from a drop of this run can be: withdraw or correct what the row comes from, or change \
         the constraint.",
    )
}
