//! Filling the columns that a migration added, before the epoch that makes it: batch by batch, each by itself.
//!
//! A row whose key is there, and whose columns are all as they were but for those that the standing definition does not have,
//! shows nobody anything half done: who reads by the standing definition reads what stood. So such rows need not wait for the
//! one transaction of the epoch, which on a large table would be a large undo log. A migration that was killed finds the
//! finished batches equal to what it computes, and goes on after them.

use std::{collections::BTreeMap, sync::Arc};

use arrow_array::RecordBatch;
use arrow_row::{RowConverter, SortField};
use arrow_schema::ArrowError;
use vardelta_schemas::TableSchema;

use crate::{
    contract::{
        migration::Rename,
        sink::{ChangeBatch, Op, SinkError, SinkErrorKind},
    },
    error::RunError,
};

/// The state's note of the columns that the definition of its epoch gives each table.
const COLUMNS: &str = "columns";

/// The note that goes with an epoch: the columns of each table.
pub(crate) fn note_columns(tables: &[TableSchema], metadata: &mut BTreeMap<String, String>) {
    let columns: BTreeMap<&str, Vec<&str>> = tables
        .iter()
        .map(|table| {
            let names = table.schema.columns().iter().map(|column| column.name.as_str());
            (table.name.as_str(), names.collect())
        })
        .collect();
    metadata.insert(COLUMNS.to_owned(), serde_json::json!(columns).to_string());
}

/// For each table the columns that the standing definition does not have, by place. None where it is not known.
///
/// # Errors
/// When the note is not what was written.
pub(crate) fn new_columns(
    tables: &[TableSchema],
    metadata: &BTreeMap<String, String>,
    renames: &[Rename],
) -> Result<Vec<Vec<usize>>, RunError> {
    let standing: BTreeMap<String, Vec<String>> = match metadata.get(COLUMNS) {
        Some(text) => serde_json::from_str(text).map_err(|error| {
            RunError::internal(format!("the state's note of the tables' columns cannot be read ({error}): `{text}`"))
        })?,
        None => BTreeMap::new(),
    };
    let of_table = |table: &TableSchema| {
        let Some(known) = standing.get(&table.name) else { return Vec::new() };
        let is_known = |name: &String| {
            let renamed =
                |rename: &Rename| rename.table == table.name && rename.to == *name && known.contains(&rename.from);
            known.contains(name) || renames.iter().any(renamed)
        };
        let columns = table.schema.columns().iter().enumerate();
        columns.filter(|(at, column)| !table.key.contains(at) && !is_known(&column.name)).map(|(at, _)| at).collect()
    };
    Ok(tables.iter().map(of_table).collect())
}

/// Which changes are updates of new columns alone.
fn fills(table: &TableSchema, new_columns: &[usize], batch: &ChangeBatch) -> Result<Vec<bool>, ArrowError> {
    let is_old = |column: &usize| !table.key.contains(column) && !new_columns.contains(column);
    let old_columns: Vec<usize> = (0..table.schema.columns().len()).filter(is_old).collect();
    let schema = batch.new.schema();
    let fields = old_columns.iter().map(|column| SortField::new(schema.field(*column).data_type().clone()));
    let converter = RowConverter::new(fields.collect())?;
    let encode = |rows: &RecordBatch| {
        let columns: Vec<_> = old_columns.iter().map(|column| Arc::clone(rows.column(*column))).collect();
        converter.convert_columns(&columns)
    };
    if old_columns.is_empty() {
        return Ok(batch.ops.iter().map(|op| *op == Op::Update).collect());
    }
    let (old, new) = (encode(&batch.old)?, encode(&batch.new)?);
    let (mut old_row, mut new_row) = (0, 0);
    let is_fill = |op: &Op| {
        let is_fill = *op == Op::Update && old.row(old_row) == new.row(new_row);
        old_row += usize::from(*op != Op::Insert);
        new_row += usize::from(*op != Op::Delete);
        is_fill
    };
    Ok(batch.ops.iter().map(is_fill).collect())
}

/// The changes that do more than fill new columns (`rest`), or those that do not.
///
/// # Errors
/// When the batch is not laid out as its table says.
pub(crate) fn part_by_fill(
    table: &TableSchema,
    new_columns: &[usize],
    batch: ChangeBatch,
    rest: bool,
) -> Result<ChangeBatch, SinkError> {
    if new_columns.is_empty() {
        return if rest { Ok(batch) } else { batch.keep(&vec![false; batch.ops.len()]).map_err(parted) };
    }
    let mut kept = fills(table, new_columns, &batch).map_err(parted)?;
    if rest {
        kept.iter_mut().for_each(|fill| *fill = !*fill);
    }
    batch.keep(&kept).map_err(parted)
}

fn parted(error: ArrowError) -> SinkError {
    SinkError::new(SinkErrorKind::Unavailable, format!("changes cannot be parted: {error}"))
}

#[cfg(test)]
mod tests {
    use arrow_array::{Float64Array, Int64Array};
    use vardelta_schemas::{Column, ColumnType, Schema};

    use super::*;

    fn table() -> TableSchema {
        let columns = vec![
            Column::required("key", ColumnType::Int64),
            Column::nullable("old", ColumnType::Float64),
            Column::nullable("new", ColumnType::Int64),
        ];
        TableSchema { name: "t".into(), schema: Schema::new(columns), key: vec![0] }
    }

    fn rows(rows: &[(i64, Option<f64>, Option<i64>)]) -> RecordBatch {
        let keys = Int64Array::from_iter_values(rows.iter().map(|row| row.0));
        let old: Float64Array = rows.iter().map(|row| row.1).collect();
        let new: Int64Array = rows.iter().map(|row| row.2).collect();
        RecordBatch::try_new(table().schema.to_arrow(), vec![Arc::new(keys), Arc::new(old), Arc::new(new)])
            .expect("fits")
    }

    #[test]
    fn rows_that_only_get_values_in_new_columns_are_told_from_others() {
        let batch = ChangeBatch {
            ops: vec![Op::Delete, Op::Update, Op::Insert, Op::Update, Op::Update, Op::Update],
            old: rows(&[
                (1, Some(1.0), None),
                (2, Some(2.0), None),
                (4, None, None),
                (5, None, Some(9)),
                (6, Some(0.5), None),
            ]),
            new: rows(&[
                (2, Some(2.0), Some(1)),
                (3, Some(2.0), None),
                (4, Some(0.0), Some(1)),
                (5, None, Some(8)),
                (6, Some(0.5), Some(1)),
            ]),
        };
        assert_eq!(fills(&table(), &[2], &batch).expect("told"), [false, true, false, false, true, true]);
        let rest = part_by_fill(&table(), &[2], batch.clone(), true).expect("parted");
        assert_eq!(rest.ops, [Op::Delete, Op::Insert, Op::Update]);
        assert_eq!(
            (rest.old, rest.new),
            (rows(&[(1, Some(1.0), None), (4, None, None)]), rows(&[(3, Some(2.0), None), (4, Some(0.0), Some(1))]))
        );
        assert_eq!(part_by_fill(&table(), &[], batch.clone(), true).expect("parted").ops, batch.ops);
        assert_eq!(part_by_fill(&table(), &[], batch, false).expect("parted").ops, []);
    }

    #[test]
    fn columns_are_new_that_the_standing_definition_does_not_have() {
        let mut metadata = BTreeMap::new();
        let none = [Vec::<usize>::new(); 1];
        assert_eq!(new_columns(&[table()], &metadata, &[]).expect("readable"), none, "nothing is known");
        let mut before = table();
        before.schema = Schema::new(table().schema.columns()[..2].to_vec());
        note_columns(&[before], &mut metadata);
        assert_eq!(new_columns(&[table()], &metadata, &[]).expect("readable"), [vec![2]]);
        let rename = Rename { table: "t".into(), from: "old".into(), to: "new".into() };
        assert_eq!(new_columns(&[table()], &metadata, &[rename]).expect("readable"), none, "it keeps its values");
    }
}
