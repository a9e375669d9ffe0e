//! Databases whose ledger an older vardelta made.

use vardelta_schemas::sql::{Dialect, ledger as sql};

use crate::sinks::sqlite::tests::*;

/// Makes a database as a vardelta of ledger version 1 left it: one drop, loaded at epoch 1.
fn version_1(path: &Path) {
    let tables = sql::migrations(Dialect::Sqlite).iter().find(|migration| migration.version == 1).unwrap();
    by_hand::run(path, &tables.statements.join(";\n"));
    by_hand::run(
        path,
        "insert into vardelta_meta values ('ledger_version', '1');
         insert into vardelta_epochs values ('p', 1, '2026-01-01T00:00:01Z', '{}', '[]');
         insert into vardelta_drops values ('p', 1, 'calls', 'one', '/one.vcf', 'b', 'c', 1, 1, 10, 6, 3, 1, 0, 2);
         insert into vardelta_events values ('p', 1, 0, 1, 'calls', 'one', 'added', 10, 6, 3, 1, 0, 2)",
    );
}

/// What version 1 knew of the drop's records.
const COUNTS: RecordCounts =
    RecordCounts { read: 10, loaded: 6, filtered: 3, rejected: 1, duplicates: 0, no_alternate: 2, reference_blocks: 0 };

#[test]
fn an_older_ledger_is_read_without_being_changed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    version_1(&path);
    let before = by_hand::dump(&path);
    for access in [Access::Read, Access::Write] {
        let mut sink = connect(&path, access).unwrap();
        let ledger = sink.ledger(PIPELINE).unwrap();
        assert_eq!((ledger.epoch, ledger.drops.len(), ledger.drops[0].counts), (1, 1, COUNTS));
        let history = sink.history(PIPELINE).unwrap();
        assert_eq!((history.len(), history[0].counts), (1, COUNTS));
    }
    assert_eq!(by_hand::dump(&path), before);
}

#[test]
fn the_first_epoch_of_a_newer_vardelta_migrates_the_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    version_1(&path);
    let mut sink = open(&path);
    sink.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
    let mut second = record(PIPELINE, 2);
    second.upserted_drops = vec![drop_row(2, "two", 2)];
    second.events = vec![event(2, Some(2), "two", "added")];
    sink.commit(&second).unwrap();
    let ledger = sink.ledger(PIPELINE).unwrap();
    let found: Vec<RecordCounts> = ledger.drops.iter().map(|drop| drop.counts).collect();
    assert_eq!((ledger.epoch, found), (2, vec![COUNTS, counts(10)]));
    drop(sink);
    assert_eq!(by_hand::query(&path, "select value from vardelta_meta"), ["'3'"]);
    assert_eq!(
        by_hand::query(&path, "select records_reference_blocks from vardelta_events order by epoch"),
        ["0", "1"]
    );
}

#[test]
fn an_epoch_that_fails_leaves_the_older_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    version_1(&path);
    let mut sink = open(&path);
    sink.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
    drop(sink);
    assert_eq!(by_hand::query(&path, "select value from vardelta_meta"), ["'1'"]);
    assert_eq!(connect(&path, Access::Read).unwrap().ledger(PIPELINE).unwrap().drops[0].counts, COUNTS);
}
