//! Rows that stay marked when they go.

use vardelta_engine::contract::migration::{Migration, Phase, Scope, Step};
use vardelta_schemas::ledger::Epoch;

use crate::sinks::sqlite::tests::*;

/// Opens for an epoch over the table `t` and begins it.
fn begin(path: &Path, on_delete: OnDelete, table: &TableSchema, epoch: u64, replace: bool) -> Box<dyn Sink> {
    let planned = PlannedSqlite { on_delete, ..planned(path) };
    let mut sink = planned.connect(Access::Write).unwrap();
    sink.begin(&starting(PIPELINE, epoch - 1, std::slice::from_ref(table), replace)).unwrap();
    sink
}

fn write(path: &Path, on_delete: OnDelete, epoch: u64, changes: &[Change]) {
    let table = numbers("t");
    let mut sink = begin(path, on_delete, &table, epoch, false);
    apply(sink.as_mut(), &table, epoch, changes).unwrap();
    sink.commit(&record(PIPELINE, epoch)).unwrap();
}

fn migrate(path: &Path, on_delete: OnDelete, epoch: u64, scope: Scope) -> Result<Vec<Step>, SinkError> {
    let tables = [numbers("t")];
    let migration = Migration {
        pipeline: PIPELINE,
        expected: epoch_id(PIPELINE, epoch),
        tables: &tables,
        histories: &[],
        renames: &[],
    };
    let planned = PlannedSqlite { on_delete, ..planned(path) };
    planned.connect(Access::Write).unwrap().migrate(&migration, scope)
}

const ALL: &str = "select name, number, changed_epoch, deleted_at from t order by 1";
const LIVE: &str = "select * from t_live order by 1";
const TIME: &str = "'2026-01-01T00:00:00Z'";
const MARK: OnDelete = OnDelete::Mark;
use Op::{Delete, Insert, Update};

#[test]
fn a_row_goes_comes_back_and_changes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.sqlite");
    write(&path, MARK, 1, &[(Insert, "a", Some(1)), (Insert, "b", Some(2)), (Insert, "c", None)]);
    assert_eq!(by_hand::query(&path, ALL), ["'a'|1|1|NULL", "'b'|2|1|NULL", "'c'|NULL|1|NULL"]);
    write(&path, MARK, 2, &[(Delete, "a", Some(1)), (Update, "b", Some(3)), (Delete, "c", None)]);
    let gone_c = format!("'c'|NULL|2|{TIME}");
    assert_eq!(by_hand::query(&path, ALL), [format!("'a'|1|2|{TIME}"), "'b'|3|2|NULL".into(), gone_c.clone()]);
    assert_eq!(by_hand::query(&path, LIVE), ["'b'|3|2"]);
    let table = numbers("t");
    let planned = PlannedSqlite { on_delete: MARK, ..planned(&path) };
    assert_eq!(scan_numbers(planned.connect(Access::Read).unwrap().as_mut(), &table), [("b".into(), Some(3))]);
    write(&path, MARK, 3, &[(Insert, "a", Some(7)), (Insert, "d", Some(4))]);
    assert_eq!(by_hand::query(&path, ALL), ["'a'|7|3|NULL", "'b'|3|2|NULL", &gone_c, "'d'|4|3|NULL"]);
}

#[test]
fn marked_rows_are_no_rows_to_update_or_delete_and_live_ones_none_to_insert() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.sqlite");
    write(&path, MARK, 1, &[(Insert, "a", Some(1)), (Insert, "b", Some(2))]);
    write(&path, MARK, 2, &[(Delete, "a", Some(1))]);
    for (change, expected) in [
        ((Update, "a", Some(2)), "name = 'a': the row to update is not there"),
        ((Delete, "a", Some(1)), "name = 'a': the row to delete is not there"),
        ((Insert, "b", Some(2)), "name = 'b': a row to insert is there already"),
    ] {
        let table = numbers("t");
        let mut sink = begin(&path, MARK, &table, 3, false);
        let error = error_of(apply(sink.as_mut(), &table, 3, &[change]));
        assert!(error.message.contains(expected), "{error}");
    }
}

#[test]
fn tables_without_primary_key_mark_rows_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.sqlite");
    let column = Column::nullable("gene", ColumnType::Text);
    let table = TableSchema { name: "t".into(), schema: Schema::new(vec![column]), key: vec![0] };
    let rows = |values: &[Option<&str>]| {
        let values: StringArray = values.iter().copied().collect();
        RecordBatch::try_new(table.schema.to_arrow(), vec![Arc::new(values)]).unwrap()
    };
    let both = [None, Some("x")];
    let gone = ChangeBatch { ops: vec![Delete; 2], new: rows(&[]), old: rows(&both) };
    for (epoch, batch) in [(1, inserts(rows(&both))), (2, gone), (3, inserts(rows(&[None])))] {
        let mut sink = begin(&path, MARK, &table, epoch, false);
        sink.apply(&table, Epoch::new(epoch), &mut [Ok(batch)].into_iter()).unwrap();
        sink.commit(&record(PIPELINE, epoch)).unwrap();
    }
    let found = by_hand::query(&path, "select gene, changed_epoch, deleted_at from t order by 1");
    assert_eq!(found, ["NULL|3|NULL".to_owned(), format!("'x'|2|{TIME}")]);
}

#[test]
fn somebody_elses_table_or_view_keeps_its_name() {
    for taken in ["create table t_live (x)", "create view T_LIVE as select 1 as x"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.sqlite");
        by_hand::run(&path, taken);
        let before = by_hand::dump(&path);
        let planned = PlannedSqlite { on_delete: MARK, ..planned(&path) };
        let mut sink = planned.connect(Access::Write).unwrap();
        let error = error_of(sink.begin(&starting(PIPELINE, 0, &[numbers("t")], false)));
        assert_eq!(error.kind, SinkErrorKind::Layout);
        assert!(error.message.contains("vardelta did not make") && error.message.contains("`t`"), "{error}");
        drop(sink);
        assert_eq!(by_hand::dump(&path), before);
    }
}

#[test]
fn a_table_made_anew_has_no_marked_rows_which_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.sqlite");
    write(&path, MARK, 1, &[(Insert, "a", Some(1)), (Insert, "b", Some(2))]);
    write(&path, MARK, 2, &[(Delete, "a", Some(1))]);
    let table = numbers("t");
    let rebuild = |on_delete, epoch| {
        let mut sink = begin(&path, on_delete, &table, epoch, true);
        apply(sink.as_mut(), &table, epoch, &[(Insert, "b", Some(2))]).unwrap();
        sink.commit(&record(PIPELINE, epoch)).unwrap();
        sink.take_notices()
    };
    assert_eq!(rebuild(MARK, 3), ["table `t` was rebuilt without 1 row that was gone and marked"]);
    assert_eq!(by_hand::query(&path, ALL), ["'b'|2|3|NULL"]);
    assert_eq!(by_hand::query(&path, LIVE), ["'b'|2|3"]);
    assert_eq!(rebuild(OnDelete::Delete, 4), Vec::<String>::new());
    assert_eq!(by_hand::query(&path, "select name from sqlite_schema where name like 't%' order by 1"), ["'t'"]);
    assert_eq!(rebuild(MARK, 5), Vec::<String>::new());
    assert_eq!(by_hand::query(&path, LIVE), ["'b'|2|5"]);
}

#[test]
fn a_migration_brings_marks_and_takes_them_away() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.sqlite");
    let statements = |steps: Vec<Step>, phase| -> Vec<String> {
        steps.into_iter().filter(|step| step.phase == phase).map(|step| step.statement).collect()
    };
    write(&path, OnDelete::Delete, 1, &[(Insert, "a", Some(1)), (Insert, "b", Some(2))]);
    let planned = PlannedSqlite { on_delete: MARK, ..planned(&path) };
    let error = error_of(planned.connect(Access::Write).unwrap().begin(&starting(PIPELINE, 1, &[numbers("t")], false)));
    assert!(error.message.contains("it has no column `deleted_at`"), "{error}");
    let before = by_hand::dump(&path);
    let planned = statements(migrate(&path, MARK, 1, Scope::Plan).unwrap(), Phase::Expand);
    assert_eq!(by_hand::dump(&path), before);
    assert_eq!(statements(migrate(&path, MARK, 1, Scope::Expand).unwrap(), Phase::Expand), planned);
    assert_eq!(planned.len(), 2, "{planned:?}");
    assert_eq!(migrate(&path, MARK, 1, Scope::Plan).unwrap(), []);
    write(&path, MARK, 2, &[(Delete, "a", Some(1)), (Delete, "b", Some(2))]);
    by_hand::run(&path, "create trigger hands instead of insert on t_live begin select 1; end");

    // Without marks again: those that are there stay until they are asked to go.
    let error = {
        let mut sink = open(&path);
        error_of(sink.begin(&starting(PIPELINE, 2, &[numbers("t")], false)))
    };
    assert!(error.message.contains("`deleted_at`"), "{error}");
    let taken = statements(migrate(&path, OnDelete::Delete, 2, Scope::Plan).unwrap(), Phase::Contract);
    assert_eq!(taken.len(), 3, "{taken:?}");
    assert_eq!(migrate(&path, OnDelete::Delete, 2, Scope::Expand).unwrap().len(), 1);
    write(&path, OnDelete::Delete, 3, &[(Insert, "b", Some(5)), (Insert, "c", Some(3))]);
    write(&path, OnDelete::Delete, 4, &[(Delete, "c", Some(3))]);
    assert_eq!(by_hand::query(&path, ALL), [format!("'a'|1|2|{TIME}"), "'b'|5|3|NULL".into()]);
    assert_eq!(contents(&path, &numbers("t")), [("b".into(), Some(5))]);
    assert_eq!(by_hand::query(&path, "select name from sqlite_schema where type = 'trigger'"), ["'hands'"]);
    let done = statements(migrate(&path, OnDelete::Delete, 4, Scope::Contract).unwrap(), Phase::Contract);
    assert_eq!(done, taken);
    assert_eq!(by_hand::query(&path, "select * from t"), ["'b'|5|3"]);
    assert_eq!(by_hand::query(&path, "select table_name from vardelta_tables"), ["'t'"]);
    assert_eq!(migrate(&path, OnDelete::Delete, 4, Scope::Plan).unwrap(), []);
}

#[test]
fn a_column_of_the_pipelines_own_is_not_taken_for_marks() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.sqlite");
    let own = |name: &str| {
        let columns = [Column::required("name", ColumnType::Text), Column::nullable("number", ColumnType::Int64)];
        let own = Column::nullable(name, ColumnType::Text);
        TableSchema { name: "t".into(), schema: Schema::new([&columns[..], &[own]].concat()), key: vec![0] }
    };
    let mut sink = begin(&path, OnDelete::Delete, &own("deleted_at"), 1, false);
    sink.commit(&record(PIPELINE, 1)).unwrap();
    drop(sink);
    by_hand::run(&path, "insert into t values ('a', 1, 'yesterday', 1)");
    // The pipeline no longer has it, and it stays for now.
    migrate(&path, OnDelete::Delete, 1, Scope::Expand).unwrap();
    assert_eq!(contents(&path, &numbers("t")), [("a".into(), Some(1))]);
    let error = error_of(migrate(&path, MARK, 1, Scope::Expand));
    assert!(error.message.contains("`deleted_at` is of an earlier definition"), "{error}");
}
