//! Random histories. `VARDELTA_HISTORIES` (default 200) says how many are run in process, `VARDELTA_SEED` with which
//! first seed; a history that fails prints the seed that repeats it, and its steps. `VARDELTA_SERVER_HISTORIES` (default
//! 12) are run on each server.

mod ahead;
mod drivers;
mod history;
mod marked;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use vardelta_test_servers::{Flavor, shared};
use vardelta_tests::{
    pipelines::{CARRIERS, COHORT, GENE_SUMMARY, JOINS, LAYERS, Pipeline, SUMMARIES},
    random::{from_environment, seed},
};

use self::{
    drivers::{Driver, InProcess, InServer, Processes},
    history::History,
    marked::Marked,
};

/// Histories by default.
const HISTORIES: u64 = 200;
/// Histories that go through the binary.
const HISTORIES_OF_PROCESSES: u64 = 12;
/// Histories of many steps.
const LONG_HISTORIES: u64 = 3;
/// Histories of tables in which rows stay marked.
const HISTORIES_OF_MARKS: u64 = 60;
/// Histories on each server.
const HISTORIES_OF_SERVERS: u64 = 12;
/// In as many histories some run writes rows ahead of its last record.
const HISTORIES_WITH_ROWS_AHEAD: u64 = 12;
/// The pipelines that histories are tried on, by seed.
const PIPELINES: &[&Pipeline] = &[&GENE_SUMMARY, &COHORT, &LAYERS, &CARRIERS, &JOINS, &SUMMARIES];
/// The first seed by default: the tests are the same every day.
const SEED: u64 = 1;

/// Tries `count` histories, several at a time; returns in how many runs rows went to the sink ahead of the last record.
fn try_histories(count: u64, steps: usize, driver: &(dyn Fn(&'static Pipeline) -> Box<dyn Driver> + Sync)) -> u64 {
    let first = seed(SEED);
    eprintln!("{count} histories from seed {first}");
    let (next, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let ahead = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(2, |cores| cores.get()).min(4);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        return;
                    }
                    let seed = first + at;
                    let pipeline = PIPELINES[(seed % PIPELINES.len() as u64) as usize];
                    let play = || {
                        let driver = driver(pipeline);
                        let runs = History::new(seed, pipeline, driver.as_ref()).play(steps);
                        ahead.fetch_add(runs, Ordering::Relaxed);
                    };
                    if catch_unwind(AssertUnwindSafe(play)).is_err() {
                        failed.lock().unwrap_or_else(PoisonError::into_inner).push(seed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(failed.is_empty(), "{} of {count} histories failed, those of the seeds {failed:?}", failed.len());
    let ahead = ahead.into_inner();
    eprintln!("in {ahead} runs rows went to the sink ahead of the last record");
    ahead
}

#[test]
fn every_history_ends_in_the_tables_of_a_fresh_run() {
    let count = from_environment("VARDELTA_HISTORIES", HISTORIES);
    let ahead = try_histories(count, 6, &|pipeline| Box::new(InProcess::new(pipeline.text)));
    assert!(ahead > 0 || count < HISTORIES_WITH_ROWS_AHEAD, "no run wrote ahead");
}

/// Long enough for the state's files to be merged many times.
#[test]
fn long_histories_end_in_the_tables_of_a_fresh_run() {
    try_histories(from_environment("VARDELTA_LONG_HISTORIES", LONG_HISTORIES), 60, &|pipeline| {
        Box::new(InProcess::new(pipeline.text))
    });
}

#[test]
fn histories_of_processes_end_in_the_tables_of_a_fresh_run() {
    let count = from_environment("VARDELTA_HISTORIES", HISTORIES_OF_PROCESSES).min(HISTORIES_OF_PROCESSES);
    try_histories(count, 5, &|pipeline| Box::new(Processes::new(pipeline.text)));
}

/// The live rows are those of tables without marks, and the marked ones those that went.
#[test]
fn histories_of_marked_rows_end_in_the_rows_of_a_fresh_run() {
    let count = from_environment("VARDELTA_HISTORIES", HISTORIES_OF_MARKS).min(HISTORIES_OF_MARKS);
    try_histories(count, 9, &|pipeline| {
        let sink = "type = \"sqlite\"\n";
        assert!(pipeline.text.contains(sink), "the pipeline's sink is a file");
        let text = pipeline.text.replace(sink, &format!("{sink}on_delete = \"mark\"\n"));
        Box::new(Marked::new(InProcess::new(&text)))
    });
}

/// Both load paths: where LOAD DATA is not wanted, rows go by statements.
fn try_histories_on(test: &str, flavor: Flavor) {
    let Some(server) = shared(test, flavor) else { return };
    let count = from_environment("VARDELTA_SERVER_HISTORIES", HISTORIES_OF_SERVERS);
    let (by_load_data, by_insert) = (count - count / 3, count / 3);
    let ahead = try_histories(by_load_data, 6, &|pipeline| Box::new(InServer::new(server, pipeline, "")))
        + try_histories(by_insert, 6, &|pipeline| Box::new(InServer::new(server, pipeline, "local_infile = false")));
    let mark = "on_delete = \"mark\"";
    try_histories(by_load_data / 2, 9, &|pipeline| Box::new(Marked::new(InServer::new(server, pipeline, mark))));
    let mark = "on_delete = \"mark\"\nlocal_infile = false";
    try_histories(by_insert / 2, 9, &|pipeline| Box::new(Marked::new(InServer::new(server, pipeline, mark))));
    assert!(ahead > 0 || count < HISTORIES_WITH_ROWS_AHEAD, "no run wrote ahead");
}

/// Every table with a chromosome in its key is partitioned; where the server has a partition for the rest, not every
/// chromosome is listed.
fn try_partitioned_histories_on(test: &str, flavor: Flavor) {
    let Some(server) = shared(test, flavor) else { return };
    let listed = if flavor == Flavor::MariaDb { "[\"1\", \"X\"]" } else { "[[\"2\", \"X\"], \"1\"]" };
    let options = format!("partition_by = \"chromosome\"\npartitions = {listed}");
    let count = from_environment("VARDELTA_SERVER_HISTORIES", HISTORIES_OF_SERVERS);
    try_histories(count, 6, &|pipeline| Box::new(InServer::new(server, pipeline, &options)));
}

#[test]
fn histories_in_partitions_on_mariadb_end_in_the_tables_of_a_fresh_run() {
    try_partitioned_histories_on(
        "histories_in_partitions_on_mariadb_end_in_the_tables_of_a_fresh_run",
        Flavor::MariaDb,
    );
}

#[test]
fn histories_in_partitions_on_mysql_end_in_the_tables_of_a_fresh_run() {
    try_partitioned_histories_on("histories_in_partitions_on_mysql_end_in_the_tables_of_a_fresh_run", Flavor::MySql);
}

#[test]
fn histories_on_mariadb_end_in_the_tables_of_a_fresh_run() {
    try_histories_on("histories_on_mariadb_end_in_the_tables_of_a_fresh_run", Flavor::MariaDb);
}

#[test]
fn histories_on_mysql_end_in_the_tables_of_a_fresh_run() {
    try_histories_on("histories_on_mysql_end_in_the_tables_of_a_fresh_run", Flavor::MySql);
}

#[test]
fn rows_that_went_ahead_of_later_records_end_as_those_say() {
    ahead::try_all(|pipeline| Box::new(InProcess::new(pipeline.text)));
    let test = "rows_that_went_ahead_of_later_records_end_as_those_say";
    for server in Flavor::ALL.into_iter().filter_map(|flavor| shared(test, flavor)) {
        for options in ["", "local_infile = false"] {
            ahead::try_all(|pipeline| Box::new(InServer::new(server, pipeline, options)));
        }
    }
}
