//! Things with a tag and a place on a shelf, no two of them alike, in one of the three databases; and such a project of any other
//! pipeline.

use std::process::Command;

use mysql::{Row, Value, prelude::Queryable};
use vardelta_test_servers::{Flavor, Server, shared};
use vardelta_tests::{
    database,
    project::{Project, Said, finish},
};

const STAGES: &str = r#"
[pipeline]
name = "shelves"
chunk_records = 7
max_reject_share = 0.5
[stages.lines]
type = "delimited"
path = "drops/*.csv"
columns = { id = "int64", tag = "text", shelf = "text", place = "int64" }
[stages.known]
type = "filter"
input = "lines"
where = "id IS NOT NULL"
[stages.things]
type = "table"
input = "known"
key = ["id"]
[stages.per_shelf]
type = "aggregate"
input = "things"
group_by = ["shelf"]
columns = { things = "count(*)" }
[stages.store]
tables = ["things", "per_shelf"]
history = ["things"]
type = "sqlite"
path = "things.sqlite"
"#;
const ON_SQLITE: &str = "type = \"sqlite\"\npath = \"things.sqlite\"\n";
const ON_SERVER: &str = "type = \"mysql\"\nurl = \"${VARDELTA_MYSQL_URL}\"\n";

/// A project, and where its database is.
pub(crate) struct Shelf {
    pub(crate) project: Project,
    server: Option<(&'static Server, String)>,
}

/// Runs a test on each database, on servers by each way of loading, with more options of the sink.
pub(crate) fn on_each(test: &str, options: &str, run: impl Fn(Shelf)) {
    let text = Shelf::text(options);
    on_each_with(test, &text, &run);
    let by_statements = format!("{text}local_infile = false\n");
    on_servers(test, &by_statements, &run);
}

/// Runs a test on each database with another pipeline, whose sink is said as this one's is on SQLite.
pub(crate) fn on_each_with(test: &str, text: &str, run: impl Fn(Shelf)) {
    run(Shelf::on_sqlite_with(text));
    on_servers(test, text, run);
}

fn on_servers(test: &str, text: &str, run: impl Fn(Shelf)) {
    assert!(text.contains(ON_SQLITE), "the sink");
    for server in Flavor::ALL.into_iter().filter_map(|flavor| shared(test, flavor)) {
        let project = Project::new(&text.replace(ON_SQLITE, ON_SERVER));
        run(Shelf { project, server: Some((server, server.new_database())) });
    }
}

impl Shelf {
    /// What is unique.
    pub(crate) const UNIQUE: &str = "unique = { things = [[\"tag\"], [\"shelf\", \"place\"]] }";

    /// The pipeline on SQLite.
    pub(crate) fn text(options: &str) -> String {
        format!("{STAGES}{}\n{options}", Shelf::UNIQUE)
    }

    pub(crate) fn on_sqlite(options: &str) -> Shelf {
        Shelf::on_sqlite_with(&Shelf::text(options))
    }

    pub(crate) fn on_sqlite_with(text: &str) -> Shelf {
        Shelf { project: Project::new(text), server: None }
    }

    /// Another definition of the same tables: `UNIQUE` becomes this.
    pub(crate) fn define(&self, unique: &str) {
        let text = String::from_utf8(self.project.bytes("pipeline.toml")).expect("UTF-8");
        let line = text.lines().find(|line| line.starts_with("unique =") || line.starts_with("# unique"));
        let changed = text.replace(line.expect("the line is there"), unique);
        self.project.write("pipeline.toml", changed.as_bytes());
    }

    /// Writes a drop of these lines.
    pub(crate) fn write(&self, name: &str, lines: &str) {
        self.project.write(&format!("drops/{name}.csv"), format!("id,tag,shelf,place\n{lines}").as_bytes());
    }

    pub(crate) fn command(&self, verb: &str, arguments: &[&str]) -> Command {
        let mut command = self.project.command(verb, arguments);
        if let Some((server, name)) = &self.server {
            command.env("VARDELTA_MYSQL_URL", server.url(name));
        }
        command
    }

    #[track_caller]
    pub(crate) fn run(&self, verb: &str, arguments: &[&str], code: i32) -> Said {
        finish(&mut self.command(verb, arguments)).expect(code)
    }

    /// An empty project of the same pipeline on the same database system.
    pub(crate) fn beside(&self) -> Shelf {
        let text = String::from_utf8(self.project.bytes("pipeline.toml")).expect("UTF-8");
        let server = self.server.as_ref().map(|(server, _)| (*server, server.new_database()));
        Shelf { project: Project::new(&text), server }
    }

    /// Every row of every table, the ledger's too, as text.
    pub(crate) fn everything(&self) -> String {
        let tables = match self.server {
            None => "select name from sqlite_master where type = 'table'",
            Some(_) => "show tables",
        };
        let rows = |table: String| {
            self.sql(&format!("select * from {table}")).into_iter().map(move |row| format!("{table}|{row}\n"))
        };
        self.sql(tables).into_iter().flat_map(rows).collect()
    }

    pub(crate) fn is_on_server(&self) -> bool {
        self.server.is_some()
    }

    /// A run, whatever becomes of it.
    pub(crate) fn run_any(&self, arguments: &[&str]) -> Said {
        finish(&mut self.command("run", arguments))
    }

    /// Withdraws a drop, and takes its file away where that is done.
    #[track_caller]
    pub(crate) fn withdraw(&self, name: &str, code: i32) {
        self.run("withdraw", &[name], code);
        if code == 0 {
            std::fs::remove_file(self.project.path(&format!("drops/{name}.csv"))).expect("it is there");
        }
    }

    /// The rows of a query, values apart by bars.
    pub(crate) fn sql(&self, query: &str) -> Vec<String> {
        match &self.server {
            None => {
                let connection = database::open(&self.project.path("things.sqlite"));
                let mut statement = connection.prepare(query).expect("the query is sound");
                let columns = statement.column_count();
                let text = |row: &rusqlite::Row<'_>, at: usize| match row.get_ref(at).expect("a value") {
                    rusqlite::types::ValueRef::Null => "NULL".to_owned(),
                    rusqlite::types::ValueRef::Integer(value) => value.to_string(),
                    rusqlite::types::ValueRef::Text(value) => String::from_utf8_lossy(value).into_owned(),
                    other => format!("{other:?}"),
                };
                let rows = statement
                    .query_map([], |row| Ok((0..columns).map(|at| text(row, at)).collect::<Vec<_>>().join("|")));
                rows.expect("the query can be run").map(|row| row.expect("a row")).collect()
            }
            Some((server, name)) => {
                let rows: Vec<Row> = server.root_in(name).query(query).expect("the query is sound");
                let show = |value: Value| match value {
                    Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                    value => value.as_sql(false),
                };
                rows.into_iter().map(|row| row.unwrap().into_iter().map(show).collect::<Vec<_>>().join("|")).collect()
            }
        }
    }

    /// The rows of the table.
    pub(crate) fn rows(&self) -> Vec<String> {
        let mut rows = self.sql("select id, tag, shelf, place from things");
        rows.sort();
        rows
    }

    /// The rows of its history: operation and id.
    pub(crate) fn history(&self) -> Vec<String> {
        self.sql("select operation, id from things_history")
    }

    /// The unique indexes of the table that vardelta made.
    pub(crate) fn indexes(&self) -> Vec<String> {
        self.sql(match self.server {
            None => {
                "select name from sqlite_master where type = 'index' and sql like 'CREATE UNIQUE%' and tbl_name = 'things' \
                 order by name"
            }
            Some(_) => {
                "select distinct index_name from information_schema.statistics where table_schema = database() and table_name \
                 = 'things' and non_unique = 0 and index_name <> 'PRIMARY' order by index_name"
            }
        })
    }
}
