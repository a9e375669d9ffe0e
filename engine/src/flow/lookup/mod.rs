//! `lookup` at work: one row for each key that is wanted, from how many rows want it and what was answered.
//!
//! The state keeps how many rows want each key (`<stage>/wanted`), the answers (`<stage>/answers`), and which keys wait and when
//! answers grow old (`<stage>/due`). A chunk changes a key's row by what it brings of either: rows that want it or do not any
//! more, and answers that came ([`Desks`]). No operator asks: it leaves on the desk what nobody has answered, and the run asks
//! between chunks.

mod answers;
mod desk;
mod due;
mod kept;
mod orphans;
mod wishes;

use std::{collections::BTreeMap, sync::Arc};

use arrow_array::{Array as _, StringArray};
use arrow_row::RowConverter;
use timely::dataflow::StreamVec;

pub(crate) use self::{
    answers::AnswersOf,
    desk::{Desk, Desks, Tried},
    due::{Due, count_waiting, each_wanted, scan_due},
    kept::{Kept, keep},
    orphans::{copy_answers, forget_orphans},
    wishes::{Wish, Wishes},
};
use self::{
    kept::waiting_row,
    wishes::{GatheredWishes, key_converter},
};
use crate::{
    contract::stage::Planned,
    differential::{KeyLocal, arrange, reduce},
    error::RunError,
    failpoint,
    flow::{RunContext, WorkerContext},
    plan::StageIndex,
    relational::{LookupSpec, Relational, spaces},
    rows::{BatchCutter, Row, RowBatch},
    state::{Reader, SHARDS, Snapshot, shard_of},
    varint,
};

/// The plan of a look-up stage.
pub(crate) fn spec(run: &RunContext, stage: StageIndex) -> Result<&LookupSpec, RunError> {
    match &run.plan.stages[stage].planned {
        Planned::Relational(Relational::Lookup(spec)) => Ok(spec),
        _ => Err(RunError::internal("wishes came to a stage that is no look-up")),
    }
}

/// Renders a look-up: wishes in, changes of the keyed collection out.
pub(crate) fn render<'scope>(
    wishes: StreamVec<'scope, u64, Wish>,
    stage: StageIndex,
    worker: &WorkerContext,
) -> Result<StreamVec<'scope, u64, RowBatch>, RunError> {
    let name = format!("stage:{}", worker.run.plan.stages[stage].name);
    let operator = Looking::new(stage, worker)?;
    let to_shard = |wish: &Wish| u64::from(shard_of(&wish.key));
    let arranged = arrange::<GatheredWishes>(wishes, &name, &worker.before, to_shard);
    Ok(reduce(arranged, &name, Arc::clone(&worker.before), operator, worker.run.abort.clone()))
}

/// One look-up on one worker.
struct Looking {
    worker: WorkerContext,
    stage: StageIndex,
    name: String,
    fingerprint: u128,
    keys: RowConverter,
    /// The row of a key that waits.
    waiting: Row,
}

/// What a chunk brings of one key.
#[derive(Default)]
struct Touch {
    wishes: i64,
    came: Option<Kept>,
}

impl KeyLocal for Looking {
    type Incoming = GatheredWishes;
    type Output = RowBatch;

    fn changes(&mut self, before: &Snapshot, wishes: &GatheredWishes) -> Result<Vec<RowBatch>, RunError> {
        failpoint::panics("lookup:worker");
        let mut changes = BatchCutter::default();
        let run = Arc::clone(&self.worker.run);
        let desk = run.lookups.of(self.stage)?;
        for shard in (0..SHARDS).filter(|shard| *shard as usize % self.worker.peers == self.worker.index) {
            run.abort.check()?;
            let mut touched: BTreeMap<Row, Touch> = BTreeMap::new();
            for wish in wishes.shard(shard) {
                touched.entry(wish.key.clone()).or_default().wishes += wish.count;
            }
            for (key, kept) in desk.take_came(shard) {
                touched.entry(key).or_default().came = Some(kept);
            }
            if !touched.is_empty() {
                self.shard(before, shard, touched, desk, &mut changes)?;
            }
        }
        Ok(changes.finish())
    }
}

impl Looking {
    fn new(stage: StageIndex, worker: &WorkerContext) -> Result<Looking, RunError> {
        let spec = spec(&worker.run, stage)?;
        Ok(Looking {
            worker: worker.clone(),
            stage,
            name: worker.run.plan.stages[stage].name.clone(),
            fingerprint: spec.fingerprint(),
            keys: key_converter()?,
            waiting: waiting_row(spec, worker.run.layout(stage)?)?,
        })
    }

    fn shard(
        &self,
        before: &Snapshot,
        shard: u32,
        touched: BTreeMap<Row, Touch>,
        desk: &Desk,
        changes: &mut BatchCutter,
    ) -> Result<(), RunError> {
        let session = &self.worker.run.session;
        let [answers, wanted, due] = [spaces::answers, spaces::wanted, spaces::due].map(|space| space(&self.name));
        let mut stored = Stored { answers: before.reader(&answers, shard)?, wanted: before.reader(&wanted, shard)? };
        let mut counts = session.run_writer(&wanted, shard);
        let mut kept_run = session.run_writer(&answers, shard);
        let mut due_entries: BTreeMap<Vec<u8>, Option<&[u8]>> = BTreeMap::new();
        let texts = self.texts(touched.keys())?;
        for (at, (key, Touch { wishes, came })) in touched.into_iter().enumerate() {
            let text = texts.value(at);
            let was = stored.count(&key).ok_or_else(|| self.corrupt())??;
            let count = was.checked_add_signed(wishes).ok_or_else(|| self.corrupt())?;
            let old = stored.kept(&key, self.fingerprint).ok_or_else(|| self.corrupt())??;
            let new = came.as_ref().or(old.as_ref());
            let row = |count: u64, kept: Option<&Kept>| {
                (count > 0).then(|| kept.map_or(&self.waiting, |kept| &kept.value).clone())
            };
            let (row_before, row_after) = (row(was, old.as_ref()), row(count, new));
            if row_before != row_after {
                changes.change(&key, row_before.as_deref(), row_after.as_deref());
            }
            if count != was {
                let mut bytes = Vec::new();
                varint::push(&mut bytes, count);
                counts.push(&key, (count > 0).then_some(&bytes[..]))?;
            }
            // An answer that nobody wants any more goes when the run is done.
            if let Some(came) = came.as_ref().filter(|_| count > 0) {
                kept_run.push(&key, Some(&came.to_bytes()))?;
            }
            let entry = |count: u64, kept: Option<&Kept>| if count > 0 { due::entry(&key, kept) } else { None };
            let (due_before, due_after) = (entry(was, old.as_ref()), entry(count, new));
            if due_before != due_after {
                due_entries.extend(due_before.map(|entry| (entry, None)));
                due_entries.extend(due_after.map(|entry| (entry, Some(&[][..]))));
            }
            match (was, count) {
                (0, 0) => {}
                (_, 0) => desk.unwanted(shard, &key, text),
                (0, _) => desk.wanted(shard, &key, text, new),
                _ => came.iter().for_each(|kept| desk.took(text, kept)),
            }
        }
        counts.finish()?;
        kept_run.finish()?;
        let mut due_run = session.run_writer(&due, shard);
        due_entries.iter().try_for_each(|(entry, value)| due_run.push(entry, *value))?;
        due_run.finish()?;
        self.worker.meters.add(self.stage, 0, 0, None);
        Ok(())
    }

    /// The keys as texts.
    fn texts<'a>(&self, keys: impl Iterator<Item = &'a Row>) -> Result<StringArray, RunError> {
        let parser = self.keys.parser();
        let arrays = self.keys.convert_rows(keys.map(|key| parser.parse(key))).map_err(RunError::internal)?;
        let texts = arrays.first().and_then(|array| array.as_any().downcast_ref::<StringArray>()).cloned();
        texts.ok_or_else(|| RunError::internal("the keys of a look-up are no texts"))
    }

    fn corrupt(&self) -> RunError {
        RunError::damaged_state(&self.name, "does not fit the changes")
    }
}

/// What the state knew of a shard's keys. `None` where it cannot be read.
struct Stored {
    answers: Reader,
    wanted: Reader,
}

impl Stored {
    fn count(&mut self, key: &[u8]) -> Option<Result<u64, RunError>> {
        match self.wanted.get(key) {
            Ok(None) => Some(Ok(0)),
            Ok(Some(bytes)) => varint::read(&bytes, &mut 0).map(Ok),
            Err(error) => Some(Err(error.into())),
        }
    }

    /// The answer, where it is this look-up's.
    fn kept(&mut self, key: &[u8], fingerprint: u128) -> Option<Result<Option<Kept>, RunError>> {
        match self.answers.get(key) {
            Ok(bytes) => Kept::current(bytes.as_deref(), fingerprint).map(Ok),
            Err(error) => Some(Err(error.into())),
        }
    }
}
