//! Tests of the sink on databases in temporary directories.

#![allow(clippy::unwrap_used)]

mod by_hand;
mod constraints;
mod epochs;
mod kill;
mod layouts;
mod many;
mod marks;
mod migrations;
mod planning;
mod trouble;
mod values;

use std::{path::Path, sync::Arc};

use arrow_array::{Array, Int64Array, RecordBatch, StringArray};
use vardelta_engine::contract::sink::{Access, ChangeBatch, EpochStart, Op, Sink, SinkError, SinkErrorKind, SinkStage};
use vardelta_schemas::{
    Column, ColumnType, Schema, TableSchema,
    ledger::{DropRow, EpochRecord, RecordCounts, RejectRow, TableCounts},
};

use crate::sinks::{
    shared::{constraints::OnConstraint, fixtures::*, marks::OnDelete},
    sqlite::PlannedSqlite,
};

fn planned(path: &Path) -> PlannedSqlite {
    PlannedSqlite {
        path: path.to_owned(),
        history: Vec::new(),
        on_delete: OnDelete::Delete,
        constraints: Vec::new(),
        on_constraint: OnConstraint::Abort,
    }
}

fn connect(path: &Path, access: Access) -> Result<Box<dyn Sink>, SinkError> {
    planned(path).connect(access)
}

fn open(path: &Path) -> Box<dyn Sink> {
    connect(path, Access::Write).unwrap()
}

/// Commits one epoch with these changes.
fn load(path: &Path, epoch: u64, changes: &[Change]) {
    let table = numbers("t");
    let mut sink = open(path);
    sink.begin(&starting(PIPELINE, epoch - 1, std::slice::from_ref(&table), false)).unwrap();
    apply(sink.as_mut(), &table, epoch, changes).unwrap();
    sink.commit(&record(PIPELINE, epoch)).unwrap();
}

/// The rows of a table of [`numbers`], in order of their names.
fn contents(path: &Path, table: &TableSchema) -> Vec<(String, Option<i64>)> {
    scan_numbers(connect(path, Access::Read).unwrap().as_mut(), table)
}
