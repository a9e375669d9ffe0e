//! What only servers do with values: hashed keys, bounded texts, and columns that somebody has changed.

use arrow_array::ArrayRef;
use vardelta_schemas::ledger::Epoch;

use crate::sinks::{
    mysql::tests::*,
    tests::values::{allele_rows, alleles, scan, write},
};

#[test]
fn two_keys_with_one_hash_are_never_merged() {
    on_each_path("two_keys_with_one_hash_are_never_merged", |db| {
        write(&db, &alleles(), vec![inserts(allele_rows(&["A".into()], 1))]).unwrap();
        // As if another allele had the hash of the one that is to come, or to change.
        db.run(&["update alleles set alt = 'G'"]);
        let before = db.dump();
        let error = error_of(write(&db, &alleles(), vec![inserts(allele_rows(&["A".into()], 2))]));
        assert!(error.message.contains("another key has the same key_hash"), "{error}");
        let (new, old) = (allele_rows(&["A".into()], 2), allele_rows(&["A".into()], 1));
        let update = ChangeBatch { ops: vec![Op::Update], new: new.clone(), old: old.clone() };
        let error = error_of(write(&db, &alleles(), vec![update]));
        assert!(error.message.contains("the row to update is not there"), "{error}");
        let delete = ChangeBatch { ops: vec![Op::Delete], new: RecordBatch::new_empty(new.schema()), old };
        let error = error_of(write(&db, &alleles(), vec![delete]));
        assert!(error.message.contains("the row to delete is not there"), "{error}");
        assert_eq!(db.dump(), before);
    });
}

#[test]
fn a_text_longer_than_its_column_is_refused_with_table_and_key() {
    on_each_path("a_text_longer_than_its_column_is_refused_with_table_and_key", |db| {
        let row = |key: String| {
            let mut columns: Vec<ArrayRef> = every_value().slice(0, 1).columns().to_vec();
            columns[0] = Arc::new(StringArray::from(vec![key]));
            inserts(RecordBatch::try_new(every_type().schema.to_arrow(), columns).unwrap())
        };
        let error = error_of(write(&db, &every_type(), vec![row("x".repeat(256))]));
        assert_eq!(error.kind, SinkErrorKind::Value);
        assert!(error.message.contains("has 256 characters, and the column holds 255"), "{error}");
        assert!(error.message.starts_with("table `every type`, key = '"), "{error}");
        // 255 characters of four bytes fit.
        write(&db, &every_type(), vec![row("𝔊".repeat(255))]).unwrap();
    });
}

/// A table whose columns somebody narrowed, or put a constraint on, behind vardelta's back: the server itself is the last
/// to refuse. Nothing may be altered or left out.
#[test]
fn what_the_server_refuses_is_never_altered() {
    on_each_path("what_the_server_refuses_is_never_altered", |db| {
        let long = "y".repeat(40);
        for (change, name, number, expected) in [
            ("add constraint small check (number < 1000)", "b", Some(1000), "small"),
            ("modify number int", "b", Some(9_999_999_999), "Out of range"),
            ("modify number bigint not null", "b", None, "null"),
            (
                "modify name varchar(30) character set ascii collate ascii_bin not null",
                long.as_str(),
                Some(1),
                "too long",
            ),
            (
                "modify name varchar(255) character set ascii collate ascii_bin not null",
                "ü",
                Some(1),
                "Incorrect string value|Conversion from collation",
            ),
            ("modify number date", "b", Some(12), "Incorrect date value"),
        ] {
            db.run(&["drop table if exists t, vardelta_tables, vardelta_epochs, vardelta_meta"]);
            db.load(1, &[(Op::Insert, "a", Some(20_200_101))]);
            let mut sink = db.open();
            sink.begin(&starting(PIPELINE, 1, &[numbers("t")], false)).unwrap();
            // The layout was checked by `begin`, and a table cannot be altered while a transaction has it open; this one has
            // not yet touched it.
            if change.starts_with("add") {
                db.run(&["update t set number = 1"]);
            }
            db.run(&[&format!("alter table t {change}")]);
            let before = db.query("select * from t");
            let table = numbers("t");
            let names = StringArray::from(vec!["a2", name, "z"]);
            let digits = Int64Array::from(vec![Some(20_200_102), number, Some(20_200_103)]);
            let digits =
                if change.starts_with("add") { Int64Array::from(vec![Some(2), number, Some(3)]) } else { digits };
            let new = RecordBatch::try_new(table.schema.to_arrow(), vec![Arc::new(names), Arc::new(digits)]).unwrap();
            let error = error_of(sink.apply(&table, Epoch::new(2), &mut [Ok(inserts(new))].into_iter()));
            assert_eq!(error.kind, SinkErrorKind::Value, "{change}: {error}");
            let said = error.message.to_lowercase();
            assert!(expected.to_lowercase().split('|').any(|words| said.contains(words)), "{change}: {error}");
            assert!(error.message.contains("table `t`"), "{change}: {error}");
            sink.rollback().unwrap();
            assert_eq!(db.query("select * from t"), before);
        }
    });
}

/// A decimal column of fewer places rounds with no more than a note on both servers, even in strict mode.
#[test]
fn a_value_that_the_server_would_round_is_refused() {
    on_each_path("a_value_that_the_server_would_round_is_refused", |db| {
        write(&db, &every_type(), vec![]).unwrap();
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 1, &[every_type()], false)).unwrap();
        db.run(&["alter table `every type` modify narrow decimal(5,1)"]);
        let changes = inserts(every_value().slice(1, 1));
        let error = error_of(sink.apply(&every_type(), Epoch::new(2), &mut [Ok(changes)].into_iter()));
        assert_eq!(error.kind, SinkErrorKind::Value, "{error}");
        assert!(error.message.contains("narrow") || error.message.contains("999.99"), "{error}");
        sink.rollback().unwrap();
        assert_eq!(db.query("select * from `every type`"), [""; 0]);
    });
}

#[test]
fn values_changed_by_hand_are_told_with_table_and_key() {
    on_each("values_changed_by_hand_are_told_with_table_and_key", |db| {
        write(&db, &every_type(), vec![inserts(every_value())]).unwrap();
        db.run(&["update `every type` set bool = 2 where `key` = 'a'"]);
        let error = error_of(scan(&db, &every_type()));
        assert_eq!(error.kind, SinkErrorKind::Value);
        assert!(error.message.contains("column `bool` holds 2, which is no bool"), "{error}");
        assert!(error.message.contains("table `every type`") && error.message.contains("key = 'a'"), "{error}");
    });
}
