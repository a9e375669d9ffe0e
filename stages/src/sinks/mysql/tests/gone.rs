//! Rows that go by the thousand, by a join with their keys or in statements, and the plans that the servers make of both.

use mysql::{Value, prelude::Queryable};
use vardelta_schemas::ledger::Epoch;

use crate::sinks::mysql::tests::*;

/// Rows of a table: three slices of statements, and then some.
const ROWS: i64 = 1_750;

/// Keys of one contig in order, as withdrawals name them; an allele may be missing, and is text without a bound.
fn alleles() -> TableSchema {
    let columns = vec![
        Column::required("contig", ColumnType::Text),
        Column::required("position", ColumnType::Int64),
        Column::nullable("allele", ColumnType::Text),
        Column::nullable("quality", ColumnType::Int64),
    ];
    TableSchema { name: "t".into(), schema: Schema::new(columns), key: vec![0, 1, 2] }
}

fn allele(row: i64) -> Option<String> {
    match row % 4 {
        0 => None,
        1 => Some("\\tab\there\nnot a new line, \\N and é".into()),
        _ => Some(format!("A{row}")),
    }
}

fn rows(numbers: impl Iterator<Item = i64> + Clone) -> RecordBatch {
    let contig = StringArray::from_iter_values(numbers.clone().map(|_| "chr1"));
    let position = Int64Array::from_iter_values(numbers.clone());
    let allele: StringArray = numbers.clone().map(allele).collect();
    let quality = Int64Array::from_iter_values(numbers.map(|row| row % 7));
    let columns: Vec<arrow_array::ArrayRef> =
        vec![Arc::new(contig), Arc::new(position), Arc::new(allele), Arc::new(quality)];
    RecordBatch::try_new(alleles().schema.to_arrow(), columns).unwrap()
}

fn change(op: Op, numbers: impl Iterator<Item = i64> + Clone) -> ChangeBatch {
    let (some, none) = (rows(numbers.clone()), rows(0..0));
    let (new, old) = if op == Op::Delete { (none, some) } else { (some, none) };
    ChangeBatch { ops: vec![op; numbers.count()], new, old }
}

/// The database with the index that README shows: it begins with a column of the key.
fn indexed(db: Db) -> Db {
    let index = PlannedIndex { table: "t".into(), columns: vec![0, 3], name: "by_quality".into() };
    Db { settings: Settings { indexes: vec![index], ..db.settings }, ..db }
}

/// Commits an epoch; says what the sink had to say.
fn commit(db: &Db, epoch: u64, changes: ChangeBatch) -> Result<Vec<String>, SinkError> {
    let mut sink = db.open();
    sink.begin(&starting(PIPELINE, epoch - 1, &[alleles()], false))?;
    sink.apply(&alleles(), Epoch::new(epoch), &mut [Ok(changes)].into_iter())?;
    sink.commit(&record(PIPELINE, epoch))?;
    sink.settle(PIPELINE, &[alleles()])?;
    Ok(sink.take_notices())
}

#[test]
fn rows_go_by_a_join_where_the_user_may_make_temporary_tables_and_by_statements_elsewhere() {
    let test = "rows_go_by_a_join_where_the_user_may_make_temporary_tables_and_by_statements_elsewhere";
    for may in [true, false] {
        on_each(test, |db| {
            let db = indexed(db);
            if may {
                db.server.allow_temporary_tables(&db.name);
            }
            commit(&db, 1, change(Op::Insert, 0..ROWS)).unwrap();
            let notices = commit(&db, 2, change(Op::Delete, (0..ROWS).filter(|row| row % 10 != 3))).unwrap();
            let left: Vec<String> = (0..ROWS).filter(|row| row % 10 == 3).map(|row| row.to_string()).collect();
            assert_eq!(db.query("select position from t order by position"), left, "may: {may}");
            match notices.as_slice() {
                [] => assert!(may, "statements are slower: that is said"),
                [notice] => {
                    assert!(!may, "{notice}");
                    assert!(notice.contains("slower than a temporary table"), "{notice}");
                }
                more => panic!("{more:?}"),
            }
        });
    }
}

#[test]
fn a_key_that_is_not_there_is_found_among_those_that_go_by_a_join() {
    on_each("a_key_that_is_not_there_is_found_among_those_that_go_by_a_join", |db| {
        let db = indexed(db);
        db.server.allow_temporary_tables(&db.name);
        commit(&db, 1, change(Op::Insert, 0..ROWS)).unwrap();
        db.run(&["delete from t where position = 777"]);
        let before = db.dump();
        let error = error_of(commit(&db, 2, change(Op::Delete, 0..ROWS)));
        assert!(error.message.contains("position = 777"), "{error}");
        assert!(error.message.contains("the row to delete is not there"), "{error}");
        assert_eq!(db.dump(), before);
    });
}

#[test]
fn a_row_that_another_table_refers_to_is_found_among_those_that_go_by_a_join() {
    on_each("a_row_that_another_table_refers_to_is_found_among_those_that_go_by_a_join", |db| {
        db.server.allow_temporary_tables(&db.name);
        commit(&db, 1, change(Op::Insert, 0..ROWS)).unwrap();
        db.run(&[
            "create table child as select contig, position, key_hash from t where position = 1234",
            "alter table child add foreign key (contig, position, key_hash) references t (contig, position, key_hash)",
        ]);
        let error = error_of(commit(&db, 2, change(Op::Delete, 0..ROWS)));
        assert_eq!(error.kind, SinkErrorKind::Value);
        assert!(error.message.contains("position = 1234"), "{error}");
        assert_eq!(db.query("select count(*) from t"), [ROWS.to_string()]);
    });
}

#[test]
fn rows_are_marked_by_a_join() {
    on_each("rows_are_marked_by_a_join", |db| {
        let mut db = indexed(db);
        db.settings.on_delete = OnDelete::Mark;
        by_hand::run(
            &mut db.server.root(),
            &[&format!(
                "grant create view, create temporary tables, select, insert, update, delete, create, alter, index, drop, \
                 references on `{}`.* to '{}'@'%'",
                db.name.replace('_', "\\_"),
                vardelta_test_servers::USER
            )],
        );
        commit(&db, 1, change(Op::Insert, 0..ROWS)).unwrap();
        let notices = commit(&db, 2, change(Op::Delete, 0..ROWS - 5)).unwrap();
        assert_eq!(notices, [""; 0]);
        let marked = "select count(*), count(deleted_at), sum(changed_epoch) from t";
        assert_eq!(db.query(marked), [format!("{ROWS}|{}|{}", ROWS - 5, 2 * (ROWS - 5) + 5)]);
        let again = error_of(commit(&db, 3, change(Op::Delete, 0..200)));
        assert!(again.message.contains("position = 0"), "what is marked is not there: {again}");
    });
}

#[test]
fn every_row_that_goes_is_looked_up_in_the_primary_key() {
    on_each("every_row_that_goes_is_looked_up_in_the_primary_key", |db| {
        let db = indexed(db);
        commit(&db, 1, change(Op::Insert, 0..ROWS)).unwrap();
        let mut root = db.server.root_in(&db.name);
        let table = alleles();
        let dialect = super::super::link::Link::connect(&db.settings, Access::Read).unwrap().dialect;
        for on_delete in [OnDelete::Delete, OnDelete::Mark] {
            let layout = Settings { on_delete, ..db.settings.clone() }.layout(dialect, &table);
            let sql = vardelta_schemas::sql::mysql::table::MySqlTable::new(&table, &layout);
            if sql.is_marking() {
                by_hand::run(&mut root, &["alter table t add column deleted_at datetime(6)"]);
            }
            by_hand::run(&mut root, &[&sql.drop_gone(), &sql.create_gone()]);
            by_hand::run(
                &mut root,
                &["insert into vardelta_gone select contig, position, allele, key_hash from t where position < 1000"],
            );
            let marking = if sql.is_marking() { vec![Value::from(3), Value::from("2026-01-01")] } else { Vec::new() };
            let joined = by_hand::plan(&mut root, &sql.delete_gone(), marking.clone());
            assert_eq!(joined.len(), 2, "{joined:?}");
            assert_eq!(joined[1], "t by PRIMARY, eq_ref");
            let keys: Vec<mysql::Row> =
                root.query("select contig, position, allele, key_hash from t where position < 500").unwrap();
            let bound = [marking, keys.into_iter().flat_map(mysql::Row::unwrap).collect()].concat();
            assert_eq!(by_hand::plan(&mut root, &sql.delete(500), bound), ["t by PRIMARY, range"]);
        }
    });
}
