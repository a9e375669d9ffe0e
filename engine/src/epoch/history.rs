//! What an epoch did to the rows of a table, as rows of its history.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow_schema::ArrowError;
use arrow_select::{interleave::interleave, take::take};
use vardelta_schemas::{TableSchema, history::history_table, ledger::Epoch};

use crate::contract::sink::{ChangeBatch, Op, SinkError, SinkErrorKind};

/// What every history row of an epoch says alike.
pub(crate) struct EpochFacts {
    pub(crate) epoch: Epoch,
    /// The names of the epoch's drops, as a JSON array.
    pub(crate) drops: String,
    /// The epoch's time in the ledger.
    pub(crate) changed_at: String,
}

impl EpochFacts {
    /// The facts of an epoch that is about these drops.
    pub(crate) fn new<'a>(epoch: Epoch, drops: impl Iterator<Item = &'a str>, changed_at: &str) -> EpochFacts {
        let names: std::collections::BTreeSet<&str> = drops.collect();
        let drops = serde_json::json!(names).to_string();
        EpochFacts { epoch, drops, changed_at: changed_at.to_owned() }
    }
}

/// The history rows of a batch of changes: one insert each, in the same order, which is key order.
///
/// # Errors
/// When the batch is not laid out as its table says.
pub(crate) fn history_rows(
    table: &TableSchema,
    batch: &ChangeBatch,
    facts: &EpochFacts,
) -> Result<ChangeBatch, SinkError> {
    rows(table, batch, facts).map_err(|cause| {
        let message = format!("the history of table `{}` cannot be written: {cause}", table.name);
        SinkError::new(SinkErrorKind::Value, message)
    })
}

fn rows(table: &TableSchema, batch: &ChangeBatch, facts: &EpochFacts) -> Result<ChangeBatch, ArrowError> {
    let count = batch.ops.len();
    let (new_rows, old_rows) = places(&batch.ops);
    // A key is that of the new row, or where there is none, of the old one.
    let of_key: Vec<(usize, usize)> = (0..count)
        .map(|row| match new_rows.is_valid(row) {
            true => (0, new_rows.value(row) as usize),
            false => (1, old_rows.value(row) as usize),
        })
        .collect();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for index in &table.key {
        columns.push(interleave(&[batch.new.column(*index), batch.old.column(*index)], &of_key)?);
    }
    let epoch = i64::try_from(facts.epoch.number()).map_err(|error| ArrowError::ComputeError(error.to_string()))?;
    columns.push(Arc::new(Int64Array::from(vec![epoch; count])));
    columns.push(Arc::new(StringArray::from_iter_values(batch.ops.iter().map(|op| match op {
        Op::Insert => "insert",
        Op::Update => "update",
        Op::Delete => "delete",
    }))));
    for index in (0..table.schema.columns().len()).filter(|index| !table.key.contains(index)) {
        columns.push(take(batch.old.column(index), &old_rows, None)?);
        columns.push(take(batch.new.column(index), &new_rows, None)?);
    }
    for text in [&facts.drops, &facts.changed_at] {
        columns.push(Arc::new(StringArray::from(vec![text.as_str(); count])));
    }
    let new = RecordBatch::try_new(history_table(table).schema.to_arrow(), columns)?;
    let old = RecordBatch::new_empty(new.schema());
    Ok(ChangeBatch { ops: vec![Op::Insert; count], new, old })
}

/// For each change its row among the new rows, and among the old ones.
fn places(ops: &[Op]) -> (UInt32Array, UInt32Array) {
    let place = |without: Op| -> UInt32Array {
        let mut rows = 0_u32..;
        ops.iter().map(|op| if *op == without { None } else { rows.next() }).collect()
    };
    (place(Op::Delete), place(Op::Insert))
}

#[cfg(test)]
mod tests {
    use crate::display::value_text;
    use vardelta_schemas::{Column, ColumnType, Schema};

    use super::*;

    #[test]
    fn every_operation_has_its_old_and_new_values() {
        let columns = vec![Column::nullable("n", ColumnType::Int64), Column::required("name", ColumnType::Text)];
        let table = TableSchema { name: "t".into(), schema: Schema::new(columns), key: vec![1] };
        let rows_of = |rows: Vec<(Option<i64>, &str)>| {
            let numbers: Int64Array = rows.iter().map(|row| row.0).collect();
            let names = StringArray::from_iter_values(rows.iter().map(|row| row.1));
            RecordBatch::try_new(table.schema.to_arrow(), vec![Arc::new(numbers), Arc::new(names)]).expect("fits")
        };
        let batch = ChangeBatch {
            ops: vec![Op::Delete, Op::Insert, Op::Update, Op::Delete],
            new: rows_of(vec![(Some(2), "b"), (None, "c")]),
            old: rows_of(vec![(Some(1), "a"), (Some(3), "c"), (None, "d")]),
        };
        let facts = EpochFacts::new(Epoch::new(7), ["two", "o\"ne", "two"].into_iter(), "2026-01-01T00:00:00Z");
        let made = history_rows(&table, &batch, &facts).expect("made");
        assert_eq!(made.ops, [Op::Insert; 4]);
        let shown: Vec<String> = (0..4)
            .map(|row| {
                let shown = made.new.columns().iter().map(|column| value_text(column, row));
                shown.collect::<Vec<_>>().join("|")
            })
            .collect();
        let end = r#"["o\"ne","two"]|2026-01-01T00:00:00Z"#;
        let expected = ["a|7|delete|1|NULL|", "b|7|insert|NULL|2|", "c|7|update|3|NULL|", "d|7|delete|NULL|NULL|"];
        assert_eq!(shown, expected.map(|row| format!("{row}{end}")));
    }
}
