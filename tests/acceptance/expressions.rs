//! What expressions mean: the manual's examples, what people write, and random expressions over random rows, held against
//! MariaDB, MySQL and SQLite.

mod aggregates;
mod examples;
mod random;

use std::collections::BTreeMap;

use mysql::{Conn, Value, prelude::Queryable};
use vardelta_engine::expression::functions::Database;
use vardelta_test_servers::Flavor;

/// The settings under which a server reads texts as the expressions do.
const SESSION: &str = "SET SESSION sql_mode = \
                       'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO'";

/// A database that answers.
enum Judge {
    Server(Conn, Database),
    Sqlite(rusqlite::Connection),
}

impl Judge {
    /// Goes on with the session of vardelta's own connections, for statements that vardelta writes.
    fn become_vardelta_s(&mut self) {
        if let Judge::Server(..) = self {
            self.prepare(&vardelta_schemas::sql::mysql::session(10));
        }
    }

    /// SQLite, and the servers that are installed.
    fn all(test: &str) -> Vec<Judge> {
        let mut judges = vec![Judge::Sqlite(rusqlite::Connection::open_in_memory().expect("opens"))];
        for (flavor, database, collation) in [
            (Flavor::MariaDb, Database::MariaDb, "utf8mb4_nopad_bin"),
            (Flavor::MySql, Database::MySql, "utf8mb4_0900_bin"),
        ] {
            let Some(server) = vardelta_test_servers::shared(test, flavor) else { continue };
            let mut connection = server.root_in(&server.new_database());
            connection.query_drop(SESSION).expect("a setting");
            connection.query_drop(format!("SET NAMES utf8mb4 COLLATE {collation}")).expect("a setting");
            judges.push(Judge::Server(connection, database));
        }
        judges
    }

    fn database(&self) -> Database {
        match self {
            Judge::Server(_, database) => *database,
            Judge::Sqlite(_) => Database::Sqlite,
        }
    }

    /// Runs statements whose failure would make every answer worthless.
    fn prepare(&mut self, statements: &[String]) {
        for statement in statements {
            match self {
                Judge::Server(connection, _) => connection.query_drop(statement).expect("the statement is sound"),
                Judge::Sqlite(connection) => connection.execute_batch(statement).expect("the statement is sound"),
            }
        }
    }

    /// The first column of each row, as text; `None` where the database refuses.
    fn column(&mut self, query: &str) -> Option<Vec<String>> {
        match self {
            Judge::Server(connection, _) => {
                // A prepared statement gives doubles bit by bit.
                let rows: Vec<mysql::Row> = connection.exec(query, ()).ok()?;
                rows.into_iter().map(|row| row.unwrap().into_iter().next().map(of_server)).collect()
            }
            Judge::Sqlite(connection) => {
                let mut statement = connection.prepare(query).ok()?;
                let rows = statement.query_map([], |row| Ok(of_sqlite(row.get_ref(0)?))).ok()?;
                rows.collect::<Result<Vec<String>, _>>().ok()
            }
        }
    }

    /// The answer to an expression.
    fn answer(&mut self, sql: &str) -> Option<String> {
        self.column(&format!("SELECT {sql}"))?.pop()
    }
}

fn of_server(value: Value) -> String {
    match value {
        Value::NULL => "NULL".into(),
        Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Value::Int(value) => value.to_string(),
        Value::UInt(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Double(value) => value.to_string(),
        Value::Date(year, month, day, 0, 0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
        Value::Date(year, month, day, hour, minute, second, micros) => {
            let fraction = if micros > 0 { format!(".{micros:06}") } else { String::new() };
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction}")
        }
        other => format!("{other:?}"),
    }
}

fn of_sqlite(value: rusqlite::types::ValueRef<'_>) -> String {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => "NULL".into(),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Real(value) => value.to_string(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
    }
}

/// Whether two answers are one value: as texts, or as numbers. A double that a server computed with another library of
/// functions may differ in its last bits, which is 1 part in 2^49 at most.
fn same(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let plain = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    let number = |text: &str| text.parse::<f64>().ok().filter(|value| plain(text) && value.is_finite());
    match (number(one), number(other)) {
        (Some(one), Some(other)) => (one - other).abs() <= one.abs().max(other.abs()) * 2_f64.powi(-49),
        _ => false,
    }
}

/// Counts by kind, for a last line that says what a test did.
#[derive(Default)]
struct Tally(BTreeMap<String, usize>);

impl Tally {
    fn add(&mut self, kind: impl Into<String>) {
        *self.0.entry(kind.into()).or_default() += 1;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts: Vec<String> = self.0.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        f.write_str(&counts.join(", "))
    }
}
