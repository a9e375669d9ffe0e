//! Queries that people and dashboards send often, to be explained and never to be run: rows by the value of columns, and rows that
//! changed since an epoch.

use super::Dialect;
use crate::{ColumnType, TableSchema, ledger::Epoch};

/// All columns, or these, of the rows that have some value in these columns. The values are made up: what counts is the way to
/// the rows.
pub fn select_equal(dialect: Dialect, table: &TableSchema, selected: &[usize], equal: &[usize]) -> String {
    let name = |index: &usize| dialect.identifier(&table.schema.columns()[*index].name);
    let conditions: Vec<String> = equal
        .iter()
        .map(|index| format!("{} = {}", name(index), made_up(&table.schema.columns()[*index].column_type)))
        .collect();
    let columns = match selected {
        [] => "*".to_owned(),
        selected => selected.iter().map(name).collect::<Vec<String>>().join(", "),
    };
    format!("SELECT {columns} FROM {} WHERE {}", dialect.identifier(&table.name), conditions.join(" AND "))
}

/// The rows that an epoch after this one changed.
pub fn select_changed_since(dialect: Dialect, table: &TableSchema, epoch: Epoch) -> String {
    let (name, column) = (dialect.identifier(&table.name), dialect.identifier(TableSchema::CHANGED_EPOCH));
    format!("SELECT * FROM {name} WHERE {column} > {epoch}")
}

/// The statement that has the database say how it would run a query.
pub fn explain(dialect: Dialect, query: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("EXPLAIN QUERY PLAN {query}"),
        // MySQL's default is a setting, and may be a tree.
        Dialect::MySql | Dialect::MariaDb => format!("EXPLAIN FORMAT=TRADITIONAL {query}"),
    }
}

fn made_up(column_type: &ColumnType) -> &'static str {
    match column_type {
        ColumnType::Bool | ColumnType::Int64 => "1",
        ColumnType::Float64 | ColumnType::Decimal { .. } => "1.5",
        ColumnType::Date => "'2026-01-31'",
        ColumnType::Text | ColumnType::List(_) => "'x'",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, Schema};

    #[test]
    fn queries_name_their_columns() {
        let columns = vec![Column::required("a", ColumnType::Text), Column::required("b", ColumnType::Int64)];
        let table = TableSchema { name: "t".into(), schema: Schema::new(columns), key: vec![0] };
        assert_eq!(
            select_equal(Dialect::Sqlite, &table, &[], &[0, 1]),
            "SELECT * FROM \"t\" WHERE \"a\" = 'x' AND \"b\" = 1"
        );
        assert_eq!(select_equal(Dialect::MySql, &table, &[1], &[1]), "SELECT `b` FROM `t` WHERE `b` = 1");
        assert_eq!(
            explain(Dialect::Sqlite, &select_changed_since(Dialect::Sqlite, &table, Epoch::new(7))),
            "EXPLAIN QUERY PLAN SELECT * FROM \"t\" WHERE \"changed_epoch\" > 7"
        );
    }
}
