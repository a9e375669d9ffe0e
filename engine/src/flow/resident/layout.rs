//! How rows come to the operator, and how annotated rows are put together.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_row::{RowConverter, Rows, SortField};
use arrow_schema::DataType;
use serde::{Deserialize, Serialize};

use super::spec;
use crate::{
    contract::batch::Batch,
    differential::Side,
    error::RunError,
    flow::RunContext,
    plan::StageIndex,
    relational::Annotations,
    rows::{Row, RowBatch},
    state::shard_of,
};

/// A change of a row of one side. Left rows go to the worker of their entry, right rows to all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct ResidentRow {
    /// The shard of the entry.
    pub shard: u32,
    /// What the row is kept under: its key, with the place before it where the key does not begin with that.
    pub entry: Row,
    /// How many bytes of the entry are the place before the key.
    pub place: u32,
    /// The columns that are not in the key.
    pub value: Row,
    /// How often it was put in place.
    pub diff: i64,
}

impl ResidentRow {
    /// The row's key.
    pub fn key(&self) -> &[u8] {
        &self.entry[self.place as usize..]
    }
}

/// Encodes rows of one side.
pub(crate) struct ResidentSide {
    input: StageIndex,
    place: Option<([usize; 2], RowConverter)>,
}

impl ResidentSide {
    /// One side of a stage.
    pub fn new(run: &RunContext, stage: StageIndex, side: Side) -> Result<ResidentSide, RunError> {
        let (spec, inputs) = (spec(run, stage)?, &run.plan.stages[stage].inputs);
        let place = match side {
            Side::Left if !spec.is_left_shared => Some((spec.place, place_converter()?)),
            Side::Left | Side::Right => None,
        };
        Ok(ResidentSide { input: inputs[if side == Side::Left { 0 } else { 1 }], place })
    }

    /// Encodes the rows of a batch.
    pub fn encode(&self, run: &RunContext, batch: &Batch, rows: &mut Vec<ResidentRow>) -> Result<(), RunError> {
        let encoded = run.layout(self.input)?.encode(&batch.columns).map_err(RunError::internal)?;
        let places: Option<Rows> = match &self.place {
            Some((columns, converter)) => {
                let columns: Vec<ArrayRef> = columns.iter().map(|at| Arc::clone(batch.columns.column(*at))).collect();
                Some(converter.convert_columns(&columns).map_err(RunError::internal)?)
            }
            None => None,
        };
        for row in 0..batch.rows() {
            let place = places.as_ref().map(|places| places.row(row));
            let place = place.as_ref().map_or(&[][..], |place| place.data());
            let entry: Row = [place, encoded.key(row)].concat().into();
            let (shard, place, value) = (shard_of(&entry), place.len() as u32, encoded.value(row).into());
            rows.push(ResidentRow { shard, entry, place, value, diff: batch.diff(row) });
        }
        Ok(())
    }
}

/// The encoding of a place: contig, then position.
pub(super) fn place_converter() -> Result<RowConverter, RunError> {
    RowConverter::new(vec![SortField::new(DataType::Utf8), SortField::new(DataType::Int64)]).map_err(RunError::internal)
}

/// Puts annotated rows together: the left row's bytes, and after them those of the added columns.
pub(super) struct Assembly {
    /// How many of the added columns are part of the key: none or one.
    key_columns: usize,
    key: Option<RowConverter>,
    value: Option<RowConverter>,
}

impl Assembly {
    pub fn new(run: &RunContext, stage: StageIndex) -> Result<Assembly, RunError> {
        let spec = spec(run, stage)?;
        let columns = spec.schema.columns();
        let added = &columns[columns.len() - spec.added..];
        let converter = |columns: &[vardelta_schemas::Column]| -> Result<Option<RowConverter>, RunError> {
            let fields: Vec<SortField> =
                columns.iter().map(|column| SortField::new(column.column_type.to_arrow())).collect();
            if fields.is_empty() { Ok(None) } else { RowConverter::new(fields).map(Some).map_err(RunError::internal) }
        };
        let key_columns = usize::from(spec.adds_to_key);
        let (of_key, of_value) = added.split_at(key_columns);
        Ok(Assembly { key_columns, key: converter(of_key)?, value: converter(of_value)? })
    }

    /// The output rows of left rows (key and value bytes), each so often as `diffs` says.
    pub fn rows(
        &self,
        left: &[(&[u8], &[u8])],
        annotations: &Annotations,
        diff: impl Fn(usize) -> i64,
    ) -> Result<RowBatch, RunError> {
        let (of_key, of_value) = annotations.columns.split_at(self.key_columns);
        let encode = |converter: &Option<RowConverter>, columns: &[ArrayRef]| match converter {
            Some(converter) => converter.convert_columns(columns).map(Some).map_err(RunError::internal),
            None => Ok(None),
        };
        let (keys, values) = (encode(&self.key, of_key)?, encode(&self.value, of_value)?);
        let mut changes = RowBatch::default();
        let (mut of_key, mut of_value) = (Vec::new(), Vec::new());
        for (at, row) in annotations.rows.iter().enumerate() {
            let (key, value) = left[*row];
            of_key.clear();
            of_key.extend_from_slice(key);
            of_key.extend_from_slice(keys.as_ref().map_or(&[], |keys| keys.row(at).data()));
            of_value.clear();
            of_value.extend_from_slice(value);
            of_value.extend_from_slice(values.as_ref().map_or(&[], |values| values.row(at).data()));
            changes.push(&of_key, &of_value, diff(*row));
        }
        Ok(changes)
    }
}
