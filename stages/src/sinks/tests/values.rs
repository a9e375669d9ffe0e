//! Every type goes in and comes out bit for bit, and what cannot is refused.

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use vardelta_engine::contract::sink::{Access, ChangeBatch, Op, SinkError, SinkErrorKind};
use vardelta_schemas::{Column, ColumnType, Schema, TableSchema, ledger::Epoch};

use crate::sinks::{shared::fixtures::*, tests::Db};

pub(in crate::sinks) fn write(db: &dyn Db, table: &TableSchema, changes: Vec<ChangeBatch>) -> Result<(), SinkError> {
    let mut sink = db.open();
    let epoch = sink.ledger(PIPELINE)?.epoch;
    sink.begin(&starting(PIPELINE, epoch.number(), std::slice::from_ref(table), false))?;
    sink.apply(table, epoch.next(), &mut changes.into_iter().map(Ok))?;
    sink.commit(&record(PIPELINE, epoch.next().number()))
}

/// The rows in the order of `every_value`: no order is promised, and the servers have their own.
pub(in crate::sinks) fn scan(db: &dyn Db, table: &TableSchema) -> Result<Vec<RecordBatch>, SinkError> {
    let mut batches = Vec::new();
    db.connect(Access::Read)?.scan(table, &mut |batch| {
        batches.push(batch);
        Ok(())
    })?;
    Ok(batches)
}

/// Variants: a bounded text, a position, and an allele of any length as the key.
pub(in crate::sinks) fn alleles() -> TableSchema {
    let columns = vec![
        Column::required("chrom", ColumnType::Text),
        Column::required("pos", ColumnType::Int64),
        Column::required("alt", ColumnType::Text),
        Column::nullable("n", ColumnType::Int64),
    ];
    TableSchema { name: "alleles".into(), schema: Schema::new(columns), key: vec![0, 1, 2] }
}

pub(in crate::sinks) fn allele_rows(alternates: &[String], number: i64) -> RecordBatch {
    let count = alternates.len();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["1"; count])),
        Arc::new(Int64Array::from(vec![7; count])),
        Arc::new(StringArray::from_iter_values(alternates)),
        Arc::new(Int64Array::from(vec![number; count])),
    ];
    RecordBatch::try_new(alleles().schema.to_arrow(), columns).unwrap()
}

pub(crate) fn every_type_comes_back_bit_for_bit(db: &dyn Db) {
    let values = every_value();
    write(db, &every_type(), vec![inserts(values.clone())]).unwrap();
    // The rows of `every_value` are in the order of their keys, bytewise.
    assert_eq!(scan(db, &every_type()).unwrap(), std::slice::from_ref(&values));
    // An update writes each value as an insert does.
    let update = |new: RecordBatch, old: RecordBatch| ChangeBatch { ops: vec![Op::Update; 6], new, old };
    let mut turned: Vec<ArrayRef> = values.columns().to_vec();
    let turn = |array: &ArrayRef| arrow_select::concat::concat(&[&array.slice(3, 3), &array.slice(0, 3)]).unwrap();
    for column in &mut turned[1..] {
        *column = turn(column);
    }
    let turned = RecordBatch::try_new(values.schema(), turned).unwrap();
    write(db, &every_type(), vec![update(turned.clone(), values)]).unwrap();
    assert_eq!(scan(db, &every_type()).unwrap(), std::slice::from_ref(&turned));
    let delete = ChangeBatch { ops: vec![Op::Delete; 6], new: RecordBatch::new_empty(turned.schema()), old: turned };
    write(db, &every_type(), vec![delete]).unwrap();
    assert_eq!(scan(db, &every_type()).unwrap(), []);
}

pub(crate) fn values_are_kept_in_the_declared_forms(db: &dyn Db) {
    let t = |text| db.text(text);
    write(db, &every_type(), vec![inserts(every_value())]).unwrap();
    assert_eq!(
        db.query("select * from `every type` where `key` in ('', 'a', 'NULL') order by `key`"),
        [
            format!("{}|NULL|NULL|NULL|NULL|NULL|NULL|NULL|1", t("")),
            format!(
                "{}|1|9223372036854775807|1.7976931348623157e308|999.99|{}|{}|{}|1",
                t("NULL"),
                t("9999999999999999999999999999.9999999999"),
                t(""),
                t("1970-01-01")
            ),
            format!(
                "{}|0|-9223372036854775808|2.781342323134e-309|-999.99|{}|{}|{}|1",
                t("a"),
                t("-9999999999999999999999999999.9999999999"),
                t("'; --"),
                t("0000-01-01")
            ),
        ]
    );
}

pub(crate) fn every_type_can_be_a_key(db: &dyn Db) {
    let values = every_value();
    for key in 1..values.num_columns() {
        // Required, so without the row of NULLs, and nullable, with it.
        let nullable = TableSchema { name: format!("nullable{key}"), key: vec![key], ..every_type() };
        let mut columns = every_type().schema.columns().to_vec();
        columns[key].nullable = false;
        let required = TableSchema { name: format!("required{key}"), schema: Schema::new(columns), key: vec![key] };
        let distinct = if key == 1 { values.slice(1, 2) } else { values.slice(1, 5) };
        let distinct = RecordBatch::try_new(required.schema.to_arrow(), distinct.columns().to_vec()).unwrap();
        let with_null = if key == 1 { values.slice(0, 3) } else { values.clone() };
        for (table, rows) in [(required, distinct), (nullable, with_null)] {
            write(db, &table, vec![inserts(rows.clone())]).unwrap();
            let again = error_of(write(db, &table, vec![inserts(rows.slice(0, 1))]));
            assert!(again.message.contains("is there already"), "{again}");
            let ops = vec![Op::Update; rows.num_rows()];
            write(db, &table, vec![ChangeBatch { ops, new: rows.clone(), old: rows.clone() }]).unwrap();
            let (ops, new) = (vec![Op::Delete; rows.num_rows()], RecordBatch::new_empty(rows.schema()));
            write(db, &table, vec![ChangeBatch { ops, new, old: rows }]).unwrap();
            assert_eq!(scan(db, &table).unwrap(), []);
        }
    }
}

/// A row may change in the epoch that put it in place: its epoch does not tell the two apart, every other bit must.
pub(crate) fn a_row_of_the_same_epoch_is_updated_by_its_last_bit(db: &dyn Db) {
    let columns = vec![
        Column::required("name", ColumnType::Text),
        Column::nullable("x", ColumnType::Float64),
        Column::nullable("text", ColumnType::Text),
    ];
    let table = TableSchema { name: "t".into(), schema: Schema::new(columns), key: vec![0] };
    let row = |(x, text): &(Option<f64>, Option<&str>)| {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec!["k"])),
            Arc::new(Float64Array::from(vec![*x])),
            Arc::new(StringArray::from(vec![*text])),
        ];
        RecordBatch::try_new(table.schema.to_arrow(), columns).unwrap()
    };
    let steps = [
        (Some(-0.0), Some("a")),
        (Some(0.0), Some("a")),
        (Some(5e-324), Some("a")),
        (Some(0.1), Some("a")),
        (Some(0.1 + f64::EPSILON / 8.0), Some("a")),
        (None, Some("a ")),
        (None, Some("A")),
        (None, Some("")),
        (None, None),
        (Some(-0.0), Some("\u{e9}")),
        // A server may keep -0.0 as 0.0.
        (Some(0.5), Some("e\u{301}")),
    ];
    let mut sink = db.open();
    sink.begin(&starting(PIPELINE, 0, std::slice::from_ref(&table), false)).unwrap();
    sink.apply(&table, Epoch::FIRST, &mut [Ok(inserts(row(&steps[0])))].into_iter()).unwrap();
    for step in steps.windows(2) {
        let update = ChangeBatch { ops: vec![Op::Update], old: row(&step[0]), new: row(&step[1]) };
        let applied = sink.apply(&table, Epoch::FIRST, &mut [Ok(update)].into_iter());
        assert!(applied.is_ok(), "{step:?}: {:?}", applied.err());
    }
    sink.commit(&record(PIPELINE, 1)).unwrap();
    assert_eq!(scan(db, &table).unwrap(), [row(&steps[10])]);
}

pub(crate) fn a_table_without_key_has_one_row(db: &dyn Db) {
    let table = TableSchema { key: vec![], ..numbers("t") };
    write(db, &table, vec![batch(&table, &[(Op::Insert, "all", Some(1))])]).unwrap();
    write(db, &table, vec![batch(&table, &[(Op::Update, "all", Some(2))])]).unwrap();
    assert_eq!(db.contents(&table), [("all".into(), Some(2))]);
    let error = error_of(write(db, &table, vec![batch(&table, &[(Op::Insert, "all", Some(3))])]));
    assert!(error.message.contains("disagree at its one row"), "{error}");
    write(db, &table, vec![batch(&table, &[(Op::Delete, "all", None)])]).unwrap();
    let error = error_of(write(db, &table, vec![batch(&table, &[(Op::Update, "all", Some(3))])]));
    assert!(error.message.contains("is not there"), "{error}");
}

pub(crate) fn alleles_of_any_length_are_told_apart(db: &dyn Db) {
    // Equal up to the last base, beyond every limit of an index, and one longer than a TEXT.
    let long = |last: &str| format!("{}{last}", "ACGT".repeat(1500));
    let mut alternates = vec![long("A"), long("C"), long(""), "A".into(), "AC".into(), "T".repeat(100_000)];
    alternates.sort_unstable();
    write(db, &alleles(), vec![inserts(allele_rows(&alternates, 1))]).unwrap();
    let error = error_of(write(db, &alleles(), vec![inserts(allele_rows(&alternates[3..4], 2))]));
    assert!(error.message.contains("is there already"), "{error}");
    let (new, old) = (allele_rows(&alternates, 2), allele_rows(&alternates, 1));
    write(db, &alleles(), vec![ChangeBatch { ops: vec![Op::Update; 6], new: new.clone(), old }]).unwrap();
    assert_eq!(
        db.query("select count(*), count(distinct alt), min(n), max(length(alt)) from alleles"),
        ["6|6|2|100000"]
    );
    let (gone, none) = (new.slice(0, 3), RecordBatch::new_empty(new.schema()));
    write(db, &alleles(), vec![ChangeBatch { ops: vec![Op::Delete; 3], new: none, old: gone }]).unwrap();
    // The servers order by the first kilobyte of a text alone.
    let mut left = db.query("select alt from alleles");
    left.sort_unstable();
    let mut expected: Vec<String> = alternates[3..].iter().map(|text| db.text(text)).collect();
    expected.sort_unstable();
    assert!(left == expected);
}

pub(crate) fn large_tables_come_in_batches(db: &dyn Db) {
    let columns = vec![Column::required("id", ColumnType::Int64)];
    let table = TableSchema { name: "t".into(), schema: Schema::new(columns), key: vec![0] };
    let ids = |range| {
        RecordBatch::try_new(table.schema.to_arrow(), vec![Arc::new(Int64Array::from_iter_values(range))]).unwrap()
    };
    write(db, &table, vec![inserts(ids(0..5000)), inserts(ids(5000..16_390))]).unwrap();
    assert_eq!(scan(db, &table).unwrap(), [ids(0..8192), ids(8192..16_384), ids(16_384..16_390)]);
    let none = RecordBatch::new_empty(table.schema.to_arrow());
    let update = ChangeBatch { ops: vec![Op::Update; 1200], new: ids(0..1200), old: ids(0..1200) };
    let delete = ChangeBatch { ops: vec![Op::Delete; 1201], new: none, old: ids(15_189..16_390) };
    write(db, &table, vec![update, delete]).unwrap();
    assert_eq!(db.query("select count(*), sum(changed_epoch = 2), max(id) from t"), ["15189|1200|15188"]);
}

pub(crate) fn what_a_column_cannot_hold_is_refused_with_table_and_key(db: &dyn Db) {
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
        let error = error_of(write(db, &every_type(), vec![inserts(rows)]));
        assert_eq!(error.kind, SinkErrorKind::Value);
        assert!(error.message.contains(expected), "{error}");
        assert!(error.message.starts_with("table `every type`, key = ''"), "{error}");
    }
}
