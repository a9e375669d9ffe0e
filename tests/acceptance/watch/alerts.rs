//! What can go wrong without a run is reported between runs: tables that grow old, a disk, a database that is away.

use std::os::unix::fs::MetadataExt as _;

use vardelta_tests::{process::until, project::Project, watching::Watching, web_sink::WebSink};

use super::{PIPELINE, drop_text, rows_and_epochs};

/// Where it is remembered what was sent.
const MEMORY: &str = ".vardelta/watched/alerts.json";

fn told_to(slack: &WebSink, more: &str) -> Project {
    let alerts = format!(
        "\n[operate.alerts]\nlook_every = \"100ms\"\n{more}\n[operate.alerts.slack]\nwebhook = \"{}\"\n",
        slack.url("/services/x")
    );
    Project::new(&format!("{PIPELINE}{alerts}"))
}

/// How often the folders were looked at.
fn looks(watching: &Watching) -> u64 {
    let metrics = watching.get("/metrics").body;
    let line = metrics.lines().find_map(|line| line.strip_prefix("vardelta_looks_total{pipeline=\"watched\"} "));
    line.and_then(|count| count.parse().ok()).expect("a count")
}

/// The first lines of what Slack was sent.
fn texts(slack: &WebSink) -> Vec<String> {
    let first = |text: &str| text.lines().next().unwrap_or_default().trim_matches('*').to_owned();
    slack.posted().iter().map(|posted| first(posted.json()["text"].as_str().expect("a text"))).collect()
}

#[test]
fn tables_that_grow_old_are_told_of_without_a_run_and_when_they_are_fresh() {
    let slack = WebSink::start();
    // Three seconds.
    let project = told_to(&slack, "stale_hours = 0.0008");
    project.write("drops/a.vcf", drop_text(1..11).as_bytes());
    let quick = ["--settle", "0s", "--every", "100ms", "--listen", "127.0.0.1:0"];
    let mut watching = Watching::start(&project, &quick, &[]);
    let stale = "[vardelta] watched: stale_tables (warning) is firing";
    until("stale tables are reported", || texts(&slack).iter().any(|text| text == stale));
    let before = rows_and_epochs(&project);
    assert_eq!(before, (10, 1), "nothing was loaded for it");
    // What goes on is looked at again and again, and nothing is written for it: a file that is replaced is another one.
    until("it is remembered that the channel was notified", || {
        String::from_utf8_lossy(&project.bytes(MEMORY)).contains(r#""slack":{"firing":{"stale_tables""#)
    });
    let remembered = || std::fs::metadata(project.path(MEMORY)).map(|file| file.ino()).expect("it is there");
    let known = remembered();
    let enough = looks(&watching) + 20;
    until("it has looked often", || looks(&watching) > enough);
    assert_eq!(remembered(), known);
    assert_eq!(texts(&slack), [stale], "and nothing else was sent");
    project.write("drops/b.vcf", drop_text(20..30).as_bytes());
    until("fresh ones are reported", || {
        texts(&slack).get(1).is_some_and(|text| text == "[vardelta] watched: stale_tables (warning) is resolved")
    });
    assert!(watching.end("TERM").success(), "{}", watching.stderr());
    assert!(watching.stderr().contains("alert: stale_tables (warning) is firing"), "{}", watching.stderr());
}

#[test]
fn a_file_that_is_set_aside_is_a_failure_once_and_over_when_it_is_mended() {
    let slack = WebSink::start();
    let project = told_to(&slack, "");
    project.write("drops/bad.vcf", b"this is no VCF file\n");
    let quick = ["--settle", "0s", "--every", "100ms", "--listen", "127.0.0.1:0"];
    let mut watching = Watching::start(&project, &quick, &[]);
    let told = |words: &str| slack.posted().iter().filter(|posted| posted.body.contains(words)).count();
    until("the failure is reported", || told("run_failed (critical) is firing") == 1);
    // Others are loaded, each by a run that ends well.
    for (count, name) in (1_u32..).zip(["a", "b", "c"]) {
        project.write(&format!("drops/{name}.vcf"), drop_text(10 * count..10 * count + 5).as_bytes());
        until("the drop is loaded", || rows_and_epochs(&project).0 == 5 * u64::from(count));
    }
    // Tried again with another content, it is no better, which is no news.
    project.write("drops/bad.vcf", b"nor is this\n");
    until("it was tried again", || watching.stderr().matches("`bad` is set aside").count() == 2);
    assert_eq!((told("is firing"), told("is resolved")), (1, 0), "{:?}", slack.posted());
    project.write("drops/bad.vcf", drop_text(100..110).as_bytes());
    until("its end is reported", || told("run_failed (critical) is resolved") == 1);
    assert_eq!(rows_and_epochs(&project).0, 25);
    until("it is remembered that the channel was notified", || {
        !String::from_utf8_lossy(&project.bytes(MEMORY)).contains("run_failed")
    });
    // What fails by another command is not over before a run ends well, however often the loop looks.
    project.write("elsewhere.vcf", b"neither is this\n");
    project.vardelta("run", &["elsewhere.vcf"]).expect(4);
    assert_eq!((told("is firing"), told("is resolved")), (2, 1), "{:?}", slack.posted());
    let enough = looks(&watching) + 20;
    until("it has looked often", || looks(&watching) > enough);
    assert_eq!((told("is firing"), told("is resolved")), (2, 1), "{:?}", slack.posted());
    project.write("drops/d.vcf", drop_text(200..205).as_bytes());
    until("that one's end is reported", || told("run_failed (critical) is resolved") == 2);
    assert!(watching.end("TERM").success(), "{}", watching.stderr());
    assert_eq!((told("is firing"), told("is resolved")), (2, 2), "{:?}", slack.posted());
}

#[test]
fn a_database_that_is_away_is_told_of_once_and_when_it_is_back() {
    let slack = WebSink::start();
    let project = told_to(&slack, "waiting_for = \"1s\"");
    project.write("drops/a.vcf", drop_text(1..11).as_bytes());
    project.vardelta("run", &[]).expect(0);
    let connection = rusqlite::Connection::open(project.path("watched.sqlite")).expect("a database");
    connection.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let mut watching = Watching::start(&project, &["--settle", "0s", "--every", "100ms"], &[]);
    project.write("drops/b.vcf", drop_text(20..30).as_bytes());
    // The run that failed at the lock is an alert of its own; both may be reported in one message.
    let told = |words: &str| slack.posted().iter().filter(|posted| posted.body.contains(words)).count();
    until("it is reported", || told("cannot_load (critical) is firing") == 1);
    connection.execute_batch("ROLLBACK").expect("the lock is given back");
    until("its end is reported", || told("cannot_load (critical) is resolved") == 1);
    assert_eq!(told("cannot_load (critical) is firing"), 1, "{:?}", slack.posted());
    until("the drop is loaded", || rows_and_epochs(&project).0 == 20);
    assert!(watching.end("TERM").success(), "{}", watching.stderr());
}
