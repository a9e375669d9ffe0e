//! Changes of one chunk on one worker: how they are folded and laid out, and how they are read back.
//!
//! A run is its changes in key order, each as the lengths of key, row before and row after, then their bytes. A length is four
//! bytes, little-endian: 0 for no row and one more than the number of bytes otherwise.

use std::{cmp::Ordering, fs::File, io, ops::Deref, os::unix::fs::FileExt, sync::Arc};

use crate::rows::{Entry, Row, RowBatch, sort};

/// Bytes that a cursor reads from the spill file at a time.
pub(super) const READ_BYTES: usize = 64 << 10;
/// Bytes of the three lengths of a change.
const LENGTHS_BYTES: usize = 12;

/// What happened to one key: the row's value before and after, `None` where there is no row.
#[derive(Debug)]
pub struct Change {
    /// The key.
    pub key: RunBytes,
    /// The value before.
    pub old: Option<RunBytes>,
    /// The value after.
    pub new: Option<RunBytes>,
}

/// A key or a value where it lies in its run, which is as good as a row and costs no copy.
#[derive(Clone, Debug)]
pub struct RunBytes {
    buffer: Arc<Vec<u8>>,
    from: usize,
    to: usize,
}

impl Deref for RunBytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.buffer[self.from..self.to]
    }
}

impl PartialEq for RunBytes {
    fn eq(&self, other: &RunBytes) -> bool {
        **self == **other
    }
}
/// Changes of one chunk on one worker, encoded, sorted by key.
#[derive(Default)]
pub struct RunBuilder {
    bytes: Vec<u8>,
}

impl RunBuilder {
    /// Folds the rows of a keyed collection to changes per key.
    ///
    /// # Errors
    /// The key for which the rows do not take at most one row away and put at most one row in place.
    pub fn fold(batches: &[RowBatch]) -> Result<RunBuilder, Row> {
        let all =
            batches.iter().enumerate().flat_map(|(at, batch)| (0..batch.len()).map(move |row| Entry::new(at, row)));
        let mut entries: Vec<Entry> = Vec::with_capacity(batches.iter().map(RowBatch::len).sum());
        entries.extend(all);
        sort(batches, &mut entries, |_, _| Ordering::Equal);
        let bytes: usize = batches.iter().map(RowBatch::bytes).sum();
        let mut run = RunBuilder { bytes: Vec::with_capacity(bytes + LENGTHS_BYTES * entries.len()) };
        let mut values: Vec<(&[u8], i64)> = Vec::new();
        for group in entries.chunk_by(|one, other| one.same_key(*other, batches)) {
            values.clear();
            for entry in group {
                let batch = &batches[entry.batch()];
                let (value, diff) = (batch.value(entry.row()), batch.diff(entry.row()));
                match values.iter_mut().find(|(known, _)| *known == value) {
                    Some((_, count)) => *count += diff,
                    None => values.push((value, diff)),
                }
            }
            let (mut old, mut new) = (None, None);
            for (value, count) in &values {
                match count {
                    0 => {}
                    1 if new.is_none() => new = Some(*value),
                    -1 if old.is_none() => old = Some(*value),
                    _ => return Err(group[0].key(batches).into()),
                }
            }
            if old.is_some() || new.is_some() {
                run.push(group[0].key(batches), old, new);
            }
        }
        Ok(run)
    }

    fn push(&mut self, key: &[u8], old: Option<&[u8]>, new: Option<&[u8]>) {
        let parts = [Some(key), old, new];
        let lengths = parts.map(|part| part.map_or(0, |bytes| bytes.len() as u32 + 1).to_le_bytes());
        self.bytes.extend_from_slice(lengths.as_flattened());
        for part in parts.into_iter().flatten() {
            self.bytes.extend_from_slice(part);
        }
    }

    /// The run's bytes.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Reads one run.
pub(super) struct Cursor {
    buffer: Arc<Vec<u8>>,
    at: usize,
    file: Option<(Arc<File>, u64, u64)>,
}

impl Cursor {
    pub(super) fn memory(bytes: Arc<Vec<u8>>) -> Cursor {
        Cursor { buffer: bytes, at: 0, file: None }
    }

    pub(super) fn file(file: Arc<File>, offset: u64, bytes: u64) -> Cursor {
        Cursor { buffer: Arc::default(), at: 0, file: Some((file, offset, bytes)) }
    }

    /// Makes `needed` bytes available in the buffer, if the run has them.
    fn fill(&mut self, needed: usize) -> io::Result<bool> {
        let have = self.buffer.len() - self.at;
        if have >= needed {
            return Ok(true);
        }
        let Some((file, offset, left)) = &mut self.file else { return Ok(false) };
        let more = (*left).min((needed - have).max(READ_BYTES) as u64) as usize;
        let mut buffer = Vec::with_capacity(have + more);
        buffer.extend_from_slice(&self.buffer[self.at..]);
        buffer.resize(have + more, 0);
        file.read_exact_at(&mut buffer[have..], *offset)?;
        (*offset, *left) = (*offset + more as u64, *left - more as u64);
        (self.buffer, self.at) = (Arc::new(buffer), 0);
        Ok(self.buffer.len() >= needed)
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Change>> {
        if !self.fill(1)? {
            return Ok(None);
        }
        if !self.fill(LENGTHS_BYTES)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (lengths, _) = self.buffer[self.at..][..LENGTHS_BYTES].as_chunks::<4>();
        let lengths = [lengths[0], lengths[1], lengths[2]].map(|length| u32::from_le_bytes(length) as usize);
        let bytes = LENGTHS_BYTES + lengths.iter().map(|length| length.saturating_sub(1)).sum::<usize>();
        if !self.fill(bytes)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (buffer, mut from) = (&self.buffer, self.at + LENGTHS_BYTES);
        let [key, old, new] = lengths.map(|length| {
            let part = RunBytes { buffer: Arc::clone(buffer), from, to: from + length.checked_sub(1)? };
            from = part.to;
            Some(part)
        });
        self.at += bytes;
        Ok(Some(Change { key: key.ok_or(io::ErrorKind::InvalidData)?, old, new }))
    }
}
