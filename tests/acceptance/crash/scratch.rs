//! What is only needed while a command runs: where it lies, and what becomes of it when the command is killed.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use vardelta_tests::{drop_file, held::Held, project::Project, story};

fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    entries.map(|entry| entry.expect("it can be listed").path()).collect()
}

/// Bytes of all files below a directory that hold this text.
fn files_with(directory: &Path, text: &str) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), entries(directory));
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(entries(&path));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(text.len()).any(|window| window == text.as_bytes())
        {
            found.push(path);
        }
    }
    found
}

/// A text that is in the drop and nowhere else.
const SECRET: &str = "##patient=ZZ-SECRET-17";

fn with_secret(lines: u64) -> String {
    let text = drop_file::text(&story::lines(lines, 2_000), 0);
    let (first, rest) = text.split_once('\n').expect("a header");
    format!("{first}\n{SECRET}\n{rest}")
}

/// Kills a run that has read some of its standard input.
fn kill_while_reading(project: &Project, temporary: &Path) {
    let mut command = project.command("run", &["-", "--as", "typed"]);
    command.env("TMPDIR", temporary).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(with_secret(1).as_bytes()).expect("it reads");
    input.flush().expect("it reads");
    let started = Instant::now();
    while files_with(&project.path(".vardelta"), SECRET).is_empty() && started.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it is gone");
}

#[test]
fn what_a_killed_run_has_read_from_standard_input_lies_in_the_state_and_goes_with_the_next_start() {
    let project = Project::new(story::PIPELINE.text);
    let temporary = tempfile::tempdir().expect("a temporary directory can be made");
    kill_while_reading(&project, temporary.path());
    assert_eq!(entries(temporary.path()), Vec::<PathBuf>::new());
    assert_eq!(files_with(&project.path(".vardelta"), SECRET).len(), 1);
    // A command that only reads leaves it, one that writes does not.
    project.vardelta("run", &["--dry-run"]).expect(0);
    assert_eq!(files_with(&project.path(".vardelta"), SECRET).len(), 1);
    project.vardelta("run", &[]).expect(0);
    assert_eq!(files_with(&project.path(".vardelta"), SECRET), Vec::<PathBuf>::new());
    assert!(!project.path(".vardelta/gene_summary/scratch").exists());
}

#[test]
fn an_erasure_leaves_nothing_of_what_was_read_from_standard_input() {
    let project = Project::new(story::PIPELINE.text);
    project.vardelta_reading("run", &["-", "--as", "typed"], with_secret(1).as_bytes()).expect(0);
    let temporary = tempfile::tempdir().expect("a temporary directory can be made");
    kill_while_reading(&project, temporary.path());
    project.vardelta("withdraw", &["typed", "--erase"]).expect(0);
    assert_eq!(files_with(project.directory(), SECRET), Vec::<PathBuf>::new());
}

/// Kills a `verify` in the middle of what it computes: its rows lie aside by then.
fn kill_verify(project: &Project, temporary: &Path) {
    let mut command = project.command("verify", &["--replay"]);
    command.env("TMPDIR", temporary);
    Held::at(IN_VERIFY, &[], command).kill();
}

/// A step of a `verify` at which it has written something.
const IN_VERIFY: &str = "state:run-written:3";

fn loaded() -> Project {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 400));
    project.vardelta("run", &[]).expect(0);
    project
}

#[test]
fn what_a_killed_verify_has_computed_lies_in_the_state_and_goes_with_the_next_start() {
    let project = loaded();
    let temporary = tempfile::tempdir().expect("a temporary directory can be made");
    let scratch = project.path(".vardelta/gene_summary/scratch");
    let before = all(&project.path(".vardelta"));
    kill_verify(&project, temporary.path());
    assert_eq!(entries(temporary.path()), Vec::<PathBuf>::new());
    assert!(all(&scratch).iter().any(|(_, bytes)| !bytes.is_empty()), "nothing of it is left: {:?}", entries(&scratch));
    // Who only reads leaves it, and is not disturbed by it; who writes does not.
    project.vardelta("verify", &[]).expect(0);
    assert!(scratch.exists());
    project.vardelta("run", &[]).expect(0);
    assert!(!scratch.exists());
    assert!(all(&project.path(".vardelta")) == before, "the state is what it was");
    project.vardelta("verify", &[]).expect(0);
}

/// Where a command may not write to the state directory, what it leaves in the system's directory goes all the same.
#[test]
fn what_a_killed_verify_has_left_elsewhere_goes_with_the_next_start_and_is_erased() {
    let project = loaded();
    story::write_drop(&project, "beta", &story::lines(2, 400));
    project.vardelta("run", &[]).expect(0);
    let scratch = project.path(".vardelta/gene_summary/scratch");
    for (verb, arguments) in [("run", &[][..]), ("withdraw", &["beta", "--erase"])] {
        let temporary = tempfile::tempdir().expect("a temporary directory can be made");
        std::fs::write(&scratch, "").expect("it can be written");
        kill_verify(&project, temporary.path());
        assert!(all(temporary.path()).iter().any(|(_, bytes)| !bytes.is_empty()), "{:?}", entries(temporary.path()));
        std::fs::remove_file(&scratch).expect("it is there");
        // Another state's is nobody's to delete.
        let other = temporary.path().join("vardelta-0000000000000000-0123456789abcdef0123456789abcdef");
        std::fs::create_dir(&other).expect("a directory can be made");
        if verb == "withdraw" {
            drop_file::remove(&project.path("drops"), "beta");
        }
        let mut command = project.command(verb, arguments);
        vardelta_tests::project::finish(command.env("TMPDIR", temporary.path())).expect(0);
        assert_eq!(entries(temporary.path()), [other], "{verb} leaves something");
    }
    project.vardelta("verify", &[]).expect(0);
}

/// Everything below a directory, with its bytes.
fn all(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut found, mut open) = (Vec::new(), entries(directory));
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(entries(&path));
        } else {
            found.push((path.clone(), std::fs::read(&path).expect("it can be read")));
        }
    }
    found.sort();
    found
}

#[test]
fn verify_and_dry_runs_need_no_right_to_write_to_the_state() {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 400));
    project.vardelta("run", &[]).expect(0);
    story::write_drop(&project, "beta", &story::lines(2, 400));
    let state = project.path(".vardelta/gene_summary");
    let before = all(&state);
    // A file in the place of the directory for temporary files is in the way of whoever writes there, root too.
    std::fs::write(state.join("scratch"), "").expect("it can be written");
    let temporary = tempfile::tempdir().expect("a temporary directory can be made");
    for (verb, arguments) in [
        ("verify", &[][..]),
        ("run", &["--dry-run"]),
        ("withdraw", &["alpha", "--dry-run"]),
        ("rebuild", &["--dry-run"]),
    ] {
        let mut command = project.command(verb, arguments);
        let said = vardelta_tests::project::finish(command.env("TMPDIR", temporary.path()));
        assert_eq!(said.code, 0, "{verb}: {}", said.stderr);
        assert_eq!(entries(temporary.path()), Vec::<PathBuf>::new(), "{verb} leaves something");
    }
    std::fs::remove_file(state.join("scratch")).expect("it can be removed");
    assert!(all(&state) == before, "the state was changed");
}

#[test]
fn several_may_verify_at_once() {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 400));
    project.vardelta("run", &[]).expect(0);
    let start = || {
        let mut command = project.command("verify", &[]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
    };
    let mut running: Vec<_> = (0..4).map(|_| start()).collect();
    let codes: Vec<_> = running.iter_mut().map(|child| child.wait().expect("it ends").code()).collect();
    assert_eq!(codes, [Some(0); 4]);
}
