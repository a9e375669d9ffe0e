//! How the rows of a side are encoded: by the `on` columns, so that the rows that may meet lie together.
//!
//! An entry is the encoded `on` columns (the *group*) followed by what tells rows of the group apart. No encoded group is the
//! beginning of another, so a group is a scan over a prefix; the value is the bytes of the other columns as the output has them.

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, new_null_array};
use arrow_row::{RowConverter, Rows, SortField};
use serde::{Deserialize, Serialize};
use vardelta_schemas::Schema;

use super::spec;
use crate::{
    contract::batch::Batch,
    differential::Side,
    error::RunError,
    flow::WorkerContext,
    plan::StageIndex,
    relational::{How, JoinSide},
    rows::Row,
    state::shard_of,
};

/// A change of a row of one side, on its way to its group's worker. Sorts by shard, then by entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct SideRow {
    /// The shard of the group.
    pub shard: u32,
    /// The group, then what tells the row apart.
    pub entry: Row,
    /// Bytes of the group; 0 for a row that equals nothing, since a column of it is NULL.
    pub group: u32,
    /// The other columns that the output has; `None` for the row of NULLs that completes an empty group.
    pub value: Option<Row>,
    /// How often it was put in place.
    pub diff: i64,
}

impl SideRow {
    /// The encoded `on` columns.
    pub fn group(&self) -> &[u8] {
        &self.entry[..self.group as usize]
    }

    /// The rest of the entry.
    pub fn own_key(&self) -> &[u8] {
        &self.entry[self.group as usize..]
    }
}

/// Some columns and their encoding.
struct Columns {
    columns: Vec<usize>,
    converter: Option<RowConverter>,
}

impl Columns {
    fn new(schema: &Schema, columns: &[usize]) -> Result<Columns, RunError> {
        let field = |column: &usize| SortField::new(schema.columns()[*column].column_type.to_arrow());
        let fields: Vec<SortField> = columns.iter().map(field).collect();
        let converter =
            if fields.is_empty() { None } else { Some(RowConverter::new(fields).map_err(RunError::internal)?) };
        Ok(Columns { columns: columns.to_vec(), converter })
    }

    fn encode(&self, arrays: &dyn Fn(usize) -> ArrayRef) -> Result<Option<Rows>, RunError> {
        let Some(converter) = &self.converter else { return Ok(None) };
        let arrays: Vec<ArrayRef> = self.columns.iter().map(|column| arrays(*column)).collect();
        converter.convert_columns(&arrays).map(Some).map_err(RunError::internal)
    }
}

fn bytes(rows: &Option<Rows>, row: usize) -> &[u8] {
    rows.as_ref().map_or(&[], |rows| rows.row(row).data())
}

/// Encodes the rows of one side.
pub(crate) struct SideLayout {
    on: Columns,
    own_key: Columns,
    value: Columns,
    /// The left input's key, for rows that equal nothing; `None` where they yield nothing.
    alone: Option<Columns>,
}

impl SideLayout {
    /// The layout of one side of a join stage.
    pub fn new(worker: &WorkerContext, stage: StageIndex, side: Side) -> Result<SideLayout, RunError> {
        let (plan, spec) = (&worker.run.plan, spec(&worker.run, stage)?);
        let port = port(side);
        let input = &plan.stages[plan.stages[stage].inputs[port]];
        let JoinSide { on, own_key, value, .. } = spec.side(port);
        let keeps_alone = side == Side::Left && spec.how == How::Left;
        let key = || Columns::new(&input.schema, input.key.as_deref().unwrap_or_default());
        Ok(SideLayout {
            on: Columns::new(&input.schema, on)?,
            own_key: Columns::new(&input.schema, own_key)?,
            value: Columns::new(&input.schema, value)?,
            alone: if keeps_alone { Some(key()?) } else { None },
        })
    }

    /// Encodes the rows of a batch. A row with NULL among its `on` columns equals nothing: it is left out, or, on the left
    /// side of a left join, marked.
    pub fn encode(&self, batch: &Batch, rows: &mut Vec<SideRow>) -> Result<(), RunError> {
        let arrays = |column: usize| Arc::clone(batch.columns.column(column));
        let [on, own_key, value] = [&self.on, &self.own_key, &self.value].map(|columns| columns.encode(&arrays));
        let (on, own_key, value) = (on?, own_key?, value?);
        let alone = match &self.alone {
            Some(columns) => columns.encode(&arrays)?,
            None => None,
        };
        let on_columns: Vec<ArrayRef> = self.on.columns.iter().map(|column| arrays(*column)).collect();
        for row in 0..batch.rows() {
            let (entry, group) = if on_columns.iter().any(|column| column.is_null(row)) {
                if self.alone.is_none() {
                    continue;
                }
                (bytes(&alone, row).to_vec(), 0)
            } else {
                let group = bytes(&on, row);
                ([group, bytes(&own_key, row)].concat(), group.len())
            };
            let shard = shard_of(if group == 0 { &entry } else { &entry[..group] });
            let (entry, value) = (entry.into(), Some(bytes(&value, row).into()));
            rows.push(SideRow { shard, entry, group: group as u32, value, diff: batch.diff(row) });
        }
        Ok(())
    }
}

/// A side's place among the inputs.
pub(super) fn port(side: Side) -> usize {
    match side {
        Side::Left => 0,
        Side::Right => 1,
    }
}

/// The right side's part of an output row that has no right row.
pub(super) struct Nulls {
    /// What follows the left key.
    pub own_key: Vec<u8>,
    /// What follows the left value.
    pub value: Vec<u8>,
}

impl Nulls {
    pub fn of(worker: &WorkerContext, stage: StageIndex) -> Result<Nulls, RunError> {
        let plan = &worker.run.plan;
        let (input, side) = (&plan.stages[plan.stages[stage].inputs[1]], &spec(&worker.run, stage)?.right);
        let null = |column: usize| new_null_array(&input.schema.columns()[column].column_type.to_arrow(), 1);
        let encode = |columns: &[usize]| -> Result<Vec<u8>, RunError> {
            Ok(bytes(&Columns::new(&input.schema, columns)?.encode(&null)?, 0).to_vec())
        };
        Ok(Nulls { own_key: encode(&side.own_key)?, value: encode(&side.value)? })
    }
}
