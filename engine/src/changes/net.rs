//! The merge of runs: one net change per key, in key order.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, binary_heap::PeekMut},
    io,
};

use super::run::{Change, Cursor, RunBytes};
use crate::error::{RunError, RunErrorKind};

/// Why changes cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum ChangesError {
    /// The spill file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The runs of an epoch do not belong together: a fault of an operator, never of the input.
    #[error(
        "internal error: the changes of a key leave more than one row before or after (the key's bytes: {})",
        .key.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    )]
    TwoRows {
        /// The key, encoded.
        key: Vec<u8>,
    },
}

impl From<ChangesError> for RunError {
    fn from(error: ChangesError) -> RunError {
        let kind = match error {
            ChangesError::Io(_) => RunErrorKind::Sink,
            ChangesError::TwoRows { .. } => RunErrorKind::Internal,
        };
        RunError::new(kind, format!("the run's changes cannot be read back: {error}"))
    }
}

/// A merge of runs: one net change per key, in key order.
pub struct NetChanges {
    cursors: Vec<Cursor>,
    heap: BinaryHeap<Reverse<Head>>,
    /// The number of the first run whose added rows the sink does not have.
    sent_before: u64,
    /// What the runs say of the key at hand: rows that differ, with how often each was put in place.
    rows: Vec<(RunBytes, i64)>,
}

/// The next change of one run, ordered by key, then by chunk.
struct Head {
    chunk: u64,
    cursor: usize,
    change: Change,
}

impl Head {
    fn order(&self) -> (&[u8], u64) {
        (&self.change.key, self.chunk)
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Head) -> bool {
        self.order() == other.order()
    }
}
impl Eq for Head {}
impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Head) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Head {
    fn cmp(&self, other: &Head) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

impl NetChanges {
    /// The merge of these runs, each with its number.
    pub(super) fn new(runs: impl Iterator<Item = (u64, Cursor)>, sent_before: u64) -> Result<NetChanges, ChangesError> {
        let mut merge = NetChanges { cursors: Vec::new(), heap: BinaryHeap::new(), sent_before, rows: Vec::new() };
        for (chunk, mut run) in runs {
            if let Some(change) = run.next()? {
                merge.heap.push(Reverse(Head { chunk, cursor: merge.cursors.len(), change }));
            }
            merge.cursors.push(run);
        }
        Ok(merge)
    }

    /// Takes the least change. The next one of its run takes its place at once: as runs follow the genome, it is most often the
    /// least then.
    fn take_least(&mut self) -> io::Result<Option<Head>> {
        let Some(mut least) = self.heap.peek_mut() else { return Ok(None) };
        let Reverse(Head { chunk, cursor, .. }) = *least;
        Ok(Some(match self.cursors[cursor].next()? {
            Some(change) => std::mem::replace(&mut least.0, Head { chunk, cursor, change }),
            None => PeekMut::pop(least).0,
        }))
    }

    /// The next key, with what has become of it and the row of it that the sink's transaction has beyond the one before.
    ///
    /// What has become of it is the sum of the rows that all runs put in place and take away, whichever comes first: workers
    /// of one chunk may each have a part of what happened to a key.
    pub(super) fn next_key(&mut self) -> Result<Option<(Change, Option<RunBytes>)>, ChangesError> {
        let Some(head) = self.take_least()? else { return Ok(None) };
        let mut sent = self.sent(&head);
        if self.heap.peek().is_none_or(|Reverse(next)| next.change.key != head.change.key) {
            return Ok(Some((head.change, sent)));
        }
        let Change { key, old, new } = head.change;
        self.add(old, -1);
        self.add(new, 1);
        while self.heap.peek().is_some_and(|Reverse(next)| next.change.key == key) {
            let Some(next) = self.take_least()? else { break };
            sent = sent.or_else(|| self.sent(&next));
            self.add(next.change.old, -1);
            self.add(next.change.new, 1);
        }
        let mut net = Change { key, old: None, new: None };
        for (row, count) in self.rows.drain(..) {
            match count {
                1 if net.new.is_none() => net.new = Some(row),
                -1 if net.old.is_none() => net.old = Some(row),
                _ => return Err(ChangesError::TwoRows { key: net.key.to_vec() }),
            }
        }
        Ok(Some((net, sent)))
    }

    /// The row that the sink's transaction has from this change: such rows go there only from runs that only add.
    fn sent(&self, head: &Head) -> Option<RunBytes> {
        let is_sent = head.chunk < self.sent_before && head.change.old.is_none();
        if is_sent { head.change.new.clone() } else { None }
    }

    /// Counts a row of the key at hand. The chunks of a run follow on each other, so few rows are ever held.
    fn add(&mut self, row: Option<RunBytes>, count: i64) {
        let Some(row) = row else { return };
        match self.rows.iter().position(|(known, _)| *known == row) {
            None => self.rows.push((row, count)),
            Some(at) => {
                self.rows[at].1 += count;
                if self.rows[at].1 == 0 {
                    self.rows.swap_remove(at);
                }
            }
        }
    }

    /// The next key whose row is not what it was.
    ///
    /// # Errors
    /// When the spill file cannot be read, or the changes of a key do not belong together.
    pub fn next(&mut self) -> Result<Option<Change>, ChangesError> {
        while let Some((net, _)) = self.next_key()? {
            if net.old != net.new {
                return Ok(Some(net));
            }
        }
        Ok(None)
    }
}
