//! A pipeline whose tables are kept in a server, driven by the `vardelta` command line. Whatever a command prints is
//! searched for the server's password.

use std::process::Command;

use mysql::prelude::Queryable;
use vardelta_test_servers::Server;

use crate::{
    pipelines::Pipeline,
    project::{Project, Said, finish},
    server_database::{Contents, literals, read_contents},
};

/// The variable that the pipelines take the address from.
pub const URL_VARIABLE: &str = "VARDELTA_MYSQL_URL";

/// A pipeline, its directory, and its database.
pub struct ServerProject<'s> {
    /// The directory.
    pub project: Project,
    /// The server.
    pub server: &'s Server,
    /// The name of the database.
    pub database: String,
    pipeline: &'static Pipeline,
}

impl<'s> ServerProject<'s> {
    /// A project whose pipeline has this server as its sink, with these further options of `mysql`, and an empty database.
    pub fn new(server: &'s Server, pipeline: &'static Pipeline, options: &str) -> ServerProject<'s> {
        let project = Project::new(&pipeline.on_server(options));
        ServerProject { project, server, database: server.new_database(), pipeline }
    }

    /// A command, not yet started.
    pub fn command(&self, verb: &str, arguments: &[&str]) -> Command {
        self.command_at(self.server.port, verb, arguments)
    }

    /// The same through another port: a proxy's.
    pub fn command_at(&self, port: u16, verb: &str, arguments: &[&str]) -> Command {
        let mut command = self.project.command(verb, arguments);
        command.env(URL_VARIABLE, self.server.url_at(port, &self.database));
        command
    }

    /// Runs a command to its end.
    #[track_caller]
    pub fn vardelta(&self, verb: &str, arguments: &[&str]) -> Said {
        discreet(finish(&mut self.command(verb, arguments)))
    }

    /// The same through another port.
    #[track_caller]
    pub fn vardelta_at(&self, port: u16, verb: &str, arguments: &[&str]) -> Said {
        discreet(finish(&mut self.command_at(port, verb, arguments)))
    }

    /// Tables and ledger as they are now.
    pub fn contents(&self) -> Contents {
        read_contents(&mut self.server.root_in(&self.database), self.pipeline.keys)
    }

    /// Tables that wait for something a run is to do after its commit.
    pub fn pending(&self) -> Vec<String> {
        let query = "SELECT table_name, pending FROM vardelta_tables WHERE pending IS NOT NULL";
        literals(&mut self.server.root_in(&self.database), query)
    }

    /// Panics if the password is in a file of the project's directory, its state included, or in a row or definition
    /// of the database.
    #[track_caller]
    pub fn keeps_its_secrets(&self) {
        let mut open = vec![self.project.directory().to_path_buf()];
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(directory).expect("a directory can be read") {
                let path = entry.expect("a directory can be read").path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let bytes = std::fs::read(&path).expect("a file can be read");
                    no_secret(&path.display().to_string(), &String::from_utf8_lossy(&bytes));
                }
            }
        }
        let mut connection = self.server.root_in(&self.database);
        let tables: Vec<String> = connection.query("SHOW TABLES").expect("the tables can be listed");
        assert!(tables.iter().any(|table| table == "vardelta_epochs"), "{tables:?}");
        for table in tables {
            for query in [format!("SELECT * FROM `{table}`"), format!("SHOW CREATE TABLE `{table}`")] {
                no_secret(&query, &literals(&mut connection, &query).join("\n"));
            }
        }
    }
}

/// What was said, if it holds no password.
#[track_caller]
pub fn discreet(said: Said) -> Said {
    no_secret("standard output", &said.stdout);
    no_secret("standard error", &said.stderr);
    said
}

#[track_caller]
fn no_secret(place: &str, text: &str) {
    for secret in Server::secrets() {
        assert!(!text.contains(secret), "{place} holds the password:\n{text}");
    }
}
