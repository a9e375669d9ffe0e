//! Tables parted by a column: made, checked, changed, rebuilt; and values that no partition lists.

use vardelta_engine::contract::migration::{Algorithm, Migration, Phase, Scope, Step};
use vardelta_schemas::sql::mysql::partition::Partition;
use vardelta_test_servers::Flavor;

use crate::sinks::mysql::{settings::PartitionBy, tests::*};

fn partitioned(mut db: Db, values: &[&str]) -> Db {
    let partition = |value: &&str| Partition { name: (*value).to_owned(), values: vec![(*value).to_owned()] };
    let partitions = values.iter().map(partition).collect();
    db.settings.partition_by = Some(PartitionBy { column: "name".into(), partitions });
    db
}

/// The partitions of `t` and how many rows each has.
fn partitions(db: &Db) -> Vec<String> {
    let names = "select partition_name from information_schema.partitions where table_schema = database() and \
        table_name = 't' and partition_name is not null order by partition_ordinal_position";
    let count = |name: String| {
        let rows = db.query(&format!("select count(*) from t partition (`{name}`)"));
        format!("{name}: {}", rows[0])
    };
    db.query(names).into_iter().map(count).collect()
}

/// The same, where the server has a partition for the rest with that many rows.
fn expected(db: &Db, listed: &[&str], rest: usize) -> Vec<String> {
    let mut expected: Vec<String> = listed.iter().map(|text| (*text).to_owned()).collect();
    expected.extend((db.server.flavor == Flavor::MariaDb).then(|| format!("rest: {rest}")));
    expected
}

const A_AND_B: [Change; 2] = [(Op::Insert, "a", Some(1)), (Op::Insert, "b", Some(2))];

#[test]
fn rows_lie_in_their_partitions_and_a_query_reads_one() {
    on_each_path("rows_lie_in_their_partitions_and_a_query_reads_one", |db| {
        let db = partitioned(db, &["a", "b", "C"]);
        db.load(1, &A_AND_B);
        assert_eq!(partitions(&db), expected(&db, &["a: 1", "b: 1", "C: 0"], 0));
        db.load(2, &[(Op::Update, "a", Some(3)), (Op::Delete, "b", Some(2)), (Op::Insert, "C", Some(4))]);
        assert_eq!(partitions(&db), expected(&db, &["a: 1", "b: 0", "C: 1"], 0));
        assert_eq!(db.contents(&numbers("t")), [("C".into(), Some(4)), ("a".into(), Some(3))]);
        let explain = match db.server.flavor {
            Flavor::MariaDb => "explain partitions",
            Flavor::MySql => "explain format=traditional",
        };
        let read = db.query(&format!("{explain} select avg(number) from t where name = 'a' and number > 2"));
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].split('|').nth(3), Some("a"), "{read:?}");
    });
}

#[test]
fn a_value_that_no_partition_lists_is_kept_or_told_and_never_lost() {
    on_each_path("a_value_that_no_partition_lists_is_kept_or_told_and_never_lost", |db| {
        let mut db = partitioned(db, &["a", "b"]);
        let changes = [A_AND_B[0], A_AND_B[1], (Op::Insert, "it's", Some(3))];
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 0, &[numbers("t")], false)).unwrap();
        let applied = apply(sink.as_mut(), &numbers("t"), 1, &changes);
        if db.server.flavor == Flavor::MariaDb {
            applied.unwrap();
            sink.commit(&record(PIPELINE, 1)).unwrap();
            assert_eq!(partitions(&db), expected(&db, &["a: 1", "b: 1"], 1));
            return;
        }
        let error = error_of(applied);
        assert_eq!(error.kind, SinkErrorKind::Value);
        assert!(error.message.contains("name = 'it's'") && error.message.contains("has no partition"), "{error}");
        let hint = error.hint.unwrap_or_default();
        assert!(hint.contains("`partitions`") && hint.contains("unknown_contigs"), "{hint}");
        sink.rollback().unwrap();
        assert_eq!(db.query("select * from t"), [""; 0]);
        drop(sink);
        db.settings.on_constraint = OnConstraint::Quarantine;
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 0, &[numbers("t")], false)).unwrap();
        apply(sink.as_mut(), &numbers("t"), 1, &changes).unwrap();
        let offenders = sink.take_offenders();
        assert_eq!((offenders.len(), offenders[0].table.as_str()), (1, "t"));
        // The server itself says so too, as an error on either path, should it ever be asked.
        for statement in ["insert into t values ('c', 1, 1)", "replace into t values ('c', 1, 1)"] {
            let answer = mysql::prelude::Queryable::query_drop(&mut db.server.root_in(&db.name), statement);
            assert_eq!(super::super::error::code(&answer.unwrap_err()), Some(1526), "{statement}");
        }
    });
}

#[test]
fn other_partitions_are_refused_with_the_difference() {
    on_each("other_partitions_are_refused_with_the_difference", |db| {
        let db = partitioned(db, &["a", "b"]);
        db.load(1, &A_AND_B);
        let two = "partition by list columns (name) (partition a values in ('a'), partition b values in";
        let cases = [
            ("alter table t remove partitioning", "it is not partitioned, and the pipeline says by `name`"),
            (&format!("alter table t {two} ('b', 'c'))"), "it has no partition for b"),
            (&format!("alter table t {two} ('b'), partition c values in ('c'))"), "it has a partition for c"),
            ("alter table t partition by key (name) partitions 2", "is partitioned by KEY"),
        ];
        for (change, expected) in cases {
            db.run(&[change]);
            let error = error_of(db.open().begin(&starting(PIPELINE, 1, &[numbers("t")], false)));
            assert_eq!(error.kind, SinkErrorKind::Layout);
            assert!(error.message.contains(expected), "{change}: {error}");
            assert!(error.hint.unwrap().contains("vardelta migrate"));
        }
        // Who partitions a table that the pipeline leaves whole is left alone.
        db.run(&["alter table t partition by key (name) partitions 3"]);
        let whole = Db { settings: Settings { partition_by: None, ..db.settings.clone() }, ..db };
        whole.load(2, &[(Op::Insert, "z", Some(1))]);
        assert_eq!(partitions(&whole).len(), 3);
    });
}

fn migrate(db: &Db, epoch: u64, scope: Scope) -> Vec<Step> {
    let tables = [numbers("t")];
    let migration = Migration {
        pipeline: PIPELINE,
        expected: epoch_id(PIPELINE, epoch),
        tables: &tables,
        histories: &[],
        renames: &[],
    };
    db.open().migrate(&migration, scope).unwrap()
}

#[test]
fn partitions_come_and_go_by_migration() {
    on_each("partitions_come_and_go_by_migration", |db| {
        db.load(1, &A_AND_B);
        let db = partitioned(db, &["a", "b"]);
        let planned = migrate(&db, 1, Scope::Plan);
        assert_eq!(planned.len(), 1);
        assert_eq!((planned[0].phase, planned[0].algorithm), (Phase::Expand, Algorithm::Copy));
        assert!(planned[0].statement.contains("ALGORITHM=COPY PARTITION BY LIST COLUMNS (`name`)"));
        assert_eq!(partitions(&db), [""; 0], "a plan changes nothing");
        assert_eq!(migrate(&db, 1, Scope::Expand), planned);
        assert_eq!(partitions(&db), expected(&db, &["a: 1", "b: 1"], 0));
        assert_eq!(migrate(&db, 1, Scope::Expand), []);
        assert_eq!(migrate(&db, 1, Scope::Contract), []);
        // One more value: MySQL copies no row for it.
        let db = partitioned(db, &["a", "b", "c"]);
        let added = migrate(&db, 1, Scope::Plan);
        let cheap = db.server.flavor == Flavor::MySql;
        assert_eq!(added[0].algorithm == Algorithm::Copy, !cheap, "{added:?}");
        assert_eq!(migrate(&db, 1, Scope::Expand), added);
        db.load(2, &[(Op::Insert, "c", Some(3))]);
        assert_eq!(partitions(&db), expected(&db, &["a: 1", "b: 1", "c: 1"], 0));
        let db = Db { settings: Settings { partition_by: None, ..db.settings.clone() }, ..db };
        let error = error_of(db.open().begin(&starting(PIPELINE, 2, &[numbers("t")], false)));
        assert!(error.message.contains("and the pipeline does not say so"), "{error}");
        assert!(migrate(&db, 2, Scope::Expand)[0].statement.ends_with("REMOVE PARTITIONING"));
        assert_eq!(db.contents(&numbers("t")).len(), 3);
        db.load(3, &[(Op::Insert, "zz", Some(3))]);
    });
}

#[test]
fn a_rebuild_fills_the_partitions_that_are_planned() {
    on_each("a_rebuild_fills_the_partitions_that_are_planned", |db| {
        db.load(1, &A_AND_B);
        db.run(&["create index by_number on t (number)"]);
        let mut db = partitioned(db, &["a", "b"]);
        db.settings.indexes = vec![PlannedIndex { table: "t".into(), columns: vec![1, 0], name: "planned".into() }];
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 1, &[numbers("t")], true)).unwrap();
        apply(sink.as_mut(), &numbers("t"), 2, &A_AND_B).unwrap();
        sink.commit(&record(PIPELINE, 2)).unwrap();
        sink.settle(PIPELINE, &[numbers("t")]).unwrap();
        drop(sink);
        assert_eq!(partitions(&db), expected(&db, &["a: 1", "b: 1"], 0));
        let indexes = "select distinct index_name from information_schema.statistics where table_schema = database() and \
            table_name = 't' order by 1";
        assert_eq!(db.query(indexes), ["by_number", "planned", "PRIMARY"]);
        db.load(3, &[(Op::Update, "a", Some(5))]);
    });
}
