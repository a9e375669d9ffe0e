//! Ctrl-C in the middle of a bigger load.

use std::{process::Stdio, time::Duration};

use vardelta_tests::{
    drop_file::{self, Packing},
    process::{signal, wait_at_most},
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
    let before = story::tables(project.directory());
    for attempt in 0.. {
        assert!(attempt < 20, "no attempt hit the middle of a load");
        write(&project, attempt + 1);
        let mut child =
            project.command("run", &[]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
        // Long enough for the handler to be there, and short of the whole load; longer from attempt to attempt.
        std::thread::sleep(Duration::from_millis(60 + 30 * attempt as u64));
        if child.try_wait().expect("a child can be waited for").is_some() {
            panic!("the load ended before it could be interrupted: RECORDS is too small");
        }
        signal(&child, "INT");
        let status = wait_at_most(&mut child, PATIENCE).expect("an interrupted load ends");
        match status.code() {
            Some(130) => break,
            // Before the handler is set the signal itself ends the process.
            None => continue,
            code => panic!("exit code {code:?} instead of 130"),
        }
    }
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
    std::thread::sleep(Duration::from_millis(400));
    signal(&child, "INT");
    let input = child.stdin.take();
    let status = wait_at_most(&mut child, Duration::from_secs(10));
    drop(input);
    assert_eq!(status.and_then(|status| status.code()), Some(130), "Ctrl-C ends a run that waits for its input");
    assert!(story::tables(project.directory()).rows.values().all(|rows| rows.is_empty()));
}
