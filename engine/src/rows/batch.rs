//! Many rows in two allocations: what is exchanged, gathered, captured and sorted.

use serde::{Deserialize, Serialize};

/// Rows, each a key, a value, a multiplicity and where it came from; in the order in which they were pushed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RowBatch {
    /// The worker that is to have the rows, where they travel.
    pub to: u32,
    /// The number of the drop that asserts them: its place in ledger order. 0 for rows that no drop asserts.
    pub place: u64,
    /// Keys and values, one after the other.
    bytes: Vec<u8>,
    slots: Vec<Slot>,
}

/// Where a row lies.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Slot {
    hash: u64,
    origin: u64,
    /// Bytes from the start to the key; the value follows it.
    at: u64,
    key: u32,
    value: u32,
    diff: i64,
}

/// One row of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowRef<'a> {
    /// The columns of the key, encoded.
    pub key: &'a [u8],
    /// The other columns, encoded.
    pub value: &'a [u8],
    /// How often the row is put in place; negative where it is taken away.
    pub diff: i64,
}

impl RowBatch {
    /// No rows, for this worker, asserted by this drop; with room for so many bytes.
    pub fn of_drop(to: u32, place: u64, rows: usize, bytes: usize) -> RowBatch {
        RowBatch { to, place, bytes: Vec::with_capacity(bytes), slots: Vec::with_capacity(rows) }
    }

    /// Appends a change of a row.
    pub fn push(&mut self, key: &[u8], value: &[u8], diff: i64) {
        self.append(key, value, 0, 0, diff);
    }

    /// Appends a row that a drop asserts: with the hash of its key, and the record's origin in the drop.
    pub fn assert(&mut self, hash: u64, origin: u64, key: &[u8], value: &[u8]) {
        self.append(key, value, hash, origin, 1);
    }

    fn append(&mut self, key: &[u8], value: &[u8], hash: u64, origin: u64, diff: i64) {
        let at = self.bytes.len() as u64;
        self.slots.push(Slot { hash, origin, at, key: key.len() as u32, value: value.len() as u32, diff });
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
    }

    /// Appends the changes of another batch.
    pub fn extend(&mut self, other: &RowBatch) {
        let shift = self.bytes.len() as u64;
        self.bytes.extend_from_slice(&other.bytes);
        self.slots.extend(other.slots.iter().map(|slot| Slot { at: slot.at + shift, ..*slot }));
    }

    /// Forgets the rows and keeps the room.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.slots.clear();
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Bytes of all keys and values.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The key of a row.
    pub fn key(&self, row: usize) -> &[u8] {
        let Slot { at, key, .. } = self.slots[row];
        &self.bytes[at as usize..at as usize + key as usize]
    }

    /// The value of a row.
    pub fn value(&self, row: usize) -> &[u8] {
        let Slot { at, key, value, .. } = self.slots[row];
        let from = at as usize + key as usize;
        &self.bytes[from..from + value as usize]
    }

    /// The multiplicity of a row.
    pub fn diff(&self, row: usize) -> i64 {
        self.slots[row].diff
    }

    /// The hash of a row's key, where it was given.
    pub fn hash(&self, row: usize) -> u64 {
        self.slots[row].hash
    }

    /// The origin in the drop of the record that a row comes from.
    pub fn origin(&self, row: usize) -> u64 {
        self.slots[row].origin
    }

    /// The rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = RowRef<'_>> + Clone {
        (0..self.len()).map(|row| RowRef { key: self.key(row), value: self.value(row), diff: self.diff(row) })
    }
}
