//! The operator on one worker: gathers the chunk's changes of both sides, then makes output rows batch by batch.

use std::collections::{BTreeSet, VecDeque};

use arrow_array::RecordBatch;
use arrow_select::filter::filter_record_batch;

use super::{
    ResidentRow,
    layout::Assembly,
    model::Model,
    reaches::{merged, ranges},
    spec,
    store::Store,
};
use crate::{
    error::RunError,
    failpoint,
    flow::WorkerContext,
    plan::StageIndex,
    relational::{Reach, ResidentSpec, spaces},
    rows::{Row, RowBatch, RowRef},
    state::SHARDS,
};

/// Left rows that are annotated together.
const BATCH_ROWS: usize = 8_192;

/// What is still to be done.
enum Work {
    /// Changes of left rows, from this one on.
    Forward(usize),
    /// Left rows of one shard in the ranges from this one on, of which the first may be begun at an entry.
    Ranges { shard: u32, at: usize, from: Option<Vec<u8>> },
    /// Long left rows of one shard, from this entry on.
    Long { shard: u32, from: Vec<u8> },
}

/// The operator on one worker.
pub(super) struct Annotating {
    pub worker: WorkerContext,
    stage: StageIndex,
    /// The chunk's changes of the left side on this worker.
    pub left: Vec<ResidentRow>,
    /// The chunk's changes of the right side, all of them.
    pub right: Vec<ResidentRow>,
    assembly: Assembly,
    begun: Option<Begun>,
}

/// What is known once all changes are there.
struct Begun {
    before: Model,
    after: Model,
    work: VecDeque<Work>,
    /// Where the changed model may say something else. In order, and apart from each other.
    reaches: Vec<Reach>,
    /// Entries of left rows that may touch these, as far as they are not long. In order, and apart from each other.
    ranges: Vec<(Vec<u8>, Vec<u8>)>,
    /// The left side as it was.
    store: Store,
    /// Left rows that the chunk changed itself.
    changed: BTreeSet<Row>,
}

impl Annotating {
    pub fn new(stage: StageIndex, worker: &WorkerContext) -> Result<Annotating, RunError> {
        Ok(Annotating {
            worker: worker.clone(),
            stage,
            left: Vec::new(),
            right: Vec::new(),
            assembly: Assembly::new(&worker.run, stage)?,
            begun: None,
        })
    }

    fn spec(&self) -> Result<&ResidentSpec, RunError> {
        spec(&self.worker.run, self.stage)
    }

    /// The next output rows; `None` when there are no more.
    pub fn step(&mut self) -> Result<Option<RowBatch>, RunError> {
        self.worker.run.abort.check()?;
        if self.begun.is_none() {
            net(&mut self.left);
            net(&mut self.right);
            if self.left.is_empty() && self.right.is_empty() {
                return Ok(None);
            }
            let begun = self.begin()?;
            self.begun = Some(begun);
        }
        let Some(begun) = &mut self.begun else { return Ok(None) };
        match begun.work.pop_front() {
            None => Ok(None),
            Some(work) => self.work(work).map(Some),
        }
    }

    fn begin(&mut self) -> Result<Begun, RunError> {
        let (before, after) = self.worker.run.models.of(&self.worker, self.stage, &self.right)?;
        self.write()?;
        failpoint::hit("resident:side-written");
        let mut work: VecDeque<Work> = (0..self.left.len()).step_by(BATCH_ROWS).map(Work::Forward).collect();
        let (mut found, mut touched) = (Vec::new(), Vec::new());
        if !self.right.is_empty() {
            let changed = self.right_batch()?;
            let stage = |error| RunError::stage(&self.worker.run.plan.stages[self.stage].name, error);
            let mut reaches = before.index.reaches(&changed).map_err(stage)?;
            reaches.extend(after.index.reaches(&changed).map_err(stage)?);
            touched = merged(reaches);
            found = ranges(&touched, self.spec()?.resident.long_bp())?;
            let is_own = |shard: &u32| *shard as usize % self.worker.peers == self.worker.index;
            for shard in (0..SHARDS).filter(is_own) {
                work.push_back(Work::Ranges { shard, at: 0, from: None });
                work.push_back(Work::Long { shard, from: Vec::new() });
            }
        }
        let changed = self.left.iter().map(|row| row.entry.clone()).collect();
        self.worker.meters.add(self.stage, self.left.len(), 0, None);
        let store = Store::new(&self.worker, self.stage, 0)?;
        Ok(Begun { before, after, work, reaches: touched, ranges: found, store, changed })
    }

    /// The right side's changed rows, old and new.
    fn right_batch(&self) -> Result<RecordBatch, RunError> {
        let run = &self.worker.run;
        let layout = run.layout(run.plan.stages[self.stage].inputs[1])?;
        layout.decode(self.right.iter().map(|row| (&*row.entry, &*row.value))).map_err(RunError::internal)
    }

    fn batch(&self, rows: &[(&[u8], &[u8])]) -> Result<RecordBatch, RunError> {
        let run = &self.worker.run;
        let layout = run.layout(run.plan.stages[self.stage].inputs[0])?;
        layout.decode(rows.iter().copied()).map_err(RunError::internal)
    }

    /// Annotates left rows by one model.
    fn annotated(
        &self,
        model: &Model,
        rows: &[(&[u8], &[u8])],
        batch: &RecordBatch,
        diff: impl Fn(usize) -> i64,
    ) -> Result<RowBatch, RunError> {
        let stage = |error| RunError::stage(&self.worker.run.plan.stages[self.stage].name, error);
        let annotations = model.index.annotate(batch).map_err(stage)?;
        self.assembly.rows(rows, &annotations, diff)
    }

    fn work(&mut self, work: Work) -> Result<RowBatch, RunError> {
        let Some(begun) = &self.begun else { return Ok(RowBatch::default()) };
        let mut rest = None;
        let updates = match work {
            Work::Forward(at) => self.forward(begun, at)?,
            Work::Ranges { shard, mut at, mut from } => {
                let mut rows = Vec::new();
                while let Some((start, before)) = begun.ranges.get(at).filter(|_| rows.len() < BATCH_ROWS) {
                    let range = (from.as_deref().unwrap_or(start), Some(&before[..]));
                    from = begun.store.read(shard, range, BATCH_ROWS - rows.len(), &mut rows)?;
                    if from.is_some() {
                        break;
                    }
                    at += 1;
                }
                rest = (at < begun.ranges.len()).then_some(Work::Ranges { shard, at, from });
                self.backward(begun, rows)?
            }
            Work::Long { shard, from } => {
                let (rows, more) = self.long_rows(begun, shard, &from)?;
                rest = more.map(|from| Work::Long { shard, from });
                self.backward(begun, rows)?
            }
        };
        if let (Some(rest), Some(begun)) = (rest, &mut self.begun) {
            begun.work.push_front(rest);
        }
        Ok(updates)
    }

    /// Changed left rows: those that go by the model before, those that come by the model after.
    fn forward(&self, begun: &Begun, at: usize) -> Result<RowBatch, RunError> {
        let rows = &self.left[at..self.left.len().min(at + BATCH_ROWS)];
        let mut changes = RowBatch::default();
        for (model, is_meant) in
            [(&begun.before, (|row| row.diff < 0) as fn(&&ResidentRow) -> bool), (&begun.after, |row| row.diff > 0)]
        {
            let meant: Vec<&ResidentRow> = rows.iter().filter(is_meant).collect();
            let bytes: Vec<(&[u8], &[u8])> = meant.iter().map(|row| (row.key(), &*row.value)).collect();
            if !bytes.is_empty() {
                let batch = self.batch(&bytes)?;
                changes.extend(&self.annotated(model, &bytes, &batch, |row| meant[row].diff)?);
            }
        }
        Ok(changes)
    }

    /// Left rows that stay, looked at again: what the model before said goes, what the model after says comes, where they
    /// differ.
    fn backward(&self, begun: &Begun, rows: Vec<ResidentRow>) -> Result<RowBatch, RunError> {
        let kept = rows.iter().filter(|row| !begun.changed.contains(&row.entry));
        let bytes: Vec<(&[u8], &[u8])> = kept.map(|row| (row.key(), &*row.value)).collect();
        if bytes.is_empty() {
            return Ok(RowBatch::default());
        }
        self.worker.meters.add(self.stage, bytes.len(), 0, None);
        let batch = self.batch(&bytes)?;
        let stage = |error| RunError::stage(&self.worker.run.plan.stages[self.stage].name, error);
        let touches = self.spec()?.resident.touches(&batch, &begun.reaches).map_err(stage)?;
        let batch = filter_record_batch(&batch, &touches).map_err(RunError::internal)?;
        let bytes: Vec<(&[u8], &[u8])> =
            bytes.into_iter().zip(&touches).filter(|(_, touches)| *touches == Some(true)).map(|(row, _)| row).collect();
        if bytes.is_empty() {
            return Ok(RowBatch::default());
        }
        let before = self.annotated(&begun.before, &bytes, &batch, |_| -1)?;
        let after = self.annotated(&begun.after, &bytes, &batch, |_| 1)?;
        let mut rows: Vec<RowRef<'_>> = before.rows().chain(after.rows()).collect();
        rows.sort_unstable_by(|a, b| (a.key, a.value).cmp(&(b.key, b.value)));
        let mut changes = RowBatch::default();
        for same in rows.chunk_by(|a, b| (a.key, a.value) == (b.key, b.value)) {
            let diff = same.iter().map(|row| row.diff).sum();
            if diff != 0 {
                changes.push(same[0].key, same[0].value, diff);
            }
        }
        Ok(changes)
    }

    /// Long left rows that no range holds.
    fn long_rows(
        &self,
        begun: &Begun,
        shard: u32,
        from: &[u8],
    ) -> Result<(Vec<ResidentRow>, Option<Vec<u8>>), RunError> {
        let space = spaces::long(&self.worker.run.plan.stages[self.stage].name);
        let (mut entries, mut more) = (Vec::new(), None);
        let mut reader = self.worker.before.reader(&space, shard)?;
        let mut scan = reader.scan(from)?;
        while let Some((entry, _)) = scan.next_borrowed()? {
            if entries.len() == BATCH_ROWS {
                more = Some(entry.to_vec());
                break;
            }
            let later = begun.ranges.partition_point(|(from, _)| &from[..] <= entry);
            let is_ranged = later.checked_sub(1).is_some_and(|at| entry < &begun.ranges[at].1[..]);
            if !is_ranged {
                entries.push(Row::from(entry));
            }
        }
        let mut rows = Vec::with_capacity(entries.len());
        for entry in entries {
            rows.extend(begun.store.get(shard, &entry)?);
        }
        Ok((rows, more))
    }

    /// Brings the operator's own spaces up to date.
    fn write(&self) -> Result<(), RunError> {
        let session = &self.worker.run.session;
        for (port, rows) in [(0, &self.left), (1, &self.right)] {
            let store = Store::new(&self.worker, self.stage, port)?;
            let Some(space) = store.own_space() else { continue };
            // Every worker has the right side's changes; each writes its own shards.
            let is_own = |shard: u32| shard as usize % self.worker.peers == self.worker.index;
            for shard in rows.chunk_by(|a, b| a.shard == b.shard).filter(|rows| is_own(rows[0].shard)) {
                let mut writer = session.run_writer(space, shard[0].shard);
                for changes in shard.chunk_by(|a, b| a.entry == b.entry) {
                    let new = changes.iter().find(|row| row.diff > 0);
                    writer.push(&changes[0].entry, new.map(Store::bytes).as_deref())?;
                }
                writer.finish()?;
            }
        }
        self.write_long()
    }

    /// Notes which left rows are long, and which are not any more.
    fn write_long(&self) -> Result<(), RunError> {
        let resident = &self.spec()?.resident;
        let space = spaces::long(&self.worker.run.plan.stages[self.stage].name);
        let stage = |error| RunError::stage(&self.worker.run.plan.stages[self.stage].name, error);
        let bytes: Vec<(&[u8], &[u8])> = self.left.iter().map(|row| (row.key(), &*row.value)).collect();
        if bytes.is_empty() {
            return Ok(());
        }
        let long = resident.is_long(&self.batch(&bytes)?).map_err(stage)?;
        let is_long = |at: usize| long.value(at);
        let mut at = 0;
        for shard in self.left.chunk_by(|a, b| a.shard == b.shard) {
            let mut writer = self.worker.run.session.run_writer(&space, shard[0].shard);
            for changes in shard.chunk_by(|a, b| a.entry == b.entry) {
                let places = at..at + changes.len();
                at += changes.len();
                let new = places.clone().any(|place| is_long(place) && self.left[place].diff > 0);
                let old = places.clone().any(|place| is_long(place) && self.left[place].diff < 0);
                if new != old {
                    writer.push(&changes[0].entry, new.then_some(&[][..]))?;
                }
            }
            writer.finish()?;
        }
        Ok(())
    }
}

/// Sorts rows by shard and entry, and adds up what happens to the same row.
fn net(rows: &mut Vec<ResidentRow>) {
    rows.sort_unstable();
    rows.dedup_by(|next, kept| {
        let is_same = (next.shard, &next.entry, &next.value) == (kept.shard, &kept.entry, &kept.value);
        if is_same {
            kept.diff += next.diff;
        }
        is_same
    });
    rows.retain(|row| row.diff != 0);
}
