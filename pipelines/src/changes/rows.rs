//! Changed rows, as lines for people and as objects for programs.

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use serde_json::Value;
use vardelta_engine::{
    contract::sink::{ChangeBatch, Op},
    edge::escape,
};
use vardelta_schemas::TableSchema;

use crate::changes::cells;

/// One line per row: `+` with the new row, `-` with the old one, `~` with the key and what became of each column that
/// changed.
///
/// # Errors
/// When a value cannot be printed.
pub fn text(table: &TableSchema, batch: &ChangeBatch) -> Result<String, ArrowError> {
    let mut text = String::new();
    each(batch, |op, old, new| {
        let line = match op {
            Op::Insert => format!("+ {}", pairs(table, &batch.new, new, all(table))?),
            Op::Delete => format!("- {}", pairs(table, &batch.old, old, all(table))?),
            Op::Update => {
                let key = pairs(table, &batch.new, new, table.key.iter().copied())?;
                let mut changed = Vec::new();
                for column in all(table) {
                    let before = cells::text(batch.old.column(column), old)?;
                    let after = cells::text(batch.new.column(column), new)?;
                    if before != after {
                        changed.push(format!("{} {before} -> {after}", name(table, column)));
                    }
                }
                format!("~ {key}{}{}", if key.is_empty() { "" } else { " " }, changed.join(", "))
            }
        };
        text.push_str(&format!("  {line}\n"));
        Ok(())
    })?;
    // Values are safe already; names of columns are not.
    Ok(escape::lines(&text).into_owned())
}

/// `{"op","key","old","new"}` per row, comma-separated; `old` is null for an insert, `new` for a delete. Unless these are
/// the table's first rows, a comma comes before them. No more than `most` of them.
///
/// # Errors
/// When a value cannot be printed.
pub fn json(table: &TableSchema, batch: &ChangeBatch, first: bool, most: u64) -> Result<String, ArrowError> {
    let (mut text, mut listed) = (String::new(), 0);
    each(batch, |op, old, new| {
        listed += 1;
        if listed > most {
            return Ok(());
        }
        if !first || !text.is_empty() {
            text.push(',');
        }
        text.push_str(&format!("{{{}}}", members(table, batch, op, old, new)?));
        Ok(())
    })?;
    Ok(text)
}

/// A line per row: `{"table","op","key","old","new"}`.
///
/// # Errors
/// When a value cannot be printed.
pub fn lines(table: &TableSchema, batch: &ChangeBatch) -> Result<String, ArrowError> {
    let (mut text, name) = (String::new(), json_text(&table.name));
    each(batch, |op, old, new| {
        text.push_str(&format!("{{\"table\":{name},{}}}\n", members(table, batch, op, old, new)?));
        Ok(())
    })?;
    Ok(text)
}

/// `"op","key","old","new"` of one row.
fn members(table: &TableSchema, batch: &ChangeBatch, op: Op, old: usize, new: usize) -> Result<String, ArrowError> {
    let (word, has_old, has_new) = match op {
        Op::Insert => ("insert", false, true),
        Op::Update => ("update", true, true),
        Op::Delete => ("delete", true, false),
    };
    let (kept, row) = if has_new { (&batch.new, new) } else { (&batch.old, old) };
    let key = object(table, kept, row, table.key.iter().copied())?;
    let side = |there: bool, rows: &RecordBatch, row: usize| {
        if there { object(table, rows, row, all(table)) } else { Ok("null".to_owned()) }
    };
    let (old, new) = (side(has_old, &batch.old, old)?, side(has_new, &batch.new, new)?);
    // Bytes of a file that would steer a terminal are escaped; a reader of JSON sees them as they are.
    Ok(escape::json(&format!(r#""op":"{word}","key":{key},"old":{old},"new":{new}"#)).into_owned())
}

/// A text as JSON writes it.
pub fn json_text(text: &str) -> String {
    Value::from(text).to_string()
}

/// Calls with each operation and the places of its row among the old and among the new rows.
fn each(
    batch: &ChangeBatch,
    mut call: impl FnMut(Op, usize, usize) -> Result<(), ArrowError>,
) -> Result<(), ArrowError> {
    let (mut old, mut new) = (0, 0);
    for op in &batch.ops {
        call(*op, old, new)?;
        old += usize::from(*op != Op::Insert);
        new += usize::from(*op != Op::Delete);
    }
    Ok(())
}

fn all(table: &TableSchema) -> std::ops::Range<usize> {
    0..table.schema.columns().len()
}

fn name(table: &TableSchema, column: usize) -> &str {
    &table.schema.columns()[column].name
}

fn pairs(
    table: &TableSchema,
    rows: &RecordBatch,
    row: usize,
    columns: impl Iterator<Item = usize>,
) -> Result<String, ArrowError> {
    let pair = |column: usize| Ok(format!("{}={}", name(table, column), cells::text(rows.column(column), row)?));
    Ok(columns.map(pair).collect::<Result<Vec<String>, ArrowError>>()?.join(" "))
}

/// A JSON object with the columns in their order, which a map of serde_json would not keep.
fn object(
    table: &TableSchema,
    rows: &RecordBatch,
    row: usize,
    columns: impl Iterator<Item = usize>,
) -> Result<String, ArrowError> {
    let pair =
        |column: usize| Ok(format!("{}:{}", json_text(name(table, column)), cells::json(rows.column(column), row)?));
    Ok(format!("{{{}}}", columns.map(pair).collect::<Result<Vec<String>, ArrowError>>()?.join(",")))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Int64Array, RecordBatch, StringArray};
    use vardelta_engine::contract::sink::{ChangeBatch, Op};
    use vardelta_schemas::{Column, ColumnType, Schema, TableSchema};

    use super::{json, lines, text};

    fn genes(rows: &[(&str, Option<i64>)], table: &TableSchema) -> RecordBatch {
        let names = StringArray::from_iter_values(rows.iter().map(|row| row.0));
        let counts = Int64Array::from_iter(rows.iter().map(|row| row.1));
        RecordBatch::try_new(table.schema.to_arrow(), vec![Arc::new(names), Arc::new(counts)]).expect("batch")
    }

    fn example() -> (TableSchema, ChangeBatch) {
        let table = TableSchema {
            name: "summary".into(),
            schema: Schema::new(vec![
                Column::required("gene", ColumnType::Text),
                Column::nullable("variants", ColumnType::Int64),
            ]),
            key: vec![0],
        };
        let batch = ChangeBatch {
            ops: vec![Op::Delete, Op::Insert, Op::Update],
            old: genes(&[("APOE", Some(1)), ("TP53", None)], &table),
            new: genes(&[("BRCA1", Some(2)), ("TP53", Some(3))], &table),
        };
        (table, batch)
    }

    #[test]
    fn lines_show_what_changed() {
        let (table, batch) = example();
        let expected = "  - gene=APOE variants=1\n  + gene=BRCA1 variants=2\n  ~ gene=TP53 variants NULL -> 3\n";
        assert_eq!(text(&table, &batch).expect("text"), expected);
    }

    #[test]
    fn objects_show_both_sides() {
        let (table, batch) = example();
        let expected = [
            r#"{"op":"delete","key":{"gene":"APOE"},"old":{"gene":"APOE","variants":1},"new":null}"#,
            r#"{"op":"insert","key":{"gene":"BRCA1"},"old":null,"new":{"gene":"BRCA1","variants":2}}"#,
            r#"{"op":"update","key":{"gene":"TP53"},"old":{"gene":"TP53","variants":null},"new":{"gene":"TP53","variants":3}}"#,
        ];
        assert_eq!(json(&table, &batch, true, 9).expect("json"), expected.join(","));
        assert!(json(&table, &batch, false, 9).expect("json").starts_with(",{"));
        assert_eq!(json(&table, &batch, true, 2).expect("json"), expected[..2].join(","));
        assert_eq!(json(&table, &batch, false, 0).expect("json"), "");
        let line = lines(&table, &batch).expect("lines").lines().nth(1).map(str::to_owned);
        assert_eq!(line, Some(expected[1].replacen('{', r#"{"table":"summary","#, 1)));
    }
}
