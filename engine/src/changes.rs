//! The changes of one epoch: sorted runs per table, merged at the end to one insert, update or delete per key.
//!
//! A chunk's dataflow yields, for each table, changes sorted by key. Later chunks of the same epoch, and other workers of the
//! same chunk, may touch the same keys; what counts is the sum of all rows that were put in place and taken away. So runs are
//! kept (in memory up to a limit, then in a spill file) and merged in key order when all chunks are done: the sink writes
//! every key at most once, in key order, and a row that ends as it began is not written at all. The rows that a chunk adds may
//! go to the sink before that, while later chunks are computed; the merge then yields what is left to be written.

mod batches;
mod net;
mod run;

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use self::run::Cursor;
pub use self::{
    batches::AddedRows,
    net::{ChangesError, NetChanges},
    run::{Change, RunBuilder},
};
use crate::{locks::Locked as _, plan::TableIndex};

/// Bytes of runs kept in memory; what comes beyond is spilled.
const MEMORY_LIMIT_BYTES: usize = 192 << 20;

/// Where a run lies.
enum Run {
    Memory(Arc<Vec<u8>>),
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
    pub fn push(&self, table: TableIndex, chunk: u64, run: RunBuilder) -> io::Result<()> {
        self.add(table, chunk + 1, run)
    }

    /// Adds rows that were there before the first chunk, as taken away: what a chunk puts in their place is then an update, or
    /// nothing where it is the same.
    ///
    /// # Errors
    /// When the spill file cannot be written.
    pub fn push_standing(&self, table: TableIndex, run: RunBuilder) -> io::Result<()> {
        self.inner.locked().has_standing = true;
        self.add(table, 0, run)
    }

    /// Whether rows came by [`ChangeLog::push_standing`]: a column that is new to them is NULL there, whatever the plan says.
    pub fn has_standing(&self) -> bool {
        self.inner.locked().has_standing
    }

    /// Says which columns are new to the rows that stand, table by table.
    pub fn set_new_columns(&self, columns: Vec<Vec<usize>>) {
        self.inner.locked().new_columns = columns;
    }

    /// The columns of a table that are new to the rows that stand.
    pub fn new_columns(&self, table: TableIndex) -> Vec<usize> {
        self.inner.locked().new_columns[table.place()].clone()
    }

    /// Leaves out, from now on, changes that only fill new columns: they are written.
    pub fn leave_out_fills(&self) {
        self.inner.locked().without_fills = true;
    }

    /// Whether changes that only fill new columns are left out.
    pub fn leaves_out_fills(&self) -> bool {
        self.inner.locked().without_fills
    }

    fn add(&self, table: TableIndex, chunk: u64, run: RunBuilder) -> io::Result<()> {
        if run.is_empty() {
            return Ok(());
        }
        let mut inner = self.inner.locked();
        let run = run.into_bytes();
        let bytes = run.len();
        let run = if inner.memory_bytes + bytes <= MEMORY_LIMIT_BYTES {
            inner.memory_bytes += bytes;
            Run::Memory(Arc::new(run))
        } else {
            let (file, offset) = match inner.spill.take() {
                Some(spill) => spill,
                None => (Arc::new(tempfile::tempfile_in(&self.spill_dir)?), 0),
            };
            file.write_all_at(&run, offset)?;
            inner.spill = Some((Arc::clone(&file), offset + bytes as u64));
            Run::Spilled { file, offset, bytes: bytes as u64 }
        };
        inner.tables[table.place()].push((chunk, run));
        Ok(())
    }

    /// The net changes of one table, in key order, whatever the sink has of them. May be called any number of times.
    ///
    /// # Errors
    /// When the spill file cannot be read.
    pub fn net(&self, table: TableIndex) -> Result<NetChanges, ChangesError> {
        self.merge(table, 0, |_| true)
    }

    /// As [`ChangeLog::net`], but batches hold only what is left to be written.
    ///
    /// # Errors
    /// When the spill file cannot be read.
    pub fn unsent(&self, table: TableIndex) -> Result<NetChanges, ChangesError> {
        let sent_before = self.inner.locked().sent[table.place()].before;
        self.merge(table, sent_before, |_| true)
    }

    /// The rows that one chunk has added to one table, in key order, among the chunk's other changes.
    ///
    /// # Errors
    /// When the spill file cannot be read.
    pub fn added(&self, table: TableIndex, chunk: u64) -> Result<AddedRows, ChangesError> {
        self.merge(table, 0, |of| of == chunk + 1).map(AddedRows::new)
    }

    /// The sink's open transaction has the rows that this chunk, after all before it, has added to a table: so many.
    pub fn mark_sent(&self, table: TableIndex, chunk: u64, rows: u64) {
        let sent = &mut self.inner.locked().sent[table.place()];
        *sent = Sent { before: chunk + 2, rows: sent.rows + rows };
    }

    /// The rows of one table that the sink's open transaction has.
    pub fn sent_rows(&self, table: TableIndex) -> u64 {
        self.inner.locked().sent[table.place()].rows
    }

    /// The sink's transaction was given up: it has nothing.
    pub fn forget_sent(&self) {
        self.inner.locked().sent.fill(Sent::default());
    }

    fn merge(&self, table: TableIndex, sent_before: u64, of: impl Fn(u64) -> bool) -> Result<NetChanges, ChangesError> {
        let inner = self.inner.locked();
        let runs = inner.tables[table.place()].iter().filter(|(chunk, _)| of(*chunk)).map(|(chunk, run)| {
            let cursor = match run {
                Run::Memory(bytes) => Cursor::memory(Arc::clone(bytes)),
                Run::Spilled { file, offset, bytes } => Cursor::file(Arc::clone(file), *offset, *bytes),
            };
            (*chunk, cursor)
        });
        NetChanges::new(runs, sent_before)
    }
}

#[cfg(test)]
mod tests;
