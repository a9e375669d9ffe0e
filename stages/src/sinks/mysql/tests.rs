//! Tests of the sink on real servers: each runs on MariaDB and on MySQL, where they are installed.

#![allow(clippy::unwrap_used)]

mod by_hand;
mod constraints;
mod contention;
mod epochs;
mod fills;
mod gone;
mod indexes;
mod layouts;
mod loss;
mod marks;
mod partitions;
mod planning;
mod rebuild;
mod secrets;
mod tls;
mod trouble;
mod values;

use std::{sync::Arc, time::Duration};

use arrow_array::{Array, Int64Array, RecordBatch, StringArray};
use vardelta_engine::contract::sink::{Access, ChangeBatch, EpochStart, Op, Sink, SinkError, SinkErrorKind, SinkStage};
use vardelta_schemas::{Column, ColumnType, Schema, TableSchema};
use vardelta_test_servers::{Server, each};

use crate::sinks::{
    mysql::{
        PlannedMySql,
        settings::{PlannedIndex, Settings, read_url},
        tls::Tls,
    },
    shared::{
        constraints::{OnConstraint, PlannedConstraint},
        fixtures::*,
        marks::OnDelete,
    },
    tests::{Db as Database, contract},
};

/// A database, and how it is connected to.
struct Db {
    server: &'static Server,
    name: String,
    settings: Settings,
}

impl Db {
    fn new(server: &'static Server, name: &str) -> Db {
        Db { server, name: name.to_owned(), settings: settings(&server.url(name)) }
    }

    /// The same database, with rows going by INSERT.
    fn by_insert(self) -> Db {
        Db { settings: Settings { local_infile: false, ..self.settings }, ..self }
    }

    fn run(&self, statements: &[&str]) {
        by_hand::run(&mut self.server.root_in(&self.name), statements);
    }
}

impl Database for Db {
    fn connect(&self, access: Access) -> Result<Box<dyn Sink>, SinkError> {
        PlannedMySql { settings: self.settings.clone(), checks: Vec::new() }.connect(access)
    }

    fn place(&self) -> String {
        self.settings.location.clone()
    }

    fn query(&self, query: &str) -> Vec<String> {
        by_hand::query(&mut self.server.root_in(&self.name), query)
    }

    fn text(&self, text: &str) -> String {
        text.to_owned()
    }

    fn dump(&self) -> Vec<String> {
        by_hand::dump(&mut self.server.root_in(&self.name))
    }

    fn has_room_for_two_writers(&self) -> bool {
        true
    }

    fn spellings_of_t(&self) -> &'static [&'static str] {
        &["t"]
    }
}

pub(super) fn settings(url: &str) -> Settings {
    let (options, location) = read_url(url, None).unwrap();
    Settings {
        options,
        location,
        tls: Tls::Preferred,
        tls_ca: None,
        local_infile: true,
        lock_wait_seconds: 2,
        reconnect_timeout: Duration::from_secs(30),
        retries: 8,
        text_characters: Default::default(),
        indexes: Vec::new(),
        unique: Vec::new(),
        partition_by: None,
        history: Vec::new(),
        constraints: Vec::new(),
        on_constraint: OnConstraint::Abort,
        on_delete: OnDelete::Delete,
    }
}

/// Runs a test on an empty database of each server.
fn on_each(test: &str, run: impl Fn(Db)) {
    each(test, |server, database| run(Db::new(server, database)));
}

/// Runs a test on each server and both load paths.
fn on_each_path(test: &str, run: impl Fn(Db)) {
    on_each(test, &run);
    on_each(test, |db| run(db.by_insert()));
}

contract!(on_each_path);
