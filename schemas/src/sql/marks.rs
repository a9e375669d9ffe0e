//! Rows that are gone and stay, marked: the column that marks them, and the view of the rows that live.

use super::Dialect;
use crate::TableSchema;

/// The column that marks a row: when the epoch that took it away was written, NULL for a row that lives.
pub const DELETED_AT: &str = "deleted_at";
/// The type of [`DELETED_AT`] in SQLite: the ledger's own text, UTC, RFC 3339.
pub const SQLITE_TYPE: &str = "TEXT";
/// Its type on the servers: UTC.
pub const SERVER_TYPE: &str = "datetime(6)";
/// What is appended to a table's name.
const SUFFIX: &str = "_live";

/// What a table has to do with marked rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Marks {
    /// None: rows that go are deleted.
    #[default]
    None,
    /// Rows that go are marked.
    Kept,
    /// Rows that go are deleted; those that another definition marked are there still.
    LeftOver,
}

impl Marks {
    /// Whether the table has the column [`DELETED_AT`], and may have marked rows.
    pub fn may_be_there(self) -> bool {
        self != Marks::None
    }
}

/// A time of the ledger as the servers take it.
pub fn server_time(ledger_time: &str) -> String {
    ledger_time.trim_end_matches('Z').replace('T', " ")
}

/// The name of the view of a table's live rows.
pub fn live_name(table: &str) -> String {
    format!("{table}{SUFFIX}")
}

/// The table whose live rows a view of this name shows.
pub fn table_of_live(name: &str) -> Option<&str> {
    name.strip_suffix(SUFFIX)
}

/// The columns of the view of a table's live rows: the table's own, and `changed_epoch`.
pub fn live_columns(table: &TableSchema) -> Vec<&str> {
    let own = table.schema.columns().iter().map(|column| column.name.as_str());
    own.chain([TableSchema::CHANGED_EPOCH]).collect()
}

/// Makes the view of a table's live rows; on the servers also in place of one of that name.
///
/// On the servers it reads with the rights of whoever queries it (`SQL SECURITY INVOKER`): with the loader's, a view would
/// show the table to users who may not read it, and would be dead once the loader's account is gone or renamed.
pub fn create_live(dialect: Dialect, table: &TableSchema) -> String {
    let quoted = |name: &str| dialect.identifier(name);
    let create = match dialect {
        Dialect::Sqlite => "CREATE VIEW",
        Dialect::MySql | Dialect::MariaDb => "CREATE OR REPLACE SQL SECURITY INVOKER VIEW",
    };
    let columns: Vec<String> = live_columns(table).into_iter().map(quoted).collect();
    format!(
        "{create} {} AS SELECT {} FROM {} WHERE {} IS NULL",
        quoted(&live_name(&table.name)),
        columns.join(", "),
        quoted(&table.name),
        quoted(DELETED_AT)
    )
}

/// A view of nothing, to ask whether views may be made.
pub fn create_probe(dialect: Dialect, name: &str) -> String {
    format!("CREATE OR REPLACE SQL SECURITY INVOKER VIEW {} AS SELECT 1 AS one", dialect.identifier(name))
}

/// Drops a view, if it is there.
pub fn drop_view(dialect: Dialect, name: &str) -> String {
    format!("DROP VIEW IF EXISTS {}", dialect.identifier(name))
}

/// Yields the number of marked rows.
pub fn count_marked(dialect: Dialect, table: &str) -> String {
    format!("SELECT COUNT(*) FROM {} WHERE {} IS NOT NULL", dialect.identifier(table), dialect.identifier(DELETED_AT))
}

/// Deletes the marked rows.
pub fn delete_marked(dialect: Dialect, table: &str) -> String {
    format!("DELETE FROM {} WHERE {} IS NOT NULL", dialect.identifier(table), dialect.identifier(DELETED_AT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, ColumnType, Schema};

    #[test]
    fn the_view_of_the_live_rows() {
        let columns = vec![Column::required("a`\"", ColumnType::Text), Column::nullable("n", ColumnType::Int64)];
        let table = TableSchema { name: "t".into(), schema: Schema::new(columns), key: vec![0] };
        assert_eq!(
            create_live(Dialect::Sqlite, &table),
            r#"CREATE VIEW "t_live" AS SELECT "a`""", "n", "changed_epoch" FROM "t" WHERE "deleted_at" IS NULL"#
        );
        assert_eq!(
            create_live(Dialect::MariaDb, &table),
            "CREATE OR REPLACE SQL SECURITY INVOKER VIEW `t_live` AS SELECT `a``\"`, `n`, `changed_epoch` FROM `t` WHERE \
             `deleted_at` IS NULL"
        );
        assert_eq!(server_time("2026-01-02T03:04:05Z"), "2026-01-02 03:04:05");
        assert_eq!(table_of_live(&live_name("t")), Some("t"));
        assert_eq!(table_of_live("alive"), None);
    }
}
