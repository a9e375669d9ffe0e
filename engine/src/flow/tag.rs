//! The tag of a union: a first column that says from which input a row comes.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use vardelta_schemas::Schema;

use crate::contract::{
    batch::Batch,
    stage::{Emit, StageError, Transform, TransformRun},
};

/// What a union with a tag does with the rows of one input.
#[derive(Clone)]
pub(crate) struct Tag {
    schema: Schema,
    tag: String,
}

impl Tag {
    /// For one input of a union that yields these columns.
    pub fn transform(schema: &Schema, tag: &str) -> Arc<dyn Transform> {
        Arc::new(Tag { schema: schema.clone(), tag: tag.to_owned() })
    }
}

impl Transform for Tag {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn passes_through(&self, column: usize) -> Option<usize> {
        Some(column + 1)
    }

    fn start(&self) -> Result<Box<dyn TransformRun>, StageError> {
        Ok(Box::new(self.clone()))
    }
}

impl TransformRun for Tag {
    fn apply(&mut self, batch: &Batch, emit: &mut Emit) -> Result<(), StageError> {
        let tags: ArrayRef = Arc::new(StringArray::from_iter_values(std::iter::repeat_n(&self.tag, batch.rows())));
        let columns = std::iter::once(tags).chain(batch.columns.columns().iter().cloned()).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.rows()));
        let columns = RecordBatch::try_new_with_options(self.schema.to_arrow(), columns, &options)?;
        emit.batch(batch.with_columns(columns));
        Ok(())
    }
}
