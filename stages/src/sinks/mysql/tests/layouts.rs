//! Tables that are not the planned ones, and tables that are not vardelta's.

use vardelta_schemas::ledger::Epoch;

use crate::sinks::mysql::tests::*;

/// What `begin` says of a changed database; the refusal must leave it as it was.
fn refused(db: &Db, changes: &[&str], table: &TableSchema) -> SinkError {
    db.load(1, &[(Op::Insert, "a", Some(1))]);
    db.run(changes);
    let before = db.dump();
    let error = error_of(db.open().begin(&starting(PIPELINE, 1, std::slice::from_ref(table), false)));
    assert_eq!(db.dump(), before);
    assert_eq!(error.kind, SinkErrorKind::Layout, "{error}");
    db.run(&["drop table if exists t, t2, other, vardelta_tables, vardelta_epochs, vardelta_meta"]);
    db.run(&["drop view if exists t, other"]);
    error
}

#[test]
fn changed_tables_are_refused_with_the_difference() {
    on_each("changed_tables_are_refused_with_the_difference", |db| {
        let cases: [(&[&str], &str); 8] = [
            (&["alter table t add column note text"], "it has a column `note`"),
            (&["alter table t drop column number"], "it has no column `number`"),
            (&["alter table t change number digits bigint"], "it has no column `number`"),
            (&["alter table t modify number int"], "column `number` is int"),
            (
                &["alter table t modify name varchar(255) character set utf8mb4 collate utf8mb4_general_ci not null"],
                "general_ci",
            ),
            (&["alter table t drop primary key"], "column `name` is varchar(255)"),
            (&["drop table t"], "is missing"),
            (&["drop table t", "create view t as select 1 as x"], "is missing"),
        ];
        for (changes, expected) in cases {
            let error = refused(&db, changes, &numbers("t"));
            assert!(error.message.contains(expected), "{changes:?}: {error}");
            assert!(error.hint.unwrap().contains("vardelta rebuild"));
        }
    });
}

#[test]
fn another_engine_is_refused() {
    on_each("another_engine_is_refused", |db| {
        let error = refused(
            &db,
            &[
                "drop table t",
                "create table t (name varchar(100) not null primary key, number bigint, changed_epoch bigint not null) engine = MyISAM",
            ],
            &numbers("t"),
        );
        assert!(error.message.contains("MyISAM, which has no transactions"), "{error}");
    });
}

#[test]
fn foreign_tables_are_never_touched() {
    on_each("foreign_tables_are_never_touched", |db| {
        for (change, expected) in [
            ("create table other (x int)", "there is a table `other`"),
            ("create view other as select 1 as x", "there is a view `other`"),
        ] {
            let error = refused(&db, &[change], &numbers("other"));
            assert!(error.message.contains(expected), "{error}");
            assert!(error.message.contains("vardelta did not make"), "{error}");
        }
        // Not even by a rebuild.
        db.run(&["create table t (x int)", "insert into t values (1)"]);
        let error = error_of(db.open().begin(&starting(PIPELINE, 0, &[numbers("t")], true)));
        assert_eq!(error.kind, SinkErrorKind::Layout);
        assert_eq!(db.query("select * from t"), ["1"]);
    });
}

#[test]
fn a_run_that_died_before_its_transaction_leaves_nothing_wrong() {
    on_each("a_run_that_died_before_its_transaction_leaves_nothing_wrong", |db| {
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 0, &[numbers("t"), numbers("u")], false)).unwrap();
        drop(sink);
        assert_eq!(db.query("select count(*) from t"), ["0"]);
        assert_eq!(db.connect(Access::Read).unwrap().ledger(PIPELINE).unwrap().epoch, Epoch::NONE);
        // It may have died between the owner and the table, and the pipeline may have changed since.
        db.run(&["drop table u"]);
        let mut other = numbers("t");
        other.schema = Schema::new(vec![
            Column::required("name", ColumnType::Text),
            Column::nullable("digits", ColumnType::Int64),
        ]);
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 0, &[other.clone(), numbers("u")], false)).unwrap();
        sink.commit(&record(PIPELINE, 1)).unwrap();
        sink.settle(PIPELINE, &[other]).unwrap();
        assert_eq!(db.query("select count(*), count(digits) from t"), ["0|0"]);
        assert_eq!(db.query("select count(*) from u"), ["0"]);
    });
}

#[test]
fn a_ledger_that_was_cut_short_is_completed_and_a_newer_one_refused() {
    on_each("a_ledger_that_was_cut_short_is_completed_and_a_newer_one_refused", |db| {
        db.load(1, &[]);
        db.run(&["delete from vardelta_meta", "drop table vardelta_rejects"]);
        db.load(2, &[]);
        assert_eq!(db.query("select count(*) from vardelta_rejects"), ["0"]);
        for (version, expected) in [("99", "has version 99"), ("one", "which is no number")] {
            db.run(&[&format!("update vardelta_meta set value = '{version}'")]);
            for error in [
                error_of(db.connect(Access::Read).unwrap().ledger(PIPELINE)),
                error_of(db.connect(Access::Read).unwrap().history(PIPELINE)),
                error_of(db.open().begin(&starting(PIPELINE, 2, &[], false))),
            ] {
                assert_eq!(error.kind, SinkErrorKind::Layout);
                assert!(error.message.contains(expected), "{error}");
            }
        }
    });
}
