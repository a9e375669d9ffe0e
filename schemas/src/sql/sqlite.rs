//! What only SQLite has: session settings, transactions that lock at once, and the tables that describe tables.

use super::{
    Dialect,
    constraint::{Constraint, PREFIX},
    form::{ColumnForm, TableForm},
    marks::{self, DELETED_AT, Marks},
};
use crate::{ColumnType, TableSchema, value_text::DOUBLE_DECIMAL_DIGITS};

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

/// Parameter: a view's name. Yields the statement that made it.
pub const SELECT_VIEW: &str = "SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = ? COLLATE NOCASE";

/// Parameter: a table's name. Yields the statements of the indexes and triggers that somebody added to it.
pub const SELECT_ADDED_TO_TABLE: &str = "SELECT name, sql FROM sqlite_schema WHERE tbl_name = ? COLLATE NOCASE \
    AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid";

/// Parameter: a table's name. Yields the statement that made it.
pub const SELECT_STATEMENT: &str = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE";

/// Yields name and table of every trigger.
pub const SELECT_ALL_TRIGGERS: &str =
    "SELECT name, tbl_name FROM sqlite_schema WHERE type = 'trigger' ORDER BY tbl_name, name";

/// The name of a constraint in its table.
pub fn constraint_name(constraint: &Constraint) -> String {
    format!("{PREFIX}{}", constraint.tag)
}

/// The line of CREATE TABLE of a constraint.
pub(super) fn constraint_line(constraint: &Constraint) -> String {
    constraint.declared(Dialect::Sqlite, &constraint_name(constraint))
}

/// The names of the constraints that vardelta made in a table, out of the statement that made it: SQLite keeps them nowhere else.
pub fn constraint_names(statement: &str) -> Vec<&str> {
    let begin = format!("CONSTRAINT \"{PREFIX}");
    let behind = statement.match_indices(&begin).map(|(at, _)| &statement[at + begin.len() - PREFIX.len()..]);
    behind.filter_map(|name| name.split_once('"')).map(|(name, _)| name).collect()
}

/// Parameter: a table's name. Yields whether it is WITHOUT ROWID and whether it is STRICT.
pub const SELECT_TABLE_FORM: &str =
    "SELECT wr, strict FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE";

/// Parameter: a table's name. Yields name, declared type, NOT NULL and place in the primary key (1-based, 0 outside
/// it) of each column, in order; generated columns included.
pub const SELECT_COLUMNS: &str = "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?) ORDER BY cid";

/// The declared type in which a column's values are kept.
///
/// Sink tables are `STRICT`, so the declared type is the type of every value, and only the five names that every driver
/// and BI tool maps alike are declared (`DATE`, `BOOLEAN` and `DECIMAL(p,s)` are accepted outside `STRICT`, but mean
/// nothing to SQLite, and drivers disagree on how to read such columns). Booleans are 0 and 1. A decimal of at most 15
/// digits is the nearest double, which reads back exactly and can be computed with; a wider one is text with all its
/// places, which orders as text. Dates are ISO text, which orders by time.
///
/// # Panics
/// For a list, which never reaches a table.
pub fn column_type(column_type: &ColumnType) -> &'static str {
    match column_type {
        ColumnType::Bool | ColumnType::Int64 => "INTEGER",
        ColumnType::Float64 => "REAL",
        ColumnType::Decimal { precision, .. } if *precision <= DOUBLE_DECIMAL_DIGITS => "REAL",
        ColumnType::Decimal { .. } | ColumnType::Text | ColumnType::Date => "TEXT",
        ColumnType::List(_) => unreachable!("the planner lets no list reach a table"),
    }
}

/// The form that [`TableStatements::create`](super::table::TableStatements) makes.
pub fn planned_form(table: &TableSchema, marks: Marks) -> TableForm {
    let primary_key = table.has_primary_key();
    let key_place =
        |index: usize| (1_u32..).zip(&table.key).find(|(_, key)| **key == index).map_or(0, |(place, _)| place);
    let planned = table.schema.columns().iter().enumerate().map(|(index, column)| ColumnForm {
        name: column.name.clone(),
        declared_type: column_type(&column.column_type).into(),
        not_null: !column.nullable,
        key_place: if primary_key { key_place(index) } else { 0 },
    });
    let changed_epoch = ColumnForm {
        name: TableSchema::CHANGED_EPOCH.into(),
        declared_type: "INTEGER".into(),
        not_null: true,
        key_place: 0,
    };
    let deleted_at = ColumnForm {
        name: DELETED_AT.into(),
        declared_type: marks::SQLITE_TYPE.into(),
        not_null: false,
        ..changed_epoch.clone()
    };
    let added = [Some(changed_epoch), (marks == Marks::Kept).then_some(deleted_at)];
    let columns = planned.chain(added.into_iter().flatten()).collect();
    TableForm { kind: table_kind(true, primary_key).into(), columns, partitioning: None }
}

/// What a table is beside its columns, in words.
pub fn table_kind(strict: bool, without_rowid: bool) -> &'static str {
    match (strict, without_rowid) {
        (true, true) => "STRICT and WITHOUT ROWID",
        (true, false) => "STRICT",
        (false, true) => "WITHOUT ROWID",
        (false, false) => "neither STRICT nor WITHOUT ROWID",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, Schema};

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
        let planned = planned_form(&table(vec![1, 0]), Marks::None);
        assert_eq!(planned.difference(&planned, &[]), None);
        type Change = fn(&mut TableForm);
        let cases: [(Change, &str); 5] = [
            (|found| found.columns[2].declared_type = "TEXT".into(), "column `c` is TEXT, and the pipeline says REAL"),
            (|found| drop(found.columns.remove(1)), "it has no column `b`"),
            (
                |found| found.columns[1].key_place = 2,
                "column `b` is INTEGER NOT NULL, number 2 of the key, and the pipeline says INTEGER NOT NULL, number 1 \
                 of the key",
            ),
            (
                |found| found.columns.push(ColumnForm { name: "note".into(), ..found.columns[2].clone() }),
                "it has a column `note`, which the pipeline does not",
            ),
            (
                |found| found.kind = table_kind(false, true).into(),
                "it is WITHOUT ROWID, and should be STRICT and WITHOUT ROWID",
            ),
        ];
        for (change, expected) in cases {
            let mut found = planned.clone();
            change(&mut found);
            assert_eq!(found.difference(&planned, &[]).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_table_without_primary_key_has_rowids() {
        let planned = planned_form(&table(vec![]), Marks::None);
        assert!(planned.kind == "STRICT" && planned.columns.iter().all(|column| column.key_place == 0));
        let planned = planned_form(&table(vec![2]), Marks::None);
        assert!(planned.kind == "STRICT" && planned.columns.iter().all(|column| column.key_place == 0));
    }

    #[test]
    fn constraints_are_found_in_the_statement_of_their_table() {
        use crate::sql::{
            condition::{Condition, Operator},
            constraint::Rule,
            table::TableStatements,
        };
        let column = Condition::Column("a".into());
        let check = Condition::Binary(column.into(), Operator::NotEqual, Condition::Text("x\"y".into()).into());
        let constraint = |tag: &str| Constraint { tag: tag.into(), said: "s".into(), rule: Rule::Check(check.clone()) };
        let (first, second) = (constraint("first"), constraint("second"));
        let create = TableStatements::constrained(&table(vec![0]), Marks::None, &[&first, &second]).create;
        assert!(create.contains("CONSTRAINT \"vardelta_first\" CHECK ((\"a\" <> 'x\"y'))"), "{create}");
        assert_eq!(constraint_names(&create), ["vardelta_first", "vardelta_second"]);
        assert_eq!(constraint_names("CREATE TABLE t (a, CONSTRAINT mine CHECK (a > 0))"), [""; 0]);
    }

    #[test]
    fn types_of_sqlite() {
        let decimal = |precision| ColumnType::Decimal { precision, scale: 2 };
        for (declared, expected) in [
            (ColumnType::Bool, "INTEGER"),
            (ColumnType::Int64, "INTEGER"),
            (ColumnType::Float64, "REAL"),
            (decimal(15), "REAL"),
            (decimal(16), "TEXT"),
            (ColumnType::Text, "TEXT"),
            (ColumnType::Date, "TEXT"),
        ] {
            assert_eq!(column_type(&declared), expected, "{declared}");
        }
    }
}
