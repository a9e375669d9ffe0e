//! A pipeline whose tables are in one of the databases, read by plain SQL.

use std::process::Command;

use mysql::{Value, prelude::Queryable};
use rusqlite::types::ValueRef;
use vardelta_test_servers::{Server, each};
use vardelta_tests::{
    database::Tables,
    project::{Project, Said, finish},
    server_database::read_tables,
    story,
};

/// Values of one row, as text.
pub type Row = Vec<String>;

/// The variable that holds the address of a server's database.
const URL: &str = "VARDELTA_HISTORY_URL";

/// A project and where its tables are.
pub struct Place {
    pub project: Project,
    server: Option<(&'static Server, String)>,
    /// The sink's further line.
    option: String,
}

/// Runs a test on each database that is there, with this line more in the sink's stage.
pub fn on_each_place(test: &str, option: &str, run: impl Fn(Place)) {
    run(Place { project: Project::new(&pipeline(option, None)), server: None, option: option.to_owned() });
    each(test, |server, database| {
        run(on_server(option, server, database.to_owned()));
    });
}

fn on_server(option: &str, server: &'static Server, database: String) -> Place {
    if option.contains("on_delete = \"mark\"") {
        server.allow_views(&database);
    }
    let project = Project::new(&pipeline(option, Some(&format!("url = \"${{{URL}}}\""))));
    Place { project, server: Some((server, database)), option: option.to_owned() }
}

/// The story's pipeline with another sink.
fn pipeline(option: &str, server: Option<&str>) -> String {
    let text = story::PIPELINE.text;
    let (type_, place) = match server {
        Some(url) => ("mysql", url.to_owned()),
        None => ("sqlite", format!("path = \"{}\"", story::PIPELINE.database)),
    };
    let (stages, sink) = text.split_once("[stages.warehouse]").expect("the pipeline has a sink");
    let tables = sink.lines().find(|line| line.starts_with("tables")).expect("the sink has tables");
    format!("{stages}[stages.warehouse]\ntype = \"{type_}\"\n{place}\n{tables}\n{option}\n")
}

impl Place {
    /// Another project in another database of the same kind, in which nothing was done yet.
    pub fn beside(&self) -> Place {
        let option = self.option.clone();
        match &self.server {
            Some((server, _)) => on_server(&option, server, server.new_database()),
            None => Place { project: Project::new(&pipeline(&option, None)), server: None, option },
        }
    }

    /// The server, if it is one, and the database.
    pub fn server(&self) -> Option<(&'static Server, &str)> {
        self.server.as_ref().map(|(server, database)| (*server, database.as_str()))
    }

    /// The story's tables as they are now.
    pub fn contents(&self) -> Tables {
        match &self.server {
            Some((server, database)) => read_tables(&mut server.root_in(database), story::PIPELINE.keys),
            None => story::tables(self.project.directory()),
        }
    }

    /// Whether the tables are in a server.
    pub fn is_on_server(&self) -> bool {
        self.server.is_some()
    }

    /// The names of all tables in the database.
    pub fn tables(&self) -> Vec<String> {
        let query = match &self.server {
            Some(_) => "SHOW TABLES",
            None => "SELECT name FROM sqlite_schema WHERE type = 'table'",
        };
        self.query(query).into_iter().flatten().collect()
    }

    /// Changes the database behind vardelta's back.
    pub fn execute(&self, sql: &str) {
        match &self.server {
            Some((server, database)) => server.root_in(database).query_drop(sql).expect("the statement runs"),
            None => {
                let path = self.project.path(story::PIPELINE.database);
                let connection = rusqlite::Connection::open(path).expect("the file can be opened");
                connection.execute_batch(sql).expect("the statement runs");
            }
        }
    }

    /// A command over the pipeline, not yet started.
    pub fn command(&self, verb: &str, arguments: &[&str]) -> Command {
        let mut command = self.project.command(verb, arguments);
        if let Some((server, database)) = &self.server {
            command.env(URL, server.url(database));
        }
        command
    }

    /// Runs a command to its end.
    pub fn vardelta(&self, verb: &str, arguments: &[&str]) -> Said {
        finish(&mut self.command(verb, arguments))
    }

    /// The rows that a query yields.
    pub fn query(&self, sql: &str) -> Vec<Row> {
        match &self.server {
            Some((server, database)) => {
                let rows: Vec<mysql::Row> =
                    server.root_in(database).query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
                let show = |value| match value {
                    Value::NULL => "NULL".to_owned(),
                    Value::Bytes(bytes) => String::from_utf8(bytes).expect("UTF-8"),
                    value => value.as_sql(false),
                };
                rows.into_iter().map(|row| row.unwrap().into_iter().map(show).collect()).collect()
            }
            None => {
                let connection = vardelta_tests::database::open(&self.project.path(story::PIPELINE.database));
                let mut statement = connection.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
                let columns = statement.column_count();
                let show = |value: ValueRef<'_>| match value {
                    ValueRef::Null => "NULL".to_owned(),
                    ValueRef::Integer(value) => value.to_string(),
                    ValueRef::Real(value) => value.to_string(),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                };
                let rows = statement
                    .query_map([], |row| (0..columns).map(|at| Ok(show(row.get_ref(at)?))).collect::<Result<Row, _>>())
                    .expect("the query runs");
                rows.map(|row| row.expect("a row")).collect()
            }
        }
    }
}
