//! Which row of a key stood before a chunk, and which one stands after it.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Assertion, Removal, assertion_space,
    assertions::{PutAside, push_place, push_value},
    drops::DropChanges,
    list_space,
    stored::{OfKey, Stored},
};
use crate::{
    error::RunError,
    flow::gather::GatheredRows,
    relational::Conflict,
    rows::{BatchCutter, Entry},
    state::{RunWriter, Session, Snapshot, key_hash},
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
    stored: Stored,
    writer: RunWriter,
    list_writer: RunWriter,
    drops: DropChanges,
    places: Vec<u64>,
    entry: Vec<u8>,
    value: Vec<u8>,
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
        let mut work = Shard {
            rule: self,
            rows,
            stored: Stored::open(self.before, self.stage, shard, self.conflict)?,
            writer: self.session.run_writer(&assertion_space(self.stage), shard),
            list_writer: self.session.run_writer(&list_space(self.stage), shard),
            drops: DropChanges::default(),
            places: Vec::new(),
            entry: Vec::new(),
            value: Vec::new(),
        };
        let mut entries = rows.shard(shard);
        loop {
            let asserted = entries.first().map(|entry| entry.key(rows.batches()));
            let removed = removals.first().map(|removal| &*removal.key);
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
            let (taken, left) = removals.split_at(removals.iter().take_while(|removal| *removal.key == *key).count());
            (entries, removals) = (rest, left);
            work.key(key, group, taken, changes, superseded)?;
        }
        work.writer.finish()?;
        work.list_writer.finish()?;
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
        if group.is_empty() && removals.iter().all(|removal| removal.is_replaced) {
            removals.iter().for_each(|removal| self.drops.push(removal.place, removal.version, key, false));
            return Ok(());
        }
        let Resolve { epoch, conflict, .. } = *self.rule;
        let batches = self.rows.batches();
        let hash = match group.first() {
            Some(entry) => batches[entry.batch()].hash(entry.row()),
            None => key_hash(key),
        };
        self.places.clear();
        self.places.extend(group.iter().map(|entry| batches[entry.batch()].place));
        self.places.extend(removals.iter().map(|removal| removal.place));
        self.places.sort_unstable();
        self.places.dedup();
        let OfKey { list: stored, is_list } = self.stored.read(hash, key, &self.places)?;
        // What a first load consists of.
        if let ([entry], true, true) = (group, stored.is_empty(), removals.is_empty()) {
            let (batch, row) = (&batches[entry.batch()], entry.row());
            self.write(hash, key, batch.place, Some((epoch, batch.origin(row), batch.value(row))))?;
            self.drops.push(batch.place, epoch, key, true);
            changes.change(key, None, Some(conflict.row(batch.value(row))));
            return Ok(());
        }
        let mut standing = stored.clone();
        for Removal { place, version, .. } in removals {
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
        if is_list {
            self.list_writer.push_hashed(hash, key, None)?;
            self.places.extend(stored.iter().map(|assertion| assertion.place));
            self.places.sort_unstable();
            self.places.dedup();
        }
        let places = std::mem::take(&mut self.places);
        let of = |list: &'_ [Assertion], place: u64| list.iter().position(|assertion| assertion.place == place);
        // In the order of the entries.
        let in_order = |at: usize| match conflict {
            Conflict::FirstDrop => places[at],
            Conflict::LatestDrop | Conflict::Greatest => places[places.len() - 1 - at],
        };
        for place in (0..places.len()).map(in_order) {
            let (old, new) = (of(&stored, place).map(|at| &stored[at]), of(&standing, place).map(|at| &standing[at]));
            if old != new || is_list && new.is_some() {
                let new = new.map(|new| (new.version, new.origin, &*new.value));
                self.write(hash, key, place, new)?;
            }
        }
        self.places = places;
        Ok(())
    }

    /// Writes what a drop asserts of a key from now on: version, origin and value.
    fn write(&mut self, hash: u64, key: &[u8], place: u64, asserts: Option<(u64, u64, &[u8])>) -> Result<(), RunError> {
        self.entry.clear();
        self.entry.extend_from_slice(key);
        push_place(&mut self.entry, place, self.rule.conflict);
        self.value.clear();
        if let Some((version, origin, value)) = asserts {
            push_value(&mut self.value, version, origin, value);
        }
        Ok(self.writer.push_hashed(hash, &self.entry, asserts.map(|_| &self.value[..]))?)
    }
}
