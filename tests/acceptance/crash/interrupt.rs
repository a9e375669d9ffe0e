//! Ctrl-C in the middle of a bigger load.

use std::{process::Stdio, time::Duration};

use vardelta_tests::{
    drop_file::{self, Packing},
    process::{signal, until, wait_at_most},
    project::Project,
    story,
};

/// Records of the drop that is being loaded.
const RECORDS: usize = 20_000;
/// No load takes this long.
const PATIENCE: Duration = Duration::from_secs(120);

fn write(project: &Project, version: usize) {
    let text = story::big_drop(RECORDS, version);
    drop_file::write(&project.path("drops"), "big", &text, Packing::Bgzf);
}

#[test]
fn control_c_ends_a_load_and_writes_nothing() {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 30));
    project.vardelta("run", &[]).expect(0);
    let log = project.path("steps");
    let before = (1..=20).find_map(|version| {
        let before = story::tables(project.directory());
        write(&project, version);
        let _ = std::fs::remove_file(&log);
        // In many chunks, so that it is far from its end when the first one is done.
        let mut command = project.command("run", &["--set", "pipeline.chunk_records=200"]);
        command.env("VARDELTA_FAILPOINT_LOG", &log).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it starts");
        let mut is_over = false;
        until("the load has written a part of its state, or is over", || {
            is_over = child.try_wait().expect("a child can be waited for").is_some();
            is_over || std::fs::read_to_string(&log).is_ok_and(|steps| steps.contains("state:run-written"))
        });
        if is_over {
            return None;
        }
        signal(&child, "INT");
        match wait_at_most(&mut child, PATIENCE).expect("an interrupted load ends").code() {
            Some(130) => Some(before),
            // It was faster.
            Some(0) => None,
            code => panic!("exit code {code:?} instead of 130"),
        }
    });
    let before = before.expect("one of the loads is interrupted before its end");
    assert_eq!(story::tables(project.directory()), before, "an interrupted load writes nothing");
    project.vardelta("verify", &[]).expect(0);
    project.vardelta("run", &[]).expect(0);
    assert_ne!(story::tables(project.directory()), before);
}

#[test]
fn control_c_ends_a_run_that_waits_for_standard_input() {
    let project = Project::new(story::PIPELINE.text);
    let mut command = project.command("run", &["-", "--as", "typed"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    // Whoever holds the lock has set its handler before.
    until("the run has opened its state", || project.path(".vardelta/gene_summary/LOCK").exists());
    signal(&child, "INT");
    let input = child.stdin.take();
    let status = wait_at_most(&mut child, Duration::from_secs(10));
    drop(input);
    assert_eq!(status.and_then(|status| status.code()), Some(130), "Ctrl-C ends a run that waits for its input");
    assert!(story::tables(project.directory()).rows.values().all(|rows| rows.is_empty()));
}
