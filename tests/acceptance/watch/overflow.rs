//! More happens in a folder than the system's queue holds: nothing is lost, since a look at the folder is what counts.

use std::fs;

use vardelta_tests::{
    process::{signal, until},
    shared::skipped,
    watching::Watching,
};

use super::{drop_text, project, rows_and_epochs};

#[test]
fn files_that_come_while_the_queue_overflows_are_loaded() {
    let what = "a queue of inotify that overflows";
    let Ok(limit) = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events") else {
        return skipped(what, "this system has no inotify");
    };
    let limit: usize = limit.trim().parse().expect("a number");
    if limit > 100_000 {
        return skipped(what, "its queue is longer than a test fills");
    }
    let project = project();
    project.write("drops/first.vcf", drop_text(1..11).as_bytes());
    // Within this test nobody looks because time has passed.
    let mut watching = Watching::start(&project, &["--settle", "0s", "--every", "1h"], &[]);
    until("it watches", || rows_and_epochs(&project).0 == 10);

    signal(watching.child(), "STOP");
    // Each file is reported at least three times: made, closed, removed.
    let noise = project.path("drops/noise.part");
    for number in 0..=limit / 3 + 1 {
        let name = if number % 2 == 0 { noise.clone() } else { noise.with_extension("tmp") };
        fs::write(&name, "x").expect("a file can be written");
        fs::remove_file(&name).expect("a file can be removed");
    }
    // Of this one the full queue says nothing.
    project.write("drops/second.vcf", drop_text(20..30).as_bytes());
    signal(watching.child(), "CONT");
    until("the file that nothing was said of is loaded", || rows_and_epochs(&project).0 == 20);

    // And it hears again.
    project.write("drops/third.vcf", drop_text(40..50).as_bytes());
    until("the next file is loaded", || rows_and_epochs(&project).0 == 30);
    assert!(watching.end("TERM").success(), "{}", watching.stderr());
}
