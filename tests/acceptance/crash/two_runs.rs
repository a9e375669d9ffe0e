//! Two runs at once.

use std::{
    io::Write as _,
    process::{Child, Stdio},
    time::Duration,
};

use vardelta_tests::{
    drop_file,
    process::{until, wait_at_most},
    project::Project,
    story,
};

/// The file that a run has locked.
const LOCK: &str = ".vardelta/gene_summary/LOCK";

/// A run that holds the pipeline's lock until its input ends.
fn hold(project: &Project) -> Child {
    let mut command = project.command("run", &["-", "--as", "typed"]);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child = child.expect("it starts");
    until("the run holds the lock of its state", || {
        let lock = std::fs::File::open(project.path(LOCK));
        lock.is_ok_and(|file| matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)))
    });
    child
}

#[test]
fn the_second_of_two_runs_is_refused_and_the_first_works() {
    let project = Project::new(story::PIPELINE.text);
    let typed = story::lines(1, 20);
    story::write_drop(&project, "beta", &story::lines(2, 20));
    let mut first = hold(&project);
    for (verb, arguments) in [("run", &[][..]), ("withdraw", &["typed"]), ("rebuild", &[])] {
        let said = project.vardelta(verb, arguments).expect(6);
        assert!(said.stderr.contains("another run"), "{verb}: {}", said.stderr);
    }
    let mut input = first.stdin.take().expect("standard input is a pipe");
    input.write_all(drop_file::text(&typed, 0).as_bytes()).expect("the first run reads");
    drop(input);
    let status = wait_at_most(&mut first, Duration::from_secs(60)).expect("the first run ends");
    assert_eq!(status.code(), Some(0));
    let drops = project.vardelta("drops", &["--json"]).expect(0).json();
    assert_eq!(drops["epoch"], 1);
    // Now there is nobody else.
    project.vardelta("run", &[]).expect(0);
    let both = [typed.as_slice(), &story::lines(2, 20)];
    assert_eq!(story::tables(project.directory()).rows, (story::PIPELINE.expected)(&both));
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn of_runs_started_together_none_is_lost_and_none_is_doubled() {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 40));
    let start = || {
        let mut command = project.command("run", &[]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
    };
    let mut runs: Vec<Child> = (0..4).map(|_| start()).collect();
    let codes: Vec<Option<i32>> =
        runs.iter_mut().map(|run| wait_at_most(run, Duration::from_secs(120)).expect("a run ends").code()).collect();
    assert!(codes.iter().all(|code| matches!(code, Some(0 | 6))), "{codes:?}");
    assert!(codes.contains(&Some(0)), "{codes:?}");
    let lines = story::lines(1, 40);
    assert_eq!(story::tables(project.directory()).rows, (story::PIPELINE.expected)(&[&lines]));
    let drops = project.vardelta("drops", &["--json"]).expect(0).json();
    assert_eq!(drops["epoch"], 1);
}
