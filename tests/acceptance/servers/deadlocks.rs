//! Another client updates the rows of a load in the opposite order, so that each waits for the other.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mysql::{Conn, prelude::Queryable};
use vardelta_test_servers::{Flavor, Server};

use super::{Pair, on_both};

/// Loads that meet the other client.
const LOADS: usize = 4;
/// Rows that the other client writes beside: the server lets go who has written less.
const BALLAST: usize = 4_000;
/// Records of the drop, a tenth of which changes.
const RECORDS: usize = 2_000;

fn drop_all(connection: &mut Conn, statements: &[&str]) {
    for statement in statements {
        connection.query_drop(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

/// Whether a row of the variants that this version of the drop changes is held by somebody.
fn is_held(probe: &mut Conn, version: usize) -> bool {
    let row = format!(
        "SELECT position FROM variants WHERE chromosome = '7' AND position = {} FOR UPDATE NOWAIT",
        1 + version % 10
    );
    drop_all(probe, &["START TRANSACTION"]);
    // The error comes with the row: a query whose rows are not read does not tell.
    let held = probe.query::<i64, _>(row).is_err();
    drop_all(probe, &["ROLLBACK"]);
    held
}

/// Holds the summary, waits until the load holds the variants, then wants those too. Returns whether the load came.
fn get_in_the_way(server: &Server, database: &str, version: usize, there: &Barrier, stop: &AtomicBool) -> bool {
    let (mut rival, mut probe) = (server.root_in(database), server.root_in(database));
    drop_all(
        &mut rival,
        &[
            "START TRANSACTION",
            &format!("UPDATE ballast SET x = x + 1 LIMIT {BALLAST}"),
            "UPDATE mutation_summary SET variant_count = variant_count + 1000 ORDER BY gene_symbol DESC",
        ],
    );
    there.wait();
    let came = loop {
        if is_held(&mut probe, version) {
            break true;
        }
        if stop.load(Ordering::SeqCst) {
            break false;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    if came {
        // Whoever is let go, the other client does not keep its changes.
        let _ = rival.query_drop("UPDATE variants SET quality = quality / 2 ORDER BY chromosome DESC, position DESC");
    }
    let _ = rival.query_drop("ROLLBACK");
    came
}

fn deadlocks(server: &'static Server) {
    let mut pair = Pair::new(server, RECORDS, "");
    pair.next();
    pair.disturbed.vardelta("run", &["--prune-all"]).expect(0);
    let numbers: Vec<String> = (0..BALLAST).map(|number| format!("({number})")).collect();
    drop_all(
        &mut server.root_in(&pair.disturbed.database),
        &[
            "CREATE TABLE ballast (id INT AUTO_INCREMENT PRIMARY KEY, x INT) ENGINE = InnoDB",
            &format!("INSERT INTO ballast (x) VALUES {}", numbers.join(",")),
        ],
    );
    let (mut retries, mut meetings) = (0, 0);
    for _ in 0..LOADS {
        let load = pair.next();
        let (stop, there) = (AtomicBool::new(false), Barrier::new(2));
        let said = std::thread::scope(|scope| {
            let database = &pair.disturbed.database;
            let rival = scope.spawn(|| get_in_the_way(server, database, pair.version, &there, &stop));
            // The other client is there first.
            there.wait();
            let said = pair.disturbed.vardelta("run", &["--prune-all", "--json"]);
            stop.store(true, Ordering::SeqCst);
            meetings += usize::from(rival.join().expect("the other client works"));
            said
        });
        let report = said.expect(0).json();
        retries += report["retries"].as_u64().expect("the report counts the retries");
        pair.is_after(&format!("version {}", pair.version), &load);
    }
    eprintln!("{meetings} of {LOADS} loads met the other client; {retries} retries");
    assert!(retries > 0, "no load had to be tried again, though {meetings} met the other client");
}

on_both!(deadlocks: deadlocks_on_mariadb_are_tried_again, deadlocks_on_mysql_are_tried_again);
