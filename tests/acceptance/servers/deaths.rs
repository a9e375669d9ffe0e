//! vardelta dies: at every step of a commit, and at random moments.

use std::{process::Stdio, time::Duration};

use mysql::prelude::Queryable;
use vardelta_engine::failpoint::{Effect, points};
use vardelta_test_servers::{Flavor, Server, USER};
use vardelta_tests::{
    deaths::{self, Deaths},
    process::{until, wait_at_most},
    project::{Said, finish},
    proxy::{Cut, Proxy},
    server_project::discreet,
};

use super::{Pair, on_both, seeded};

/// Areas of the steps at which the process aborts.
const AREAS: &[&str] = &["commit", "state"];
/// How often who comes next is seen to wait before a COMMIT that is held back goes on.
const LOOKS: usize = 20;
/// No load takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

fn aborts(server: &'static Server) {
    let mut pair = Pair::new(server, 60, "");
    let mut steps = points(Effect::Dies, AREAS);
    // The very first load makes the tables: it dies after its rows, and is then begun again by another step.
    steps.insert(0, "commit:before-sink");
    for step in steps {
        let load = pair.next();
        let mut command = pair.disturbed.command("run", &["--prune-all"]);
        let said = finish(command.env("VARDELTA_FAILPOINT", format!("{step}:1")));
        assert_eq!(said.code, -1, "no load came by {step}: {}", said.stderr);
        pair.recovers(&format!("dying at {step}"), &load);
    }
}

on_both!(aborts: death_at_any_step_on_mariadb_loses_and_doubles_nothing, death_at_any_step_on_mysql_loses_and_doubles_nothing);

/// A first load in two chunks: it dies while the rows of one are written and the other is computed.
fn aborts_ahead(server: &'static Server) {
    let mut pair = Pair::new(server, 60, "");
    let load = pair.next();
    let arguments = ["--prune-all", "--workers", "1", "--set", "pipeline.chunk_records=1"];
    let mut command = pair.disturbed.command("run", &arguments);
    let said = finish(command.env("VARDELTA_FAILPOINT", "ahead:batch"));
    assert_eq!(said.code, -1, "no row went ahead: {}", said.stderr);
    pair.recovers("dying with rows ahead", &load);
}

on_both!(aborts_ahead: death_with_rows_ahead_on_mariadb_leaves_none, death_with_rows_ahead_on_mysql_leaves_none);

/// A rebuild fills new tables and swaps them for the old ones after its commit.
fn aborted_rebuilds(server: &'static Server) {
    let mut pair = Pair::new(server, 60, "");
    let load = pair.next();
    pair.disturbed.vardelta("run", &["--prune-all"]).expect(0);
    for step in ["commit:applied", "commit:before-sink", "commit:after-sink", "state:before-finalize"] {
        let mut command = pair.disturbed.command("rebuild", &[]);
        let said = finish(command.env("VARDELTA_FAILPOINT", format!("{step}:1")));
        assert_eq!(said.code, -1, "no rebuild came by {step}: {}", said.stderr);
        let what = format!("a rebuild dying at {step}");
        assert_eq!(pair.disturbed.contents().tables.rows, load.after.tables.rows, "{what}: the tables after it");
        pair.disturbed.vardelta("verify", &[]).expect(0);
        pair.disturbed.vardelta("run", &["--prune-all"]).expect(0);
        assert_eq!(pair.disturbed.contents().tables.rows, load.after.tables.rows, "{what}: the tables after a run");
        pair.disturbed.vardelta("verify", &[]).expect(0);
        assert_eq!(pair.disturbed.pending(), Vec::<String>::new(), "{what}");
    }
}

on_both!(aborted_rebuilds: a_rebuild_that_dies_on_mariadb_loses_nothing, a_rebuild_that_dies_on_mysql_loses_nothing);

fn kills(server: &'static Server) {
    let (mut pair, mut random, mut deaths) = (Pair::new(server, 4_000, ""), seeded(), Deaths::default());
    pair.next();
    pair.disturbed.vardelta("run", &["--prune-all"]).expect(0);
    for _ in 0..deaths::per_database() {
        let load = pair.next();
        let moment = load.duration.mul_f64(random.below(105) as f64 / 100.0);
        deaths.kill(pair.disturbed.command("run", &["--prune-all"]), moment);
        pair.recovers(&format!("version {}, killed after {moment:?}", pair.version), &load);
    }
    deaths.have_hit();
}

on_both!(kills: random_moments_of_death_on_mariadb_lose_and_double_nothing, random_moments_of_death_on_mysql_lose_and_double_nothing);

/// How many connections vardelta has to a database.
fn connections(server: &Server, database: &str) -> usize {
    let query = "SELECT id FROM information_schema.processlist WHERE db = ? AND user = ?";
    server.root().exec::<u64, _, _>(query, (database, USER)).expect("the connections can be listed").len()
}

/// The process is gone, its COMMIT is still on its way: who comes next must not take the epoch for one that never was.
fn overtaken_commits(server: &'static Server) {
    let mut pair = Pair::new(server, 60, "tls = \"off\"");
    pair.next();
    pair.disturbed.vardelta("run", &["--prune-all"]).expect(0);
    for verb in ["run", "verify"] {
        let load = pair.next();
        let proxy = Proxy::start(server.port, Cut::LateCommit, true);
        let mut command = pair.disturbed.command_at(proxy.port, "run", &["--prune-all"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        until("the commit is held back, or the load has ended", || {
            proxy.happened() || child.try_wait().expect("a child can be waited for").is_some()
        });
        assert!(proxy.happened(), "the load never came to its commit");
        let _ = child.kill();
        assert!(wait_at_most(&mut child, PATIENCE).is_some());
        assert_eq!(pair.disturbed.contents(), load.before, "the commit is held back");
        let arguments: &[&str] = if verb == "run" { &["--prune-all"] } else { &[] };
        let mut command = pair.disturbed.command(verb, arguments);
        let mut next = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        // It looks again and again while the commit is held back. One that does not would have ended by then.
        let mut looked = 0;
        until("who comes next waits for the session that is left, or has ended", || {
            looked += usize::from(connections(server, &pair.disturbed.database) >= 2);
            looked >= LOOKS || next.try_wait().expect("a child can be waited for").is_some()
        });
        proxy.let_in();
        let said = discreet(Said::from(next.wait_with_output().expect("it ends")));
        assert_eq!(said.code, 0, "{verb} beside a late commit: {}{}", said.stdout, said.stderr);
        pair.is_after(&format!("{verb} beside a late commit"), &load);
    }
}

on_both!(overtaken_commits: a_commit_on_mariadb_that_outlives_its_sender_stands, a_commit_on_mysql_that_outlives_its_sender_stands);
