//! A load on a server that waits for another client's row: seen from outside, so that no test guesses how long it takes.

use std::time::Duration;

use mysql::prelude::Queryable;
use vardelta_test_servers::{Server, USER};

use crate::process::until;

/// How often the server is asked.
const GLANCE: Duration = Duration::from_millis(10);
/// A statement that is seen so often in a row waits: no other takes that long here.
const GLANCES: usize = 20;

/// The number of the load's connection to this database, once its statement, which looks like this (`LIKE`), waits.
///
/// # Panics
/// When it does not come to wait within a minute.
pub fn until_it_waits(server: &Server, database: &str, statement: &str) -> u64 {
    let (mut root, mut seen, mut connection) = (server.root(), 0, 0);
    let query = "SELECT id FROM information_schema.processlist WHERE db = ? AND user = ? AND info LIKE ?";
    until("the load waits for another client", || {
        let found: Option<u64> = root.exec_first(query, (database, USER, statement)).expect("processes can be listed");
        seen = if found.is_some() { seen + 1 } else { 0 };
        connection = found.unwrap_or_default();
        std::thread::sleep(GLANCE);
        seen >= GLANCES
    });
    connection
}

/// Waits until a statement of that connection has ended, which can only be by giving up while the other client holds on.
///
/// # Panics
/// When it does not within a minute.
pub fn until_it_gives_up(server: &Server, connection: u64, statement: &str) {
    let mut root = server.root();
    let query = "SELECT COUNT(*) FROM information_schema.processlist WHERE id = ? AND info LIKE ?";
    until("the load gives up waiting", || {
        root.exec_first::<u64, _, _>(query, (connection, statement)).expect("processes can be listed") == Some(0)
    });
}
