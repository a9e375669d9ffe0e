//! Batches that fill new columns before an epoch.

use vardelta_engine::contract::sink::Fill;

use crate::sinks::mysql::tests::*;

fn fill(db: &Db, epoch: u64, changes: &[Change], may_stand: bool) -> Result<(), SinkError> {
    let table = numbers("t");
    let changes = batch(&table, changes);
    db.open().fill(&Fill { pipeline: PIPELINE, expected: epoch_id(PIPELINE, epoch), table: &table, changes, may_stand })
}

#[test]
fn a_batch_stands_by_itself_and_makes_no_epoch() {
    on_each("a_batch_stands_by_itself_and_makes_no_epoch", |db| {
        db.load(1, &[(Op::Insert, "a", None), (Op::Insert, "b", None), (Op::Insert, "c", None)]);
        let changes = [(Op::Update, "a", Some(1)), (Op::Update, "b", Some(2))];
        fill(&db, 1, &changes, false).unwrap();
        assert_eq!(db.query("select * from t order by name"), ["a|1|2", "b|2|2", "c|NULL|1"]);
        assert_eq!(db.query("select max(epoch) from vardelta_epochs"), ["1"]);
        // Rows that are so already are an error, but where the batch may have been written before.
        let error = error_of(fill(&db, 1, &changes, false));
        assert_eq!(error.kind, SinkErrorKind::Value);
        fill(&db, 1, &changes, true).unwrap();
        let half = [(Op::Update, "b", Some(2)), (Op::Update, "c", Some(3))];
        assert_eq!(error_of(fill(&db, 1, &half, true)).kind, SinkErrorKind::Value, "no batch is written by halves");
        let gone = [(Op::Update, "c", Some(3)), (Op::Update, "d", Some(4))];
        assert_eq!(error_of(fill(&db, 1, &gone, true)).kind, SinkErrorKind::Value);
        assert_eq!(error_of(fill(&db, 0, &[(Op::Update, "c", Some(3))], false)).kind, SinkErrorKind::Stale);
        assert_eq!(db.query("select * from t order by name"), ["a|1|2", "b|2|2", "c|NULL|1"]);
        // The next epoch has the same number.
        db.load(2, &[(Op::Update, "c", Some(3))]);
    });
}

#[test]
fn a_batch_that_meets_a_lock_gives_way_whole() {
    on_each("a_batch_that_meets_a_lock_gives_way_whole", |mut db| {
        db.load(1, &[(Op::Insert, "a", None), (Op::Insert, "b", None)]);
        db.settings.lock_wait_seconds = 1;
        let mut other = db.server.root_in(&db.name);
        let hold = |statement: &str, other: &mut mysql::Conn| {
            mysql::prelude::Queryable::query_drop(other, statement).unwrap();
        };
        hold("begin", &mut other);
        hold("update t set changed_epoch = 9 where name = 'b'", &mut other);
        let changes = [(Op::Update, "a", Some(1)), (Op::Update, "b", Some(2))];
        let mut sink = db.open();
        let table = numbers("t");
        let of = |changes| Fill {
            pipeline: PIPELINE,
            expected: epoch_id(PIPELINE, 1),
            table: &table,
            changes,
            may_stand: false,
        };
        let error = error_of(sink.fill(&of(batch(&table, &changes))));
        assert_eq!(error.kind, SinkErrorKind::Contention, "{error}");
        hold("rollback", &mut other);
        assert_eq!(db.query("select * from t order by name"), ["a|NULL|1", "b|NULL|1"]);
        sink.fill(&of(batch(&table, &changes))).unwrap();
        assert_eq!(db.query("select * from t order by name"), ["a|1|2", "b|2|2"]);
    });
}
