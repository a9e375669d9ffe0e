//! Databases whose ledger an older vardelta made.

use vardelta_engine::contract::sink::EpochStart;
use vardelta_schemas::{
    ledger::{Epoch, EpochId},
    sql::{Dialect, ledger as sql},
};

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
        assert_eq!((ledger.epoch, ledger.drops.len(), ledger.drops[0].counts), (Epoch::FIRST, 1, COUNTS));
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
    sink.begin(&EpochStart {
        expected: EpochId::numbered(Epoch::FIRST),
        ..starting(PIPELINE, 1, &[numbers("t")], false)
    })
    .unwrap();
    let mut second = record(PIPELINE, 2);
    second.upserted_drops = vec![drop_row(2, "two", 2)];
    second.events = vec![event(2, Some(2), "two", "added")];
    sink.commit(&second).unwrap();
    let ledger = sink.ledger(PIPELINE).unwrap();
    let found: Vec<RecordCounts> = ledger.drops.iter().map(|drop| drop.counts).collect();
    assert_eq!((ledger.epoch, found), (Epoch::new(2), vec![COUNTS, counts(10)]));
    drop(sink);
    assert_eq!(by_hand::query(&path, "select value from vardelta_meta"), [format!("'{}'", sql::VERSION)]);
    assert_eq!(
        by_hand::query(&path, "select records_reference_blocks from vardelta_events order by epoch"),
        ["0", "1"]
    );
    let identities = by_hand::query(&path, "select identity from vardelta_epochs order by epoch");
    assert_eq!(identities, ["NULL".to_owned(), format!("'{}'", identity(2))]);
    assert_eq!((ledger.drops[0].identity, ledger.pipeline_identity), (None, Some(pipeline_identity(PIPELINE))));
}

#[test]
fn a_definition_is_kept_with_the_epoch_that_brought_it_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    version_1(&path);
    by_hand::run(
        &path,
        "insert into vardelta_epochs values ('p', 2, '2026-01-01T00:00:02Z', '{}', '[]');
         insert into vardelta_epochs values ('p', 3, '2026-01-01T00:00:03Z', '{\"a\":1}', '[]');
         insert into vardelta_epochs values ('q', 4, '2026-01-01T00:00:03Z', '{\"a\":1}', '[]');
         insert into vardelta_epochs values ('p', 4, '2026-01-01T00:00:04Z', '{\"a\":1}', '[]')",
    );
    let mut sink = open(&path);
    let mut from = EpochId::numbered(Epoch::new(4));
    for (epoch, definition) in [(5, "{\"a\":1}"), (6, "{\"a\":1}"), (7, "{}"), (8, "{}")] {
        let next = EpochRecord { definition: definition.into(), ..record(PIPELINE, epoch) };
        sink.begin(&EpochStart { expected: from, ..starting(PIPELINE, epoch - 1, &[], false) }).unwrap();
        sink.commit(&next).unwrap();
        from = next.id();
        assert_eq!(sink.ledger(PIPELINE).unwrap().definition, definition);
    }
    drop(sink);
    let kept =
        by_hand::query(&path, "select epoch, definition from vardelta_epochs where pipeline = 'p' order by epoch");
    assert_eq!(kept, ["1|'{}'", "2|''", "3|'{\"a\":1}'", "4|''", "5|''", "6|''", "7|'{}'", "8|''"]);
    assert_eq!(by_hand::query(&path, "select definition from vardelta_epochs where pipeline = 'q'"), ["'{\"a\":1}'"]);
}

#[test]
fn an_epoch_that_fails_leaves_the_older_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    version_1(&path);
    let mut sink = open(&path);
    sink.begin(&EpochStart {
        expected: EpochId::numbered(Epoch::FIRST),
        ..starting(PIPELINE, 1, &[numbers("t")], false)
    })
    .unwrap();
    drop(sink);
    assert_eq!(by_hand::query(&path, "select value from vardelta_meta"), ["'1'"]);
    assert_eq!(connect(&path, Access::Read).unwrap().ledger(PIPELINE).unwrap().drops[0].counts, COUNTS);
}
