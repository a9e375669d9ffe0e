//! Copies of a state and of a database, and deaths between them: what is not of one history is not taken for it.

use std::path::Path;

use vardelta_tests::{
    database::texts,
    drop_file, folder,
    held::Held,
    project::{Project, finish},
    record::Line,
    story,
};

const DATABASE: &str = story::PIPELINE.database;

fn move_database(from: &Project, to: &Path) {
    for end in ["", "-wal", "-shm"] {
        let name = format!("{DATABASE}{end}");
        if from.path(&name).exists() {
            std::fs::rename(from.path(&name), to.join(name)).expect("it can be moved");
        }
    }
}

/// A pipeline with one drop loaded, and a copy of its state in `other`.
fn with_two_states() -> Project {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 40));
    project.vardelta("run", &[]).expect(0);
    folder::copy(&project.path(".vardelta"), &project.path("other"));
    project
}

const OTHER: &str = "pipeline.state_dir=\"other\"";

fn holds(project: &Project, drops: &[&[Line]]) {
    assert_eq!(story::tables(project.directory()).rows, (story::PIPELINE.expected)(drops));
    for set in [&[][..], &["--set", OTHER]] {
        let said = project.vardelta("verify", set);
        assert!([0, 6].contains(&said.code), "{}", said.stderr);
    }
}

#[test]
fn an_epoch_that_another_copy_of_the_state_made_is_not_taken_for_the_own_one() {
    for point in ["state:prepared", "commit:applied", "commit:before-sink"] {
        let project = with_two_states();
        let (alpha, beta, gamma) = (story::lines(1, 40), story::lines(2, 30), story::lines(3, 35));
        // The one dies between prepare and commit of epoch 2 ...
        story::write_drop(&project, "beta", &beta);
        let mut dying = project.command("run", &["--set", OTHER]);
        finish(dying.env("VARDELTA_FAILPOINT", point)).expect(-1);
        // ... which the other makes, of another drop ...
        drop_file::remove(&project.path("drops"), "beta");
        story::write_drop(&project, "gamma", &gamma);
        project.vardelta("run", &[]).expect(0);
        holds(&project, &[&alpha, &gamma]);
        // ... and so does not belong to the first.
        for (verb, arguments) in
            [("run", &["--set", OTHER][..]), ("withdraw", &["alpha", "--set", OTHER]), ("verify", &["--set", OTHER])]
        {
            let said = project.vardelta(verb, arguments).expect(6);
            assert!(said.stderr.contains("state"), "{point}, {verb}: {}", said.stderr);
        }
        holds(&project, &[&alpha, &gamma]);
        // A rebuild, as advised, brings back what the ledger says, and not what the dead run had prepared.
        project.vardelta("rebuild", &["--set", OTHER]).expect(0);
        holds(&project, &[&alpha, &gamma]);
        project.vardelta("verify", &["--set", OTHER]).expect(0);
    }
}

/// The commit fails, and before the loader asks the ledger what became of it, the other copy of its state commits an epoch of
/// the same number.
#[test]
fn after_a_commit_that_failed_the_epoch_of_another_loader_is_not_taken_for_the_own_one() {
    let project = with_two_states();
    let (alpha, beta, gamma) = (story::lines(1, 40), story::lines(2, 30), story::lines(3, 35));
    story::write_drop(&project, "beta", &beta);
    let failing = Held::at("sink-commit:failed", &["sink-commit:fails"], project.command("run", &["--set", OTHER]));
    drop_file::remove(&project.path("drops"), "beta");
    story::write_drop(&project, "gamma", &gamma);
    project.vardelta("run", &[]).expect(0);
    let said = failing.go_on().expect(6);
    assert!(said.stderr.contains("did not take the commit"), "{}", said.stderr);
    assert!(said.stderr.contains("nothing was written"), "{}", said.stderr);
    holds(&project, &[&alpha, &gamma]);
    let said = project.vardelta("run", &["--set", OTHER]).expect(6);
    assert!(said.stderr.contains("state"), "{}", said.stderr);
    project.vardelta("rebuild", &["--set", OTHER]).expect(0);
    story::write_drop(&project, "beta", &beta);
    project.vardelta("run", &["--set", OTHER]).expect(0);
    holds(&project, &[&alpha, &gamma, &beta]);
    project.vardelta("verify", &["--set", OTHER]).expect(0);
}

/// Without anybody else a commit that failed leaves what was before, and the next run does it.
#[test]
fn after_a_commit_that_failed_the_next_run_does_it() {
    let project = with_two_states();
    story::write_drop(&project, "beta", &story::lines(2, 30));
    let said = finish(project.command("run", &[]).env("VARDELTA_FAILPOINT", "sink-commit:fails")).expect(6);
    assert!(said.stderr.contains("nothing was written"), "{}", said.stderr);
    holds(&project, &[&story::lines(1, 40)]);
    project.vardelta("run", &[]).expect(0);
    holds(&project, &[&story::lines(1, 40), &story::lines(2, 30)]);
}

#[test]
fn the_database_of_another_folder_is_not_taken_for_the_own_one() {
    let (one, two) = (Project::new(story::PIPELINE.text), Project::new(story::PIPELINE.text));
    story::write_drop(&one, "alpha", &story::lines(1, 40));
    story::write_drop(&two, "alpha", &story::lines(2, 40));
    for project in [&one, &two] {
        project.vardelta("run", &[]).expect(0);
    }
    let between = tempfile::tempdir().expect("a temporary directory can be made");
    let swap = || {
        move_database(&one, between.path());
        move_database(&two, one.directory());
        for entry in std::fs::read_dir(between.path()).expect("it can be listed") {
            let entry = entry.expect("it can be listed");
            std::fs::rename(entry.path(), two.path(&entry.file_name().to_string_lossy())).expect("it can be moved");
        }
    };
    swap();
    for project in [&one, &two] {
        for (verb, arguments) in [("run", &[][..]), ("withdraw", &["alpha"]), ("verify", &[])] {
            let said = project.vardelta(verb, arguments).expect(6);
            assert!(said.stderr.contains("belongs to another database"), "{verb}: {}", said.stderr);
        }
    }
    swap();
    for project in [&one, &two] {
        project.vardelta("run", &[]).expect(0);
        project.vardelta("verify", &[]).expect(0);
    }
}

/// The numbers and names of the drops that stand.
fn drops(project: &Project) -> Vec<String> {
    texts(&project.path(DATABASE), "SELECT drop_id || ' ' || name FROM vardelta_drops ORDER BY drop_id")
}

#[test]
fn the_number_of_a_drop_is_never_given_again_whatever_state_is_put_back() {
    let project = with_two_states();
    story::write_drop(&project, "beta", &story::lines(2, 30));
    project.vardelta("run", &[]).expect(0);
    project.vardelta("withdraw", &["beta"]).expect(0);
    drop_file::remove(&project.path("drops"), "beta");
    // The state of epoch 1, whose next drop was number 2.
    project.vardelta("rebuild", &["--set", OTHER]).expect(0);
    story::write_drop(&project, "gamma", &story::lines(3, 35));
    project.vardelta("run", &["--set", OTHER]).expect(0);
    assert_eq!(drops(&project), ["1 alpha", "3 gamma"]);
    // What is erased is what was withdrawn, and nothing of the other drop.
    project.vardelta("withdraw", &["beta", "--erase", "--set", OTHER]).expect(0);
    assert_eq!(
        story::tables(project.directory()).rows,
        (story::PIPELINE.expected)(&[&story::lines(1, 40), &story::lines(3, 35)])
    );
}
