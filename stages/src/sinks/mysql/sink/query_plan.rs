//! The servers' plans: `EXPLAIN`, whose columns MySQL's manual describes under "EXPLAIN Output Format".

use mysql::{Row, prelude::Queryable};
use vardelta_engine::contract::sink::{AccessPath, QueryPlan, QueryPlans, SinkError};
use vardelta_schemas::sql::typical;

use super::MySqlSink;
use crate::sinks::mysql::error::explain;

impl QueryPlans for MySqlSink {
    fn query_plan(&mut self, query: &str) -> Result<QueryPlan, SinkError> {
        self.with(|settings, link| {
            let asked = typical::explain(link.dialect, query);
            let row: Option<Row> =
                link.conn.query_first(asked).map_err(explain(&settings.location, "ask for the plan of a query of"))?;
            let text = |name: &str| row.as_ref().and_then(|row| row.get::<Option<String>, _>(name)).flatten();
            let rows = row.as_ref().and_then(|row| row.get::<Option<u64>, _>("rows")).flatten();
            let (kind, extra) = (text("type").unwrap_or_default(), text("Extra").unwrap_or_default());
            Ok(QueryPlan { access: access(&kind, &extra), index: text("key"), rows })
        })
    }
}

/// What the columns `type` and `Extra` say.
fn access(kind: &str, extra: &str) -> AccessPath {
    let is_covered = extra.split(';').any(|part| part.trim() == "Using index");
    match kind {
        "ALL" | "index" => AccessPath::Scan,
        _ if is_covered => AccessPath::Covering,
        "range" | "index_merge" | "index_subquery" => AccessPath::Range,
        // `const`, `eq_ref`, `ref`, …; no type at all: a key that was looked up at once and has no row.
        _ => AccessPath::Lookup,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_and_extra_tell_how_rows_are_found() {
        for (kind, extra, expected) in [
            ("const", "", AccessPath::Lookup),
            ("ref", "Using index condition", AccessPath::Lookup),
            ("ref", "Using where; Using index", AccessPath::Covering),
            ("range", "Using index condition; Using MRR", AccessPath::Range),
            ("index", "Using where; Using index", AccessPath::Scan),
            ("ALL", "Using where", AccessPath::Scan),
            ("", "Impossible WHERE noticed after reading const tables", AccessPath::Lookup),
        ] {
            assert_eq!(access(kind, extra), expected, "{kind}, {extra}");
        }
    }
}
