//! What goes wrong after the commit: the epoch stands, and that is what is said.

use std::{fs::OpenOptions, process::Stdio};

use vardelta_tests::{
    project::{Project, Said, finish},
    story,
};

fn project() -> Project {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 20));
    project
}

/// The next run finds the epoch and has nothing to do.
fn stands(project: &Project) {
    let drops = project.vardelta("drops", &["--json"]).expect(0).json();
    assert_eq!(drops["epoch"], 1);
    project.vardelta("verify", &[]).expect(0);
    project.vardelta("run", &[]).expect(0).says(&["nothing"]);
}

#[track_caller]
fn says_committed(said: &Said) {
    assert!(said.stderr.contains("epoch 1 is committed"), "{}", said.stderr);
    assert!(!said.stderr.contains("nothing was written"), "{}", said.stderr);
}

#[test]
fn every_failure_after_the_commit_says_that_the_epoch_is_committed() {
    for (point, code) in [
        ("state:rename", 6),
        ("panic@commit:after-sink", 70),
        ("panic@state:before-finalize", 70),
        ("panic@state:finalized", 70),
        ("panic@report:begin", 70),
    ] {
        let project = project();
        let said = finish(project.command("run", &[]).env("VARDELTA_FAILPOINT", point)).expect(code);
        says_committed(&said);
        stands(&project);
        // Programs read the same.
        let project = self::project();
        let said = finish(project.command("run", &["--json"]).env("VARDELTA_FAILPOINT", point)).expect(code);
        let error = &said.json()["error"];
        assert_eq!(error["written"], "committed", "{point}: {error}");
    }
}

#[test]
fn a_failure_before_the_commit_says_that_nothing_was_written() {
    for (point, code) in [("state:manifest", 6), ("panic@commit:begin", 70), ("panic@commit:before-sink", 70)] {
        let project = project();
        let said = finish(project.command("run", &[]).env("VARDELTA_FAILPOINT", point)).expect(code);
        assert!(said.stderr.contains("nothing was written"), "{point}: {}", said.stderr);
        project.vardelta("run", &[]).expect(0);
        project.vardelta("verify", &[]).expect(0);
    }
}

#[test]
fn a_report_that_cannot_be_written_is_no_lost_epoch() {
    // A device that takes nothing.
    for arguments in [&[][..], &["--json"]] {
        let project = project();
        let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
        let mut command = project.command("run", arguments);
        let output = command.stdout(Stdio::from(full)).stderr(Stdio::piped()).output().expect("it starts");
        let said = Said::from(output).expect(6);
        says_committed(&said);
        stands(&project);
    }
}
