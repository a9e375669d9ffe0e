//! Copies of the database and of the state that somebody puts back: older than the other side, newer, or of another history.

use std::path::Path;

use mysql::prelude::Queryable;
use vardelta_tests::{drop_file, folder, project::finish, story};

use crate::history::place::{Place, on_each_place};

const OTHER: &str = "pipeline.state_dir=\"other\"";
const STATE: &str = ".vardelta";
/// The files of a SQLite database.
const ENDS: [&str; 3] = ["", "-wal", "-shm"];

/// A copy of a database as it was.
pub(super) enum Backup {
    File(tempfile::TempDir),
    Tables(String),
}

impl Backup {
    pub(super) fn of(place: &Place) -> Backup {
        match place.server() {
            Some((server, database)) => {
                let backup = server.new_database();
                copy_tables(&mut server.root(), database, &backup);
                Backup::Tables(backup)
            }
            None => {
                let directory = tempfile::tempdir().expect("a temporary directory can be made");
                copy_file(place.project.directory(), directory.path());
                Backup::File(directory)
            }
        }
    }

    pub(super) fn put_back(&self, place: &Place) {
        match (self, place.server()) {
            (Backup::Tables(backup), Some((server, database))) => copy_tables(&mut server.root(), backup, database),
            (Backup::File(directory), _) => copy_file(directory.path(), place.project.directory()),
            (Backup::Tables(_), None) => unreachable!("a copy is put back where it came from"),
        }
    }
}

fn copy_file(from: &Path, to: &Path) {
    for name in ENDS.map(|end| format!("{}{end}", story::PIPELINE.database)) {
        let _ = std::fs::remove_file(to.join(&name));
        if from.join(&name).exists() {
            std::fs::copy(from.join(&name), to.join(&name)).expect("it can be copied");
        }
    }
}

fn copy_tables(connection: &mut mysql::Conn, from: &str, to: &str) {
    let mut run = |statement: String| {
        connection.query_drop(&statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    };
    run(format!("DROP DATABASE IF EXISTS {to}"));
    run(format!("CREATE DATABASE {to}"));
    let tables: Vec<String> = connection.query(format!("SHOW TABLES IN {from}")).expect("the tables can be listed");
    for table in tables {
        for statement in [
            format!("CREATE TABLE {to}.`{table}` LIKE {from}.`{table}`"),
            format!("INSERT INTO {to}.`{table}` SELECT * FROM {from}.`{table}`"),
        ] {
            connection.query_drop(&statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
    }
}

/// Loads a drop of the story in an epoch of its own.
fn load(place: &Place, name: &str, seed: u64) {
    story::write_drop(&place.project, name, &story::lines(seed, 40));
    place.vardelta("run", &[]).expect(0);
}

#[track_caller]
fn holds(place: &Place, seeds: &[u64]) {
    let drops: Vec<_> = seeds.iter().map(|seed| story::lines(*seed, 40)).collect();
    let drops: Vec<&[_]> = drops.iter().map(Vec::as_slice).collect();
    assert_eq!(place.contents().rows, (story::PIPELINE.expected)(&drops));
    place.vardelta("verify", &[]).expect(0);
}

#[test]
fn a_database_that_was_put_back_is_6_and_rebuild_follows_it() {
    on_each_place("a_database_that_was_put_back_is_6_and_rebuild_follows_it", "", |place| {
        load(&place, "alpha", 1);
        let backup = Backup::of(&place);
        load(&place, "beta", 2);
        backup.put_back(&place);
        for (verb, arguments) in [("run", &[][..]), ("withdraw", &["alpha"]), ("verify", &[])] {
            place.vardelta(verb, arguments).expect(6).says(&["epoch 1", "epoch 2", "rebuild"]);
        }
        // The ledger is the judge: the drops are those that it names.
        place.vardelta("rebuild", &[]).expect(0);
        holds(&place, &[1]);
        place.vardelta("run", &[]).expect(0);
        holds(&place, &[1, 2]);
    });
}

#[test]
fn a_state_that_was_put_back_is_6_and_rebuild_brings_it_along() {
    on_each_place("a_state_that_was_put_back_is_6_and_rebuild_brings_it_along", "", |place| {
        load(&place, "alpha", 1);
        folder::copy(&place.project.path(STATE), &place.project.path("earlier"));
        load(&place, "beta", 2);
        folder::copy(&place.project.path("earlier"), &place.project.path(STATE));
        for (verb, arguments) in [("run", &[][..]), ("withdraw", &["alpha"]), ("verify", &[])] {
            place.vardelta(verb, arguments).expect(6).says(&["epoch 1", "epoch 2", "rebuild"]);
        }
        place.vardelta("rebuild", &[]).expect(0);
        holds(&place, &[1, 2]);
    });
}

/// Both sides of one time are an older history, which goes on; the newer of either side is then of another one.
#[test]
fn both_sides_put_back_go_on_and_the_newer_of_either_is_told_apart() {
    on_each_place("both_sides_put_back_go_on_and_the_newer_of_either_is_told_apart", "", |place| {
        load(&place, "alpha", 1);
        let older = Backup::of(&place);
        folder::copy(&place.project.path(STATE), &place.project.path("older"));
        load(&place, "beta", 2);
        let newer = Backup::of(&place);
        folder::copy(&place.project.path(STATE), &place.project.path("newer"));
        older.put_back(&place);
        folder::copy(&place.project.path("older"), &place.project.path(STATE));
        drop_file::remove(&place.project.path("drops"), "beta");
        load(&place, "gamma", 3);
        holds(&place, &[1, 3]);
        // Epoch 2 of before is not epoch 2 of now, on whichever side it is.
        let now = Backup::of(&place);
        newer.put_back(&place);
        place.vardelta("run", &[]).expect(6).says(&["not at the same one"]);
        now.put_back(&place);
        place.vardelta("run", &["--set", "pipeline.state_dir=\"newer\""]).expect(6).says(&["not at the same one"]);
        place.vardelta("run", &[]).expect(0);
        holds(&place, &[1, 3]);
    });
}

#[test]
fn two_copies_of_a_state_that_made_the_same_number_are_told_apart() {
    on_each_place("two_copies_of_a_state_that_made_the_same_number_are_told_apart", "", |place| {
        load(&place, "alpha", 1);
        folder::copy(&place.project.path(STATE), &place.project.path("other"));
        let backup = Backup::of(&place);
        load(&place, "beta", 2);
        // The database of epoch 1 comes back, and the other state makes another epoch 2 in it.
        backup.put_back(&place);
        drop_file::remove(&place.project.path("drops"), "beta");
        story::write_drop(&place.project, "gamma", &story::lines(3, 40));
        place.vardelta("run", &["--set", OTHER]).expect(0);
        for (verb, arguments) in [("run", &[][..]), ("withdraw", &["alpha"]), ("verify", &[])] {
            let said = place.vardelta(verb, arguments).expect(6);
            assert!(said.stderr.contains("not at the same one"), "{verb}: {}", said.stderr);
        }
        place.vardelta("rebuild", &[]).expect(0);
        holds(&place, &[1, 3]);
    });
}

/// A run dies after its commit, and the next start finds an older database: the epoch waits until its own is back.
#[test]
fn an_epoch_that_is_not_finalised_outlives_an_older_database() {
    on_each_place("an_epoch_that_is_not_finalised_outlives_an_older_database", "", |place| {
        load(&place, "alpha", 1);
        let older = Backup::of(&place);
        load(&place, "beta", 2);
        story::write_drop(&place.project, "gamma", &story::lines(3, 40));
        finish(place.command("run", &[]).env("VARDELTA_FAILPOINT", "commit:after-sink")).expect(-1);
        let newer = Backup::of(&place);
        older.put_back(&place);
        for (verb, arguments) in [("run", &[][..]), ("withdraw", &["alpha"]), ("verify", &[])] {
            place.vardelta(verb, arguments).expect(6).says(&["epoch 1", "epoch 2"]);
        }
        newer.put_back(&place);
        place.vardelta("run", &[]).expect(0).says(&["nothing"]);
        holds(&place, &[1, 2, 3]);
        // Who takes the older one's word all the same may.
        story::write_drop(&place.project, "delta", &story::lines(4, 40));
        finish(place.command("run", &[]).env("VARDELTA_FAILPOINT", "commit:after-sink")).expect(-1);
        older.put_back(&place);
        place.vardelta("rebuild", &[]).expect(0);
        holds(&place, &[1]);
    });
}
