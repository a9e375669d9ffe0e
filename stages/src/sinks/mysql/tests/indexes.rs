//! Indexes that are built once a table is filled.

use crate::sinks::mysql::tests::*;

const INDEXES: &str = "select index_name, group_concat(column_name order by seq_in_index), max(sub_part) from \
    information_schema.statistics where table_schema = database() and table_name = 't' and index_name <> 'PRIMARY' group by 1";

#[test]
fn indexes_come_after_the_first_load_and_survive_a_kill() {
    on_each_path("indexes_come_after_the_first_load_and_survive_a_kill", |mut db| {
        let index = PlannedIndex { table: "t".into(), columns: vec![1, 0], name: "by_number_name".into() };
        db.settings.indexes = vec![index];
        let table = numbers("t");
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 0, std::slice::from_ref(&table), false)).unwrap();
        apply(sink.as_mut(), &table, 1, &[(Op::Insert, "a", Some(1))]).unwrap();
        assert_eq!(db.query(INDEXES), [""; 0]);
        sink.commit(&record(PIPELINE, 1)).unwrap();
        // Killed here.
        drop(sink);
        assert_eq!(db.query(INDEXES), [""; 0]);
        db.open().settle(PIPELINE, std::slice::from_ref(&table)).unwrap();
        assert_eq!(db.query(INDEXES), ["by_number_name|number,name|NULL"]);
        // What a user drops later stays dropped: nothing is altered by a run.
        db.run(&["drop index by_number_name on t"]);
        db.load(2, &[(Op::Insert, "b", Some(1))]);
        assert_eq!(db.query(INDEXES), [""; 0]);
    });
}
