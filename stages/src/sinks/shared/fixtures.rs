//! What the tests of every sink write: small tables, changes, and the ledger's records.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
};
use vardelta_engine::contract::sink::{ChangeBatch, EpochStart, Op, Sink, SinkError};
use vardelta_schemas::{
    Column, ColumnType, Identity, Schema, TableSchema,
    ledger::{DropId, DropRow, Epoch, EpochId, EpochRecord, Event, LookupChanges, RecordCounts},
};

/// The pipeline that most tests run.
pub(crate) const PIPELINE: &str = "p";

/// The error of something that must fail; a connection has no `Debug`.
pub(crate) fn error_of<T>(result: Result<T, SinkError>) -> SinkError {
    result.err().expect("it should have failed")
}

/// A table with a text key and a nullable number.
pub(crate) fn numbers(name: &str) -> TableSchema {
    let columns = vec![Column::required("name", ColumnType::Text), Column::nullable("number", ColumnType::Int64)];
    TableSchema { name: name.into(), schema: Schema::new(columns), key: vec![0] }
}

/// A change of a table of [`numbers`].
pub(crate) type Change = (Op, &'static str, Option<i64>);

pub(crate) fn rows<'a>(table: &TableSchema, changes: impl Iterator<Item = &'a Change> + Clone) -> RecordBatch {
    let names = StringArray::from_iter_values(changes.clone().map(|change| change.1));
    let numbers: Int64Array = changes.map(|change| change.2).collect();
    RecordBatch::try_new(table.schema.to_arrow(), vec![Arc::new(names), Arc::new(numbers)]).unwrap()
}

pub(crate) fn batch(table: &TableSchema, changes: &[Change]) -> ChangeBatch {
    ChangeBatch {
        ops: changes.iter().map(|change| change.0).collect(),
        new: rows(table, changes.iter().filter(|change| change.0 != Op::Delete)),
        old: rows(table, changes.iter().filter(|change| change.0 != Op::Insert)),
    }
}

pub(crate) fn apply(sink: &mut dyn Sink, table: &TableSchema, epoch: u64, changes: &[Change]) -> Result<(), SinkError> {
    sink.apply(table, Epoch::new(epoch), &mut [Ok(batch(table, changes))].into_iter())
}

/// The start of an epoch without histories.
pub(crate) fn starting<'a>(
    pipeline: &'a str,
    expected_epoch: u64,
    tables: &'a [TableSchema],
    replace_tables: bool,
) -> EpochStart<'a> {
    let committed_at = "2026-01-01T00:00:00Z";
    EpochStart {
        pipeline,
        expected: epoch_id(pipeline, expected_epoch),
        committed_at,
        tables,
        history: &[],
        replace_tables,
    }
}

/// An identity that tests can name.
pub(crate) fn identity(number: u64) -> Identity {
    Identity::from_bytes(u128::from(number).to_be_bytes())
}

/// The identity of a pipeline.
pub(crate) fn pipeline_identity(pipeline: &str) -> Identity {
    identity(pipeline.bytes().fold(1 << 32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte))))
}

/// An epoch that [`record`] wrote.
pub(crate) fn epoch_id(pipeline: &str, epoch: u64) -> EpochId {
    let of = |identity| (epoch > 0).then_some(identity);
    EpochId { number: Epoch::new(epoch), identity: of(identity(epoch)), pipeline: of(pipeline_identity(pipeline)) }
}

pub(crate) fn record(pipeline: &str, epoch: u64) -> EpochRecord {
    EpochRecord {
        pipeline: pipeline.into(),
        epoch: Epoch::new(epoch),
        identity: identity(epoch),
        pipeline_identity: pipeline_identity(pipeline),
        committed_at: format!("2026-01-01T00:00:{epoch:02}Z"),
        definition: format!("{{\"epoch\":{epoch}}}"),
        upserted_drops: Vec::new(),
        withdrawn_drops: Vec::new(),
        withdrawn_members: Vec::new(),
        readmitted_members: Vec::new(),
        events: Vec::new(),
        tables: Vec::new(),
        warnings: Vec::new(),
        lookups: LookupChanges::default(),
    }
}

/// The rows of a table of [`numbers`], in order of their names.
pub(crate) fn scan_numbers(sink: &mut dyn Sink, table: &TableSchema) -> Vec<(String, Option<i64>)> {
    let mut found = Vec::new();
    sink.scan(table, &mut |batch| {
        let names = batch.column(0).as_any().downcast_ref::<StringArray>().unwrap();
        let numbers = batch.column(1).as_any().downcast_ref::<Int64Array>().unwrap();
        for row in 0..batch.num_rows() {
            found.push((names.value(row).to_string(), numbers.is_valid(row).then(|| numbers.value(row))));
        }
        Ok(())
    })
    .unwrap();
    found.sort();
    found
}

pub(crate) fn counts(read: u64) -> RecordCounts {
    RecordCounts {
        read,
        loaded: read - 4,
        filtered: 3,
        rejected: 1,
        duplicates: 0,
        no_alternate: 2,
        reference_blocks: 1,
    }
}

pub(crate) fn drop_row(drop_id: u64, name: &str, epoch: u64) -> DropRow {
    DropRow {
        drop_id: DropId::new(drop_id),
        identity: Some(identity(1000 + drop_id)),
        source: "calls".into(),
        name: name.into(),
        path: format!("/drops/{name}.vcf.gz"),
        bytes_digest: "b".repeat(32),
        content_digest: "c".repeat(32),
        added_epoch: Epoch::new(epoch),
        loaded_epoch: Epoch::new(epoch),
        counts: counts(10),
    }
}

pub(crate) fn event(epoch: u64, drop_id: Option<u64>, name: &str, action: &str) -> Event {
    Event {
        epoch: Epoch::new(epoch),
        committed_at: format!("2026-01-01T00:00:{epoch:02}Z"),
        drop_id: drop_id.map(DropId::new),
        source: "calls".into(),
        name: name.into(),
        action: action.into(),
        counts: counts(10),
    }
}

pub(crate) const NARROW: ColumnType = ColumnType::Decimal { precision: 5, scale: 2 };
pub(crate) const WIDE: ColumnType = ColumnType::Decimal { precision: 38, scale: 10 };

/// A table with a column of every type.
pub(crate) fn every_type() -> TableSchema {
    let columns = vec![
        Column::required("key", ColumnType::Text),
        Column::nullable("bool", ColumnType::Bool),
        Column::nullable("int64", ColumnType::Int64),
        Column::nullable("float64", ColumnType::Float64),
        Column::nullable("narrow", NARROW),
        Column::nullable("wide", WIDE),
        Column::nullable("text", ColumnType::Text),
        Column::nullable("date", ColumnType::Date),
    ];
    TableSchema { name: "every type".into(), schema: Schema::new(columns), key: vec![0] }
}

pub(crate) fn decimals(column_type: &ColumnType, values: Vec<Option<i128>>) -> ArrayRef {
    Arc::new(Decimal128Array::from(values).with_data_type(column_type.to_arrow()))
}

pub(crate) fn every_value() -> RecordBatch {
    let widest = 10_i128.pow(38) - 1;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["", "NULL", "a", "b", "Ünïcode ✓ 𝔊", "ü\0nul"])),
        Arc::new(BooleanArray::from(vec![None, Some(true), Some(false), None, Some(true), None])),
        Arc::new(Int64Array::from(vec![None, Some(i64::MAX), Some(i64::MIN), Some(0), Some(-1), Some(1 << 53 | 1)])),
        Arc::new(Float64Array::from(vec![
            None,
            Some(f64::MAX),
            Some(f64::MIN_POSITIVE / 8.0),
            Some(0.1),
            Some(-3.0),
            Some(9_007_199_254_740_993.0),
        ])),
        decimals(&NARROW, vec![None, Some(99_999), Some(-99_999), Some(0), Some(1), Some(333)]),
        decimals(&WIDE, vec![None, Some(widest), Some(-widest), Some(0), Some(-1), Some(10_000_000_000)]),
        Arc::new(StringArray::from(vec![None, Some(""), Some("'; --"), Some("123"), Some("é\u{301}"), Some("1e5")])),
        Arc::new(Date32Array::from(vec![None, Some(0), Some(-719_528), Some(2_932_896), Some(19_782), Some(-1)])),
    ];
    RecordBatch::try_new(every_type().schema.to_arrow(), columns).unwrap()
}

pub(crate) fn inserts(new: RecordBatch) -> ChangeBatch {
    let old = RecordBatch::new_empty(new.schema());
    ChangeBatch { ops: vec![Op::Insert; new.num_rows()], new, old }
}
