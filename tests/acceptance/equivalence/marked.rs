//! A pipeline whose rows stay marked when they go: its tables are the views of the live rows, and at every look the marked
//! ones must be exactly those that were there and no longer are, as they last were.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::Value;
use vardelta_tests::{
    database::{self, Key, Rows, Tables},
    pipelines::Pipeline,
};

use super::drivers::{Driver, Request};

/// The tables in which a value may come to light in any epoch: views with `min`, `max` and their kin, joins, the first rows of groups, and views of views. An erasure
/// takes more marked rows out of them. Each with its pipeline's database.
const HIDING: &[(&str, &str)] = &[
    ("cohort.sqlite", "per_chromosome"),
    ("cohort.sqlite", "per_gene"),
    ("cohort.sqlite", "everything"),
    ("cohort.sqlite", "observation_totals"),
    ("layers.sqlite", "busy"),
    ("layers.sqlite", "sizes"),
    ("layers.sqlite", "notable_totals"),
    ("joins.sqlite", "placed_sites"),
    ("joins.sqlite", "gene_sites"),
    ("joins.sqlite", "known_gene_sites"),
    ("joins.sqlite", "observed"),
    ("joins.sqlite", "rivals"),
    ("joins.sqlite", "chained"),
    ("joins.sqlite", "chained_known"),
    ("joins.sqlite", "alike_counts"),
    ("joins.sqlite", "place_sizes"),
    ("summaries.sqlite", "per_gene"),
    ("summaries.sqlite", "gene_lists"),
    ("summaries.sqlite", "gene_middles"),
    ("summaries.sqlite", "everything"),
    ("summaries.sqlite", "best"),
    ("summaries.sqlite", "rarest"),
    ("summaries.sqlite", "best_lists"),
    ("summaries.sqlite", "busiest"),
];

/// Another driver over a pipeline with `on_delete = "mark"`.
pub struct Marked<D> {
    driver: D,
    epoch: Cell<i64>,
    /// What was live at the last look.
    live: RefCell<Tables>,
    /// What must be marked.
    gone: RefCell<Tables>,
    /// The epochs that were about each drop that is not erased.
    epochs: RefCell<BTreeMap<String, BTreeSet<i64>>>,
    /// The epochs of the drops that the last run erased.
    erased: RefCell<BTreeSet<i64>>,
}

impl<D: Driver> Marked<D> {
    pub fn new(driver: D) -> Marked<D> {
        Marked {
            driver,
            epoch: Cell::default(),
            live: RefCell::default(),
            gone: RefCell::default(),
            epochs: RefCell::default(),
            erased: RefCell::default(),
        }
    }

    /// Reckons what has gone since the last look.
    fn look(&self, pipeline: &Pipeline, live: &Tables) -> Tables {
        let before = self.live.replace(live.clone());
        let mut gone = self.gone.borrow_mut();
        for (table, now) in &live.rows {
            let Tables { rows, changed } = &mut *gone;
            let (rows, changed) = (rows.entry(table.clone()).or_default(), changed.entry(table.clone()).or_default());
            for (key, row) in before.rows.get(table).into_iter().flatten().filter(|(key, _)| !now.contains_key(*key)) {
                rows.insert(key.clone(), row.clone());
                changed.insert(key.clone(), self.epoch.get());
            }
            rows.retain(|key, _| !now.contains_key(key));
            changed.retain(|key, _| !now.contains_key(key));
            self.forget((pipeline.database, table), rows, changed);
        }
        gone.clone()
    }

    /// Takes out what was marked in an epoch of the drops that were erased.
    fn forget(&self, table: (&str, &str), rows: &mut Rows, changed: &mut BTreeMap<Vec<database::Cell>, i64>) {
        let erased = self.erased.borrow();
        let Some(first) = erased.first() else { return };
        let is_forgotten = |epoch: &i64| erased.contains(epoch) || (HIDING.contains(&table) && epoch >= first);
        changed.retain(|_, epoch| !is_forgotten(epoch));
        rows.retain(|key, _| changed.contains_key(key));
    }

    /// Remembers which epoch was about which drop.
    fn remember(&self, report: &Value) {
        let (mut epochs, mut erased) = (self.epochs.borrow_mut(), self.erased.borrow_mut());
        erased.clear();
        for drop in report["drops"].as_array().expect("a report lists its drops") {
            let name = drop["name"].as_str().expect("a drop has a name").to_owned();
            match drop["action"].as_str() {
                Some("unchanged") => {}
                Some("erased") => {
                    erased.extend(epochs.remove(&name).unwrap_or_default());
                    erased.insert(self.epoch.get());
                }
                _ => {
                    epochs.entry(name).or_default().insert(self.epoch.get());
                }
            }
        }
    }
}

impl<D: Driver> Driver for Marked<D> {
    fn directory(&self) -> &Path {
        self.driver.directory()
    }

    fn run(&self, request: &Request) -> Value {
        let report = self.driver.run(request);
        if !request.dry_run {
            self.epoch.set(report["epoch"].as_i64().expect("a report has an epoch"));
            self.remember(&report);
        }
        report
    }

    fn verify(&self) -> u64 {
        self.driver.verify()
    }

    fn tables_called(&self, pipeline: &Pipeline, keys: &[Key<'_>]) -> Tables {
        self.driver.tables_called(pipeline, keys)
    }

    fn marked(&self, pipeline: &Pipeline) -> Tables {
        self.driver.marked(pipeline)
    }

    fn tables(&self, pipeline: &Pipeline) -> Tables {
        let views: Vec<String> = pipeline.keys.iter().map(|(table, _)| format!("{table}_live")).collect();
        let keys: Vec<Key<'_>> =
            views.iter().zip(pipeline.keys).map(|(view, (_, key))| (view.as_str(), *key)).collect();
        let found = self.tables_called(pipeline, &keys);
        let tables = Tables { rows: called_as_tables(found.rows), changed: called_as_tables(found.changed) };
        assert_eq!(self.marked(pipeline), self.look(pipeline, &tables), "the marked rows are those that went");
        tables
    }
}

fn called_as_tables<T>(of_views: BTreeMap<String, T>) -> BTreeMap<String, T> {
    of_views.into_iter().map(|(view, rows)| (view.trim_end_matches("_live").to_owned(), rows)).collect()
}
