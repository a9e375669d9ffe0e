//! A project whose sink is one of the three databases, and its rows by SQL.

use mysql::{Row, Value, prelude::Queryable};
use vardelta_test_servers::{Flavor, Server, shared};
use vardelta_tests::{
    database,
    project::{Project, Said},
    story,
};

/// Which database.
#[derive(Clone, Copy)]
pub enum Store {
    Sqlite,
    Server(&'static Server),
}

impl Store {
    /// Those that are here; says which are not.
    pub fn all(test: &str) -> Vec<Store> {
        let servers = Flavor::ALL.into_iter().filter_map(|flavor| shared(test, flavor)).map(Store::Server);
        std::iter::once(Store::Sqlite).chain(servers).collect()
    }
}

/// A project with two loaded drops.
pub struct Loaded {
    pub project: Project,
    store: Store,
    database: String,
}

impl Loaded {
    /// A project of this definition, a variation of the story's pipeline, loaded.
    pub fn new(store: Store, text: &str) -> Loaded {
        let database = match store {
            Store::Sqlite => String::new(),
            Store::Server(server) => server.new_database(),
        };
        let loaded = Loaded { project: Project::new(""), store, database };
        loaded.define(text);
        story::write_drop(&loaded.project, "alpha", &story::lines(1, 40));
        story::write_drop(&loaded.project, "beta", &story::lines(2, 40));
        loaded.vardelta("run", &[]).expect(0);
        loaded
    }

    /// Changes the definition.
    pub fn define(&self, text: &str) {
        let sink = "type = \"sqlite\"\npath = \"gene_summary.sqlite\"";
        assert!(text.contains(sink), "the story's sink");
        let text = match self.store {
            Store::Sqlite => text.to_owned(),
            Store::Server(server) => {
                if text.contains("on_delete = \"mark\"") {
                    server.allow_views(&self.database);
                }
                text.replace(sink, &format!("type = \"mysql\"\nurl = \"{}\"", server.url(&self.database)))
            }
        };
        self.project.write("pipeline.toml", text.as_bytes());
    }

    pub fn vardelta(&self, verb: &str, arguments: &[&str]) -> Said {
        self.project.vardelta(verb, arguments)
    }

    /// The rows of a query, values apart by bars.
    pub fn query(&self, query: &str) -> Vec<String> {
        match self.store {
            Store::Sqlite => {
                let connection = database::open(&self.project.path("gene_summary.sqlite"));
                let mut statement = connection.prepare(query).expect("the query is sound");
                let columns = statement.column_count();
                let rows = statement.query_map([], |row| {
                    let cells: Vec<String> = (0..columns)
                        .map(|at| format!("{:?}", database::Cell::from(row.get_ref(at).expect("a value"))))
                        .collect();
                    Ok(cells.join("|"))
                });
                rows.expect("the query can be run").map(|row| row.expect("a row")).collect()
            }
            Store::Server(server) => {
                let rows: Vec<Row> = server.root_in(&self.database).query(query).expect("the query is sound");
                let show = |value: Value| match value {
                    Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                    value => value.as_sql(false),
                };
                rows.into_iter().map(|row| row.unwrap().into_iter().map(show).collect::<Vec<_>>().join("|")).collect()
            }
        }
    }

    /// Whether the database is a file.
    pub fn is_file(&self) -> bool {
        matches!(self.store, Store::Sqlite)
    }

    /// Runs a statement, as somebody who works by hand.
    pub fn execute(&self, statement: &str) {
        match self.store {
            Store::Sqlite => {
                let path = self.project.path("gene_summary.sqlite");
                let connection = rusqlite::Connection::open(path).expect("the database can be opened");
                connection.execute_batch(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
            }
            Store::Server(server) => {
                let mut connection = server.root_in(&self.database);
                connection.query_drop(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
            }
        }
    }

    /// The columns of a table, in the database's order, and whether each allows NULL.
    pub fn columns(&self, table: &str) -> Vec<(String, bool)> {
        let query = match self.store {
            Store::Sqlite => format!("SELECT name || ' ' || \"notnull\" FROM pragma_table_info('{table}')"),
            Store::Server(_) => format!(
                "SELECT CONCAT(column_name, ' ', is_nullable = 'NO') FROM information_schema.columns WHERE table_schema = \
                 DATABASE() AND table_name = '{table}' ORDER BY ordinal_position"
            ),
        };
        let named = self.query(&query).into_iter().map(|text| text.trim_matches('\'').to_owned());
        named
            .filter_map(|text| text.rsplit_once(' ').map(|(name, not_null)| (name.to_owned(), not_null == "0")))
            .filter(|(name, _)| name != "key_hash")
            .collect()
    }

    /// Every row of the tables, with the columns that `like` has, in an order of their values.
    pub fn rows_like(&self, like: &Loaded) -> Vec<String> {
        let mut found = Vec::new();
        for table in ["variants", "mutation_summary"] {
            let mut columns: Vec<String> = like.columns(table).into_iter().map(|(name, _)| name).collect();
            columns.retain(|name| name != "changed_epoch");
            columns.sort();
            let mut rows = self.query(&format!("SELECT {} FROM {table}", columns.join(", ")));
            rows.sort();
            found.push(format!("{table}: {}", columns.join(", ")));
            found.extend(rows);
        }
        found
    }

    /// Everything that a plan must leave alone: columns, rows, indexes.
    pub fn everything(&self) -> Vec<String> {
        let mut all = self.rows_like(self);
        for table in ["variants", "mutation_summary"] {
            all.push(format!("{:?}", self.columns(table)));
            all.extend(self.query(&format!("SELECT changed_epoch, COUNT(*) FROM {table} GROUP BY changed_epoch")));
        }
        all.extend(self.indexes());
        all
    }

    /// The indexes of the table of variants.
    pub fn indexes(&self) -> Vec<String> {
        match self.store {
            Store::Sqlite => Vec::new(),
            Store::Server(_) => self.query(
                "SELECT DISTINCT index_name FROM information_schema.statistics WHERE table_schema = DATABASE() AND \
                 table_name = 'variants' AND index_name <> 'PRIMARY' ORDER BY 1",
            ),
        }
    }
}

/// Panics unless the tables are those of a fresh run with this definition, and later runs find their way.
#[track_caller]
pub fn is_as_fresh(what: &str, migrated: &Loaded, text: &str) {
    let fresh = Loaded::new(migrated.store, text);
    assert_eq!(migrated.rows_like(&fresh), fresh.rows_like(&fresh), "{what}");
    migrated.vardelta("verify", &[]).expect(0);
    for loaded in [migrated, &fresh] {
        story::write_drop(&loaded.project, "alpha", &story::lines(7, 30));
        loaded.vardelta("run", &[]).expect(0);
        loaded.vardelta("withdraw", &["beta"]).expect(0);
    }
    assert_eq!(migrated.rows_like(&fresh), fresh.rows_like(&fresh), "{what}, after another run");
    migrated.vardelta("verify", &[]).expect(0);
}
