//! Net changes as batches for a sink, and how many there are.

use std::fmt::Display;

use vardelta_schemas::ledger::TableCounts;

use super::{
    net::{ChangesError, NetChanges},
    run::{Change, RunBytes},
};
use crate::{
    contract::sink::{ChangeBatch, Op, SinkError, SinkErrorKind},
    rows::RowLayout,
};

/// Keys in one batch for the sink.
const BATCH_KEYS: usize = 8_192;

fn op_of(change: &Change) -> Op {
    match (&change.old, &change.new) {
        (None, _) => Op::Insert,
        (Some(_), Some(_)) => Op::Update,
        (Some(_), None) => Op::Delete,
    }
}

impl Op {
    fn count(self, counts: &mut TableCounts) {
        match self {
            Op::Insert => counts.inserted += 1,
            Op::Update => counts.updated += 1,
            Op::Delete => counts.deleted += 1,
        }
    }
}
impl NetChanges {
    /// Counts the changes that are left, without decoding them.
    ///
    /// # Errors
    /// When the spill file cannot be read.
    pub fn count(&mut self, counts: &mut TableCounts) -> Result<(), ChangesError> {
        while let Some(change) = self.next()? {
            op_of(&change).count(counts);
        }
        Ok(())
    }

    /// The next batch of what is left to be written, decoded for a sink; `None` at the end. Every net change is counted as
    /// what it is, also where the sink has a part of it or all.
    ///
    /// # Errors
    /// When the spill file cannot be read, or a row cannot be decoded.
    pub fn next_batch(
        &mut self,
        layout: &RowLayout,
        counts: &mut TableCounts,
    ) -> Result<Option<ChangeBatch>, SinkError> {
        let mut changes = Vec::new();
        while changes.len() < BATCH_KEYS {
            let Some((net, sent)) = self.next_key().map_err(|error| unreadable(&error))? else { break };
            if net.old != net.new {
                op_of(&net).count(counts);
            }
            let left = left(net, sent);
            if left.old != left.new {
                changes.push(left);
            }
        }
        decode(&changes, layout)
    }
}
/// What is left to be written of a net change after the row that was sent, if one was.
pub(super) fn left(net: Change, sent: Option<RunBytes>) -> Change {
    Change { old: sent.or(net.old), ..net }
}

/// The rows that a chunk has added to a table.
pub struct AddedRows(NetChanges);

impl AddedRows {
    /// The rows that this merge adds.
    pub(super) fn new(net: NetChanges) -> AddedRows {
        AddedRows(net)
    }

    pub(super) fn next(&mut self) -> Result<Option<Change>, ChangesError> {
        while let Some(change) = self.0.next()? {
            if change.old.is_none() {
                return Ok(Some(change));
            }
        }
        Ok(None)
    }

    /// The next batch of them, decoded for a sink; `None` at the end.
    ///
    /// # Errors
    /// When the spill file cannot be read, or a row cannot be decoded.
    pub fn next_batch(&mut self, layout: &RowLayout) -> Result<Option<ChangeBatch>, SinkError> {
        let mut changes = Vec::new();
        while changes.len() < BATCH_KEYS {
            let Some(change) = self.next().map_err(|error| unreadable(&error))? else { break };
            changes.push(change);
        }
        decode(&changes, layout)
    }
}

fn unreadable(error: &dyn Display) -> SinkError {
    SinkError::new(SinkErrorKind::Unavailable, format!("the run's changes cannot be read back: {error}"))
}

fn decode(changes: &[Change], layout: &RowLayout) -> Result<Option<ChangeBatch>, SinkError> {
    if changes.is_empty() {
        return Ok(None);
    }
    let ops: Vec<Op> = changes.iter().map(op_of).collect();
    let decode = |value: fn(&Change) -> &Option<RunBytes>| {
        let rows = changes.iter().filter_map(|change| value(change).as_deref().map(|value| (&*change.key, value)));
        let rows: Vec<(&[u8], &[u8])> = rows.collect();
        layout.decode(rows.into_iter()).map_err(|error| unreadable(&error))
    };
    Ok(Some(ChangeBatch { new: decode(|change| &change.new)?, old: decode(|change| &change.old)?, ops }))
}
