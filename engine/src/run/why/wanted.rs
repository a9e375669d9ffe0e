//! Which rows of a stage are wanted: those whose columns hold certain values.

use std::{collections::BTreeSet, sync::Arc};

use arrow_array::{Array as _, ArrayRef, BooleanArray, RecordBatch};
use arrow_row::{RowConverter, Rows, SortField};
use arrow_schema::ArrowError;

/// Some columns, and the values that they hold together.
#[derive(Clone, Debug)]
pub(super) struct Equal {
    /// The columns, in the order in which the values are encoded.
    pub columns: Vec<usize>,
    /// The values, encoded.
    pub values: Arc<BTreeSet<Box<[u8]>>>,
}

/// All of these hold; nothing is asked where there are none.
pub(super) type Wanted = Vec<Equal>;

/// Columns of a batch, encoded together. Columns of the same types have the same bytes wherever they lie.
pub(super) fn encode(rows: &RecordBatch, columns: &[usize]) -> Result<Rows, ArrowError> {
    let fields = columns.iter().map(|column| SortField::new(rows.column(*column).data_type().clone())).collect();
    let arrays: Vec<ArrayRef> = columns.iter().map(|column| Arc::clone(rows.column(*column))).collect();
    RowConverter::new(fields)?.convert_columns(&arrays)
}

impl Equal {
    /// The values that these columns have in the rows of a batch. A row with a NULL among them counts only where `with_nulls`.
    pub fn of(rows: &RecordBatch, columns: &[usize], with_nulls: bool) -> Result<BTreeSet<Box<[u8]>>, ArrowError> {
        let mut values = BTreeSet::new();
        if columns.is_empty() {
            return Ok(values);
        }
        let encoded = encode(rows, columns)?;
        for row in 0..rows.num_rows() {
            if with_nulls || columns.iter().all(|column| rows.column(*column).is_valid(row)) {
                values.insert(encoded.row(row).data().into());
            }
        }
        Ok(values)
    }
}

/// Which rows are wanted.
pub(super) fn mask(wanted: &[Equal], rows: &RecordBatch) -> Result<BooleanArray, ArrowError> {
    let mut keep = vec![true; rows.num_rows()];
    for equal in wanted.iter().filter(|equal| !equal.columns.is_empty()) {
        let encoded = encode(rows, &equal.columns)?;
        for (row, keep) in keep.iter_mut().enumerate().filter(|(_, keep)| **keep) {
            *keep = equal.values.contains(encoded.row(row).data());
        }
    }
    Ok(BooleanArray::from(keep))
}

/// The part of what is wanted that an input can be asked for: `place` says where the input has a column.
pub(super) fn of_input(wanted: &[Equal], place: impl Fn(usize) -> Option<usize>) -> Wanted {
    let of = |equal: &Equal| {
        let columns = equal.columns.iter().map(|column| place(*column)).collect::<Option<Vec<usize>>>()?;
        Some(Equal { columns, values: Arc::clone(&equal.values) })
    };
    wanted.iter().filter_map(of).collect()
}
