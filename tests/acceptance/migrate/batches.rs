//! New columns are filled in batches, each committed by itself: killed, gone on with, beside loads of the old definition, and
//! whatever happens to the connection.

use std::{thread, time::Duration};

use mysql::prelude::Queryable;
use vardelta_test_servers::USER;
use vardelta_tests::{
    held::Held,
    project::finish,
    proxy::{Cut, Proxy},
    story,
    waiting::{until_it_gives_up, until_it_waits},
};

use super::{
    columns::more_columns,
    store::{Loaded, Store, is_as_fresh},
};

/// Batches small enough that the story's tables take many.
const BATCHES: [&str; 2] = ["--batch-rows", "10"];
const BATCH_ROWS: usize = 10;

/// How many rows of the variants there are, for which this holds.
fn count(loaded: &Loaded, condition: &str) -> usize {
    let found = loaded.query(&format!("SELECT COUNT(*) FROM variants WHERE {condition}"));
    found[0].trim_start_matches("Integer(").trim_end_matches(')').parse().expect("a count")
}

/// Migrates until it dies after this many batches.
fn die_after(loaded: &Loaded, batches: usize) {
    let mut command = loaded.project.command("migrate", &BATCHES);
    let said = finish(command.env("VARDELTA_FAILPOINT", format!("migrate:batch:{batches}")));
    assert_eq!(said.code, -1, "{}", said.stderr);
}

#[test]
fn rows_that_only_get_new_columns_are_written_in_batches() {
    for store in Store::all("rows_that_only_get_new_columns_are_written_in_batches") {
        let loaded = Loaded::new(store, story::PIPELINE.text);
        let rows = count(&loaded, "1 = 1");
        assert!(rows > 4 * BATCH_ROWS);
        // A column of old changes in some rows too: those wait for the epoch, all at once.
        let text = more_columns().replace("least(qual, 100.0)", "least(qual, 60.0)");
        loaded.define(&text);
        let changed = count(&loaded, "quality > 60");
        assert!(changed > 0 && changed < rows);
        let planned = loaded.vardelta("migrate", &["--plan", "--json", "--batch-rows", "10"]).expect(0).json();
        let of = |report: &serde_json::Value| report["backfill"]["tables"][0].clone();
        assert_eq!(of(&planned)["name"], "variants");
        assert_eq!(of(&planned)["new_columns"], serde_json::json!(["build", "behind", "frequency"]));
        assert_eq!(of(&planned)["batches_max"], rows.div_ceil(BATCH_ROWS));
        loaded.vardelta("migrate", &["--plan"]).expect(0).says(&["in at most 1 batch of 10000 rows"]);
        let done = loaded.vardelta("migrate", &["--json", "--batch-rows", "10"]).expect(0).json();
        assert_eq!((&of(&done)["filled"], &of(&done)["retries"]), (&(rows - changed).into(), &0.into()));
        assert_eq!(of(&done)["batches"], (rows - changed).div_ceil(BATCH_ROWS));
        assert_eq!(done["run"]["tables"][0]["updated"], rows);
        assert_eq!(count(&loaded, "changed_epoch = 2"), rows);
        is_as_fresh("filled in batches", &loaded, &text);
    }
}

#[test]
fn finished_batches_are_not_written_again() {
    for store in Store::all("finished_batches_are_not_written_again") {
        let old = Loaded::new(store, story::PIPELINE.text);
        let before = old.rows_like(&old);
        let loaded = Loaded::new(store, story::PIPELINE.text);
        let rows = count(&loaded, "1 = 1");
        loaded.define(&more_columns());
        die_after(&loaded, 3);
        assert_eq!(count(&loaded, "build IS NOT NULL AND behind = position + 1"), 3 * BATCH_ROWS);
        assert_eq!(count(&loaded, "build IS NOT NULL AND changed_epoch = 2"), 3 * BATCH_ROWS);
        assert_eq!(loaded.rows_like(&old), before, "who reads the old columns sees what stood");
        assert_eq!(loaded.query("SELECT MAX(epoch) FROM vardelta_epochs"), old.query("SELECT 1"));
        // A mark that a row loses when it is written again.
        mark(&loaded, "UPDATE variants SET changed_epoch = 77 WHERE build IS NOT NULL");
        die_after(&loaded, 1);
        assert_eq!(count(&loaded, "build IS NOT NULL"), 4 * BATCH_ROWS);
        assert_eq!(count(&loaded, "changed_epoch = 77"), 3 * BATCH_ROWS);
        let done = loaded.vardelta("migrate", &["--json", "--batch-rows", "10"]).expect(0).json();
        assert_eq!(done["backfill"]["tables"][0]["filled"], rows - 4 * BATCH_ROWS);
        assert_eq!(count(&loaded, "changed_epoch = 77"), 3 * BATCH_ROWS, "what was filled is left alone");
        assert_eq!(count(&loaded, "changed_epoch = 2"), rows - 3 * BATCH_ROWS);
        is_as_fresh("gone on with", &loaded, &more_columns());
    }
}

/// Changes rows by hand.
fn mark(loaded: &Loaded, statement: &str) {
    match loaded.server() {
        Some((server, database)) => server.root_in(database).query_drop(statement).expect("the statement is sound"),
        None => {
            let connection = rusqlite::Connection::open(loaded.project.path("gene_summary.sqlite")).expect("it opens");
            connection.execute(statement, []).map(drop).expect("the statement is sound");
        }
    }
}

#[test]
fn cells_that_a_load_of_the_old_definition_left_stale_are_corrected() {
    for store in Store::all("cells_that_a_load_of_the_old_definition_left_stale_are_corrected") {
        let loaded = Loaded::new(store, story::PIPELINE.text);
        // A column whose value follows from one that a later drop changes.
        let text = more_columns().replace("pos + 1", "CAST(qual AS BIGINT)");
        loaded.define(&text);
        die_after(&loaded, 3);
        let filled = count(&loaded, "build IS NOT NULL");
        loaded.define(story::PIPELINE.text);
        // The same alleles with other qualities, and others than before.
        let again: Vec<_> = [story::lines(1, 40), story::lines(9, 20)].concat();
        story::write_drop(&loaded.project, "gamma", &requalified(again));
        loaded.vardelta("run", &[]).expect(0);
        loaded.vardelta("verify", &[]).expect(0);
        let stale = "build IS NOT NULL AND behind <> quality AND changed_epoch = 2";
        assert!(filled > 0 && count(&loaded, stale) > 0, "no cell is stale");
        loaded.define(&text);
        loaded.vardelta("migrate", &BATCHES).expect(0);
        let fresh = Loaded::new(store, &text);
        story::write_drop(&fresh.project, "gamma", &requalified([story::lines(1, 40), story::lines(9, 20)].concat()));
        fresh.vardelta("run", &[]).expect(0);
        assert_eq!(loaded.rows_like(&fresh), fresh.rows_like(&fresh));
        loaded.vardelta("verify", &[]).expect(0);
    }
}

fn requalified(mut lines: Vec<vardelta_tests::record::Line>) -> Vec<vardelta_tests::record::Line> {
    for line in &mut lines {
        if let vardelta_tests::record::Line::Call(call) = line {
            call.quality = Some("33".to_owned());
        }
    }
    lines
}

/// A project on each server, expanded, with the rows still to be filled.
fn expanded(test: &str, run: impl Fn(&Loaded)) {
    for store in Store::all(test) {
        if matches!(store, Store::Sqlite) {
            continue;
        }
        let loaded = Loaded::new(store, story::PIPELINE.text);
        loaded.define(&more_columns());
        let mut command = loaded.project.command("migrate", &[]);
        assert_eq!(finish(command.env("VARDELTA_FAILPOINT", "migrate:expanded")).code, -1);
        run(&loaded);
        loaded.define(&more_columns());
        is_as_fresh(test, &loaded, &more_columns());
    }
}

#[test]
fn a_batch_that_waits_for_another_client_is_tried_again() {
    expanded("a_batch_that_waits_for_another_client_is_tried_again", |loaded| {
        let (server, database) = loaded.server().expect("a server");
        loaded.define_through(&more_columns(), server.port, "lock_wait_seconds = 1");
        let mut other = server.root_in(database);
        other.query_drop("BEGIN").expect("a transaction");
        let _: Vec<mysql::Row> = other.query("SELECT * FROM variants FOR UPDATE").expect("rows");
        let database = database.to_owned();
        let holding = thread::spawn(move || {
            let writing = "INSERT INTO%variants%";
            let connection = until_it_waits(server, &database, writing);
            until_it_gives_up(server, connection, writing);
            other.query_drop("ROLLBACK").expect("it lives");
        });
        let done = loaded.vardelta("migrate", &["--json", "--batch-rows", "10"]).expect(0).json();
        holding.join().expect("it ends");
        assert!(done["backfill"]["tables"][0]["retries"].as_u64() > Some(0), "{}", done["backfill"]);
    });
}

#[test]
fn a_cut_around_the_commit_of_a_batch_loses_and_doubles_nothing() {
    for cut in [Cut::AfterCommit, Cut::BeforeCommit, Cut::WithCommit] {
        expanded("a_cut_around_the_commit_of_a_batch_loses_and_doubles_nothing", |loaded| {
            let (server, _) = loaded.server().expect("a server");
            let proxy = Proxy::start(server.port, cut, false);
            loaded.define_through(&more_columns(), proxy.port, "tls = \"off\"\nreconnect_timeout_ms = 2_000");
            let done = loaded.vardelta("migrate", &["--json", "--batch-rows", "10"]).expect(0).json();
            assert!(proxy.happened(), "{cut:?}: it did not happen");
            let table = &done["backfill"]["tables"][0];
            assert_eq!((&table["retries"], &table["filled"]), (&1.into(), &table["rows"]), "{cut:?}");
        });
    }
}

#[test]
fn connections_that_are_killed_are_made_again() {
    expanded("connections_that_are_killed_are_made_again", |loaded| {
        let (server, database) = loaded.server().expect("a server");
        loaded.define_through(&more_columns(), server.port, "retries = 100");
        let query =
            format!("SELECT id FROM information_schema.processlist WHERE user = '{USER}' AND db = '{database}'");
        let mut killer = server.root();
        let mut kill = || -> usize {
            let found: Vec<u64> = killer.query(&query).expect("the connections");
            // One may be gone by itself.
            found.into_iter().filter(|id| killer.query_drop(format!("KILL CONNECTION {id}")).is_ok()).count()
        };
        // Between two batches for sure, and then wherever it is.
        let migrating = Held::at("migrate:batch:3", &[], loaded.project.command("migrate", &["--batch-rows", "1"]));
        assert!(kill() > 0, "a migration between two batches has a connection");
        let said = migrating.go_on_while(|| {
            for _ in 0..5 {
                thread::sleep(Duration::from_millis(50));
                kill();
            }
        });
        // Killed while it computes, it may give up; then it is gone on with.
        assert!([0, 6].contains(&said.code), "{}", said.stderr);
        loaded.vardelta("migrate", &["--batch-rows", "7"]).expect(0);
    });
}
