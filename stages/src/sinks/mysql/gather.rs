//! Rows on their way to their statements: checked, collected by operation and written as text, while the server works on
//! those before. A slice is ready as a whole before its statement is sent.

use std::sync::mpsc::{Receiver, SyncSender};

use arrow_array::RecordBatch;
use vardelta_engine::contract::sink::{ChangeBatch, Op, SinkError, SinkErrorKind};
use vardelta_schemas::{TableSchema, sql::mysql::layout::TableLayout, sql::mysql::table::RowValue};

use crate::sinks::{
    mysql::values::RowReader,
    shared::values::{column_readers, show_key},
};

/// Rows of one multi-row statement: measured best on both servers.
pub(super) const STATEMENT_ROWS: usize = 500;
/// Rows of one slice of LOAD DATA, and of one join with the keys of rows that go.
const SLICE_ROWS: usize = 50_000;
/// Bytes of one slice of LOAD DATA, about.
const SLICE_BYTES: usize = 8 << 20;

/// Something for the thread that talks with the server.
pub(super) enum Work {
    /// Rows to be written.
    Rows(Op, Slice),
    /// A row that the column at this place cannot hold.
    Misfit { op: Op, column: usize, key: String, row: RecordBatch, why: String, is_too_large: bool },
}

/// Rows that wait for their statement.
#[derive(Default)]
pub(super) struct Slice {
    /// The batches they are in.
    pub(super) batches: Vec<RecordBatch>,
    /// Batch and row.
    pub(super) rows: Vec<(usize, usize)>,
    /// The rows as LOAD DATA reads them, where they go that way.
    pub(super) text: Vec<u8>,
    bytes: usize,
}

impl Slice {
    fn push(&mut self, batch: &RecordBatch, row: usize, bytes: usize) {
        let last = self.batches.len() - 1;
        if self.batches[last].num_rows() == 0 {
            // Shares the columns; nothing is copied.
            self.batches[last] = batch.clone();
        }
        self.rows.push((last, row));
        self.bytes += bytes;
    }
}

/// Collects the rows of one table's changes.
pub(super) struct Gatherer<'a> {
    pub(super) table: &'a TableSchema,
    pub(super) layout: &'a TableLayout,
    pub(super) epoch: i64,
    /// Bytes of the longest packet that the server takes, where rows must be able to leave the table again.
    pub(super) packet_bytes: Option<usize>,
    /// What is written of a new row as text, if anything is.
    pub(super) as_text: Option<Vec<RowValue>>,
    /// What is written of a row that goes, if anything is.
    pub(super) keys_as_text: Option<Vec<RowValue>>,
    pub(super) works: SyncSender<Work>,
    /// Text buffers to be filled again.
    pub(super) spare: Receiver<Vec<u8>>,
}

/// Nobody takes work any more: the other thread has failed, and says why.
struct NobodyThere;

impl Gatherer<'_> {
    /// Hands over all rows, slice by slice; what the other thread has to say of them comes from there.
    pub(super) fn gather(
        self,
        changes: &mut dyn Iterator<Item = Result<ChangeBatch, SinkError>>,
    ) -> Result<(), SinkError> {
        let (mut inserts, mut updates, mut deletes) = (Slice::default(), Slice::default(), Slice::default());
        for batch in changes {
            let batch = batch?;
            check_rows(self.table, &batch)?;
            for slice in [&mut inserts, &mut updates, &mut deletes] {
                slice.batches.push(RecordBatch::new_empty(batch.new.schema()));
            }
            if let Err(NobodyThere) = self.batch(&batch, &mut inserts, &mut updates, &mut deletes)? {
                return Ok(());
            }
        }
        // Old rows first, so that what takes their place in an index of the user's finds it free.
        for (op, slice) in [(Op::Delete, deletes), (Op::Update, updates), (Op::Insert, inserts)] {
            if !slice.rows.is_empty() && self.works.send(Work::Rows(op, slice)).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn batch(
        &self,
        batch: &ChangeBatch,
        inserts: &mut Slice,
        updates: &mut Slice,
        deletes: &mut Slice,
    ) -> Result<Result<(), NobodyThere>, SinkError> {
        let Gatherer { table, layout, epoch, .. } = *self;
        let new = RowReader { table, layout, columns: column_readers(table, &batch.new)?, epoch };
        let old = RowReader { table, layout, columns: column_readers(table, &batch.old)?, epoch };
        let (mut new_row, mut old_row, mut scratch) = (0, 0, String::new());
        for op in &batch.ops {
            let (slice, rows, from, row) = match op {
                Op::Insert => (&mut *inserts, &new, &batch.new, new_row),
                Op::Update => (&mut *updates, &new, &batch.new, new_row),
                Op::Delete => (&mut *deletes, &old, &batch.old, old_row),
            };
            let mut work = None;
            let limit = self.packet_bytes.filter(|_| *op != Op::Delete);
            let too_large = limit.and_then(|limit| rows.too_large(row, limit));
            let is_too_large = too_large.is_some();
            match too_large.or_else(|| rows.misfit(row)) {
                None => {
                    slice.push(from, row, rows.bytes(row));
                    if let Some(values) = self.text_of(*op) {
                        rows.write_line(values, row, &mut slice.text, &mut scratch);
                    }
                }
                Some((column, why)) => {
                    let why = format!("column `{}`: {why}", table.schema.columns()[column].name);
                    let key = show_key(table, &rows.columns, row);
                    work = Some(Work::Misfit { op: *op, column, key, row: from.slice(row, 1), why, is_too_large });
                }
            }
            let is_text = *op == Op::Insert || self.text_of(*op).is_some();
            let (rows_max, bytes_max) = if is_text { (SLICE_ROWS, SLICE_BYTES) } else { (STATEMENT_ROWS, usize::MAX) };
            if slice.rows.len() >= rows_max || slice.bytes >= bytes_max {
                let text = if is_text { self.spare.try_recv().unwrap_or_default() } else { Vec::new() };
                let next =
                    Slice { batches: vec![RecordBatch::new_empty(batch.new.schema())], text, ..Slice::default() };
                work = Some(Work::Rows(*op, std::mem::replace(slice, next)));
            }
            if let Some(work) = work
                && self.works.send(work).is_err()
            {
                return Ok(Err(NobodyThere));
            }
            new_row += usize::from(*op != Op::Delete);
            old_row += usize::from(*op != Op::Insert);
        }
        Ok(Ok(()))
    }

    /// What is written as text of a row that this is to become of, if anything is.
    fn text_of(&self, op: Op) -> Option<&[RowValue]> {
        match op {
            Op::Insert => self.as_text.as_deref(),
            Op::Delete => self.keys_as_text.as_deref(),
            Op::Update => None,
        }
    }
}

fn check_rows(table: &TableSchema, batch: &ChangeBatch) -> Result<(), SinkError> {
    let count = |ops: &[Op]| batch.ops.iter().filter(|op| ops.contains(op)).count();
    let (new_rows, old_rows) = (count(&[Op::Insert, Op::Update]), count(&[Op::Update, Op::Delete]));
    if (new_rows, old_rows) == (batch.new.num_rows(), batch.old.num_rows()) {
        return Ok(());
    }
    let message = format!("changes of table `{}` do not have as many rows as they say", table.name);
    Err(SinkError::new(SinkErrorKind::Value, message))
}
