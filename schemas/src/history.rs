//! History tables: what every epoch did to the rows of a sink table, one row per key and epoch.

use crate::{Column, ColumnType, Schema, TableSchema};

/// What is appended to a table's name.
const SUFFIX: &str = "_history";
/// The columns that a history table has beside those of its table: the epoch, which is a part of the key.
pub(crate) const EPOCH: &str = "epoch";
/// `insert`, `update` or `delete`.
pub(crate) const OPERATION: &str = "operation";
/// The names of the epoch's drops, a JSON array.
pub(crate) const DROPS: &str = "drops";
/// When the epoch was written.
const CHANGED_AT: &str = "changed_at";

/// What is before the name of a column outside the key: its value before the epoch, and after it.
pub const HISTORY_PREFIXES: [&str; 2] = ["old_", "new_"];

/// The name of a table's history.
pub fn history_name(table: &str) -> String {
    format!("{table}{SUFFIX}")
}

/// Whether a table is a history.
pub fn is_history(table: &TableSchema) -> bool {
    table.name.ends_with(SUFFIX)
        && [EPOCH, OPERATION, DROPS, CHANGED_AT].iter().all(|column| table.schema.index_of(column).is_some())
}

/// How many characters the texts hold that a history adds, for databases that want to know.
pub const HISTORY_TEXT_CHARACTERS: [(&str, usize); 2] = [(OPERATION, 8), (CHANGED_AT, 32)];

/// The history of a table: its key, `epoch` and `operation`, for every other column the old and the new value (`old_x`,
/// `new_x`), `drops` and `changed_at`. The key is the table's key, then the epoch, so that the history of a row lies together.
pub fn history_table(table: &TableSchema) -> TableSchema {
    let columns = table.schema.columns();
    let mut kept: Vec<Column> = table.key.iter().map(|index| columns[*index].clone()).collect();
    let key = (0..=kept.len()).collect();
    kept.push(Column::required(EPOCH, ColumnType::Int64).with_doc("The epoch that changed the row."));
    kept.push(Column::required(OPERATION, ColumnType::Text).with_doc("`insert`, `update` or `delete`."));
    for (_, column) in columns.iter().enumerate().filter(|(index, _)| !table.key.contains(index)) {
        for (prefix, when) in HISTORY_PREFIXES.into_iter().zip(["before", "after"]) {
            let name = format!("{prefix}{}", column.name);
            kept.push(
                Column::nullable(name, column.column_type.clone()).with_doc(format!("`{}` {when} it.", column.name)),
            );
        }
    }
    let drops = "The names of the drops that the epoch added, replaced or withdrew, as a JSON array.";
    kept.push(Column::required(DROPS, ColumnType::Text).with_doc(drops));
    kept.push(
        Column::required(CHANGED_AT, ColumnType::Text).with_doc("The ledger's time of the epoch, UTC, RFC 3339."),
    );
    TableSchema { name: history_name(&table.name), schema: Schema::new(kept), key }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_of_a_table() {
        let columns = vec![
            Column::required("n", ColumnType::Int64),
            Column::nullable("gene", ColumnType::Text),
            Column::required("mean", ColumnType::Float64),
        ];
        let history = history_table(&TableSchema { name: "genes".into(), schema: Schema::new(columns), key: vec![1] });
        assert_eq!((history.name.as_str(), history.key.as_slice()), ("genes_history", [0, 1].as_slice()));
        assert_eq!(
            history.schema.to_string(),
            "gene text?, epoch int64, operation text, old_n int64?, new_n int64?, old_mean float64?, new_mean float64?, \
             drops text, changed_at text"
        );
    }

    #[test]
    fn a_table_of_one_row_is_told_by_the_epoch() {
        let columns = vec![Column::required("n", ColumnType::Int64)];
        let history = history_table(&TableSchema { name: "t".into(), schema: Schema::new(columns), key: vec![] });
        assert_eq!(history.key, [0]);
        assert_eq!(history.schema.columns()[0].name, EPOCH);
        assert!(is_history(&history));
        assert!(!is_history(&TableSchema { name: "other".into(), ..history }));
    }
}
