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

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::{Array, Int64Array, RecordBatch, StringArray};
use tempfile::TempDir;
use vardelta_engine::contract::sink::{Access, ChangeBatch, EpochStart, Op, Sink, SinkError, SinkErrorKind, SinkStage};
use vardelta_schemas::{
    Column, ColumnType, Schema, TableSchema,
    ledger::{EpochRecord, RecordCounts},
};

use crate::sinks::{
    shared::{constraints::OnConstraint, fixtures::*, marks::OnDelete},
    sqlite::{PlannedSqlite, constraints::Kept},
    tests::{Db, contract},
};

fn planned(path: &Path) -> PlannedSqlite {
    PlannedSqlite {
        path: path.to_owned(),
        history: Vec::new(),
        on_delete: OnDelete::Delete,
        kept: Kept::default(),
        checks: Vec::new(),
        on_constraint: OnConstraint::Abort,
    }
}

fn connect(path: &Path, access: Access) -> Result<Box<dyn Sink>, SinkError> {
    planned(path).connect(access)
}

fn open(path: &Path) -> Box<dyn Sink> {
    connect(path, Access::Write).unwrap()
}

/// A file in a directory of its own.
struct File {
    directory: TempDir,
}

impl File {
    fn path(&self) -> PathBuf {
        self.directory.path().join("x.sqlite")
    }
}

impl Db for File {
    fn connect(&self, access: Access) -> Result<Box<dyn Sink>, SinkError> {
        connect(&self.path(), access)
    }

    fn place(&self) -> String {
        self.path().display().to_string()
    }

    fn query(&self, query: &str) -> Vec<String> {
        by_hand::query(&self.path(), query)
    }

    fn text(&self, text: &str) -> String {
        format!("'{text}'")
    }

    fn dump(&self) -> Vec<String> {
        by_hand::dump(&self.path())
    }

    fn has_room_for_two_writers(&self) -> bool {
        false
    }

    fn spellings_of_t(&self) -> &'static [&'static str] {
        &["t", "T"]
    }
}

/// Runs a test on a file that is not there yet.
fn on_a_file(_test: &str, run: impl Fn(File)) {
    run(File { directory: tempfile::tempdir().unwrap() });
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

contract!(on_a_file);
