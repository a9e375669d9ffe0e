//! Rows that stay marked when they go.

use vardelta_engine::contract::migration::{Migration, Phase, Scope, Step};
use vardelta_schemas::ledger::Epoch;

use crate::sinks::mysql::tests::*;
use Op::{Delete, Insert, Update};

const ALL: &str = "select name, number, changed_epoch, deleted_at from t order by 1";
const LIVE: &str = "select * from t_live order by 1";
const TIME: &str = "2026-01-01 00:00:00.000000";

fn marking(db: &Db, on_delete: OnDelete) -> Db {
    db.server.allow_views(&db.name);
    Db { server: db.server, name: db.name.clone(), settings: Settings { on_delete, ..db.settings.clone() } }
}

fn migrate(db: &Db, epoch: u64, scope: Scope) -> Result<Vec<Step>, SinkError> {
    let tables = [numbers("t")];
    let migration = Migration {
        pipeline: PIPELINE,
        expected: epoch_id(PIPELINE, epoch),
        tables: &tables,
        histories: &[],
        renames: &[],
    };
    db.open().migrate(&migration, scope)
}

#[test]
fn a_row_goes_comes_back_and_changes() {
    on_each_path("a_row_goes_comes_back_and_changes", |db| {
        let db = marking(&db, OnDelete::Mark);
        db.load(1, &[(Insert, "a", Some(1)), (Insert, "b", Some(2)), (Insert, "c", None)]);
        assert_eq!(db.query(ALL), ["a|1|1|NULL", "b|2|1|NULL", "c|NULL|1|NULL"]);
        db.load(2, &[(Delete, "a", Some(1)), (Update, "b", Some(3)), (Delete, "c", None)]);
        let gone_c = format!("c|NULL|2|{TIME}");
        assert_eq!(db.query(ALL), [format!("a|1|2|{TIME}"), "b|3|2|NULL".into(), gone_c.clone()]);
        assert_eq!(db.query(LIVE), ["b|3|2"]);
        assert_eq!(db.contents(&numbers("t")), [("b".into(), Some(3))]);
        db.load(3, &[(Insert, "a", Some(7)), (Insert, "d", Some(4))]);
        assert_eq!(db.query(ALL), ["a|7|3|NULL", "b|3|2|NULL", &gone_c, "d|4|3|NULL"]);
    });
}

#[test]
fn marked_rows_are_no_rows_to_update_or_delete_and_live_ones_none_to_insert() {
    on_each_path("marked_rows_are_no_rows_to_update_or_delete_and_live_ones_none_to_insert", |db| {
        let db = marking(&db, OnDelete::Mark);
        db.load(1, &[(Insert, "a", Some(1)), (Insert, "b", Some(2))]);
        db.load(2, &[(Delete, "a", Some(1))]);
        let table = numbers("t");
        for (changes, expected) in [
            ([(Update, "a", Some(2)), (Update, "b", Some(3))], "name = 'a': the row to update is not there"),
            ([(Delete, "a", Some(1)), (Delete, "b", Some(2))], "name = 'a': the row to delete is not there"),
            ([(Insert, "a", Some(1)), (Insert, "b", Some(2))], "name = 'b': a row to insert is there already"),
        ] {
            let mut sink = db.open();
            sink.begin(&starting(PIPELINE, 2, std::slice::from_ref(&table), false)).unwrap();
            let error = error_of(apply(sink.as_mut(), &table, 3, &changes));
            assert!(error.message.contains(expected), "{error}");
        }
    });
}

#[test]
fn keys_of_any_length_that_may_be_null_are_marked_too() {
    on_each_path("keys_of_any_length_that_may_be_null_are_marked_too", |db| {
        let mut db = marking(&db, OnDelete::Mark);
        db.settings.text_characters.insert("gene".into(), 0);
        let columns = vec![Column::nullable("gene", ColumnType::Text), Column::required("n", ColumnType::Int64)];
        let table = TableSchema { name: "t".into(), schema: Schema::new(columns), key: vec![0] };
        let long = "G".repeat(5_000);
        let rows = |values: &[(Option<&str>, i64)]| {
            let genes: StringArray = values.iter().map(|value| value.0).collect();
            let numbers = Int64Array::from_iter_values(values.iter().map(|value| value.1));
            RecordBatch::try_new(table.schema.to_arrow(), vec![Arc::new(genes), Arc::new(numbers)]).unwrap()
        };
        let (first, last) = ([(None, 1), (Some(long.as_str()), 2)], [(None, 3), (Some(long.as_str()), 4)]);
        let gone = ChangeBatch { ops: vec![Delete; 2], new: rows(&[]), old: rows(&first) };
        for (epoch, batch) in [(1, inserts(rows(&first))), (2, gone), (3, inserts(rows(&last[..1])))] {
            let mut sink = db.open();
            sink.begin(&starting(PIPELINE, epoch - 1, std::slice::from_ref(&table), false)).unwrap();
            sink.apply(&table, Epoch::new(epoch), &mut [Ok(batch)].into_iter()).unwrap();
            sink.commit(&record(PIPELINE, epoch)).unwrap();
        }
        let found = db.query("select length(gene), n, changed_epoch, deleted_at from t order by 1");
        assert_eq!(found, ["NULL|3|3|NULL".to_owned(), format!("5000|2|2|{TIME}")]);
    });
}

/// More than one slice of LOAD DATA: all marked, some, none.
#[test]
fn slices_with_and_without_marked_rows_are_told_apart() {
    on_each("slices_with_and_without_marked_rows_are_told_apart", |db| {
        let db = marking(&db, OnDelete::Mark);
        let table = numbers("t");
        let rows = |from: i64, to: i64| {
            let names = StringArray::from_iter_values((from..to).map(|at| format!("n{at:06}")));
            let numbers = Int64Array::from_iter_values(from..to);
            RecordBatch::try_new(table.schema.to_arrow(), vec![Arc::new(names), Arc::new(numbers)]).unwrap()
        };
        let write = |epoch: u64, batch: ChangeBatch| {
            let mut sink = db.open();
            sink.begin(&starting(PIPELINE, epoch - 1, std::slice::from_ref(&table), false)).unwrap();
            sink.apply(&table, Epoch::new(epoch), &mut [Ok(batch)].into_iter()).unwrap();
            sink.commit(&record(PIPELINE, epoch)).unwrap();
        };
        write(1, inserts(rows(0, 55_000)));
        let gone = ChangeBatch { ops: vec![Delete; 50_500], new: rows(0, 0), old: rows(0, 50_500) };
        write(2, gone);
        let mut back = inserts(
            arrow_select::concat::concat_batches(&table.schema.to_arrow(), &[rows(0, 50_500), rows(55_000, 160_000)])
                .unwrap(),
        );
        back.old = rows(0, 0);
        write(3, back);
        assert_eq!(
            db.query("select count(*), sum(number), sum(deleted_at is not null), sum(changed_epoch = 3) from t"),
            [format!("160000|{}|0|155500", 160_000_i64 * 159_999 / 2)]
        );
    });
}

#[test]
fn what_refers_to_a_row_neither_keeps_it_from_going_nor_from_coming_back() {
    on_each_path("what_refers_to_a_row_neither_keeps_it_from_going_nor_from_coming_back", |db| {
        let db = marking(&db, OnDelete::Mark);
        db.load(1, &[(Insert, "a", Some(1)), (Insert, "b", Some(2))]);
        db.run(&["create table notes like t", "alter table notes add foreign key (name) references t (name)"]);
        db.run(&["insert into notes (name, changed_epoch) values ('a', 0)"]);
        db.load(2, &[(Delete, "a", Some(1))]);
        db.load(3, &[(Insert, "a", Some(9)), (Insert, "c", Some(3))]);
        assert_eq!(db.query(LIVE), ["a|9|3", "b|2|1", "c|3|3"]);
        assert_eq!(db.query("select name from notes"), ["a"]);
    });
}

#[test]
fn a_row_that_may_not_come_back_is_the_only_offender() {
    on_each_path("a_row_that_may_not_come_back_is_the_only_offender", |db| {
        let mut db = marking(&db, OnDelete::Mark);
        db.settings.constraints = vec![constraints::not_negative("t")];
        db.settings.on_constraint = OnConstraint::Quarantine;
        db.load(1, &[(Insert, "a", Some(1)), (Insert, "b", Some(2))]);
        db.load(2, &[(Delete, "a", Some(1)), (Delete, "b", Some(2))]);
        let table = numbers("t");
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 2, std::slice::from_ref(&table), false)).unwrap();
        let changes =
            [(Insert, "a", Some(-1)), (Insert, "b", Some(5)), (Insert, "c", Some(6)), (Insert, "d", Some(-2))];
        apply(sink.as_mut(), &table, 3, &changes).unwrap();
        let offenders: Vec<RecordBatch> = sink.take_offenders().into_iter().map(|offender| offender.row).collect();
        assert_eq!(offenders, [rows(&table, changes[..1].iter()), rows(&table, changes[3..].iter())]);
        drop(sink);
        db.load(3, &changes[1..3]);
        assert_eq!(db.query(LIVE), ["b|5|3", "c|6|3"]);
    });
}

#[test]
fn somebody_elses_table_or_view_keeps_its_name() {
    on_each("somebody_elses_table_or_view_keeps_its_name", |db| {
        let db = marking(&db, OnDelete::Mark);
        for (make, drop) in [
            ("create table t_live (x int)", "drop table t_live"),
            ("create view t_live as select 1 as x", "drop view t_live"),
        ] {
            db.run(&[make]);
            let error = error_of(db.open().begin(&starting(PIPELINE, 0, &[numbers("t")], false)));
            assert_eq!(error.kind, SinkErrorKind::Layout);
            assert!(error.message.contains("vardelta did not make") && error.message.contains("`t`"), "{error}");
            assert_eq!(db.query("select table_name from vardelta_tables"), Vec::<String>::new());
            assert_eq!(db.query("select * from t_live").len(), usize::from(make.contains("view")));
            db.run(&[drop]);
        }
        db.load(1, &[(Insert, "a", Some(1))]);
        assert_eq!(db.query(LIVE), ["a|1|1"]);
        // What was dropped by hand is made again; what replaced it is not touched.
        db.run(&["drop view t_live"]);
        db.load(2, &[(Insert, "b", Some(1))]);
        assert_eq!(db.query("select name from t_live order by 1"), ["a", "b"]);
        db.run(&["drop view t_live", "create table t_live (x int)"]);
        let error = error_of(db.open().begin(&starting(PIPELINE, 2, &[numbers("t")], false)));
        assert!(error.message.contains("a table `t_live`"), "{error}");
    });
}

#[test]
fn the_right_to_make_views_is_asked_for_before_anything_is_made() {
    on_each("the_right_to_make_views_is_asked_for_before_anything_is_made", |db| {
        let (user, password) = (format!("u_{}", db.name), "Ab1_only_here");
        let rights = "select, insert, update, delete, create, alter, index, drop, references";
        let grant = |rights: &str| format!("grant {rights} on `{}`.* to '{user}'@'%'", db.name.replace('_', "\\_"));
        db.run(&[&format!("create user '{user}'@'%' identified by '{password}'"), &grant(rights)]);
        let at = db.server.url(&db.name).rsplit_once('@').map(|(_, at)| at.to_owned()).unwrap();
        let poor = Db {
            server: db.server,
            name: db.name.clone(),
            settings: Settings { on_delete: OnDelete::Mark, ..settings(&format!("mysql://{user}:{password}@{at}")) },
        };
        let error = error_of(poor.open().begin(&starting(PIPELINE, 0, &[numbers("t")], false)));
        assert!(error.message.contains("may not make views"), "{error}");
        assert!(error.hint.unwrap_or_default().contains("CREATE VIEW"), "{}", error.message);
        let made = "select table_name from information_schema.tables where table_schema = database() and table_name not \
                    like 'vardelta%'";
        assert_eq!(db.query(made), Vec::<String>::new());
        assert_eq!(db.query("select table_name from vardelta_tables"), Vec::<String>::new());
        // With it, and with nothing more, everything works.
        db.run(&[&grant("create view")]);
        poor.load(1, &[(Insert, "a", Some(1)), (Insert, "b", Some(2))]);
        poor.load(2, &[(Delete, "a", Some(1))]);
        poor.load(3, &[(Insert, "a", Some(3))]);
        assert_eq!(poor.query(LIVE), ["a|3|3", "b|2|1"]);
        rebuild(&poor, 4);
        let back = marking(&poor, OnDelete::Delete);
        migrate(&back, 4, Scope::Expand).unwrap();
        migrate(&back, 4, Scope::Contract).unwrap();
        assert_eq!(db.query(made), ["t"]);
        db.run(&[&format!("drop user '{user}'@'%'")]);
    });
}

/// Rebuilds the table with one row; returns what is said of it.
fn rebuild(db: &Db, epoch: u64) -> Vec<String> {
    let table = numbers("t");
    let mut sink = db.open();
    sink.begin(&starting(PIPELINE, epoch - 1, std::slice::from_ref(&table), true)).unwrap();
    apply(sink.as_mut(), &table, epoch, &[(Insert, "b", Some(2))]).unwrap();
    sink.commit(&record(PIPELINE, epoch)).unwrap();
    sink.settle(PIPELINE, &[table]).unwrap();
    sink.take_notices()
}

#[test]
fn a_table_made_anew_has_no_marked_rows_which_is_said() {
    on_each("a_table_made_anew_has_no_marked_rows_which_is_said", |db| {
        let db = marking(&db, OnDelete::Mark);
        db.load(1, &[(Insert, "a", Some(1)), (Insert, "b", Some(2))]);
        db.load(2, &[(Delete, "a", Some(1))]);
        assert_eq!(rebuild(&db, 3), ["table `t` was rebuilt without 1 row that was gone and marked"]);
        assert_eq!(db.query(ALL), ["b|2|3|NULL"]);
        assert_eq!(db.query(LIVE), ["b|2|3"]);
        assert_eq!(rebuild(&marking(&db, OnDelete::Delete), 4), Vec::<String>::new());
        let names = "select table_name from information_schema.tables where table_schema = database() and table_name not \
                     like 'vardelta%' order by 1";
        assert_eq!(db.query(names), ["t"]);
        assert_eq!(db.query("select table_name from vardelta_tables"), ["t"]);
        assert_eq!(rebuild(&db, 5), Vec::<String>::new());
        assert_eq!(db.query(names), ["t", "t_live"]);
        assert_eq!(db.query(LIVE), ["b|2|5"]);
    });
}

#[test]
fn a_rebuild_that_dies_after_its_commit_gets_its_view_from_the_next_run() {
    on_each("a_rebuild_that_dies_after_its_commit_gets_its_view_from_the_next_run", |db| {
        db.load(1, &[(Insert, "b", Some(2))]);
        let db = marking(&db, OnDelete::Mark);
        let table = numbers("t");
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 1, std::slice::from_ref(&table), true)).unwrap();
        apply(sink.as_mut(), &table, 2, &[(Insert, "b", Some(2))]).unwrap();
        sink.commit(&record(PIPELINE, 2)).unwrap();
        drop(sink);
        // What is under another name for now is read there.
        assert_eq!(db.contents(&table), [("b".into(), Some(2))]);
        db.load(3, &[(Delete, "b", Some(2))]);
        assert_eq!(db.query(ALL), [format!("b|2|3|{TIME}")]);
        assert_eq!(db.query(LIVE), Vec::<String>::new());
    });
}

#[test]
fn a_migration_brings_marks_and_takes_them_away() {
    on_each("a_migration_brings_marks_and_takes_them_away", |db| {
        let (delete, mark) = (marking(&db, OnDelete::Delete), marking(&db, OnDelete::Mark));
        let statements = |steps: Vec<Step>, phase| -> Vec<String> {
            steps.into_iter().filter(|step| step.phase == phase).map(|step| step.statement).collect()
        };
        let refused = |db: &Db, epoch| error_of(db.open().begin(&starting(PIPELINE, epoch, &[numbers("t")], false)));
        delete.load(1, &[(Insert, "a", Some(1)), (Insert, "b", Some(2))]);
        assert!(refused(&mark, 1).message.contains("it has no column `deleted_at`"));
        let before = db.dump();
        let planned = statements(migrate(&mark, 1, Scope::Plan).unwrap(), Phase::Expand);
        assert_eq!(db.dump(), before);
        assert_eq!(statements(migrate(&mark, 1, Scope::Expand).unwrap(), Phase::Expand), planned);
        assert_eq!(planned.len(), 2, "{planned:?}");
        assert_eq!(migrate(&mark, 1, Scope::Plan).unwrap(), []);
        mark.load(2, &[(Delete, "a", Some(1)), (Delete, "b", Some(2))]);
        // Without marks again: those that are there stay until they are asked to go.
        assert!(refused(&delete, 2).message.contains("`deleted_at`"));
        let taken = statements(migrate(&delete, 2, Scope::Plan).unwrap(), Phase::Contract);
        assert_eq!(taken.len(), 3, "{taken:?}");
        assert_eq!(migrate(&delete, 2, Scope::Expand).unwrap().len(), 1);
        delete.load(3, &[(Insert, "b", Some(5)), (Insert, "c", Some(3))]);
        delete.load(4, &[(Delete, "c", Some(3))]);
        assert_eq!(db.query(ALL), [format!("a|1|2|{TIME}"), "b|5|3|NULL".into()]);
        assert_eq!(delete.contents(&numbers("t")), [("b".into(), Some(5))]);
        assert_eq!(statements(migrate(&delete, 4, Scope::Contract).unwrap(), Phase::Contract), taken);
        assert_eq!(db.query("select * from t"), ["b|5|3"]);
        assert_eq!(db.query("select table_name from vardelta_tables"), ["t"]);
        assert_eq!(migrate(&delete, 4, Scope::Plan).unwrap(), []);
    });
}

#[test]
fn the_view_reads_with_the_rights_of_who_asks() {
    on_each("the_view_reads_with_the_rights_of_who_asks", |db| {
        marking(&db, OnDelete::Mark).load(1, &[(Insert, "a", Some(1))]);
        let security = "select security_type from information_schema.views where table_schema = database()";
        assert_eq!(db.query(security), ["INVOKER"]);
    });
}
