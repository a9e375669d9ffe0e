//! Which row of a key stood before a chunk, and which one stands behind it.

use std::{collections::BTreeMap, sync::Arc};

use super::{Assertion, Removal, assertions::PutAside, corrupt, drops::DropChanges, key_space};
use crate::{
    error::RunError,
    flow::gather::GatheredRows,
    relational::Conflict,
    rows::{BatchCutter, Entry},
    state::{Reader, RunWriter, Session, Snapshot, key_hash},
};

/// A table's rule, and the state that it reads and writes.
pub(super) struct Resolve<'a> {
    /// The stage's name.
    pub stage: &'a str,
    /// The epoch that is made: the version of what is asserted now.
    pub epoch: u64,
    pub conflict: Conflict,
    pub session: &'a Arc<Session>,
    pub before: &'a Snapshot,
}

/// One shard at work.
struct Shard<'a> {
    rule: &'a Resolve<'a>,
    rows: &'a GatheredRows,
    reader: Reader,
    writer: RunWriter,
    drops: DropChanges,
    scratch: Vec<u8>,
}

impl Resolve<'_> {
    /// Takes assertions back and puts rows in place, key by key; says what has changed, and of which records, by drop, the
    /// row was put aside by a later record of the same content. Removals are in key order.
    ///
    /// # Errors
    /// When the state cannot be read or written.
    pub fn shard(
        &self,
        shard: u32,
        rows: &GatheredRows,
        mut removals: &[Removal],
        changes: &mut BatchCutter,
        superseded: &mut BTreeMap<u64, Vec<PutAside>>,
    ) -> Result<(), RunError> {
        let space = key_space(self.stage);
        let mut work = Shard {
            rule: self,
            rows,
            reader: self.before.reader(&space, shard)?,
            writer: self.session.run_writer(&space, shard),
            drops: DropChanges::default(),
            scratch: Vec::new(),
        };
        let mut entries = rows.shard(shard);
        loop {
            let asserted = entries.first().map(|entry| entry.key(rows.batches()));
            let removed = removals.first().map(|removal| &*removal.0);
            let key = match (asserted, removed) {
                (Some(asserted), Some(removed)) => asserted.min(removed),
                (Some(key), None) | (None, Some(key)) => key,
                (None, None) => break,
            };
            let of_key = match asserted == Some(key) {
                true => entries.iter().take_while(|entry| entry.same_key(entries[0], rows.batches())).count(),
                false => 0,
            };
            let (group, rest) = entries.split_at(of_key);
            let (taken, left) = removals.split_at(removals.iter().take_while(|removal| *removal.0 == *key).count());
            (entries, removals) = (rest, left);
            work.key(key, group, taken, changes, superseded)?;
        }
        work.writer.finish()?;
        Ok(work.drops.write(self.session, self.stage, shard)?)
    }
}

impl Shard<'_> {
    fn key(
        &mut self,
        key: &[u8],
        group: &[Entry],
        removals: &[Removal],
        changes: &mut BatchCutter,
        superseded: &mut BTreeMap<u64, Vec<PutAside>>,
    ) -> Result<(), RunError> {
        let Resolve { stage, epoch, conflict, .. } = *self.rule;
        let batches = self.rows.batches();
        let hash = match group.first() {
            Some(entry) => batches[entry.batch()].hash(entry.row()),
            None => key_hash(key),
        };
        let stored = match self.reader.get_hashed(hash, key)? {
            // What a first load consists of.
            None if group.len() == 1 && removals.is_empty() => {
                let (batch, row) = (&batches[group[0].batch()], group[0].row());
                self.scratch.clear();
                Assertion::encode_one(&mut self.scratch, batch.place, epoch, batch.origin(row), batch.value(row));
                self.writer.push_hashed(hash, key, Some(&self.scratch))?;
                self.drops.push(batch.place, epoch, key, true);
                changes.change(key, None, Some(conflict.row(batch.value(row))));
                return Ok(());
            }
            None => Vec::new(),
            Some(bytes) => Assertion::decode(&bytes).ok_or_else(|| corrupt(stage))?,
        };
        let mut standing = stored.clone();
        for (_, place, version) in removals {
            standing.retain(|assertion| (assertion.place, assertion.version) != (*place, *version));
            self.drops.push(*place, *version, key, false);
        }
        for entry in group {
            let (batch, row) = (&batches[entry.batch()], entry.row());
            let (place, origin, value) = (batch.place, batch.origin(row), batch.value(row).into());
            if let Some(aside) = Assertion::put(&mut standing, Assertion { place, version: epoch, origin, value }) {
                let is_same = *aside.value == *batch.value(row);
                let contradicted = (!is_same).then(|| (origin, key.into()));
                superseded.entry(place).or_default().push(PutAside { origin: aside.origin, contradicted });
            }
        }
        if standing == stored {
            return Ok(());
        }
        for new in standing.iter().filter(|new| new.version == epoch) {
            if !stored.iter().any(|old| (old.place, old.version) == (new.place, new.version)) {
                self.drops.push(new.place, new.version, key, true);
            }
        }
        let winner = |list| Assertion::winner(list, conflict).map(|winner| conflict.row(&winner.value));
        let (old, new) = (winner(&stored[..]), winner(&standing[..]));
        if old != new {
            changes.change(key, old, new);
        }
        let bytes = Assertion::encode(&standing);
        Ok(self.writer.push_hashed(hash, key, if standing.is_empty() { None } else { Some(&bytes) })?)
    }
}
