//! Rows of a table on their way back from a database, gathered into typed batches.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use vardelta_engine::contract::sink::{SinkError, SinkErrorKind};
use vardelta_schemas::TableSchema;

use super::values::ColumnBuilder;

/// Rows per batch.
const BATCH_ROWS: usize = 8192;

/// A row as a database yields it.
pub(crate) trait StoredRow {
    /// Whether the column's value is NULL.
    fn is_null(&self, index: usize) -> bool;

    /// Takes the column's value; false when it is not one that the column's type is kept as.
    fn append(&self, index: usize, column: &mut ColumnBuilder) -> bool;

    /// The column's value for a message.
    fn show(&self, index: usize) -> String;
}

/// Gathers rows and hands them on.
pub(crate) struct BatchReader<'a> {
    /// The database, for messages.
    location: String,
    table: &'a TableSchema,
    schema: SchemaRef,
    columns: Vec<ColumnBuilder>,
    pending_rows: usize,
    each: &'a mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
}

impl<'a> BatchReader<'a> {
    /// Hands batches of this table's rows to `each`.
    pub(crate) fn new(
        location: String,
        table: &'a TableSchema,
        each: &'a mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
    ) -> BatchReader<'a> {
        let columns = table.schema.columns().iter().map(|column| ColumnBuilder::new(&column.column_type)).collect();
        BatchReader { location, table, schema: table.schema.to_arrow(), columns, pending_rows: 0, each }
    }

    /// Takes a row.
    ///
    /// # Errors
    /// A value that vardelta did not write there; what `each` fails with.
    pub(crate) fn push(&mut self, row: &impl StoredRow) -> Result<(), SinkError> {
        for (index, column) in self.columns.iter_mut().enumerate() {
            let nullable = self.table.schema.columns()[index].nullable;
            if row.is_null(index) && !nullable || !row.append(index, column) {
                return Err(self.misfit(index, row));
            }
        }
        self.pending_rows += 1;
        if self.pending_rows == BATCH_ROWS { self.hand_on() } else { Ok(()) }
    }

    /// Hands on what is left.
    ///
    /// # Errors
    /// What `each` fails with.
    pub(crate) fn finish(mut self) -> Result<(), SinkError> {
        if self.pending_rows > 0 { self.hand_on() } else { Ok(()) }
    }

    fn hand_on(&mut self) -> Result<(), SinkError> {
        self.pending_rows = 0;
        let arrays = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(|cause| {
            let message = format!("table `{}` in {} cannot be read: {cause}", self.table.name, self.location);
            SinkError::new(SinkErrorKind::Value, message)
        })?;
        (self.each)(batch)
    }

    fn misfit(&self, index: usize, row: &impl StoredRow) -> SinkError {
        let columns = self.table.schema.columns();
        let key: Vec<String> =
            self.table.key.iter().map(|index| format!("{} = {}", columns[*index].name, row.show(*index))).collect();
        let at = if key.is_empty() { "its one row".to_string() } else { key.join(", ") };
        let column = &columns[index];
        SinkError::new(
            SinkErrorKind::Value,
            format!(
                "table `{}` in {}, {at}: column `{}` holds {}, which is no {}",
                self.table.name,
                self.location,
                column.name,
                row.show(index),
                column.column_type
            ),
        )
        .with_hint("Somebody has changed the table; make it from scratch with `vardelta rebuild`.")
    }
}
