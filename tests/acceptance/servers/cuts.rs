//! The connection between vardelta and the server is cut: by a proxy, or by another client.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use mysql::prelude::Queryable;
use vardelta_test_servers::{Flavor, Server, USER};
use vardelta_tests::proxy::{Cut, Proxy};

use super::{Pair, on_both, seeded, works_or_reports_the_sink};

/// The proxy reads along, and nobody waits for long for a server that stays away.
const OPTIONS: &str = "tls = \"off\"\nreconnect_timeout_ms = 400";
/// Loads that are cut at a random byte.
const CUTS: usize = 6;
/// Loads whose connection another client kills.
const KILLS: usize = 5;

/// The server comes back at once: the run asks the ledger what became of its commit, and goes on.
fn cuts_around_commit(server: &'static Server) {
    let mut pair = Pair::new(server, 300, OPTIONS);
    // The ledger's tables are made, which commits too.
    pair.next();
    pair.disturbed.vardelta("run", &["--prune-all"]).expect(0);
    for (cut, retries) in [
        (Cut::AfterCommit, 0),
        (Cut::BeforeCommit, 1),
        (Cut::WithCommit, 0),
        (Cut::AfterCommit, 0),
        (Cut::BeforeCommit, 1),
    ] {
        let load = pair.next();
        let proxy = Proxy::start(server.port, cut, false);
        let said = pair.disturbed.vardelta_at(proxy.port, "run", &["--prune-all", "--json"]).expect(0);
        let what = format!("{cut:?}");
        assert!(proxy.happened(), "{what}: it did not happen");
        let report = said.json();
        assert_eq!(report["committed"], true, "{what}");
        assert_eq!(report["retries"], retries, "{what}: a commit that stands is not done again");
        pair.is_after(&what, &load);
    }
}

on_both!(cuts_around_commit: a_cut_around_commit_on_mariadb_is_resolved_by_the_ledger, a_cut_around_commit_on_mysql_is_resolved_by_the_ledger);

/// The server stays away: whether the epoch stands is not known, and is said so; the next run finds out.
fn cuts_without_return(server: &'static Server) {
    let mut pair = Pair::new(server, 300, OPTIONS);
    pair.next();
    pair.disturbed.vardelta("run", &["--prune-all"]).expect(0);
    for cut in [Cut::BeforeCommit, Cut::AfterCommit, Cut::WithCommit] {
        let load = pair.next();
        let proxy = Proxy::start(server.port, cut, true);
        let said = pair.disturbed.vardelta_at(proxy.port, "run", &["--prune-all"]).expect(6);
        let what = format!("{cut:?} without return");
        assert!(proxy.happened() && said.stderr.contains("error:"), "{what}: {}", said.stderr);
        // Not even that nothing was written: the server may have done it.
        assert!(said.stderr.contains("was committed is not known"), "{what}: {}", said.stderr);
        assert!(!said.stderr.contains("nothing was written"), "{what}: {}", said.stderr);
        drop(proxy);
        pair.recovers(&what, &load);
    }
}

on_both!(cuts_without_return: a_cut_without_return_on_mariadb_is_resolved_by_the_next_run, a_cut_without_return_on_mysql_is_resolved_by_the_next_run);

fn cuts_anywhere(server: &'static Server) {
    let (mut pair, mut random) = (Pair::new(server, 1_500, OPTIONS), seeded());
    pair.next();
    pair.disturbed.vardelta("run", &["--prune-all"]).expect(0);
    let load = pair.next();
    let proxy = Proxy::start(server.port, Cut::Never, false);
    pair.disturbed.vardelta_at(proxy.port, "run", &["--prune-all"]).expect(0);
    pair.is_after("nothing is cut", &load);
    let bytes = proxy.bytes();
    assert!(bytes > 10_000, "a load is {bytes} bytes");
    let mut worked = 0;
    for number in 0..CUTS {
        let load = pair.next();
        let place = random.below(bytes as usize) as u64;
        let proxy = Proxy::start(server.port, Cut::AfterBytes(place), number % 2 == 1);
        let said = pair.disturbed.vardelta_at(proxy.port, "run", &["--prune-all"]);
        let what = format!("cut after {place} of {bytes} bytes, staying down: {}", number % 2 == 1);
        assert!(proxy.happened(), "{what}: it did not happen");
        works_or_reports_the_sink(&what, &said);
        worked += usize::from(said.code == 0);
        if said.code == 0 {
            pair.is_after(&what, &load);
        }
        drop(proxy);
        pair.recovers(&what, &load);
    }
    eprintln!("{worked} of {CUTS} loads worked in spite of the cut");
}

on_both!(cuts_anywhere: a_cut_anywhere_on_mariadb_loses_and_doubles_nothing, a_cut_anywhere_on_mysql_loses_and_doubles_nothing);

/// Ends every connection of vardelta to a database, again and again, until told to stop; returns how many.
fn kill_connections(server: &Server, database: &str, first_wait: Duration, stop: &AtomicBool) -> usize {
    let mut root = server.root();
    let query = "SELECT id FROM information_schema.processlist WHERE db = ? AND user = ?";
    std::thread::sleep(first_wait);
    let mut killed = 0;
    while !stop.load(Ordering::SeqCst) && killed < 2 {
        let ids: Vec<u64> = root.exec(query, (database, USER)).expect("the connections can be listed");
        for id in ids {
            // It may have ended by itself meanwhile.
            killed += usize::from(root.query_drop(format!("KILL CONNECTION {id}")).is_ok());
        }
        std::thread::sleep(Duration::from_millis(40));
    }
    killed
}

fn killed_connections(server: &'static Server) {
    let (mut pair, mut random, mut killed) = (Pair::new(server, 3_000, ""), seeded(), 0);
    pair.next();
    pair.disturbed.vardelta("run", &["--prune-all"]).expect(0);
    for _ in 0..KILLS {
        let load = pair.next();
        let wait = load.duration.mul_f64(random.below(100) as f64 / 100.0);
        let stop = AtomicBool::new(false);
        let said = std::thread::scope(|scope| {
            let killer = scope.spawn(|| kill_connections(server, &pair.disturbed.database, wait, &stop));
            let said = pair.disturbed.vardelta("run", &["--prune-all", "--json"]);
            stop.store(true, Ordering::SeqCst);
            killed += killer.join().expect("the killer ends");
            said
        });
        let what = format!("version {}, connections killed from {wait:?} on", pair.version);
        assert!([0, 6].contains(&said.code), "{what}: {}{}", said.stdout, said.stderr);
        if said.code == 0 {
            pair.is_after(&what, &load);
        }
        pair.recovers(&what, &load);
    }
    assert!(killed > 0, "no connection was killed");
    eprintln!("{killed} connections were killed in {KILLS} loads");
}

on_both!(killed_connections: killed_connections_on_mariadb_lose_and_double_nothing, killed_connections_on_mysql_lose_and_double_nothing);
