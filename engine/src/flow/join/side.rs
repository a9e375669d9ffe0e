//! One side of a join: its changes by group, consolidated and sorted, written to the side's own space if it has one.

use super::{
    complete::complete,
    layout::SideRow,
    spec,
    stored::{Place, Stored, damaged},
};
use crate::{
    differential::{Gather, Side},
    error::RunError,
    failpoint,
    flow::WorkerContext,
    plan::StageIndex,
    relational::How,
};

/// The changes of one side in one chunk on one worker.
#[derive(Default)]
pub(super) struct Incoming {
    /// By shard and entry, consolidated.
    pub rows: Vec<SideRow>,
    /// Those of rows that equal nothing.
    pub alone: Vec<SideRow>,
}

impl Gather for Incoming {
    type Part = SideRow;

    fn gather(mut rows: Vec<SideRow>) -> Incoming {
        net(&mut rows);
        let (alone, rows) = rows.into_iter().partition(|row| row.group == 0);
        Incoming { rows, alone }
    }

    fn weight(&self) -> usize {
        self.rows.len() + self.alone.len()
    }
}

impl Incoming {
    /// The changes of a group.
    pub fn group(&self, shard: u32, group: &[u8]) -> &[SideRow] {
        let from = self.rows.partition_point(|row| (row.shard, &*row.entry) < (shard, group));
        let is_other = |row: &SideRow| row.shard != shard || !row.entry.starts_with(group);
        let count = self.rows[from..].iter().position(is_other).unwrap_or(self.rows.len() - from);
        &self.rows[from..from + count]
    }
}

/// What becomes of one side's changes on one worker.
pub(super) struct Keeper {
    worker: WorkerContext,
    stage: StageIndex,
    side: Side,
    /// Whether NULLs complete it.
    completes: bool,
}

impl Keeper {
    pub fn new(stage: StageIndex, side: Side, worker: &WorkerContext) -> Result<Keeper, RunError> {
        let completes = side == Side::Right && spec(&worker.run, stage)?.how == How::Left;
        Ok(Keeper { worker: worker.clone(), stage, side, completes })
    }

    /// Brings the state up to date; `None` after raising what went wrong.
    pub fn keep(&self, incoming: Incoming) -> Option<Incoming> {
        match self.kept(incoming) {
            Ok(incoming) => Some(incoming),
            Err(error) => {
                self.worker.run.abort.raise(error);
                None
            }
        }
    }

    fn kept(&self, Incoming { rows, alone }: Incoming) -> Result<Incoming, RunError> {
        self.worker.run.abort.check()?;
        self.worker.meters.add(self.stage, rows.len() + alone.len(), 0, None);
        let mut stored = Stored::new(self.stage, self.side, &self.worker)?;
        if let Place::Own(space) = stored.place().clone() {
            for shard in rows.chunk_by(|a, b| a.shard == b.shard) {
                self.write(&space, shard, &mut stored)?;
            }
            failpoint::hit("join:side-written");
        }
        let rows = if self.completes { complete(rows, &mut stored)? } else { rows };
        Ok(Incoming { rows, alone })
    }

    /// Writes the changes of one shard. Each entry has at most one row before and one after.
    fn write(&self, space: &str, rows: &[SideRow], stored: &mut Stored) -> Result<(), RunError> {
        let mut writer = self.worker.run.session.run_writer(space, rows[0].shard);
        for changes in rows.chunk_by(|a, b| a.entry == b.entry) {
            let entry = &changes[0].entry;
            let of = |diff: i64| changes.iter().filter(move |row| row.diff == diff);
            let (mut gone, mut new) = (of(-1), of(1));
            let (old, new) = (gone.next(), new.next().filter(|_| of(1).count() == 1));
            if changes.len() != usize::from(old.is_some()) + usize::from(new.is_some()) {
                return Err(self.damaged(entry, "two rows come for"));
            }
            let standing = stored.get(rows[0].shard, entry)?;
            match (old.and_then(|old| old.value.as_ref()), standing) {
                (None, None) => {}
                (Some(old), Some(standing)) if *old == standing => {}
                (Some(_), _) => return Err(self.damaged(entry, "a row that it does not hold is taken back for")),
                (None, Some(_)) => return Err(self.damaged(entry, "it holds a row already for")),
            }
            writer.push(entry, new.and_then(|new| new.value.as_deref()))?;
        }
        Ok(writer.finish()?)
    }

    fn damaged(&self, entry: &[u8], what: &str) -> RunError {
        let entry: String = entry.iter().map(|byte| format!("{byte:02x}")).collect();
        damaged(&self.worker, self.stage, self.side, &format!("{what} the entry {entry}"))
    }
}

/// Sorts rows by shard and entry, and adds up what happens to the same row.
pub(super) fn net(rows: &mut Vec<SideRow>) {
    rows.sort_unstable();
    let same =
        |a: &SideRow, b: &SideRow| (a.shard, &a.entry, a.group, &a.value) == (b.shard, &b.entry, b.group, &b.value);
    rows.dedup_by(|next, kept| {
        let is_same = same(next, kept);
        if is_same {
            kept.diff += next.diff;
        }
        is_same
    });
    rows.retain(|row| row.diff != 0);
}
