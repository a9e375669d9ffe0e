//! The parts of a table's changes, where they cannot all be applied in one step.

use std::sync::Arc;

use arrow_array::{BooleanArray, RecordBatch};
use arrow_row::{RowConverter, Rows, SortField};
use arrow_schema::ArrowError;
use arrow_select::filter::filter_record_batch;

use super::{ChangeBatch, Op};

/// Which of a table's changes are applied in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of them.
    All,
    /// Inserts and updates.
    NewRows,
    /// Deletes.
    OldRows,
    /// Of a table of which no two rows may have the same values in some columns: the rows that give up such values. These
    /// are the deletes, and as deletes the updates that change one of these columns (by place).
    Leaving(Arc<[usize]>),
    /// The rest: inserts, the other updates, and as inserts those updates.
    Arriving(Arc<[usize]>),
}

impl Part {
    /// Whether the step is the one of its table in which changes are counted and shown.
    pub fn counts(&self) -> bool {
        !matches!(self, Part::OldRows | Part::Leaving(_))
    }

    /// The changes of a batch that belong to it.
    ///
    /// # Errors
    /// When the batch does not have as many rows as its operations say.
    pub fn of(&self, batch: ChangeBatch) -> Result<ChangeBatch, ArrowError> {
        let kept = |kept: &dyn Fn(Op) -> bool| batch.ops.iter().map(|op| kept(*op)).collect::<Vec<_>>();
        match self {
            Part::All => Ok(batch),
            Part::NewRows => batch.keep(&kept(&|op| op != Op::Delete)),
            Part::OldRows => batch.keep(&kept(&|op| op == Op::Delete)),
            Part::Leaving(columns) => {
                let moved = moved(&batch, columns)?;
                let leaves = |(op, moved): (&Op, &bool)| *op == Op::Delete || *moved;
                let marks: Vec<bool> = batch.ops.iter().zip(&moved).map(leaves).collect();
                let ops = vec![Op::Delete; marks.iter().filter(|leaves| **leaves).count()];
                let old = rows_of(&batch, &batch.old, &marks, Op::Insert)?;
                Ok(ChangeBatch { ops, new: batch.new.slice(0, 0), old })
            }
            Part::Arriving(columns) => {
                let moved = moved(&batch, columns)?;
                let is_new: Vec<bool> = batch.ops.iter().map(|op| *op != Op::Delete).collect();
                let stays: Vec<bool> =
                    batch.ops.iter().zip(&moved).map(|(op, moved)| *op == Op::Update && !moved).collect();
                let op = |(op, moved): (&Op, &bool)| if *moved { Op::Insert } else { *op };
                let ops = batch.ops.iter().zip(&moved).filter(|(op, _)| **op != Op::Delete).map(op).collect();
                let new = rows_of(&batch, &batch.new, &is_new, Op::Delete)?;
                let old = rows_of(&batch, &batch.old, &stays, Op::Insert)?;
                Ok(ChangeBatch { ops, new, old })
            }
        }
    }
}

/// Of the old or the new rows, those of marked changes. `without` is the operation that has no such row.
fn rows_of(batch: &ChangeBatch, rows: &RecordBatch, marks: &[bool], without: Op) -> Result<RecordBatch, ArrowError> {
    let mask: BooleanArray =
        batch.ops.iter().zip(marks).filter(|(op, _)| **op != without).map(|(_, mark)| Some(*mark)).collect();
    filter_record_batch(rows, &mask)
}

/// For each change whether it is an update of one of these columns.
fn moved(batch: &ChangeBatch, columns: &[usize]) -> Result<Vec<bool>, ArrowError> {
    if !batch.ops.contains(&Op::Update) {
        return Ok(vec![false; batch.ops.len()]);
    }
    let schema = batch.new.schema();
    let fields = columns.iter().map(|column| SortField::new(schema.field(*column).data_type().clone()));
    let converter = RowConverter::new(fields.collect())?;
    let encode = |rows: &RecordBatch| -> Result<Rows, ArrowError> {
        let arrays: Vec<_> = columns.iter().map(|column| Arc::clone(rows.column(*column))).collect();
        converter.convert_columns(&arrays)
    };
    let (old, new) = (encode(&batch.old)?, encode(&batch.new)?);
    let (mut old_row, mut new_row) = (0, 0);
    let is_moved = |op: &Op| {
        let is_moved = *op == Op::Update && old.row(old_row) != new.row(new_row);
        old_row += usize::from(*op != Op::Insert);
        new_row += usize::from(*op != Op::Delete);
        is_moved
    };
    Ok(batch.ops.iter().map(is_moved).collect())
}

#[cfg(test)]
mod tests {
    use arrow_array::Int64Array;
    use vardelta_schemas::{Column, ColumnType, Schema};

    use super::*;

    fn rows(rows: &[(i64, Option<i64>, i64)]) -> RecordBatch {
        let columns = vec![
            Column::required("key", ColumnType::Int64),
            Column::nullable("unique", ColumnType::Int64),
            Column::required("other", ColumnType::Int64),
        ];
        let keys = Int64Array::from_iter_values(rows.iter().map(|row| row.0));
        let unique: Int64Array = rows.iter().map(|row| row.1).collect();
        let other = Int64Array::from_iter_values(rows.iter().map(|row| row.2));
        let schema = Schema::new(columns).to_arrow();
        RecordBatch::try_new(schema, vec![Arc::new(keys), Arc::new(unique), Arc::new(other)]).expect("fits")
    }

    #[test]
    fn rows_that_give_values_up_go_before_rows_that_take_them() {
        let batch = ChangeBatch {
            ops: vec![Op::Delete, Op::Update, Op::Insert, Op::Update, Op::Update],
            old: rows(&[(1, Some(1), 0), (2, Some(2), 0), (4, Some(4), 0), (5, None, 0)]),
            new: rows(&[(2, Some(3), 0), (3, Some(1), 0), (4, Some(4), 1), (5, Some(2), 0)]),
        };
        let columns: Arc<[usize]> = vec![1].into();
        let leaving = Part::Leaving(Arc::clone(&columns)).of(batch.clone()).expect("parted");
        assert_eq!(leaving.ops, [Op::Delete; 3]);
        assert_eq!((leaving.old, leaving.new.num_rows()), (rows(&[(1, Some(1), 0), (2, Some(2), 0), (5, None, 0)]), 0));
        let arriving = Part::Arriving(columns).of(batch.clone()).expect("parted");
        assert_eq!(arriving.ops, [Op::Insert, Op::Insert, Op::Update, Op::Insert]);
        assert_eq!((arriving.new, arriving.old), (batch.new.clone(), rows(&[(4, Some(4), 0)])));
        assert_eq!(Part::OldRows.of(batch.clone()).expect("parted").ops, [Op::Delete]);
        assert_eq!(Part::NewRows.of(batch.clone()).expect("parted").ops.len(), 4);
        assert!(Part::All.counts() && Part::NewRows.counts() && !Part::OldRows.counts());
    }
}
