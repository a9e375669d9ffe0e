//! Every type goes in and comes out bit for bit, and what cannot is refused.

use arrow_array::{ArrayRef, Date32Array, Float64Array};

use crate::sinks::sqlite::tests::*;

fn write(path: &Path, table: &TableSchema, changes: Vec<ChangeBatch>) -> Result<(), SinkError> {
    let mut sink = open(path);
    let epoch = sink.ledger(PIPELINE)?.epoch;
    sink.begin(&starting(PIPELINE, epoch, std::slice::from_ref(table), false))?;
    sink.apply(table, epoch + 1, &mut changes.into_iter().map(Ok))?;
    sink.commit(&record(PIPELINE, epoch + 1))
}

fn scan(path: &Path, table: &TableSchema) -> Result<Vec<RecordBatch>, SinkError> {
    let mut batches = Vec::new();
    connect(path, Access::Read)?.scan(table, &mut |batch| {
        batches.push(batch);
        Ok(())
    })?;
    Ok(batches)
}

#[test]
fn every_type_comes_back_bit_for_bit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    let values = every_value();
    write(&path, &every_type(), vec![inserts(values.clone())]).unwrap();
    // The rows of `every_value` are in the order of their keys, bytewise.
    assert_eq!(scan(&path, &every_type()).unwrap(), std::slice::from_ref(&values));
    // An update writes each value as an insert does.
    let update = |new: RecordBatch, old: RecordBatch| ChangeBatch { ops: vec![Op::Update; 6], new, old };
    let mut turned: Vec<ArrayRef> = values.columns().to_vec();
    let turn = |array: &ArrayRef| arrow_select::concat::concat(&[&array.slice(3, 3), &array.slice(0, 3)]).unwrap();
    for column in &mut turned[1..] {
        *column = turn(column);
    }
    let turned = RecordBatch::try_new(values.schema(), turned).unwrap();
    write(&path, &every_type(), vec![update(turned.clone(), values)]).unwrap();
    assert_eq!(scan(&path, &every_type()).unwrap(), std::slice::from_ref(&turned));
    let delete = ChangeBatch { ops: vec![Op::Delete; 6], new: RecordBatch::new_empty(turned.schema()), old: turned };
    write(&path, &every_type(), vec![delete]).unwrap();
    assert_eq!(scan(&path, &every_type()).unwrap(), []);
}

#[test]
fn values_are_kept_in_the_declared_forms() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    write(&path, &every_type(), vec![inserts(every_value())]).unwrap();
    assert_eq!(
        by_hand::query(&path, "select * from \"every type\" where key in ('', 'a', 'NULL')"),
        [
            "''|NULL|NULL|NULL|NULL|NULL|NULL|NULL|1",
            "'NULL'|1|9223372036854775807|1.7976931348623157e308|999.99|'9999999999999999999999999999.9999999999'|''|\
         '1970-01-01'|1",
            "'a'|0|-9223372036854775808|2.781342323134e-309|-999.99|'-9999999999999999999999999999.9999999999'|''; --'|\
         '0000-01-01'|1",
        ]
    );
}

#[test]
fn every_type_can_be_a_key() {
    let dir = tempfile::tempdir().unwrap();
    let values = every_value();
    for key in 1..values.num_columns() {
        let path = dir.path().join(format!("{key}.sqlite"));
        // Required, so without the row of NULLs, and nullable, with it.
        let nullable = TableSchema { key: vec![key], ..every_type() };
        let mut columns = every_type().schema.columns().to_vec();
        columns[key].nullable = false;
        let required = TableSchema { name: "required".into(), schema: Schema::new(columns), key: vec![key] };
        let distinct = if key == 1 { values.slice(1, 2) } else { values.slice(1, 5) };
        let distinct = RecordBatch::try_new(required.schema.to_arrow(), distinct.columns().to_vec()).unwrap();
        let with_null = if key == 1 { values.slice(0, 3) } else { values.clone() };
        for (table, rows) in [(required, distinct), (nullable, with_null)] {
            write(&path, &table, vec![inserts(rows.clone())]).unwrap();
            let again = error_of(write(&path, &table, vec![inserts(rows.slice(0, 1))]));
            assert!(again.message.contains("is there already"), "{again}");
            let ops = vec![Op::Update; rows.num_rows()];
            write(&path, &table, vec![ChangeBatch { ops, new: rows.clone(), old: rows.clone() }]).unwrap();
            let (ops, new) = (vec![Op::Delete; rows.num_rows()], RecordBatch::new_empty(rows.schema()));
            write(&path, &table, vec![ChangeBatch { ops, new, old: rows }]).unwrap();
            assert_eq!(scan(&path, &table).unwrap(), []);
        }
    }
}

#[test]
fn a_table_without_key_has_one_row() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    let table = TableSchema { key: vec![], ..numbers("t") };
    write(&path, &table, vec![batch(&table, &[(Op::Insert, "all", Some(1))])]).unwrap();
    write(&path, &table, vec![batch(&table, &[(Op::Update, "all", Some(2))])]).unwrap();
    assert_eq!(contents(&path, &table), [("all".into(), Some(2))]);
    let error = error_of(write(&path, &table, vec![batch(&table, &[(Op::Insert, "all", Some(3))])]));
    assert!(error.message.contains("disagree at its one row"), "{error}");
    write(&path, &table, vec![batch(&table, &[(Op::Delete, "all", None)])]).unwrap();
    let error = error_of(write(&path, &table, vec![batch(&table, &[(Op::Update, "all", Some(3))])]));
    assert!(error.message.contains("is not there"), "{error}");
}

#[test]
fn large_tables_come_in_batches() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    let columns = vec![Column::required("id", ColumnType::Int64)];
    let table = TableSchema { name: "t".into(), schema: Schema::new(columns), key: vec![0] };
    let ids = |range| {
        RecordBatch::try_new(table.schema.to_arrow(), vec![Arc::new(Int64Array::from_iter_values(range))]).unwrap()
    };
    write(&path, &table, vec![inserts(ids(0..5000)), inserts(ids(5000..16_390))]).unwrap();
    assert_eq!(scan(&path, &table).unwrap(), [ids(0..8192), ids(8192..16_384), ids(16_384..16_390)]);
}

#[test]
fn what_a_column_cannot_hold_is_refused_with_table_and_key() {
    let dir = tempfile::tempdir().unwrap();
    let null: Vec<ArrayRef> = every_value().slice(0, 1).columns().to_vec();
    for (column, value, expected) in [
        (3, Arc::new(Float64Array::from(vec![f64::NAN])) as ArrayRef, "column `float64`: NaN is not a finite number"),
        (3, Arc::new(Float64Array::from(vec![f64::INFINITY])), "column `float64`: inf is not a finite number"),
        (4, decimals(&NARROW, vec![Some(100_000)]), "column `narrow`: 1000.00 does not fit decimal(5,2)"),
        (5, decimals(&WIDE, vec![Some(10_i128.pow(38))]), "does not fit decimal(38,10)"),
        (7, Arc::new(Date32Array::from(vec![i32::MAX])), "are outside the years 0 to 9999"),
    ] {
        let mut columns = null.clone();
        columns[column] = value;
        let rows = RecordBatch::try_new(every_type().schema.to_arrow(), columns).unwrap();
        let error = error_of(write(&dir.path().join("x.sqlite"), &every_type(), vec![inserts(rows)]));
        assert_eq!(error.kind, SinkErrorKind::Value);
        assert!(error.message.contains(expected), "{error}");
        assert!(error.message.starts_with("table `every type`, key = ''"), "{error}");
    }
}

#[test]
fn values_changed_by_hand_are_told_with_table_and_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    write(&path, &every_type(), vec![inserts(every_value())]).unwrap();
    for (change, expected) in [
        ("bool = 2", "column `bool` holds 2, which is no bool"),
        ("narrow = 0.001", "column `narrow` holds 0.001, which is no decimal(5,2)"),
        ("narrow = 1000", "column `narrow` holds 1000, which is no decimal(5,2)"),
        ("wide = '1.5'", "column `wide` holds '1.5', which is no decimal(38,10)"),
        ("date = '2023-02-29'", "column `date` holds '2023-02-29', which is no date"),
        ("text = cast(x'ff' as text)", "which is no text"),
    ] {
        let copy = dir.path().join("copy.sqlite");
        std::fs::copy(&path, &copy).unwrap();
        by_hand::run(&copy, &format!("update \"every type\" set {change} where key = 'a'"));
        let error = error_of(scan(&copy, &every_type()));
        assert_eq!(error.kind, SinkErrorKind::Value);
        assert!(error.message.contains(expected), "{error}");
        assert!(error.message.contains("table `every type`") && error.message.contains("key = 'a'"), "{error}");
    }
}

#[test]
fn a_minus_zero_is_read_as_zero() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.sqlite");
    let mut columns: Vec<ArrayRef> = every_value().slice(0, 1).columns().to_vec();
    columns[3] = Arc::new(Float64Array::from(vec![-0.0]));
    let rows = RecordBatch::try_new(every_type().schema.to_arrow(), columns).unwrap();
    write(&path, &every_type(), vec![inserts(rows)]).unwrap();
    let found = scan(&path, &every_type()).unwrap();
    let found = found[0].column(3).as_any().downcast_ref::<Float64Array>().unwrap().value(0);
    assert_eq!(found.to_bits(), 0.0_f64.to_bits());
}
