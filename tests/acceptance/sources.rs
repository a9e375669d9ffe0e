//! Drops that are no variants: tables as text and gene models are added, recognised, replaced and withdrawn as any other.

mod models;
mod tables;

use std::path::Path;

use rusqlite::Connection;
use vardelta_engine::{
    report::{Action, DropReport, RunReport},
    run::RunOptions,
};
use vardelta_tests::in_process::Warehouse;

/// The one drop of a report: what happened to it, and read = loaded + filtered + rejected + duplicates.
fn counts(report: &RunReport) -> (Action, [u64; 5]) {
    let [DropReport { action, read, loaded, filtered, rejected, duplicates, .. }] = report.drops.as_slice() else {
        panic!("one drop: {:?}", report.drops);
    };
    assert_eq!(*read, loaded + filtered + rejected + duplicates, "every record is accounted for");
    (*action, [*read, *loaded, *filtered, *rejected, *duplicates])
}

/// Inserted, updated and deleted rows of the one table.
fn changes(report: &RunReport) -> [u64; 3] {
    let [table] = report.tables.as_slice() else { panic!("one table: {:?}", report.tables) };
    [table.inserted, table.updated, table.deleted]
}

/// A query's texts.
fn texts(warehouse: &Warehouse, query: &str) -> Vec<String> {
    let database = Connection::open(warehouse.directory.path().join("sources.sqlite")).expect("the database is there");
    let mut statement = database.prepare(query).expect("valid SQL");
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("the query runs");
    rows.map(|row| row.expect("a text")).collect()
}

/// Writes a drop in place of what lies there under its name, and loads it.
fn deliver(warehouse: &Warehouse, name: &str, bytes: &[u8]) -> RunReport {
    let stem = name.split('.').next().unwrap_or(name);
    for entry in std::fs::read_dir(warehouse.drops()).expect("the drops are there").flatten() {
        if entry.path().file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(stem)) {
            std::fs::remove_file(entry.path()).expect("an old drop can be removed");
        }
    }
    std::fs::write(warehouse.drops().join(name), bytes).expect("a drop can be written");
    let options = RunOptions { accept_smaller: true, ..RunOptions::default() };
    warehouse.run(0, &options).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Whether the tables are what a fresh run over the same drops writes, and what `verify` recomputes.
fn equals_fresh(warehouse: &Warehouse, pipeline: &str, query: &str) {
    let fresh = Warehouse::new(pipeline);
    for entry in std::fs::read_dir(warehouse.drops()).expect("the drops are there").flatten() {
        let name = entry.file_name();
        std::fs::copy(entry.path(), fresh.drops().join(Path::new(&name))).expect("a drop can be copied");
    }
    fresh.run(1, &RunOptions::default()).expect("a fresh run");
    assert_eq!(texts(warehouse, query), texts(&fresh, query));
    assert_eq!(warehouse.verify(&RunOptions::default()).expect("verifies").difference_count, 0);
}
