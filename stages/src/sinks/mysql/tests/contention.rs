//! Other clients that hold what a load needs.

use mysql::prelude::Queryable;

use crate::sinks::mysql::tests::*;

#[test]
fn a_row_that_somebody_holds_is_contention_and_can_be_tried_again() {
    on_each_path("a_row_that_somebody_holds_is_contention_and_can_be_tried_again", |db| {
        db.load(1, &[(Op::Insert, "a", Some(1)), (Op::Insert, "b", Some(1))]);
        let mut other = db.server.root_in(&db.name);
        by_hand::run(&mut other, &["begin", "update t set number = 2 where name = 'b'"]);
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
        let changes = [(Op::Update, "a", Some(5)), (Op::Delete, "b", Some(1)), (Op::Insert, "c", Some(5))];
        let start = std::time::Instant::now();
        let error = error_of(apply(sink.as_mut(), &numbers("t"), 2, &changes));
        assert_eq!(error.kind, SinkErrorKind::Contention, "{error}");
        assert!(start.elapsed() > Duration::from_millis(1500), "it waits as long as it is told");
        sink.rollback().unwrap();
        assert_eq!(db.query("select * from t order by name"), ["a|1|1", "b|1|1"]);
        other.query_drop("rollback").unwrap();
        sink.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
        apply(sink.as_mut(), &numbers("t"), 2, &changes).unwrap();
        sink.commit(&record(PIPELINE, 2)).unwrap();
        assert_eq!(db.query("select * from t order by name"), ["a|5|2", "c|5|2"]);
    });
}

#[test]
fn a_deadlock_is_contention() {
    on_each("a_deadlock_is_contention", |db| {
        db.load(1, &[(Op::Insert, "a", Some(1)), (Op::Insert, "b", Some(1))]);
        let mut other = db.server.root_in(&db.name);
        // The other one has written more, so that the load is the one to give way.
        by_hand::run(&mut other, &["create table ballast (x int)", "begin"]);
        by_hand::run(
            &mut other,
            &[
                "insert into ballast with recursive n as (select 1 as x union all select x + 1 from n where x < 900) select x from n",
            ],
        );
        by_hand::run(&mut other, &["update t set number = 2 where name = 'b'"]);
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
        apply(sink.as_mut(), &numbers("t"), 2, &[(Op::Update, "a", Some(5))]).unwrap();
        let second =
            std::thread::spawn(move || other.query_drop("update t set number = 2 where name = 'a'").map(|()| other));
        let waits = "select count(*) from information_schema.innodb_trx where trx_state = 'LOCK WAIT' \
                     and trx_query like 'update t set number = 2 where name = %'";
        let mut watcher = db.server.root();
        let started = std::time::Instant::now();
        while watcher.query_first::<u64, _>(waits).unwrap() == Some(0) {
            assert!(started.elapsed() < Duration::from_secs(60), "the other one never came to wait");
        }
        let error = error_of(apply(sink.as_mut(), &numbers("t"), 2, &[(Op::Update, "b", Some(5))]));
        assert_eq!(error.kind, SinkErrorKind::Contention, "{error}");
        assert!(error.message.contains("deadlock"), "{error}");
        sink.rollback().unwrap();
        second.join().unwrap().unwrap().query_drop("rollback").unwrap();
        assert_eq!(db.query("select * from t order by name"), ["a|1|1", "b|1|1"]);
    });
}
