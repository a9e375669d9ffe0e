//! A row of a group as bytes that sort as the group is ordered, and back.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_row::{RowConverter, RowParser, Rows, SortField};
use arrow_schema::SchemaRef;

use crate::{error::RunError, relational::TopSpec};

/// What a row is ordered by, then its key, then its other columns.
pub(super) struct Encoding {
    converter: RowConverter,
    parser: RowParser,
    /// The columns of the schema after what the row is ordered by.
    columns: Vec<usize>,
}

impl Encoding {
    /// That of a stage.
    pub fn of(spec: &TopSpec) -> Result<Encoding, RunError> {
        let others = (0..spec.schema.columns().len()).filter(|column| !spec.key.contains(column));
        let columns: Vec<usize> = spec.key.iter().copied().chain(others).collect();
        let order = spec
            .order
            .iter()
            .map(|(by, order)| SortField::new_with_options(by.column_type.to_arrow(), order.sort_options()));
        let rest = columns.iter().map(|at| SortField::new(spec.schema.columns()[*at].column_type.to_arrow()));
        let converter = RowConverter::new(order.chain(rest).collect()).map_err(RunError::internal)?;
        Ok(Encoding { parser: converter.parser(), converter, columns })
    }

    /// The rows of a batch, which are ordered by these values.
    pub fn encode(&self, order: Vec<ArrayRef>, batch: &RecordBatch) -> Result<Rows, RunError> {
        let rest = self.columns.iter().map(|at| Arc::clone(batch.column(*at)));
        let columns: Vec<ArrayRef> = order.into_iter().chain(rest).collect();
        self.converter.convert_columns(&columns).map_err(RunError::internal)
    }

    /// Undoes [`Encoding::encode`].
    pub fn decode<'a>(
        &self,
        rows: impl ExactSizeIterator<Item = &'a [u8]>,
        schema: &SchemaRef,
    ) -> Result<RecordBatch, RunError> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let decoded =
            self.converter.convert_rows(rows.map(|row| self.parser.parse(row))).map_err(RunError::internal)?;
        let order = decoded.len() - self.columns.len();
        let mut columns: Vec<Option<ArrayRef>> = vec![None; self.columns.len()];
        for (at, array) in self.columns.iter().zip(decoded.into_iter().skip(order)) {
            columns[*at] = Some(array);
        }
        let columns: Vec<ArrayRef> = columns.into_iter().flatten().collect();
        RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(RunError::internal)
    }
}
