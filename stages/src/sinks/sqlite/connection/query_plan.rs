//! SQLite's plans: `EXPLAIN QUERY PLAN`, whose texts its manual describes under that name.

use rusqlite::Connection;
use vardelta_engine::contract::sink::{AccessPath, QueryPlan, QueryPlans, SinkError};
use vardelta_schemas::sql::{Dialect, typical};

use super::{SqliteSink, explain};

impl QueryPlans for SqliteSink {
    fn query_plan(&mut self, query: &str) -> Result<QueryPlan, SinkError> {
        let said = details(&self.connection, query).map_err(explain(&self.path, "ask for the plan of a query of"))?;
        Ok(plan(&said))
    }
}

fn details(connection: &Connection, query: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&typical::explain(Dialect::Sqlite, query))?;
    let details = statement.query_map([], |row| row.get("detail"))?;
    details.collect()
}

/// `SEARCH t USING INDEX i (a=?)`, `SEARCH t USING COVERING INDEX i (a>?)`, `SEARCH t USING PRIMARY KEY (a=?)`, `SCAN t`.
fn plan(details: &[String]) -> QueryPlan {
    let first = details.first().map_or("", String::as_str);
    let conditions = first.rsplit_once('(').map_or("", |(_, conditions)| conditions);
    let access = match first {
        scan if scan.starts_with("SCAN") => AccessPath::Scan,
        covering if covering.contains("USING COVERING INDEX ") => AccessPath::Covering,
        _ if conditions.contains(['<', '>']) => AccessPath::Range,
        _ => AccessPath::Lookup,
    };
    let index = match first.split_once(" INDEX ") {
        Some((_, rest)) => rest.split(' ').next().map(str::to_owned),
        None => first.contains("PRIMARY KEY").then(|| "PRIMARY KEY".to_owned()),
    };
    QueryPlan { access, index, rows: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_tell_how_rows_are_found() {
        let connection = Connection::open_in_memory().expect("a database");
        let tables = "CREATE TABLE t (a TEXT, b INTEGER, c TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID; CREATE INDEX i ON t (c); \
            CREATE TABLE u (d INTEGER);";
        connection.execute_batch(tables).expect("a table");
        for (query, access, index) in [
            ("SELECT * FROM t WHERE a = 'x' AND b = 1", AccessPath::Lookup, Some("PRIMARY KEY")),
            ("SELECT * FROM t WHERE a = 'x' AND b > 1", AccessPath::Range, Some("PRIMARY KEY")),
            ("SELECT c FROM t WHERE c = 'x'", AccessPath::Covering, Some("i")),
            // All of an index is looked at no less than all of the table.
            ("SELECT * FROM t WHERE b = 1", AccessPath::Scan, Some("i")),
            ("SELECT * FROM u WHERE d = 1", AccessPath::Scan, None),
        ] {
            let plan = plan(&details(&connection, query).expect("a plan"));
            assert_eq!((plan.access, plan.index.as_deref()), (access, index), "{query}");
        }
        assert!(details(&connection, "SELECT * FROM missing").is_err());
    }
}
