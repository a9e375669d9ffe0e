//! The shipped pipeline with facts from a service, against the service that the README starts: answers, outages, caches.

mod cache;
mod fragments;
mod together;

use std::{
    fs,
    process::{Command, Stdio},
};

use rusqlite::Connection;
use serde_json::Value;
use vardelta_tests::shipped;
use vardelta_testservice::{Act, Options, Service};

const PIPELINE: &str = "enriched.toml";

/// A copy of the shipped pipeline in a directory of its own.
struct Copy {
    directory: tempfile::TempDir,
    url: String,
}

impl Copy {
    fn new(service: &Service) -> Copy {
        let directory = shipped::copied(&["clinical", "fragments", "gene_summary"], &[PIPELINE]);
        Copy { directory, url: service.url("").trim_end_matches('/').to_owned() }
    }

    /// Runs a verb with `--json` that must succeed; the object it prints.
    #[track_caller]
    fn done(&self, arguments: &[&str]) -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vardelta"));
        command.args(arguments).arg("--json").current_dir(self.directory.path()).stdin(Stdio::null());
        let output = command.env("GENE_FACTS_URL", &self.url).output().expect("vardelta runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {text} {said}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The rows of the report, as texts.
    fn genes(&self) -> Vec<String> {
        let connection = Connection::open(self.directory.path().join("enriched.sqlite")).expect("the database");
        let query =
            "SELECT gene_symbol || ' ' || ifnull(entrez_id, '-') || ' ' || lookup_status FROM gene_report ORDER BY 1";
        let mut statement = connection.prepare(query).expect("sound SQL");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("texts")
    }
}

fn service() -> Service {
    Service::start(&Options::default()).expect("a service")
}

#[test]
fn facts_of_genes_come_with_the_load_and_are_asked_for_once() {
    let service = service();
    let copy = Copy::new(&service);
    let report = copy.done(&["run", PIPELINE]);
    let lookup = &report["lookups"][0];
    let genes = copy.genes();
    assert_eq!(lookup["stage"], "gene_facts");
    assert_eq!(lookup["wanted"].as_u64(), Some(genes.len() as u64), "{report}");
    assert_eq!((&lookup["failed"], &lookup["waiting"], &lookup["requests"]), (&0.into(), &0.into(), &1.into()));
    assert!(
        genes.contains(&"BRCA1 672 found".to_owned()) && genes.contains(&"TP53 7157 found".to_owned()),
        "{genes:?}"
    );
    copy.done(&["verify", PIPELINE]);
    let asked = service.asked().len();
    assert_eq!(copy.done(&["run", PIPELINE])["committed"], false);
    assert_eq!(service.asked().len(), asked, "nothing is asked twice");
    // State and database are lost, the cache is there: nobody is asked.
    for lost in ["enriched.sqlite", "enriched.sqlite-wal", "enriched.sqlite-shm"] {
        let _ = fs::remove_file(copy.directory.path().join(lost));
    }
    fs::remove_dir_all(copy.directory.path().join(".vardelta")).expect("the state");
    let report = copy.done(&["run", PIPELINE]);
    assert_eq!(copy.genes(), genes);
    let lookup = &report["lookups"][0];
    assert_eq!((&lookup["wanted"], &lookup["requests"]), (&lookup["disk"], &0.into()));
    assert_eq!(service.asked().len(), asked);
}

#[test]
fn a_service_that_is_down_is_waited_for() {
    let service = service();
    let whole = Copy::new(&service);
    whole.done(&["run", PIPELINE]);
    let copy = Copy::new(&service);
    service.otherwise(Some(Act::Status(503, None)));
    let report = copy.done(&["run", PIPELINE, "--set", "stages.gene_facts.retries=0"]);
    let lookup = &report["lookups"][0];
    assert_eq!((&lookup["failed"], &lookup["waiting"]), (&lookup["wanted"], &lookup["wanted"]), "{report}");
    let waiting = copy.genes();
    assert_eq!(waiting.len(), whole.genes().len(), "no gene is missing");
    assert!(waiting.iter().all(|gene| gene.ends_with(" - waiting")), "{waiting:?}");
    copy.done(&["verify", PIPELINE]);
    service.otherwise(None);
    let report = copy.done(&["run", PIPELINE, "--retry-lookups"]);
    assert_eq!(report["drops"][0]["action"], "completed", "{report}");
    assert_eq!(copy.genes(), whole.genes());
    copy.done(&["verify", PIPELINE]);
}

#[test]
fn a_warm_cache_answers_the_load() {
    let service = service();
    let copy = Copy::new(&service);
    let report = copy.done(&["cache", "warm", PIPELINE]);
    assert!(!copy.directory.path().join("enriched.sqlite").exists());
    assert_eq!(report["lookups"][0]["waiting"], 0);
    let asked = service.asked().len();
    assert!(asked > 0);
    let report = copy.done(&["run", PIPELINE]);
    assert_eq!(report["lookups"][0]["disk"], report["lookups"][0]["wanted"]);
    assert_eq!(service.asked().len(), asked);
}
