//! The pipeline of look-ups on either database: SQLite, or a server.

use vardelta_test_servers::Server;
use vardelta_tests::{
    database::Tables,
    in_process::Warehouse,
    server_database::{self, literals},
    server_project::URL_VARIABLE,
};

use super::{KEYS, LookedUp, text_of};

/// A pipeline under test.
pub struct Tested {
    pub looked_up: LookedUp,
    server: Option<(&'static Server, String)>,
}

/// The pipeline's text with a server for SQLite.
pub fn on_server(text: &str) -> String {
    text.replace(
        "type = \"sqlite\"\npath = \"looked_up.sqlite\"",
        &format!("type = \"mysql\"\nurl = \"${{{URL_VARIABLE}}}\""),
    )
}

impl Tested {
    /// Nothing loaded, in a database of its own.
    pub fn new(seed: u64, server: Option<&'static Server>) -> Tested {
        let mut looked_up = LookedUp::new(seed);
        let server = server.map(|server| {
            let database = server.new_database();
            let text = on_server(&text_of(&looked_up.genes, &looked_up.words));
            looked_up.warehouse = Warehouse::at(server.url(&database), &text);
            (server, database)
        });
        Tested { looked_up, server }
    }

    /// The address of its database, where it is a server's.
    pub fn url(&self) -> Option<String> {
        self.server.as_ref().map(|(server, database)| server.url(database))
    }

    /// The tables as they are now.
    pub fn tables(&self) -> Tables {
        match &self.server {
            None => self.looked_up.tables(),
            Some((server, database)) => server_database::read_tables(&mut server.root_in(database), KEYS),
        }
    }

    /// What the ledger says of each key: stage, key, status.
    pub fn known(&self) -> Vec<String> {
        self.of_keys("stage, '|', `key`, '|', status")
    }

    /// The same, and how often each key was asked for in vain.
    pub fn ledger(&self) -> Vec<String> {
        self.of_keys("stage, '|', `key`, '|', status, '|', attempts")
    }

    /// These parts of each row, put together.
    fn of_keys(&self, parts: &str) -> Vec<String> {
        let order = "FROM vardelta_lookups ORDER BY stage, key_hash";
        match &self.server {
            None => self.looked_up.texts(&format!("SELECT {} {order}", parts.replace(", ", " || "))),
            Some((server, database)) => {
                let found = literals(&mut server.root_in(database), &format!("SELECT CONCAT({parts}) {order}"));
                found.into_iter().map(|literal| literal.trim_matches('\'').to_owned()).collect()
            }
        }
    }
}
