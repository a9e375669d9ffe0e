//! Random histories of drops and of a service's luck: whatever failed on the way, a healthy run leaves the tables of a
//! pipeline in which nothing ever failed.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use vardelta_engine::run::RunOptions;
use vardelta_test_servers::{Flavor, Server, shared};
use vardelta_tests::{
    database::assert_same_rows,
    random::{Random, from_environment, seed},
    scripted::{Failing, Service},
};

use super::tested::Tested;

/// Histories on SQLite; `VARDELTA_HISTORIES` says another number.
const HISTORIES: u64 = 40;
/// Histories on each server; `VARDELTA_SERVER_HISTORIES` says another number.
const SERVER_HISTORIES: u64 = 6;
const STEPS: usize = 10;
const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const GENES: [&str; 7] = ["TP53", "BRCA1", "BRCA2", "KRAS", "EGFR", "", "Ünïcode gene, with blanks"];
const WORDS: [&str; 3] = ["tumour", "repair", "growth"];

type Rows = Vec<(i64, &'static str)>;

/// What a service knows.
fn learn(service: &Service, keys: &[&str], words: &[&str], random: &mut Random) {
    let key = *random.pick(keys);
    let mut script = service.script();
    match random.below(4) {
        0 => drop(script.known.remove(key)),
        1 => drop(script.known.insert(key.to_owned(), (None, Some((*random.pick(words)).to_owned())))),
        _ => {
            let (number, word) = (random.below(100) as i64, (*random.pick(words)).to_owned());
            script.known.insert(key.to_owned(), (Some(number), Some(word)));
        }
    }
}

fn play(seed: u64, server: Option<&'static Server>) {
    let mut random = Random::new(seed);
    let tested = Tested::new(seed, server);
    let (genes, words) = (&tested.looked_up.genes, &tested.looked_up.words);
    // Answers grow old at once, so a healthy run in the end knows what the service knows then.
    for service in [genes, words] {
        service.script().until_s = Some(1);
    }
    let mut ledger: Vec<&str> = Vec::new();
    let mut files: BTreeMap<&str, Rows> = BTreeMap::new();
    let mut log = Vec::new();
    let told = catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..STEPS {
            for _ in 0..random.below(4) {
                learn(genes, &GENES, &WORDS, &mut random);
                learn(words, &WORDS, &["x", "y"], &mut random);
            }
            for service in [genes, words] {
                service.script().failing = match random.below(6) {
                    0 => Failing::Everything,
                    1 => Failing::Share(50),
                    2 => Failing::BreaksOff,
                    _ => Failing::Nothing,
                };
            }
            let options = RunOptions {
                workers: Some(*random.pick(&[1, 2, 4])),
                prune_all: true,
                accept_smaller: true,
                ..RunOptions::default()
            };
            let chunk_records = *random.pick(&[1, 3, 0]);
            let standing: Vec<&str> = ledger.clone();
            let (warehouse, step) = (&tested.looked_up.warehouse, random.below(10));
            if step < 2 && !standing.is_empty() {
                let name = *random.pick(&standing);
                log.push(format!("withdraw {name}, {options:?}"));
                let _ = std::fs::remove_file(warehouse.drops().join(format!("{name}.tsv")));
                warehouse.withdraw(chunk_records, &[name.to_owned()], &options).expect("withdrawn");
                ledger.retain(|known| *known != name);
                files.remove(name);
            } else if step < 3 {
                log.push("only what waits".to_owned());
                let options = RunOptions { retry_lookups: true, ..options.clone() };
                warehouse.run(chunk_records, &options).expect("a run");
            } else {
                for _ in 0..1 + random.below(2) {
                    let name = *random.pick(&NAMES);
                    let rows: Rows =
                        (0..random.below(9)).map(|_| (random.below(12) as i64, *random.pick(&GENES))).collect();
                    log.push(format!("write {name} {rows:?}"));
                    tested.looked_up.write(name, &rows);
                    files.insert(name, rows);
                }
                log.push(format!("run, {:?}, {chunk_records}, {options:?}", genes.script().failing));
                warehouse.run(chunk_records, &options).expect("a run");
                let fresh: Vec<&str> = files.keys().copied().filter(|name| !ledger.contains(name)).collect();
                ledger.extend(fresh);
            }
            // One row for every gene that a variant has, whatever failed.
            let tables = tested.tables();
            assert_eq!(tables.rows["annotated"].len(), tables.rows["variants"].len());
            let report = warehouse.verify(&options).expect("verify works");
            assert_eq!(report.difference_count, 0, "{:#?}", report.differences);
        }
        for service in [genes, words] {
            service.script().failing = Failing::Nothing;
        }
        tested.looked_up.warehouse.run(0, &RunOptions::default()).expect("a healthy run");
        let fresh = Tested::new(seed + 1_000_000, None);
        for (service, like) in [(&fresh.looked_up.genes, genes), (&fresh.looked_up.words, words)] {
            service.script().known = like.script().known.clone();
        }
        for name in &ledger {
            fresh.looked_up.write(name, &files[name]);
            let options = RunOptions { workers: Some(*random.pick(&[1, 2, 4])), ..RunOptions::default() };
            fresh.looked_up.run_with(&options);
        }
        assert_same_rows("a run in which nothing failed", &fresh.tables().rows, &tested.tables().rows);
        if !ledger.is_empty() {
            assert_eq!(fresh.known(), tested.known());
        }
        tested.looked_up.warehouse.verify(&RunOptions::default()).expect("verify works");
    }));
    if let Err(panic) = told {
        eprintln!("the history of the seed {seed} failed:\n  {}", log.join("\n  "));
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn any_luck_and_then_a_healthy_run_is_no_bad_luck_at_all() {
    let first = seed(1);
    for seed in first..first + from_environment("VARDELTA_HISTORIES", HISTORIES) {
        play(seed, None);
    }
}

fn on_server(test: &str, flavor: Flavor) {
    let Some(server) = shared(test, flavor) else { return };
    let first = seed(500);
    for seed in first..first + from_environment("VARDELTA_SERVER_HISTORIES", SERVER_HISTORIES) {
        play(seed, Some(server));
    }
}

#[test]
fn the_same_in_mariadb() {
    on_server("the_same_in_mariadb", Flavor::MariaDb);
}

#[test]
fn the_same_in_mysql() {
    on_server("the_same_in_mysql", Flavor::MySql);
}
