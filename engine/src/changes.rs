//! The changes of one epoch: sorted runs per table, folded at the end to one insert, update or delete per key.
//!
//! A chunk's dataflow yields, for each table, changes sorted by key. Later chunks of the same epoch may touch the same
//! keys again; what counts is the row before the first and after the last. So runs are kept (in memory up to a limit, then in
//! a spill file) and merged in key order when all chunks are done: the sink writes every key at most once, in key order, and
//! a row that ends as it began is not written at all. The rows that a chunk adds may go to the sink before that, while later
//! chunks are computed; the merge then yields what is left to be written.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    io,
    ops::Deref,
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use vardelta_schemas::ledger::TableCounts;

use crate::{
    contract::sink::{ChangeBatch, Op, SinkError, SinkErrorKind},
    rows::{Row, RowLayout},
};

/// Bytes of runs kept in memory; what comes beyond is spilled.
const MEMORY_LIMIT_BYTES: usize = 192 << 20;
/// Bytes that a cursor reads from the spill file at a time.
const READ_BYTES: usize = 64 << 10;
/// Keys in one batch for the sink.
const BATCH_KEYS: usize = 8_192;

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
    buffer: Arc<[u8]>,
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
    /// Folds updates of a keyed collection to changes per key.
    ///
    /// # Errors
    /// The key for which the updates do not take at most one row away and put at most one row in place.
    pub fn fold(mut updates: Vec<(Row, Row, isize)>) -> Result<RunBuilder, Row> {
        // They come in sorted stretches, which a stable sort takes as they are.
        updates.sort();
        let mut run = RunBuilder::default();
        let mut rest = &updates[..];
        while let Some((key, _, _)) = rest.first() {
            let count = rest.iter().take_while(|update| update.0 == *key).count();
            let (group, tail) = rest.split_at(count);
            let (mut old, mut new) = (None, None);
            let mut values = group;
            while let Some((_, value, _)) = values.first() {
                let same = values.iter().take_while(|update| update.1 == *value).count();
                match values[..same].iter().map(|update| update.2).sum::<isize>() {
                    0 => {}
                    1 if new.is_none() => new = Some(&**value),
                    -1 if old.is_none() => old = Some(&**value),
                    _ => return Err(key.clone()),
                }
                values = &values[same..];
            }
            if old.is_some() || new.is_some() {
                run.push(key, old, new);
            }
            rest = tail;
        }
        Ok(run)
    }

    fn push(&mut self, key: &[u8], old: Option<&[u8]>, new: Option<&[u8]>) {
        self.part(Some(key));
        self.part(old);
        self.part(new);
    }

    fn part(&mut self, bytes: Option<&[u8]>) {
        let length = bytes.map_or(0, |bytes| bytes.len() as u32 + 1);
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(bytes.unwrap_or_default());
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Where a run lies.
enum Run {
    Memory(Arc<[u8]>),
    Spilled { file: Arc<File>, offset: u64, bytes: u64 },
}

/// The runs of one epoch, for every table of the sink.
pub struct ChangeLog {
    spill_dir: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    tables: Vec<Vec<(u64, Run)>>,
    /// What the sink has of each table's added rows.
    sent: Vec<Sent>,
    has_standing: bool,
    /// For each table the columns that are new to the rows that stand.
    new_columns: Vec<Vec<usize>>,
    /// Whether changes that only fill new columns are left out.
    without_fills: bool,
    memory_bytes: usize,
    spill: Option<(Arc<File>, u64)>,
}

/// What the sink's open transaction has of the rows that chunks have added to a table.
#[derive(Clone, Copy, Default)]
struct Sent {
    /// The number of the first run whose rows it does not have.
    before: u64,
    rows: u64,
}

impl ChangeLog {
    /// An empty log for this many tables, spilling into a nameless file in `spill_dir`.
    pub fn new(tables: usize, spill_dir: PathBuf) -> ChangeLog {
        let inner = Inner {
            tables: (0..tables).map(|_| Vec::new()).collect(),
            sent: vec![Sent::default(); tables],
            has_standing: false,
            new_columns: vec![Vec::new(); tables],
            without_fills: false,
            memory_bytes: 0,
            spill: None,
        };
        ChangeLog { spill_dir, inner: Mutex::new(inner) }
    }

    /// Adds the changes that one worker saw in one chunk. Chunks are numbered in the order in which they ran.
    ///
    /// # Errors
    /// When the spill file cannot be written.
    pub fn push(&self, table: usize, chunk: u64, run: RunBuilder) -> io::Result<()> {
        self.add(table, chunk + 1, run)
    }

    /// Adds rows that stood before the first chunk, as taken away: what a chunk puts in their place is then an update, or
    /// nothing where it is the same.
    ///
    /// # Errors
    /// When the spill file cannot be written.
    pub fn push_standing(&self, table: usize, run: RunBuilder) -> io::Result<()> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).has_standing = true;
        self.add(table, 0, run)
    }

    /// Whether rows came by [`ChangeLog::push_standing`]: a column that is new to them is NULL there, whatever the plan says.
    pub fn has_standing(&self) -> bool {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).has_standing
    }

    /// Says which columns are new to the rows that stand, table by table.
    pub fn set_new_columns(&self, columns: Vec<Vec<usize>>) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).new_columns = columns;
    }

    /// The columns of a table that are new to the rows that stand.
    pub fn new_columns(&self, table: usize) -> Vec<usize> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).new_columns[table].clone()
    }

    /// Leaves out, from now on, changes that only fill new columns: they are written.
    pub fn leave_out_fills(&self) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).without_fills = true;
    }

    /// Whether changes that only fill new columns are left out.
    pub fn leaves_out_fills(&self) -> bool {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).without_fills
    }

    fn add(&self, table: usize, chunk: u64, run: RunBuilder) -> io::Result<()> {
        if run.is_empty() {
            return Ok(());
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = run.bytes.len();
        let run = if inner.memory_bytes + bytes <= MEMORY_LIMIT_BYTES {
            inner.memory_bytes += bytes;
            Run::Memory(run.bytes.into())
        } else {
            let (file, offset) = match inner.spill.take() {
                Some(spill) => spill,
                None => (Arc::new(tempfile::tempfile_in(&self.spill_dir)?), 0),
            };
            file.write_all_at(&run.bytes, offset)?;
            inner.spill = Some((Arc::clone(&file), offset + bytes as u64));
            Run::Spilled { file, offset, bytes: bytes as u64 }
        };
        inner.tables[table].push((chunk, run));
        Ok(())
    }

    /// The net changes of one table, in key order, whatever the sink has of them. May be called any number of times.
    ///
    /// # Errors
    /// When the spill file cannot be read.
    pub fn net(&self, table: usize) -> io::Result<NetChanges> {
        self.merge(table, 0, |_| true)
    }

    /// As [`ChangeLog::net`], but batches hold only what is left to be written.
    ///
    /// # Errors
    /// When the spill file cannot be read.
    pub fn unsent(&self, table: usize) -> io::Result<NetChanges> {
        let sent_before = self.inner.lock().unwrap_or_else(PoisonError::into_inner).sent[table].before;
        self.merge(table, sent_before, |_| true)
    }

    /// The rows that one chunk has added to one table, in key order, among the chunk's other changes.
    ///
    /// # Errors
    /// When the spill file cannot be read.
    pub fn added(&self, table: usize, chunk: u64) -> io::Result<AddedRows> {
        self.merge(table, 0, |of| of == chunk + 1).map(AddedRows)
    }

    /// The sink's open transaction has the rows that this chunk, after all before it, has added to a table: so many.
    pub fn mark_sent(&self, table: usize, chunk: u64, rows: u64) {
        let sent = &mut self.inner.lock().unwrap_or_else(PoisonError::into_inner).sent[table];
        *sent = Sent { before: chunk + 2, rows: sent.rows + rows };
    }

    /// The rows of one table that the sink's open transaction has.
    pub fn sent_rows(&self, table: usize) -> u64 {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).sent[table].rows
    }

    /// The sink's transaction was given up: it has nothing.
    pub fn forget_sent(&self) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).sent.fill(Sent::default());
    }

    fn merge(&self, table: usize, sent_before: u64, of: impl Fn(u64) -> bool) -> io::Result<NetChanges> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut merge = NetChanges { cursors: Vec::new(), heap: BinaryHeap::new(), sent_before };
        for (chunk, run) in inner.tables[table].iter().filter(|(chunk, _)| of(*chunk)) {
            let cursor = match run {
                Run::Memory(bytes) => Cursor::memory(Arc::clone(bytes)),
                Run::Spilled { file, offset, bytes } => Cursor::file(Arc::clone(file), *offset, *bytes),
            };
            merge.cursors.push(cursor);
            merge.advance(merge.cursors.len() - 1, *chunk)?;
        }
        Ok(merge)
    }
}

/// Reads one run.
struct Cursor {
    buffer: Arc<[u8]>,
    at: usize,
    file: Option<(Arc<File>, u64, u64)>,
}

impl Cursor {
    fn memory(bytes: Arc<[u8]>) -> Cursor {
        Cursor { buffer: bytes, at: 0, file: None }
    }

    fn file(file: Arc<File>, offset: u64, bytes: u64) -> Cursor {
        Cursor { buffer: Arc::from([]), at: 0, file: Some((file, offset, bytes)) }
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
        (self.buffer, self.at) = (buffer.into(), 0);
        Ok(self.buffer.len() >= needed)
    }

    fn part(&mut self) -> io::Result<Option<RunBytes>> {
        if !self.fill(4)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let length = u32::from_le_bytes([
            self.buffer[self.at],
            self.buffer[self.at + 1],
            self.buffer[self.at + 2],
            self.buffer[self.at + 3],
        ]) as usize;
        self.at += 4;
        if length == 0 {
            return Ok(None);
        }
        if !self.fill(length - 1)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let from = self.at;
        self.at += length - 1;
        Ok(Some(RunBytes { buffer: Arc::clone(&self.buffer), from, to: self.at }))
    }

    fn next(&mut self) -> io::Result<Option<Change>> {
        if !self.fill(1)? {
            return Ok(None);
        }
        let key = self.part()?.ok_or(io::ErrorKind::InvalidData)?;
        Ok(Some(Change { key, old: self.part()?, new: self.part()? }))
    }
}

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

/// A merge of runs: one net change per key, in key order.
pub struct NetChanges {
    cursors: Vec<Cursor>,
    heap: BinaryHeap<Reverse<Head>>,
    /// The number of the first run whose added rows the sink does not have.
    sent_before: u64,
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
    fn advance(&mut self, cursor: usize, chunk: u64) -> io::Result<()> {
        if let Some(change) = self.cursors[cursor].next()? {
            self.heap.push(Reverse(Head { chunk, cursor, change }));
        }
        Ok(())
    }

    /// The next key, with what has become of it and the row of it that the sink's transaction has beyond the one before.
    fn next_key(&mut self) -> io::Result<Option<(Change, Option<RunBytes>)>> {
        let Some(Reverse(head)) = self.heap.pop() else { return Ok(None) };
        self.advance(head.cursor, head.chunk)?;
        let is_sent = head.chunk < self.sent_before && head.change.old.is_none();
        let sent = if is_sent { head.change.new.clone() } else { None };
        let mut net = head.change;
        while self.heap.peek().is_some_and(|Reverse(next)| next.change.key == net.key) {
            let Some(Reverse(next)) = self.heap.pop() else { break };
            self.advance(next.cursor, next.chunk)?;
            net.new = next.change.new;
        }
        Ok(Some((net, sent)))
    }

    /// The next key whose row is not what it was.
    ///
    /// # Errors
    /// When the spill file cannot be read.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> io::Result<Option<Change>> {
        while let Some((net, _)) = self.next_key()? {
            if net.old != net.new {
                return Ok(Some(net));
            }
        }
        Ok(None)
    }

    /// Counts the changes that are left, without decoding them.
    ///
    /// # Errors
    /// When the spill file cannot be read.
    pub fn count(&mut self, counts: &mut TableCounts) -> io::Result<()> {
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

/// What is left to be written of a net change behind the row that was sent, if one was.
fn left(net: Change, sent: Option<RunBytes>) -> Change {
    Change { old: sent.or(net.old), ..net }
}

/// The rows that a chunk has added to a table.
pub struct AddedRows(NetChanges);

impl AddedRows {
    fn next(&mut self) -> io::Result<Option<Change>> {
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

fn unreadable(error: &dyn std::fmt::Display) -> SinkError {
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

#[cfg(test)]
mod tests;
