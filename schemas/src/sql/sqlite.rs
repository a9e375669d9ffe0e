//! What only SQLite has: session settings, transactions that lock at once, and the tables that describe tables.

use super::{Dialect, table::has_primary_key};
use crate::TableSchema;

/// Settings of every connection. `query_only` is left to [`READ_ONLY`].
///
/// - `synchronous = FULL`: a commit that was reported survives a power cut (in write-ahead mode `NORMAL` does not
///   promise that, and the state, which is made durable before, would then be ahead of its judge).
/// - `foreign_keys = OFF`: keys that somebody declared against a sink table do not decide over its rows.
/// - `cache_size`: 128 MiB, in KiB with a minus sign. What does not fit is written to the log before the commit.
/// - `wal_autocheckpoint`: 16,384 pages (64 MiB): a usual epoch's log is copied back once, when the connection closes.
/// - `temp_store = MEMORY`: no temporary files beside those of the database.
pub const SESSION: &str = "PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -131072; \
    PRAGMA wal_autocheckpoint = 16384; PRAGMA temp_store = MEMORY;";

/// Forbids every change for the rest of the connection.
pub const READ_ONLY: &str = "PRAGMA query_only = ON";

/// Yields the number of pages: 0 for a database in which nothing was ever made.
pub const PAGE_COUNT: &str = "PRAGMA page_count";

/// Switches to the write-ahead log: readers (BI tools) and the one writer do not wait for each other. Yields the mode
/// that holds afterwards. The mode is kept in the file.
pub const WRITE_AHEAD: &str = "PRAGMA journal_mode = WAL";

/// Starts a transaction that reads one snapshot.
pub const BEGIN_READ: &str = "BEGIN DEFERRED";
/// Starts a transaction that holds the write lock from its first moment, so that no later statement can find it taken.
pub const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";
/// Ends a transaction.
pub const COMMIT: &str = "COMMIT";
/// Gives a transaction up.
pub const ROLLBACK: &str = "ROLLBACK";

/// Parameter: a name. Yields the kind (`table`, `view`, `index`, `trigger`) and exact name of what has it, compared
/// as SQLite does: without regard to the case of ASCII letters.
pub const SELECT_OBJECT: &str = "SELECT type, name FROM sqlite_schema WHERE name = ? COLLATE NOCASE";

/// Parameter: a table's name. Yields the statements of the indexes and triggers that somebody added to it.
pub const SELECT_ADDED_TO_TABLE: &str = "SELECT name, sql FROM sqlite_schema WHERE tbl_name = ? COLLATE NOCASE \
    AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid";

/// Parameter: a table's name. Yields whether it is WITHOUT ROWID and whether it is STRICT.
pub const SELECT_TABLE_FORM: &str =
    "SELECT wr, strict FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE";

/// Parameter: a table's name. Yields name, declared type, NOT NULL and place in the primary key (1-based, 0 outside
/// it) of each column, in order; generated columns included.
pub const SELECT_COLUMNS: &str = "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?) ORDER BY cid";

/// A column as SQLite describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnForm {
    /// The name.
    pub name: String,
    /// The declared type.
    pub declared_type: String,
    /// Whether it is NOT NULL.
    pub not_null: bool,
    /// Its place in the primary key, 1-based; 0 outside it.
    pub key_place: u32,
}

/// A table as SQLite describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableForm {
    /// Whether it is WITHOUT ROWID.
    pub without_rowid: bool,
    /// Whether it is STRICT.
    pub strict: bool,
    /// The columns, in order.
    pub columns: Vec<ColumnForm>,
}

impl TableForm {
    /// The form that [`TableStatements::create`](super::table::TableStatements) makes.
    pub fn planned(table: &TableSchema) -> TableForm {
        let primary_key = has_primary_key(table);
        let key_place =
            |index: usize| (1_u32..).zip(&table.key).find(|(_, key)| **key == index).map_or(0, |(place, _)| place);
        let planned = table.schema.columns().iter().enumerate().map(|(index, column)| ColumnForm {
            name: column.name.clone(),
            declared_type: Dialect::Sqlite.column_type(&column.column_type).into(),
            not_null: !column.nullable,
            key_place: if primary_key { key_place(index) } else { 0 },
        });
        let changed_epoch = ColumnForm {
            name: TableSchema::CHANGED_EPOCH.into(),
            declared_type: "INTEGER".into(),
            not_null: true,
            key_place: 0,
        };
        TableForm { without_rowid: primary_key, strict: true, columns: planned.chain([changed_epoch]).collect() }
    }

    /// How this form, found in a database, differs from the planned one: the first difference, in words.
    pub fn difference(&self, planned: &TableForm) -> Option<String> {
        for column in &planned.columns {
            let Some(found) = self.columns.iter().find(|found| found.name == column.name) else {
                return Some(format!("it has no column `{}`", column.name));
            };
            if found != column {
                return Some(format!(
                    "column `{}` is {}, and the pipeline says {}",
                    column.name,
                    found.describe(),
                    column.describe()
                ));
            }
        }
        if let Some(extra) = self.columns.iter().find(|found| !planned.columns.iter().any(|c| c.name == found.name)) {
            return Some(format!("it has a column `{}`, which the pipeline does not", extra.name));
        }
        if self.columns != planned.columns {
            let order = |columns: &[ColumnForm]| {
                columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
            };
            return Some(format!(
                "its columns are in the order {}, and the pipeline's {}",
                order(&self.columns),
                order(&planned.columns)
            ));
        }
        let form = |form: &TableForm| match (form.strict, form.without_rowid) {
            (true, true) => "STRICT and WITHOUT ROWID",
            (true, false) => "STRICT",
            (false, true) => "WITHOUT ROWID",
            (false, false) => "neither STRICT nor WITHOUT ROWID",
        };
        (form(self) != form(planned)).then(|| format!("it is {}, and should be {}", form(self), form(planned)))
    }
}

impl ColumnForm {
    fn describe(&self) -> String {
        let null = if self.not_null { " NOT NULL" } else { "" };
        let key = match self.key_place {
            0 => String::new(),
            place => format!(", number {place} of the key"),
        };
        format!("{}{null}{key}", self.declared_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, ColumnType, Schema};

    fn table(key: Vec<usize>) -> TableSchema {
        TableSchema {
            name: "t".into(),
            schema: Schema::new(vec![
                Column::required("a", ColumnType::Text),
                Column::required("b", ColumnType::Int64),
                Column::nullable("c", ColumnType::Float64),
            ]),
            key,
        }
    }

    #[test]
    fn the_first_difference_is_named() {
        let planned = TableForm::planned(&table(vec![1, 0]));
        assert_eq!(planned.difference(&planned), None);
        type Change = fn(&mut TableForm);
        let cases: [(Change, &str); 6] = [
            (|found| found.columns[2].declared_type = "TEXT".into(), "column `c` is TEXT, and the pipeline says REAL"),
            (|found| drop(found.columns.remove(1)), "it has no column `b`"),
            (
                |found| found.columns[1].key_place = 2,
                "column `b` is INTEGER NOT NULL, number 2 of the key, and the pipeline says INTEGER NOT NULL, number 1 \
                 of the key",
            ),
            (
                |found| found.columns.swap(0, 1),
                "its columns are in the order b, a, c, changed_epoch, and the pipeline's a, b, c, changed_epoch",
            ),
            (
                |found| found.columns.push(ColumnForm { name: "note".into(), ..found.columns[2].clone() }),
                "it has a column `note`, which the pipeline does not",
            ),
            (|found| found.strict = false, "it is WITHOUT ROWID, and should be STRICT and WITHOUT ROWID"),
        ];
        for (change, expected) in cases {
            let mut found = planned.clone();
            change(&mut found);
            assert_eq!(found.difference(&planned).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_table_without_primary_key_has_rowids() {
        let planned = TableForm::planned(&table(vec![]));
        assert!(!planned.without_rowid && planned.columns.iter().all(|column| column.key_place == 0));
        let planned = TableForm::planned(&table(vec![2]));
        assert!(!planned.without_rowid && planned.columns.iter().all(|column| column.key_place == 0));
    }
}
