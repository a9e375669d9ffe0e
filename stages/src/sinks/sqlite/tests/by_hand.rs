//! What somebody does to a database by hand, past vardelta. The only place outside `schemas` that has SQL text, because
//! the tests need an oracle that shares nothing with what they test.

use std::path::Path;

use rusqlite::{Connection, types::Value};

/// Runs statements.
pub(super) fn run(path: &Path, statements: &str) {
    Connection::open(path).unwrap().execute_batch(statements).unwrap();
}

/// The rows a query yields, each as text.
pub(super) fn query(path: &Path, query: &str) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection.prepare(query).unwrap();
    let width = statement.column_count();
    let show = |value: Value| match value {
        Value::Null => "NULL".to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => format!("{value:?}"),
        Value::Text(value) => format!("'{value}'"),
        Value::Blob(value) => format!("{value:?}"),
    };
    let rows = statement.query_map([], |row| {
        let values: rusqlite::Result<Vec<String>> = (0..width).map(|index| Ok(show(row.get(index)?))).collect();
        Ok(values?.join("|"))
    });
    rows.unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

/// Every object of a database with its rows, as text: what must be the same before and after a run that failed.
pub(super) fn dump(path: &Path) -> Vec<String> {
    let mut dumped = query(path, "select type, name, sql from sqlite_schema order by name");
    for name in query(path, "select name from sqlite_schema where type = 'table' order by name") {
        let name = name.trim_matches('\'').replace('"', "\"\"");
        dumped.push(name.clone());
        dumped.extend(query(path, &format!("select * from \"{name}\"")));
    }
    dumped
}
