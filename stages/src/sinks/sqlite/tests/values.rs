//! Values that somebody has changed by hand.

use arrow_array::{ArrayRef, Float64Array};

use crate::sinks::{
    sqlite::tests::*,
    tests::values::{scan, write},
};

#[test]
fn values_changed_by_hand_are_told_with_table_and_key() {
    let file = File { directory: tempfile::tempdir().unwrap() };
    write(&file, &every_type(), vec![inserts(every_value())]).unwrap();
    for (change, expected) in [
        ("bool = 2", "column `bool` holds 2, which is no bool"),
        ("narrow = 0.001", "column `narrow` holds 0.001, which is no decimal(5,2)"),
        ("narrow = 1000", "column `narrow` holds 1000, which is no decimal(5,2)"),
        ("wide = '1.5'", "column `wide` holds '1.5', which is no decimal(38,10)"),
        ("date = '2023-02-29'", "column `date` holds '2023-02-29', which is no date"),
        ("text = cast(x'ff' as text)", "which is no text"),
    ] {
        let copy = File { directory: tempfile::tempdir().unwrap() };
        std::fs::copy(file.path(), copy.path()).unwrap();
        by_hand::run(&copy.path(), &format!("update \"every type\" set {change} where key = 'a'"));
        let error = error_of(scan(&copy, &every_type()));
        assert_eq!(error.kind, SinkErrorKind::Value);
        assert!(error.message.contains(expected), "{error}");
        assert!(error.message.contains("table `every type`") && error.message.contains("key = 'a'"), "{error}");
    }
}

#[test]
fn a_minus_zero_is_read_as_zero() {
    let file = File { directory: tempfile::tempdir().unwrap() };
    let mut columns: Vec<ArrayRef> = every_value().slice(0, 1).columns().to_vec();
    columns[3] = Arc::new(Float64Array::from(vec![-0.0]));
    let rows = RecordBatch::try_new(every_type().schema.to_arrow(), columns).unwrap();
    write(&file, &every_type(), vec![inserts(rows)]).unwrap();
    let found = scan(&file, &every_type()).unwrap();
    let found = found[0].column(3).as_any().downcast_ref::<Float64Array>().unwrap().value(0);
    assert_eq!(found.to_bits(), 0.0_f64.to_bits());
}
