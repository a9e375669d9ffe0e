//! Where the operators of a run leave the keys that they want answered, and find the answers that came.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Arc, Mutex, MutexGuard},
};

use vardelta_schemas::ledger::LookupRow;

use super::kept::Kept;
use crate::{
    clock,
    contract::lookup::{Answer, Asker, LookupFigures},
    error::RunError,
    locks::Locked as _,
    plan::{Plan, StageIndex},
    relational::{LookupStatus, spaces},
    rows::Row,
    state::{Session, shard_of},
};

/// The desks of a run, one for each look-up stage.
#[derive(Default)]
pub(crate) struct Desks(BTreeMap<StageIndex, Desk>);

/// One look-up's desk.
pub(crate) struct Desk {
    stage: String,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Wanted, not answered, and not asked for by this run.
    open: BTreeSet<Arc<str>>,
    /// Asked for by this run.
    asked: HashSet<Arc<str>>,
    /// What was known of keys that are asked for again.
    tried: BTreeMap<Arc<str>, Tried>,
    /// Answers that the next chunk takes, by shard and key.
    came: BTreeMap<u32, BTreeMap<Row, Kept>>,
    /// Keys that nobody wants any more, by shard: their answers go when the run is done computing, not before, since
    /// another row may come to want them.
    unwanted: BTreeMap<u32, BTreeSet<Row>>,
    /// What the ledger learns; `None` of a key that goes.
    facts: BTreeMap<Arc<str>, Option<LookupRow>>,
    /// What the ledger learns of keys that were asked for in vain, wanted or not.
    failed: BTreeMap<Arc<str>, LookupRow>,
    /// How many got an answer of those that waited since earlier epochs, or whose answers had grown old.
    completed: u64,
    /// Why the last key got no answer.
    last_error: Option<String>,
    /// How many keys were answered, and how many were not.
    counts: (u64, u64),
    /// Of those that were not, how many have an answer of before.
    stale: u64,
    figures: LookupFigures,
    /// Who asked. It is let go with the run, after the commit.
    asker: Option<Box<dyn Asker>>,
}

/// What is known of a key that is asked for again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tried {
    /// What the state has of it.
    pub status: LookupStatus,
    /// How often it was asked for in vain.
    pub attempts: u64,
}

impl Desks {
    /// Desks of the look-ups of a plan, with nothing on them.
    pub fn new(plan: &Plan) -> Desks {
        let lookups = plan.stages.indexed().filter(|(_, stage)| stage.as_lookup().is_some());
        let desk = |name: &str| Desk { stage: name.to_owned(), inner: Mutex::default() };
        Desks(lookups.map(|(at, stage)| (at, desk(&stage.name))).collect())
    }

    /// The desk of a stage.
    pub fn of(&self, stage: StageIndex) -> Result<&Desk, RunError> {
        self.0.get(&stage).ok_or_else(|| RunError::internal("a look-up without a desk"))
    }

    /// All of them, with their stages.
    pub fn all(&self) -> impl Iterator<Item = (StageIndex, &Desk)> {
        self.0.iter().map(|(stage, desk)| (*stage, desk))
    }

    /// Whether answers wait for a chunk to take them.
    pub fn has_answers(&self) -> bool {
        self.0.values().any(|desk| !desk.lock().came.is_empty())
    }

    /// Takes the answers out of the state that nobody wants any more.
    pub fn forget_unwanted(&self, session: &Arc<Session>) -> Result<(), RunError> {
        for desk in self.0.values() {
            for (shard, keys) in std::mem::take(&mut desk.lock().unwanted) {
                let mut writer = session.run_writer(&spaces::answers(&desk.stage), shard);
                keys.iter().try_for_each(|key| writer.push(key, None))?;
                writer.finish()?;
            }
        }
        Ok(())
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.locked()
    }

    /// A key of earlier epochs is to be asked for.
    pub fn ask_again(&self, key: Arc<str>, tried: Tried) {
        let mut inner = self.lock();
        inner.tried.insert(Arc::clone(&key), tried);
        inner.open.insert(key);
    }

    /// The keys to be asked for now, in order of their bytes. They are given out once.
    pub fn take_open(&self) -> Vec<Arc<str>> {
        let mut inner = self.lock();
        let open: Vec<Arc<str>> = std::mem::take(&mut inner.open).into_iter().collect();
        inner.asked.extend(open.iter().cloned());
        open
    }

    /// The answers for one shard.
    pub(super) fn take_came(&self, shard: u32) -> BTreeMap<Row, Kept> {
        self.lock().came.remove(&shard).unwrap_or_default()
    }

    /// Puts answers on the desk: what was said of each key, and what is kept of those that were answered.
    pub fn answered(&self, answers: &[(Arc<str>, Answer)], kept: Vec<(Row, Kept)>) {
        let mut inner = self.lock();
        for (key, answer) in answers {
            let tried = inner.tried.get(key).cloned();
            let Answer::Failed { reason, next_try_s } = answer else {
                inner.counts.0 += 1;
                inner.completed += u64::from(tried.is_some());
                continue;
            };
            inner.counts.1 += 1;
            let attempts = tried.as_ref().map_or(0, |tried| tried.attempts) + 1;
            let status = tried.map_or(LookupStatus::Waiting, |tried| tried.status);
            inner.stale += u64::from(status != LookupStatus::Waiting);
            let row = LookupRow {
                stage: self.stage.clone(),
                key: key.to_string(),
                status: status.as_str().to_owned(),
                attempts,
                next_try: next_try_s.and_then(|seconds| u64::try_from(seconds).ok()).map(clock::utc),
                last_error: Some(reason.clone()),
                asked_at: Some(clock::now()),
            };
            // By now nobody may want it any more; if somebody does again, this is still what is known of it.
            if inner.facts.get(key) != Some(&None) {
                inner.facts.insert(Arc::clone(key), Some(row.clone()));
            }
            inner.failed.insert(Arc::clone(key), row);
            inner.last_error = Some(reason.clone());
        }
        for (key, kept) in kept {
            inner.came.entry(shard_of(&key)).or_default().insert(key, kept);
        }
    }

    /// A key that had no wish before has one, and there is an answer, or not.
    pub(super) fn wanted(&self, shard: u32, row: &Row, key: &str, kept: Option<&Kept>) {
        let mut inner = self.lock();
        let key: Arc<str> = key.into();
        if let Some(unwanted) = inner.unwanted.get_mut(&shard) {
            unwanted.remove(row);
        }
        if kept.is_none() && !inner.asked.contains(&key) {
            inner.open.insert(Arc::clone(&key));
        }
        let failed = inner.failed.get(&key).filter(|_| kept.is_none()).cloned();
        let fact = failed.unwrap_or_else(|| self.fact(&key, kept));
        inner.facts.insert(key, Some(fact));
    }

    /// Nobody wants the key any more.
    pub(super) fn unwanted(&self, shard: u32, row: &Row, key: &str) {
        let mut inner = self.lock();
        inner.open.remove(key);
        inner.unwanted.entry(shard).or_default().insert(row.clone());
        inner.facts.insert(key.into(), None);
    }

    /// An answer came to a key that is wanted.
    pub(super) fn took(&self, key: &str, kept: &Kept) {
        let fact = self.fact(key, Some(kept));
        self.lock().facts.insert(key.into(), Some(fact));
    }

    fn fact(&self, key: &str, kept: Option<&Kept>) -> LookupRow {
        LookupRow {
            stage: self.stage.clone(),
            key: key.to_owned(),
            status: kept.map_or(LookupStatus::Waiting, Kept::status).as_str().to_owned(),
            attempts: 0,
            next_try: None,
            last_error: None,
            asked_at: kept.map(|kept| clock::utc(kept.asked_at_s)),
        }
    }

    /// What the ledger learns: rows that are put in place, and the keys of those that go.
    pub fn facts(&self) -> (Vec<LookupRow>, Vec<String>) {
        let inner = self.lock();
        let rows = inner.facts.values().flatten().cloned().collect();
        let gone = inner.facts.iter().filter(|(_, fact)| fact.is_none()).map(|(key, _)| key.to_string());
        (rows, gone.collect())
    }

    /// Whether any key got an answer.
    pub fn is_answered(&self) -> bool {
        self.lock().counts.0 > 0
    }

    /// How many keys of earlier epochs got an answer.
    pub fn completed(&self) -> u64 {
        self.lock().completed
    }

    /// How many answers have grown old and could not be refreshed.
    pub fn stale(&self) -> u64 {
        self.lock().stale
    }

    /// Why the last key got no answer.
    pub fn last_error(&self) -> Option<String> {
        self.lock().last_error.clone()
    }

    /// Keeps who asked for as long as the run lasts.
    pub fn leave(&self, asker: Box<dyn Asker>) {
        self.lock().asker = Some(asker);
    }

    /// Notes where the answers so far came from.
    pub fn note_figures(&self, figures: LookupFigures) {
        self.lock().figures = figures;
    }

    /// What asking came to; `None` where nobody was asked.
    ///
    /// # Errors
    /// When the stage does not account for every key: a defect of it.
    pub fn figures(&self) -> Result<Option<LookupFigures>, RunError> {
        let inner = self.lock();
        let ((known, failed), told) = (inner.counts, inner.figures);
        let from = told.memory + told.disk + told.database + told.redis + told.answered + told.absent;
        if from != known {
            return Err(RunError::internal(format!(
                "stage `{}` answered {known} keys and says of {from} where the answers came from",
                self.stage
            )));
        }
        let figures = LookupFigures { wanted: known + failed, failed, ..told };
        Ok((figures.wanted > 0).then_some(figures))
    }

    /// What is to be noted of keys that got no answer, where nothing else is written.
    pub fn tried(&self) -> Vec<LookupRow> {
        self.lock().facts.values().flatten().filter(|row| row.attempts > 0).cloned().collect()
    }

    /// The stage's name.
    pub fn stage(&self) -> &str {
        &self.stage
    }
}
