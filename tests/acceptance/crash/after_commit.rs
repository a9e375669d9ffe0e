//! What goes wrong after the commit: the epoch stands, and that is what is said.

use std::{fs::OpenOptions, process::Stdio};

use vardelta_tests::{
    project::{Said, finish},
    story,
};

use crate::history::place::{Place, on_each_place};

fn delivered(place: &Place) -> Place {
    let place = place.beside();
    story::write_drop(&place.project, "alpha", &story::lines(1, 20));
    place
}

/// The next run finds the epoch and has nothing to do.
fn stands(place: &Place) {
    let drops = place.vardelta("drops", &["--json"]).expect(0).json();
    assert_eq!(drops["epoch"], 1);
    place.vardelta("verify", &[]).expect(0);
    place.vardelta("run", &[]).expect(0).says(&["nothing"]);
}

#[track_caller]
fn says_committed(said: &Said) {
    assert!(said.stderr.contains("epoch 1 is committed"), "{}", said.stderr);
    assert!(!said.stderr.contains("nothing was written"), "{}", said.stderr);
}

#[test]
fn every_failure_after_the_commit_says_that_the_epoch_is_committed() {
    on_each_place("every_failure_after_the_commit_says_that_the_epoch_is_committed", "", |place| {
        for (point, code) in [
            ("state:rename", 6),
            ("panic@commit:after-sink", 70),
            ("panic@state:before-finalize", 70),
            ("panic@state:finalized", 70),
            ("panic@report:begin", 70),
        ] {
            let it = delivered(&place);
            let said = finish(it.command("run", &[]).env("VARDELTA_FAILPOINT", point)).expect(code);
            says_committed(&said);
            stands(&it);
            // Programs read the same.
            let it = delivered(&place);
            let said = finish(it.command("run", &["--json"]).env("VARDELTA_FAILPOINT", point)).expect(code);
            let error = &said.json()["error"];
            assert_eq!(error["written"], "committed", "{point}: {error}");
        }
    });
}

#[test]
fn a_failure_before_the_commit_says_that_nothing_was_written() {
    on_each_place("a_failure_before_the_commit_says_that_nothing_was_written", "", |place| {
        for (point, code) in [("state:manifest", 6), ("panic@commit:begin", 70), ("panic@commit:before-sink", 70)] {
            let it = delivered(&place);
            let said = finish(it.command("run", &[]).env("VARDELTA_FAILPOINT", point)).expect(code);
            assert!(said.stderr.contains("nothing was written"), "{point}: {}", said.stderr);
            it.vardelta("run", &[]).expect(0);
            it.vardelta("verify", &[]).expect(0);
        }
    });
}

#[test]
fn a_report_that_cannot_be_written_is_no_lost_epoch() {
    on_each_place("a_report_that_cannot_be_written_is_no_lost_epoch", "", |place| {
        // A device that takes nothing.
        for arguments in [&[][..], &["--json"]] {
            let it = delivered(&place);
            let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
            let mut command = it.command("run", arguments);
            let output = command.stdout(Stdio::from(full)).stderr(Stdio::piped()).output().expect("it starts");
            let said = Said::from(output).expect(6);
            says_committed(&said);
            stands(&it);
        }
    });
}
