//! The pairs of a join: the changes of one side, group by group, with the rows of the other, read as they are needed.
//!
//! Memory follows the container, not the group: the other side's rows come in pieces, and each container is handed on when it
//! has so many bytes.

use std::{rc::Rc, time::Instant};

use timely::Accountable;

use super::{
    layout::{Nulls, SideRow},
    side::Incoming,
    spec,
    stored::Stored,
};
use crate::{
    differential::{HalfJoin, Side},
    error::RunError,
    failpoint,
    flow::WorkerContext,
    plan::StageIndex,
    relational::How,
    rows::RowBatch,
};

/// Bytes of rows in one container.
const CONTAINER_BYTES: usize = 256 << 10;
/// Rows of the other side that are held at once; a group of no more is netted before it is paired.
const PIECE_ROWS: usize = 1_024;
/// Bytes that count as one record for the fuel of differential's driver: 1,000,000 records are 16 MiB.
const BYTES_PER_RECORD: usize = 16;

/// Output rows. They count by bytes, so that the driver stops for the operators after it before much has piled up.
#[derive(Clone, Default)]
pub(super) struct Joined(pub RowBatch);

impl Accountable for Joined {
    fn record_count(&self) -> i64 {
        // Zero if and only if it is empty: progress is tracked by it.
        (self.0.bytes() / BYTES_PER_RECORD).max(self.0.len().min(1)) as i64
    }
}

/// How the rows of one join are put together.
pub(super) struct Pairing {
    worker: WorkerContext,
    stage: StageIndex,
    completes: bool,
    /// Whether an entry of the left side is the left key itself, rather than followed by it.
    left_entry_is_key: bool,
    nulls: Nulls,
}

impl Pairing {
    pub fn new(stage: StageIndex, worker: &WorkerContext, nulls: Nulls) -> Result<Pairing, RunError> {
        let spec = spec(&worker.run, stage)?;
        let (completes, left_entry_is_key) = (spec.how == How::Left, spec.left.is_shared);
        Ok(Pairing { worker: worker.clone(), stage, completes, left_entry_is_key, nulls })
    }

    /// Appends the output row of a left row and a right one, or none. `buffer` is room for its key and its value.
    fn pair(&self, left: &SideRow, right: Option<&SideRow>, buffer: &mut [Vec<u8>; 2], joined: &mut RowBatch) {
        let left_key = if self.left_entry_is_key { &left.entry[..] } else { left.own_key() };
        let (own_key, value, diff) = match right {
            Some(right) => match &right.value {
                Some(value) => (right.own_key(), &value[..], right.diff),
                None => (&self.nulls.own_key[..], &self.nulls.value[..], right.diff),
            },
            None => (&self.nulls.own_key[..], &self.nulls.value[..], 1),
        };
        let [of_key, of_value] = buffer;
        of_key.clear();
        of_key.extend_from_slice(left_key);
        of_key.extend_from_slice(own_key);
        of_value.clear();
        of_value.extend_from_slice(left.value.as_deref().unwrap_or_default());
        of_value.extend_from_slice(value);
        joined.push(of_key, of_value, left.diff * diff);
    }
}

impl HalfJoin<Incoming, Joined> for Rc<Pairing> {
    fn pairs(
        &mut self,
        fresh: Side,
        changes: Rc<Incoming>,
        accepted: Vec<Rc<Incoming>>,
    ) -> Box<dyn Iterator<Item = Joined>> {
        let other = match fresh {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        };
        match Stored::new(self.stage, other, &self.worker) {
            Ok(stored) => Box::new(Pairs {
                pairing: Rc::clone(self),
                fresh,
                changes,
                stored,
                accepted,
                group: 0..0,
                rest: Rest::Done,
                piece: Vec::new(),
                at: (0, 0),
                alone: 0,
                buffer: Default::default(),
            }),
            Err(error) => {
                self.worker.run.abort.raise(error);
                Box::new(std::iter::empty())
            }
        }
    }
}

/// What is left to be read of the other side's group.
enum Rest {
    /// Everything: nothing was read yet.
    All,
    /// Stored rows from this entry on, then the changes.
    From(Vec<u8>),
    /// The changes.
    Changes,
    /// Nothing.
    Done,
}

/// The pairs of one fresh batch, as far as they have been asked for.
struct Pairs {
    pairing: Rc<Pairing>,
    fresh: Side,
    changes: Rc<Incoming>,
    /// What the state holds of the other side.
    stored: Stored,
    /// What was accepted of the other side's changes.
    accepted: Vec<Rc<Incoming>>,
    /// The group at hand among the changes.
    group: std::ops::Range<usize>,
    rest: Rest,
    /// Rows of the other side that are to be paired with the group.
    piece: Vec<SideRow>,
    /// The next pair: of the piece, of the group.
    at: (usize, usize),
    /// The next row that equals nothing.
    alone: usize,
    buffer: [Vec<u8>; 2],
}

impl Iterator for Pairs {
    type Item = Joined;

    fn next(&mut self) -> Option<Joined> {
        let started = Instant::now();
        let worker = self.pairing.worker.clone();
        if worker.run.abort.is_raised() {
            return None;
        }
        let mut joined = RowBatch::default();
        let result = self.fill(&mut joined);
        if !joined.is_empty() {
            failpoint::slow("stage", &worker.run.plan.stages[self.pairing.stage].name);
        }
        worker.meters.worked(self.pairing.stage, started.elapsed(), !joined.is_empty());
        if let Err(error) = result {
            worker.run.abort.raise(error);
            return None;
        }
        (!joined.is_empty()).then_some(Joined(joined))
    }
}

impl Pairs {
    fn fill(&mut self, joined: &mut RowBatch) -> Result<(), RunError> {
        let pairing = Rc::clone(&self.pairing);
        loop {
            while let Some(other) = self.piece.get(self.at.0) {
                let changes = &self.changes.rows[self.group.clone()];
                while let Some(change) = changes.get(self.at.1) {
                    let (left, right) = match self.fresh {
                        Side::Left => (change, other),
                        Side::Right => (other, change),
                    };
                    pairing.pair(left, Some(right), &mut self.buffer, joined);
                    self.at.1 += 1;
                    // What is taken away and what is put in place of one key stay together.
                    let is_same = changes.get(self.at.1).is_some_and(|next| next.entry == change.entry);
                    if joined.bytes() >= CONTAINER_BYTES && !is_same {
                        return Ok(());
                    }
                }
                self.at = (self.at.0 + 1, 0);
            }
            if !self.next_piece()? && !self.next_group() {
                self.fill_alone(joined);
                return Ok(());
            }
        }
    }

    /// Rows that equal nothing, each with the NULLs of no right row.
    fn fill_alone(&mut self, joined: &mut RowBatch) {
        let pairing = Rc::clone(&self.pairing);
        while let Some(row) = self.changes.alone.get(self.alone) {
            pairing.pair(row, None, &mut self.buffer, joined);
            self.alone += 1;
            let is_same = self.changes.alone.get(self.alone).is_some_and(|next| next.entry == row.entry);
            if joined.bytes() >= CONTAINER_BYTES && !is_same {
                break;
            }
        }
    }

    fn next_group(&mut self) -> bool {
        let from = self.group.end;
        let Some(first) = self.changes.rows.get(from) else { return false };
        let same = |row: &&SideRow| row.shard == first.shard && row.group() == first.group();
        let count = self.changes.rows[from..].iter().take_while(same).count();
        self.group = from..from + count;
        self.rest = Rest::All;
        true
    }

    /// Reads the next rows of the other side's group. False when there are no more.
    fn next_piece(&mut self) -> Result<bool, RunError> {
        self.piece.clear();
        self.at = (0, 0);
        let Some(first) = self.changes.rows.get(self.group.start).filter(|_| !self.group.is_empty()) else {
            return Ok(false);
        };
        let (shard, group) = (first.shard, first.group());
        let rest = std::mem::replace(&mut self.rest, Rest::Done);
        let (is_first, from) = match &rest {
            Rest::Done => return Ok(false),
            Rest::All => (true, Some(group)),
            Rest::From(entry) => (false, Some(&entry[..])),
            Rest::Changes => (false, None),
        };
        if let Some(from) = from {
            let more = self.stored.read(shard, group, from, PIECE_ROWS, &mut self.piece)?;
            if let Some(more) = more {
                self.rest = Rest::From(more);
                return Ok(true);
            }
            if !is_first {
                self.rest = Rest::Changes;
                return Ok(true);
            }
            if self.piece.is_empty() && self.fresh == Side::Left && self.pairing.completes {
                self.piece.push(SideRow {
                    entry: group.into(),
                    group: group.len() as u32,
                    value: None,
                    diff: 1,
                    shard,
                });
            }
        }
        self.piece.extend(self.accepted.iter().flat_map(|incoming| incoming.group(shard, group)).cloned());
        if is_first {
            super::side::net(&mut self.piece);
        }
        Ok(true)
    }
}
