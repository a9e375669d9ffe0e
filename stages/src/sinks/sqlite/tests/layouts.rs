//! Tables that are not the planned ones, and tables that are not vardelta's.

use crate::sinks::sqlite::tests::*;

/// A loaded database, and what `begin` then says of a changed one; the refusal must leave it as it was.
fn refused(change: &str, table: &TableSchema) -> SinkError {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    load(&path, 1, &[(Op::Insert, "a", Some(1))]);
    by_hand::run(&path, change);
    let before = by_hand::dump(&path);
    let error = error_of(open(&path).begin(&starting(PIPELINE, 1, std::slice::from_ref(table), false)));
    assert_eq!(by_hand::dump(&path), before);
    assert_eq!(error.kind, SinkErrorKind::Layout, "{error}");
    error
}

#[test]
fn changed_tables_are_refused_with_the_difference() {
    for (change, expected) in [
        ("alter table t add column note text", "it has a column `note`"),
        ("alter table t drop column number", "it has no column `number`"),
        ("alter table t rename column number to digits", "it has no column `number`"),
        ("drop table t; create table t (name text, number int, changed_epoch int)", "column `name` is TEXT"),
        (
            "drop table t; create table t (name TEXT NOT NULL PRIMARY KEY, number INTEGER, changed_epoch INTEGER NOT NULL)",
            "it is neither STRICT nor WITHOUT ROWID",
        ),
        ("drop table t", "is missing"),
        ("alter table t rename to t2", "is missing"),
        ("drop table t; create view t as select 1", "is missing"),
    ] {
        let error = refused(change, &numbers("t"));
        assert!(error.message.contains(expected), "{change}: {error}");
        assert!(error.hint.unwrap().contains("vardelta rebuild"));
    }
}

#[test]
fn a_changed_plan_is_refused_with_the_difference() {
    let mut table = numbers("t");
    table.key = vec![0, 1];
    table.schema =
        Schema::new(vec![Column::required("name", ColumnType::Text), Column::required("number", ColumnType::Int64)]);
    let error = refused("", &table);
    assert!(error.message.contains("column `number` is INTEGER, and the pipeline says INTEGER NOT NULL"), "{error}");
}

#[test]
fn foreign_tables_are_never_touched() {
    for (change, expected) in [
        ("create table Other (x)", "there is a table `Other`"),
        ("create view other as select 1 as x", "there is a view `other`"),
        ("create index other on t (number)", "there is a index `other`"),
    ] {
        let error = refused(change, &numbers("other"));
        assert!(error.message.contains(expected), "{error}");
        assert!(error.message.contains("vardelta did not make"), "{error}");
    }
    // Not even by a rebuild.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    by_hand::run(&path, "create table t (x); insert into t values (1)");
    let error = error_of(open(&path).begin(&starting(PIPELINE, 0, &[numbers("t")], true)));
    assert_eq!(error.kind, SinkErrorKind::Layout);
    assert_eq!(by_hand::query(&path, "select * from t"), ["1"]);
}

#[test]
fn a_rebuild_makes_the_tables_anew_and_keeps_what_users_added() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    load(&path, 1, &[(Op::Insert, "a", Some(1))]);
    let mut sink = open(&path);
    sink.begin(&starting(PIPELINE, 1, &[numbers("t"), numbers("gone")], false)).unwrap();
    sink.commit(&record(PIPELINE, 2)).unwrap();
    drop(sink);
    by_hand::run(
        &path,
        "create index by_number on t (number); create table log (x); create view v as select name from t; \
         create trigger seen after insert on t begin insert into log values (new.name); end",
    );
    let mut sink = open(&path);
    sink.begin(&starting(PIPELINE, 2, &[numbers("t")], true)).unwrap();
    apply(sink.as_mut(), &numbers("t"), 3, &[(Op::Insert, "b", Some(2))]).unwrap();
    sink.commit(&record(PIPELINE, 3)).unwrap();
    drop(sink);
    assert_eq!(by_hand::query(&path, "select * from t"), ["'b'|2|3"]);
    assert_eq!(by_hand::query(&path, "select * from v"), ["'b'"]);
    assert_eq!(by_hand::query(&path, "select * from log"), [""; 0]);
    assert_eq!(
        by_hand::query(&path, "select name from sqlite_schema where tbl_name = 't' and sql is not null order by name"),
        ["'by_number'", "'seen'", "'t'"]
    );
    assert_eq!(by_hand::query(&path, "select name from sqlite_schema where name = 'gone'"), [""; 0]);
    assert_eq!(by_hand::query(&path, "select table_name, created_epoch from vardelta_tables"), ["'t'|3"]);
}

#[test]
fn a_rebuild_that_fails_leaves_the_old_tables() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    load(&path, 1, &[(Op::Insert, "a", Some(1))]);
    by_hand::run(&path, "create index by_number on t (number)");
    let before = by_hand::dump(&path);
    let mut sink = open(&path);
    let renamed = TableSchema {
        schema: Schema::new(vec![
            Column::required("name", ColumnType::Text),
            Column::nullable("digits", ColumnType::Int64),
        ]),
        ..numbers("t")
    };
    sink.begin(&starting(PIPELINE, 1, std::slice::from_ref(&renamed), true)).unwrap();
    apply(sink.as_mut(), &renamed, 2, &[(Op::Insert, "a", Some(1))]).unwrap();
    let error = error_of(sink.commit(&record(PIPELINE, 2)));
    assert_eq!(error.kind, SinkErrorKind::Layout);
    assert!(error.message.contains("by_number"), "{error}");
    drop(sink);
    assert_eq!(by_hand::dump(&path), before);
}

#[test]
fn a_ledger_of_a_newer_vardelta_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    load(&path, 1, &[]);
    for (version, expected) in [("99", "has version 99"), ("one", "which is no number")] {
        by_hand::run(&path, &format!("update vardelta_meta set value = '{version}'"));
        for error in [
            error_of(connect(&path, Access::Read).unwrap().ledger(PIPELINE)),
            error_of(connect(&path, Access::Read).unwrap().history(PIPELINE)),
            error_of(open(&path).begin(&starting(PIPELINE, 1, &[], false))),
        ] {
            assert_eq!(error.kind, SinkErrorKind::Layout);
            assert!(error.message.contains(expected), "{error}");
        }
    }
}

#[test]
fn a_history_outlives_a_rebuild_and_is_started_again_where_it_was_moved_away() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.sqlite");
    let (table, history) = (numbers("t"), [numbers("t_history")]);
    let with_history = |epoch, replace_tables| EpochStart {
        history: &history,
        ..starting(PIPELINE, epoch, std::slice::from_ref(&table), replace_tables)
    };
    let write = |start: EpochStart<'_>, changes: &[Change]| {
        let mut sink = open(&path);
        sink.begin(&start).unwrap();
        apply(sink.as_mut(), &history[0], start.expected.number.next().number(), changes).unwrap();
        sink.commit(&record(PIPELINE, start.expected.number.next().number())).unwrap();
    };
    write(with_history(0, false), &[(Op::Insert, "a", Some(1))]);
    write(with_history(1, true), &[(Op::Insert, "b", Some(2))]);
    assert_eq!(contents(&path, &history[0]), [("a".into(), Some(1)), ("b".into(), Some(2))]);
    by_hand::run(&path, "alter table t_history rename to kept");
    write(with_history(2, false), &[(Op::Insert, "c", Some(3))]);
    assert_eq!(contents(&path, &history[0]), [("c".into(), Some(3))]);
    by_hand::run(&path, "alter table t_history add column more text");
    let error = error_of(open(&path).begin(&with_history(3, true)));
    assert!(error.hint.unwrap_or_default().contains("rename the table"), "{}", error.message);
    // Who no longer asks for it loses it with the next rebuild, like every table that is no longer declared.
    open(&path).begin(&starting(PIPELINE, 3, std::slice::from_ref(&table), true)).unwrap();
}
