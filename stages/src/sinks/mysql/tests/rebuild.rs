//! Tables that are rebuilt.

use crate::sinks::mysql::tests::*;

fn digits() -> TableSchema {
    let columns = vec![Column::required("name", ColumnType::Text), Column::nullable("digits", ColumnType::Int64)];
    TableSchema { schema: Schema::new(columns), ..numbers("t") }
}

/// A database with an index of a user's and a table that the pipeline no longer has.
fn prepared(db: &Db) {
    db.load(1, &[(Op::Insert, "a", Some(1))]);
    let mut sink = db.open();
    sink.begin(&starting(PIPELINE, 1, &[numbers("t"), numbers("gone")], false)).unwrap();
    sink.commit(&record(PIPELINE, 2)).unwrap();
    sink.settle(PIPELINE, &[numbers("t"), numbers("gone")]).unwrap();
    db.run(&["create index by_name_too on t (name)", "create index by_number on t (number)"]);
    db.run(&["create view v as select name from t"]);
}

#[test]
fn a_rebuild_swaps_tables_and_keeps_indexes() {
    on_each_path("a_rebuild_swaps_tables_and_keeps_indexes", |db| {
        prepared(&db);
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 2, &[digits()], true)).unwrap();
        apply(sink.as_mut(), &digits(), 3, &[(Op::Insert, "b", Some(2))]).unwrap();
        // Until it is committed the old table is there, whole.
        assert_eq!(db.contents(&numbers("t")), [("a".into(), Some(1))]);
        sink.commit(&record(PIPELINE, 3)).unwrap();
        // A scan knows where the rows are before the swap, too.
        assert_eq!(db.contents(&digits()), [("b".into(), Some(2))]);
        sink.settle(PIPELINE, &[digits()]).unwrap();
        assert_eq!(db.contents(&digits()), [("b".into(), Some(2))]);
        assert_eq!(db.query("select * from t"), ["b|2|3"]);
        assert_eq!(db.query("select * from v"), ["b"]);
        let indexes = "select distinct index_name from information_schema.statistics where table_schema = database() and \
                       table_name = 't' order by 1";
        assert_eq!(db.query(indexes), ["by_name_too", "PRIMARY"]);
        assert_eq!(db.query("select table_name, created_epoch, pending from vardelta_tables"), ["t|3|NULL"]);
        let rest = "select table_name from information_schema.tables where table_schema = database() and (table_name like \
                    'vardelta\\_new%' or table_name = 'gone' or table_name like 'vardelta\\_old%')";
        assert_eq!(db.query(rest), [""; 0]);
    });
}

#[test]
fn a_rebuild_that_fails_leaves_the_old_tables() {
    on_each("a_rebuild_that_fails_leaves_the_old_tables", |db| {
        prepared(&db);
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 2, &[digits()], true)).unwrap();
        apply(sink.as_mut(), &digits(), 3, &[(Op::Insert, "b", Some(2))]).unwrap();
        drop(sink);
        assert_eq!(db.query("select * from t"), ["a|1|1"]);
        // The next run goes on as if nothing had been, and so does another rebuild.
        db.load(3, &[(Op::Insert, "c", Some(3))]);
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 3, &[digits()], true)).unwrap();
        apply(sink.as_mut(), &digits(), 4, &[(Op::Insert, "d", Some(4))]).unwrap();
        sink.commit(&record(PIPELINE, 4)).unwrap();
        drop(sink);
        // This one was killed between its commit and the swap: the next run does it first.
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 4, &[digits()], false)).unwrap();
        apply(sink.as_mut(), &digits(), 5, &[(Op::Insert, "e", Some(5))]).unwrap();
        sink.commit(&record(PIPELINE, 5)).unwrap();
        sink.settle(PIPELINE, &[digits()]).unwrap();
        assert_eq!(db.query("select * from t order by name"), ["d|4|4", "e|5|5"]);
    });
}

#[test]
fn a_table_with_a_trigger_is_not_made_anew() {
    on_each("a_table_with_a_trigger_is_not_made_anew", |mut db| {
        prepared(&db);
        // Who may not see triggers does not hear of them; the administrator, who comes by the socket, may.
        let socket = db.server.socket();
        let (options, location) = read_url(&format!("mysql://root@localhost/{}", db.name), Some(&socket)).unwrap();
        db.settings = Settings { options, location, ..db.settings };
        db.run(&[
            "create table log (x text)",
            "create trigger seen after insert on t for each row insert into log values ('x')",
        ]);
        let error = error_of(db.open().begin(&starting(PIPELINE, 2, &[numbers("t")], true)));
        assert_eq!(error.kind, SinkErrorKind::Layout);
        assert!(error.message.contains("trigger `seen`"), "{error}");
    });
}

#[test]
fn a_history_outlives_a_rebuild_and_is_started_again_where_it_was_moved_away() {
    on_each("a_history_outlives_a_rebuild_and_is_started_again_where_it_was_moved_away", |db| {
        let (table, history) = (numbers("t"), [numbers("t_history")]);
        let with_history = |epoch, replace_tables| EpochStart {
            history: &history,
            ..starting(PIPELINE, epoch, std::slice::from_ref(&table), replace_tables)
        };
        let write = |start: EpochStart<'_>, changes: &[Change]| {
            let mut sink = db.open();
            sink.begin(&start).unwrap();
            apply(sink.as_mut(), &history[0], start.expected.number.next().number(), changes).unwrap();
            sink.commit(&record(PIPELINE, start.expected.number.next().number())).unwrap();
            sink.settle(PIPELINE, &[table.clone(), history[0].clone()]).unwrap();
        };
        write(with_history(0, false), &[(Op::Insert, "a", Some(1))]);
        write(with_history(1, true), &[(Op::Insert, "b", Some(2))]);
        assert_eq!(db.contents(&history[0]), [("a".into(), Some(1)), ("b".into(), Some(2))]);
        db.run(&["rename table t_history to kept"]);
        write(with_history(2, false), &[(Op::Insert, "c", Some(3))]);
        assert_eq!(db.contents(&history[0]), [("c".into(), Some(3))]);
        db.run(&["alter table t_history add column more text"]);
        let error = error_of(db.open().begin(&with_history(3, true)));
        assert!(error.hint.unwrap_or_default().contains("rename the table"), "{}", error.message);
    });
}
