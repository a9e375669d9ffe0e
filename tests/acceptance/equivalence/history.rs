//! One random history: drops come, change, come again in other clothes, and go; after every step the tables are judged.

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::Value;
use vardelta_engine::run::RunOptions;
use vardelta_tests::{
    database::{Tables, assert_same_rows, changes, read_tables},
    drop_file::{self, Packing},
    in_process::Warehouse,
    model::{Counts, alleles::alleles},
    pipelines::Pipeline,
    random::Random,
    record::Line,
};

use super::drivers::{Driver, Request};

/// Names of drops, in the order in which one run loads new ones: a number counts as one (README, "Ledger order"). Few, so
/// that a withdrawn one comes back.
const NAMES: &[&str] = &["alpha", "beta", "d9", "d10", "delta", "gamma", "zeta"];

/// A history as it unfolds.
pub struct History<'a> {
    seed: u64,
    random: Random,
    pipeline: &'a Pipeline,
    driver: &'a dyn Driver,
    /// Bytes added to every record: with many of them a drop has several chunks.
    padding: usize,
    /// What lies in the directory of drops.
    files: BTreeMap<&'static str, Vec<Line>>,
    /// What is loaded, in ledger order.
    ledger: Vec<(&'static str, Vec<Line>)>,
    epoch: u64,
    tables: Tables,
    /// Runs whose first rows went to the sink before the last record was read.
    runs_ahead: u64,
    /// What was done, for the message of a failure.
    log: Vec<String>,
}

impl Drop for History<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "this history failed; VARDELTA_SEED={} VARDELTA_HISTORIES=1 repeats it:\n  {}",
                self.seed,
                self.log.join("\n  ")
            );
        }
    }
}

impl<'a> History<'a> {
    /// The history of a seed, not begun.
    pub fn new(seed: u64, pipeline: &'a Pipeline, driver: &'a dyn Driver) -> History<'a> {
        let mut random = Random::new(seed);
        // Chunks are about 1 MiB: two or seven of such records make one.
        let padding = if random.percent(6) { *random.pick(&[150_000, 400_000]) } else { 0 };
        let (files, ledger, log) = (BTreeMap::new(), Vec::new(), vec![format!("padding {padding}")]);
        let tables = driver.tables(pipeline);
        History { seed, random, pipeline, driver, padding, files, ledger, epoch: 0, tables, runs_ahead: 0, log }
    }

    /// Goes through the steps; returns in how many runs rows went to the sink ahead of the last record.
    pub fn play(mut self, steps: usize) -> u64 {
        // Some begin with so many files that the first rows are written before the last file is read.
        for _ in 0..if self.random.percent(40) { 4 } else { 1 } {
            self.change_files();
        }
        self.load(Request::default());
        for _ in 1..steps {
            match self.random.below(10) {
                0..=4 => {
                    self.change_files();
                    self.load(Request::default());
                }
                5 | 6 => self.redeliver(),
                7 | 8 => self.withdraw(),
                _ => {
                    self.remove_files();
                    if self.random.percent(50) {
                        self.change_files();
                    }
                    self.load(Request { prune: true, ..Request::default() });
                }
            }
            if self.random.percent(30) {
                self.load_again();
            }
        }
        assert_eq!(self.driver.verify(), 0, "verify finds no difference");
        self.runs_ahead
    }

    /// Adds and changes a few files.
    fn change_files(&mut self) {
        for _ in 0..1 + self.random.below(3) {
            let name = *self.random.pick(NAMES);
            let lines = match self.files.get(name) {
                Some(lines) => changed(lines, &mut self.random),
                None => (0..self.random.below(13)).map(|_| Line::random(&mut self.random)).collect(),
            };
            self.write(name, lines);
        }
    }

    fn write(&mut self, name: &'static str, mut lines: Vec<Line>) {
        // A record that comes twice in a drop, the second time with other columns.
        if !lines.is_empty() && self.random.percent(25) {
            let mut twin = self.random.pick(&lines).clone();
            if let Line::Call(call) = &mut twin {
                call.change(&mut self.random);
            }
            let place = self.random.below(lines.len() + 1);
            lines.insert(place, twin);
        }
        let packing = *self.random.pick(&Packing::ALL);
        self.log.push(format!("write {name} {packing:?}:"));
        self.log.extend(lines.iter().map(|line| format!("    {}", line.text(0))));
        drop_file::write(&self.drops(), name, &drop_file::text(&lines, self.padding), packing);
        self.files.insert(name, lines);
    }

    fn remove_files(&mut self) {
        for _ in 0..1 + self.random.below(2) {
            let names: Vec<&'static str> = self.files.keys().copied().collect();
            if !names.is_empty() {
                let name = *self.random.pick(&names);
                self.remove(name);
            }
        }
    }

    fn remove(&mut self, name: &str) {
        self.log.push(format!("remove {name}"));
        self.files.remove(name);
        drop_file::remove(&self.drops(), name);
    }

    fn drops(&self) -> PathBuf {
        self.driver.directory().join("drops")
    }

    /// The same content in other bytes: packed otherwise, or in another order where order means nothing.
    fn redeliver(&mut self) {
        let Some((name, lines)) = self.pick_file() else { return };
        let mut lines = lines.clone();
        if self.random.percent(50) && has_no_duplicates(&lines) {
            self.random.shuffle(&mut lines);
            self.files.insert(name, lines.clone());
        }
        let packing = *self.random.pick(&Packing::ALL);
        self.log.push(format!("redeliver {name} {packing:?}"));
        drop_file::write(&self.drops(), name, &drop_file::text(&lines, self.padding), packing);
        self.load(Request::default());
    }

    fn pick_file(&mut self) -> Option<(&'static str, Vec<Line>)> {
        let files: Vec<_> = self.files.iter().map(|(name, lines)| (*name, lines.clone())).collect();
        (!files.is_empty()).then(|| self.random.pick(&files).clone())
    }

    /// Withdraws a drop or two, and sometimes forgets them; a file that stays is a new drop for the next load.
    fn withdraw(&mut self) {
        let mut names: Vec<&'static str> = self.ledger.iter().map(|(name, _)| *name).collect();
        self.random.shuffle(&mut names);
        names.truncate(1 + self.random.below(2));
        if names.is_empty() {
            return;
        }
        for name in &names {
            if self.random.percent(75) {
                self.remove(name);
            }
        }
        let erase = self.random.percent(40);
        let withdraw = names.iter().map(|name| (*name).to_owned()).collect();
        let request = Request { withdraw, erase, ..Request::default() };
        self.ledger.retain(|(name, _)| !names.contains(name));
        let action = if erase { "erased" } else { "withdrawn" };
        let expected = names.iter().map(|name| ((*name).to_owned(), (action, Counts::default()))).collect();
        self.step(request, expected);
    }

    /// Loads what the directory holds, or some of its files by name.
    fn load(&mut self, mut request: Request) {
        let mut names: Vec<&'static str> = self.files.keys().copied().collect();
        if !request.prune && !names.is_empty() && self.random.percent(20) {
            self.random.shuffle(&mut names);
            names.truncate(1 + self.random.below(2));
            request.files = names.iter().map(|name| self.file(name)).collect();
        }
        names.sort_unstable_by_key(|name| NAMES.iter().position(|known| known == name));
        let mut expected: BTreeMap<String, (&str, Counts)> = BTreeMap::new();
        for name in names {
            let lines = self.files[name].clone();
            let place = self.ledger.iter().position(|(known, _)| *known == name);
            let action = match place {
                None => "added",
                Some(place) if in_order(&self.ledger[place].1) == in_order(&lines) => "unchanged",
                // Where some table has a key twice the order is a part of the content. Which it is, the product says; whether
                // that is right, the tables tell: they are recomputed from the new order in any case.
                Some(place) if same_records(&self.ledger[place].1, &lines) => {
                    let shown = self.driver.run(&Request { dry_run: true, workers: 1, ..request.clone() });
                    self.ledger[place].1.clone_from(&lines);
                    let drops = shown["drops"].as_array().expect("a list");
                    let is_replaced = drops.iter().any(|drop| drop["name"] == name && drop["action"] == "replaced");
                    if is_replaced { "replaced" } else { "unchanged" }
                }
                Some(_) => "replaced",
            };
            match place {
                None => self.ledger.push((name, lines)),
                Some(place) if action == "replaced" => self.ledger[place].1 = lines,
                Some(_) => {}
            }
            let standing = &self.ledger.iter().find(|(known, _)| *known == name).expect("it was just loaded").1;
            expected.insert(name.to_owned(), (action, (self.pipeline.counts)(standing)));
        }
        if request.prune {
            let files = &self.files;
            for (name, _) in self.ledger.iter().filter(|(name, _)| !files.contains_key(name)) {
                expected.insert((*name).to_owned(), ("withdrawn", Counts::default()));
            }
            self.ledger.retain(|(name, _)| files.contains_key(name));
        }
        self.step(request, expected);
    }

    fn file(&self, name: &str) -> PathBuf {
        let packed = ["vcf", "vcf.gz"].map(|extension| self.drops().join(format!("{name}.{extension}")));
        packed.into_iter().find(|path| path.exists()).expect("the drop's file is there")
    }

    /// A load with nothing to do, if there is nothing to do.
    fn load_again(&mut self) {
        let is_loaded = |(name, lines): (&&'static str, &Vec<Line>)| {
            self.ledger.iter().any(|(known, standing)| known == name && same_records(standing, lines))
        };
        if self.files.iter().all(is_loaded) {
            self.load(Request::default());
        }
    }

    /// Runs, and judges everything.
    fn step(&mut self, mut request: Request, expected: BTreeMap<String, (&str, Counts)>) {
        request.workers = *self.random.pick(&[1, 2, 3, 4, 9]);
        request.chunk_records = *self.random.pick(&[1, 3, 7, 50, 0]);
        self.log.push(format!("{request:?}"));
        let shown = (self.random.percent(15) && !request.erase).then(|| {
            let report = self.driver.run(&Request { dry_run: true, ..request.clone() });
            assert_eq!(self.driver.tables(self.pipeline), self.tables, "a dry run changes no table");
            report
        });
        let report = self.driver.run(&request);
        if request.erase {
            assert_eq!(report["erased"]["proven"], true, "the search finds nothing: {report}");
        }
        let changes_something = expected.values().any(|(action, _)| *action != "unchanged");
        self.epoch += u64::from(changes_something);
        self.runs_ahead += u64::from(report["rows_ahead"].as_u64().is_some_and(|rows| rows > 0));
        assert_eq!(report["epoch"].as_u64(), Some(self.epoch), "an epoch is made when and only when something changes");
        check_drops(&report, &expected);
        if let Some(shown) = shown {
            assert_eq!(shown["tables"], report["tables"], "a dry run shows what the run then does");
        }

        let before = std::mem::replace(&mut self.tables, self.driver.tables(self.pipeline));
        if !changes_something {
            assert_eq!(self.tables, before, "nothing is written when nothing changes");
        }
        if self.epoch == 0 {
            return;
        }
        let drops: Vec<&[Line]> = self.ledger.iter().map(|(_, lines)| lines.as_slice()).collect();
        assert_same_rows("recomputed", &(self.pipeline.expected)(&drops), &self.tables.rows);
        assert_same_rows("from scratch", &self.fresh_tables().rows, &self.tables.rows);
        self.check_epochs(&before);
        self.check_tables(&report, &before);
    }

    /// A row's epoch is the one in which its content last changed.
    fn check_epochs(&self, before: &Tables) {
        for (table, rows) in &self.tables.rows {
            for (key, row) in rows {
                let unchanged = before.rows[table].get(key) == Some(row);
                let expected = if unchanged { before.changed[table][key] } else { self.epoch as i64 };
                let found = self.tables.changed[table][key];
                assert_eq!(found, expected, "changed_epoch of {table} {key:?}, unchanged: {unchanged}");
            }
        }
    }

    /// The report's numbers are the true difference of the tables.
    fn check_tables(&self, report: &Value, before: &Tables) {
        let reported = report["tables"].as_array().expect("the report lists the tables");
        assert_eq!(reported.len(), self.pipeline.keys.len());
        for table in reported {
            let name = table["name"].as_str().expect("a table has a name");
            let (old, new) = (&before.rows[name], &self.tables.rows[name]);
            let found = ["inserted", "updated", "deleted"].map(|key| table[key].as_u64().expect("a number"));
            let changed = changes(old, new);
            assert_eq!(found, [changed.inserted, changed.updated, changed.deleted], "rows of {name}");
            if let Some(unchanged) = table["unchanged"].as_u64() {
                assert_eq!(
                    unchanged,
                    new.len() as u64 - changed.inserted - changed.updated,
                    "rows of {name} left alone"
                );
            }
        }
    }

    /// The tables that one run over the standing drops makes in a place of its own, which is a file: what a server holds
    /// is compared with what SQLite holds.
    fn fresh_tables(&self) -> Tables {
        let fresh = Warehouse::new(self.pipeline.text);
        // Their names follow the ledger's order; with no drop left, a header alone stands for a run over nothing.
        let header_only = [("none", Vec::new())];
        let drops = if self.ledger.is_empty() { &header_only[..] } else { &self.ledger };
        for (at, (_, lines)) in drops.iter().enumerate() {
            let text = drop_file::text(lines, self.padding);
            drop_file::write(&fresh.drops(), &format!("{at:03}"), &text, Packing::Plain);
        }
        let report = fresh.run(0, &RunOptions { workers: Some(1), ..RunOptions::default() });
        report.expect("a fresh run works");
        read_tables(&fresh.directory.path().join(self.pipeline.database), self.pipeline.keys)
    }
}

/// The drops of a report: what happened to each, and that its records add up.
fn check_drops(report: &Value, expected: &BTreeMap<String, (&str, Counts)>) {
    let reported = report["drops"].as_array().expect("the report lists the drops");
    let found: BTreeMap<String, (&str, Counts)> = reported
        .iter()
        .map(|drop| {
            let number = |key: &str| drop[key].as_u64().expect("a number");
            let counts = Counts {
                read: number("read"),
                loaded: number("loaded"),
                filtered: number("filtered"),
                rejected: number("rejected"),
                duplicates: number("duplicates"),
            };
            let name = drop["name"].as_str().expect("a drop has a name").to_owned();
            let total = counts.loaded + counts.filtered + counts.rejected + counts.duplicates;
            assert_eq!(counts.read, total, "the records of {name} add up");
            (name, (drop["action"].as_str().expect("something happened to a drop"), counts))
        })
        .collect();
    assert_eq!(&found, expected, "what happened to the drops");
}

/// Whether two files hold the same records, in whatever order.
fn same_records(one: &[Line], other: &[Line]) -> bool {
    let sorted = |lines: &[Line]| {
        let mut texts: Vec<String> = lines.iter().map(|line| line.text(0)).collect();
        texts.sort_unstable();
        texts
    };
    sorted(one) == sorted(other)
}

fn in_order(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| line.text(0)).collect()
}

/// Whether no key comes twice in a drop, so that the order of its lines means nothing.
fn has_no_duplicates(lines: &[Line]) -> bool {
    let mut keys: Vec<_> = lines.iter().flat_map(|line| alleles(line).alleles).map(|allele| allele.key).collect();
    let count = keys.len();
    keys.sort_unstable();
    keys.dedup();
    keys.len() == count
}

/// The next version of a drop: mostly the same.
fn changed(lines: &[Line], random: &mut Random) -> Vec<Line> {
    if random.percent(5) {
        return Vec::new();
    }
    let share = *random.pick(&[5, 20, 60]);
    let mut next = Vec::new();
    for line in lines {
        if random.percent(share / 2) {
            continue;
        }
        let mut line = line.clone();
        if let Line::Call(call) = &mut line
            && random.percent(share)
        {
            call.change(random);
        }
        next.push(line);
    }
    for _ in 0..random.below(3) {
        let place = random.below(next.len() + 1);
        next.insert(place, Line::random(random));
    }
    next
}
