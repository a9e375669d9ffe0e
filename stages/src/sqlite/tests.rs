//! Tests of the sink on databases in temporary directories.

#![allow(clippy::unwrap_used)]

mod by_hand;
mod epochs;
mod kill;
mod layouts;
mod migrations;
mod planning;
mod trouble;
mod values;

use std::{path::Path, sync::Arc};

use arrow_array::{Array, Int64Array, RecordBatch, StringArray};
use vardelta_engine::sink::{Access, ChangeBatch, Op, Sink, SinkError, SinkErrorKind, SinkStage};
use vardelta_schemas::{
    Column, ColumnType, Schema, TableSchema,
    ledger::{DropRow, EpochRecord, Event, RecordCounts, RejectRow, TableCounts},
};

use super::PlannedSqlite;

/// The pipeline that most tests run.
const PIPELINE: &str = "p";

fn connect(path: &Path, access: Access) -> Result<Box<dyn Sink>, SinkError> {
    PlannedSqlite { path: path.to_owned() }.connect(access)
}

fn open(path: &Path) -> Box<dyn Sink> {
    connect(path, Access::Write).unwrap()
}

/// The error of something that must fail; a connection has no `Debug`.
fn error_of<T>(result: Result<T, SinkError>) -> SinkError {
    result.err().expect("it should have failed")
}

/// A table with a text key and a nullable number.
fn numbers(name: &str) -> TableSchema {
    let columns = vec![Column::required("name", ColumnType::Text), Column::nullable("number", ColumnType::Int64)];
    TableSchema { name: name.into(), schema: Schema::new(columns), key: vec![0] }
}

/// A change of a table of [`numbers`].
type Change = (Op, &'static str, Option<i64>);

fn rows<'a>(table: &TableSchema, changes: impl Iterator<Item = &'a Change> + Clone) -> RecordBatch {
    let names = StringArray::from_iter_values(changes.clone().map(|change| change.1));
    let numbers: Int64Array = changes.map(|change| change.2).collect();
    RecordBatch::try_new(table.schema.to_arrow(), vec![Arc::new(names), Arc::new(numbers)]).unwrap()
}

fn batch(table: &TableSchema, changes: &[Change]) -> ChangeBatch {
    ChangeBatch {
        ops: changes.iter().map(|change| change.0).collect(),
        new: rows(table, changes.iter().filter(|change| change.0 != Op::Delete)),
        old: rows(table, changes.iter().filter(|change| change.0 != Op::Insert)),
    }
}

fn apply(sink: &mut dyn Sink, table: &TableSchema, epoch: u64, changes: &[Change]) -> Result<(), SinkError> {
    sink.apply(table, epoch, &mut [Ok(batch(table, changes))].into_iter())
}

fn record(pipeline: &str, epoch: u64) -> EpochRecord {
    EpochRecord {
        pipeline: pipeline.into(),
        epoch,
        committed_at: format!("2026-01-01T00:00:{epoch:02}Z"),
        definition: format!("{{\"epoch\":{epoch}}}"),
        upserted_drops: Vec::new(),
        withdrawn_drops: Vec::new(),
        events: Vec::new(),
        tables: Vec::new(),
    }
}

/// Commits one epoch with these changes.
fn load(path: &Path, epoch: u64, changes: &[Change]) {
    let table = numbers("t");
    let mut sink = open(path);
    sink.begin(PIPELINE, epoch - 1, std::slice::from_ref(&table), false).unwrap();
    apply(sink.as_mut(), &table, epoch, changes).unwrap();
    sink.commit(&record(PIPELINE, epoch)).unwrap();
}

/// The rows of a table of [`numbers`], in order of their names.
fn contents(path: &Path, table: &TableSchema) -> Vec<(String, Option<i64>)> {
    let mut found = Vec::new();
    let mut sink = connect(path, Access::Read).unwrap();
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

fn counts(read: u64) -> RecordCounts {
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

fn drop_row(drop_id: u64, name: &str, epoch: u64) -> DropRow {
    DropRow {
        drop_id,
        source: "calls".into(),
        name: name.into(),
        path: format!("/drops/{name}.vcf.gz"),
        bytes_digest: "b".repeat(32),
        content_digest: "c".repeat(32),
        added_epoch: epoch,
        loaded_epoch: epoch,
        counts: counts(10),
    }
}

fn event(epoch: u64, drop_id: Option<u64>, name: &str, action: &str) -> Event {
    Event {
        epoch,
        committed_at: format!("2026-01-01T00:00:{epoch:02}Z"),
        drop_id,
        source: "calls".into(),
        name: name.into(),
        action: action.into(),
        counts: counts(10),
    }
}
