//! How `watch` ends: by itself, when it is told to, and when it is killed.

use std::{os::unix::net::UnixDatagram, time::Duration};

use vardelta_tests::{
    drop_file::{self, Packing},
    process::until,
    project::Project,
    story,
    watching::Watching,
};

use super::{QUICK, drop_text, project, rows_and_epochs};

#[test]
fn once_loads_what_is_ready_and_ends_and_its_code_tells() {
    let project = project();
    project.vardelta("watch", &["--once", "--settle", "0s"]).expect(0);
    project.write("drops/a.vcf", drop_text(1..11).as_bytes());
    project.vardelta("watch", &["--once", "--settle", "200ms"]).expect(0).says(&["epoch 1 committed"]);
    assert_eq!(rows_and_epochs(&project), (10, 1));
    project.write("drops/bad.vcf", b"nonsense\n");
    project.write("drops/b.vcf", drop_text(20..30).as_bytes());
    let said = project.vardelta("watch", &["--once", "--settle", "0s"]).expect(4);
    said.says(&["epoch 2 committed", "drop `bad` is set aside"]);
    assert_eq!(rows_and_epochs(&project), (20, 2));
    // It is not tried again before its time, which is no failure; it is said all the same.
    let said = project.vardelta("watch", &["--once", "--settle", "0s"]).expect(0);
    said.says(&["drop `bad` is set aside (attempt 1)", "neither a header line"]);
    // What is gone withdraws nothing.
    std::fs::remove_dir_all(project.path("drops")).expect("it can be removed");
    project.vardelta("watch", &["--once", "--settle", "0s"]).expect(0).says(&["what is loaded stays"]);
    assert_eq!(rows_and_epochs(&project), (20, 2));
    project.vardelta("watch", &["--every", "5"]).expect(2).says(&["no unit"]);
}

#[test]
fn a_signal_ends_it_in_the_middle_of_a_load_with_nothing_half_written() {
    let project = Project::new(story::PIPELINE.text);
    let log = project.path("steps");
    let arguments = ["--settle", "0s", "--every", "100ms", "--set", "pipeline.chunk_records=200"];
    let interrupted = (1..=20).any(|version| {
        let text = story::big_drop(20_000, version);
        drop_file::write(&project.path("drops"), "big", &text, Packing::Bgzf);
        let _ = std::fs::remove_file(&log);
        let path = log.to_string_lossy().into_owned();
        let mut watching = Watching::start(&project, &arguments, &[("VARDELTA_FAILPOINT_LOG", &path)]);
        until("the load has written a part of its state", || {
            std::fs::read_to_string(&log).is_ok_and(|steps| steps.contains("state:run-written"))
        });
        let status = watching.end("TERM");
        assert_eq!(status.code(), Some(0), "{}", watching.stderr());
        !watching.stdout().contains("committed")
    });
    assert!(interrupted, "one of the loads is ended before its end");
    project.vardelta("verify", &[]).expect(0);
    project.vardelta("run", &[]).expect(0);
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn killed_and_started_again_it_loses_and_doubles_nothing() {
    let project = project();
    // In the middle of a load each time: before its commit and after it.
    let steps = ["commit:begin", "state:prepared", "commit:before-sink", "commit:after-sink"];
    for (round, step) in (0_u32..).zip(steps) {
        let (log, wait) = (project.path(&format!("steps{round}")), format!("wait@{step}"));
        let path = log.to_string_lossy().into_owned();
        let variables = [("VARDELTA_FAILPOINT", wait.as_str()), ("VARDELTA_FAILPOINT_LOG", &path)];
        let mut watching = Watching::start(&project, &QUICK, &variables);
        for number in 0..5_u32 {
            let at = 1 + (round * 5 + number) * 100;
            project.write(&format!("drops/d{round}_{number}.vcf"), drop_text(at..at + 100).as_bytes());
        }
        let waiting = format!("waiting at {step}");
        until("a load stands still", || std::fs::read_to_string(&log).is_ok_and(|text| text.contains(&waiting)));
        watching.end("KILL");
    }
    let watching = Watching::start(&project, &QUICK, &[]);
    until("all are loaded", || watching.get("/api/drops").body.matches("\"loaded\"").count() == 20);
    assert_eq!(rows_and_epochs(&project).0, 2_000);
    drop(watching);
    project.vardelta("verify", &[]).expect(0);
    assert_eq!(project.vardelta("run", &["--json"]).expect(0).json()["committed"], false);
}

#[test]
fn the_service_manager_is_told() {
    let project = project();
    let socket = UnixDatagram::bind(project.path("notify")).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a limit");
    let path = project.path("notify").to_string_lossy().into_owned();
    let variables = [("NOTIFY_SOCKET", path.as_str()), ("WATCHDOG_USEC", "200000")];
    let mut watching = Watching::start(&project, &QUICK, &variables);
    let next = || {
        let mut bytes = [0; 256];
        let count = socket.recv(&mut bytes).expect("something is said");
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    };
    assert_eq!(next(), "READY=1");
    assert_eq!((next(), next()), ("WATCHDOG=1".into(), "WATCHDOG=1".into()));
    assert!(watching.end("INT").success());
    until("the end is reported", || next() == "STOPPING=1");
}

#[test]
fn another_runs_lock_is_waited_for() {
    let project = project();
    project.write("drops/a.vcf", drop_text(1..11).as_bytes());
    project.vardelta("run", &[]).expect(0);
    let connection = rusqlite::Connection::open(project.path("watched.sqlite")).expect("a database");
    connection.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let mut watching = Watching::start(&project, &QUICK, &[]);
    project.write("drops/b.vcf", drop_text(20..30).as_bytes());
    until("it waits", || watching.stderr().contains("waiting, and trying again"));
    assert_eq!(watching.states().get("b").map(String::as_str), Some("waiting"));
    connection.execute_batch("ROLLBACK").expect("the lock is given back");
    watching.until_drops(&[("a", "loaded"), ("b", "loaded")]);
    assert!(watching.stderr().contains("going on"), "{}", watching.stderr());
    assert!(watching.end("TERM").success());
}
