//! Unique indexes beside the key: no two rows of a table hold the same values in their columns, NULL apart.

use super::Dialect;
use crate::TableSchema;

/// What the name of every unique index that vardelta makes begins with.
pub const PREFIX: &str = "vardelta_unique_";
/// Examples of rows that share values, at the most.
const EXAMPLES: usize = 12;
/// Values that examples are shown of, at the most.
const VALUES: usize = 3;

/// A unique index of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unique {
    /// Its name in the database.
    pub name: String,
    /// Its columns, by name.
    pub columns: Vec<String>,
}

impl Unique {
    fn list(&self, dialect: Dialect) -> String {
        self.columns.iter().map(|column| dialect.identifier(column)).collect::<Vec<_>>().join(", ")
    }

    /// The columns as messages name them: `(a, b)`.
    pub fn said(&self) -> String {
        format!("({})", self.columns.join(", "))
    }

    /// The statement that builds it.
    pub fn create(&self, dialect: Dialect, table: &str) -> String {
        let (name, table) = (dialect.identifier(&self.name), dialect.identifier(table));
        format!("CREATE UNIQUE INDEX {name} ON {table} ({})", self.list(dialect))
    }

    /// The line of CREATE TABLE that makes it with its table, on servers.
    pub(super) fn line(&self, dialect: Dialect) -> String {
        format!("UNIQUE INDEX {} ({})", dialect.identifier(&self.name), self.list(dialect))
    }

    /// Rows of the table that share their values in its columns, as texts: first the columns, then the key. A few, in order.
    pub fn duplicates(&self, dialect: Dialect, table: &TableSchema, name: &str) -> String {
        let quoted = |column: &String| dialect.identifier(column);
        let of = |from: &str, column: &String| format!("{from}.{}", quoted(column));
        let text = |column: &String| cast(dialect, &of("t", column));
        let key = key(table);
        let selected: Vec<String> = self.columns.iter().chain(&key).map(text).collect();
        let known: Vec<String> = self.columns.iter().map(|column| format!("{} IS NOT NULL", quoted(column))).collect();
        let same: Vec<String> =
            self.columns.iter().map(|column| format!("{} = {}", of("t", column), of("d", column))).collect();
        let order: Vec<String> = self.columns.iter().chain(&key).map(|column| of("t", column)).collect();
        let (list, from) = (self.list(dialect), dialect.identifier(name));
        format!(
            "SELECT {} FROM {from} AS t JOIN (SELECT {list} FROM {from} WHERE {} GROUP BY {list} HAVING COUNT(*) > 1 \
             ORDER BY {list} LIMIT {VALUES}) AS d ON {} ORDER BY {} LIMIT {EXAMPLES}",
            selected.join(", "),
            known.join(" AND "),
            same.join(" AND "),
            order.join(", ")
        )
    }

    /// The key, as texts, of the row that has these values in its columns. Parameters: the values, in order.
    pub fn holder(&self, dialect: Dialect, table: &TableSchema, name: &str) -> String {
        let selected: Vec<String> =
            key(table).iter().map(|column| cast(dialect, &dialect.identifier(column))).collect();
        let same: Vec<String> =
            self.columns.iter().map(|column| format!("{} = ?", dialect.identifier(column))).collect();
        let selected = if selected.is_empty() { "NULL".to_owned() } else { selected.join(", ") };
        format!("SELECT {selected} FROM {} WHERE {} LIMIT 1", dialect.identifier(name), same.join(" AND "))
    }
}

/// The statement that takes an index away from a SQLite file.
pub fn drop_sqlite(name: &str) -> String {
    format!("DROP INDEX {}", Dialect::Sqlite.identifier(name))
}

/// Parameter: a SQLite table's name. Yields the names of the unique indexes that somebody made with CREATE INDEX.
pub const SELECT_SQLITE: &str =
    "SELECT name FROM pragma_index_list(?) WHERE \"unique\" = 1 AND origin = 'c' ORDER BY name";

/// A column as text.
fn cast(dialect: Dialect, column: &str) -> String {
    let text = if dialect == Dialect::Sqlite { "TEXT" } else { "CHAR" };
    format!("CAST({column} AS {text})")
}

fn key(table: &TableSchema) -> Vec<String> {
    table.key.iter().map(|index| table.schema.columns()[*index].name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, ColumnType, Schema};

    #[test]
    fn statements_of_a_unique_index() {
        let columns = vec![Column::required("k", ColumnType::Text), Column::nullable("a`\"", ColumnType::Int64)];
        let table = TableSchema { name: "t".into(), schema: Schema::new(columns), key: vec![0] };
        let unique = Unique { name: "vardelta_unique_by_a".into(), columns: vec!["a`\"".into()] };
        assert_eq!(
            unique.create(Dialect::Sqlite, "t"),
            "CREATE UNIQUE INDEX \"vardelta_unique_by_a\" ON \"t\" (\"a`\"\"\")"
        );
        assert_eq!(unique.line(Dialect::MySql), "UNIQUE INDEX `vardelta_unique_by_a` (`a``\"`)");
        assert_eq!(
            unique.holder(Dialect::MariaDb, &table, "new"),
            "SELECT CAST(`k` AS CHAR) FROM `new` WHERE `a``\"` = ? LIMIT 1"
        );
        assert_eq!(
            unique.duplicates(Dialect::Sqlite, &table, "t"),
            "SELECT CAST(t.\"a`\"\"\" AS TEXT), CAST(t.\"k\" AS TEXT) FROM \"t\" AS t JOIN (SELECT \"a`\"\"\" FROM \"t\" WHERE \
             \"a`\"\"\" IS NOT NULL GROUP BY \"a`\"\"\" HAVING COUNT(*) > 1 ORDER BY \"a`\"\"\" LIMIT 3) AS d ON t.\"a`\"\"\" = \
             d.\"a`\"\"\" ORDER BY t.\"a`\"\"\", t.\"k\" LIMIT 12"
        );
    }
}
