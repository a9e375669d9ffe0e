//! What somebody does to a database by hand, past vardelta. The only place outside `schemas` that has SQL text, because
//! the tests need an oracle that shares nothing with what they test.

use mysql::{Conn, Row, Value, prelude::Queryable};

/// Runs statements.
pub(super) fn run(conn: &mut Conn, statements: &[&str]) {
    for statement in statements {
        conn.query_drop(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

/// The rows a query yields, each as text.
pub(super) fn query(conn: &mut Conn, query: &str) -> Vec<String> {
    let rows: Vec<Row> = conn.query(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let show = |value: Value| match value {
        Value::NULL => "NULL".to_string(),
        Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        value => value.as_sql(false),
    };
    rows.into_iter().map(|row| row.unwrap().into_iter().map(show).collect::<Vec<_>>().join("|")).collect()
}

/// How the server would come to the rows of each table of a statement: `t by PRIMARY, eq_ref`.
pub(super) fn plan(conn: &mut Conn, statement: &str, bound: Vec<Value>) -> Vec<String> {
    let rows: Vec<Row> =
        conn.exec(format!("explain format = traditional {statement}"), bound).unwrap_or_else(|error| panic!("{error}"));
    let text = |row: &Row, name: &str| row.get::<Option<String>, _>(name).flatten().unwrap_or("nothing".into());
    rows.iter().map(|row| format!("{} by {}, {}", text(row, "table"), text(row, "key"), text(row, "type"))).collect()
}

/// Every table of a database with its rows, as text: what must be the same before and after a run that failed.
pub(super) fn dump(conn: &mut Conn) -> Vec<String> {
    let mut dumped = Vec::new();
    for name in
        query(conn, "select table_name from information_schema.tables where table_schema = database() order by 1")
    {
        dumped.push(query(conn, &format!("show create table `{name}`")).join("\n"));
        dumped.extend(query(conn, &format!("select * from `{name}`")));
    }
    dumped
}
