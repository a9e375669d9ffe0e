//! A commit fails, and the database is gone before it can be asked what became of it: that is unknown, and is said so. Where it
//! can be asked, what a migration had added before its epoch is not called nothing.

use vardelta_tests::{
    drop_file,
    held::Held,
    project::{Project, finish},
    story,
};

use crate::history::place::{Place, on_each_place};

const DATABASE: &str = story::PIPELINE.database;

/// A command that commits an epoch, and what it is given to do.
type Case = (&'static str, &'static [&'static str], fn(&Project));

const CASES: &[Case] = &[
    ("run", &[], |project| story::write_drop(project, "gamma", &story::lines(3, 35))),
    ("withdraw", &["beta"], |_| {}),
    ("withdraw", &["beta", "--erase"], |project| drop_file::remove(&project.path("drops"), "beta")),
    ("rebuild", &[], |_| {}),
    ("migrate", &[], redefine),
];

/// A column more.
fn redefine(project: &Project) {
    let text = std::fs::read_to_string(project.path("pipeline.toml")).expect("it is there");
    let wider = text.replace("alternate = \"alt\"", "alternate = \"alt\"\nbehind = \"pos + 1\"");
    assert_ne!(text, wider);
    project.write("pipeline.toml", wider.as_bytes());
}

fn load(project: &Project) {
    story::write_drop(project, "alpha", &story::lines(1, 40));
    story::write_drop(project, "beta", &story::lines(2, 30));
}

#[test]
fn what_became_of_a_commit_whose_file_is_gone_is_not_known() {
    for (number, (verb, arguments, prepare)) in CASES.iter().enumerate() {
        let project = Project::new(story::PIPELINE.text);
        load(&project);
        project.vardelta("run", &[]).expect(0);
        let before = story::tables(project.directory());
        prepare(&project);
        for is_json in [false, true] {
            let json: &[&str] = if is_json { &["--json"] } else { &[] };
            let command = project.command(verb, &[*arguments, json].concat());
            let held = Held::at("sink-commit:failed", &["sink-commit:fails"], command);
            let (there, away) = (project.path(DATABASE), project.path("away"));
            std::fs::rename(&there, &away).expect("it can be moved");
            // Either there is nothing, or something that is no database.
            let is_in_the_way = (number % 2 == 0) == is_json;
            if is_in_the_way {
                std::fs::create_dir(&there).expect("a directory can be made");
            }
            let said = held.go_on();
            let what = format!("{verb} {arguments:?}, something in the way: {is_in_the_way}");
            assert_eq!(said.code, 6, "{what}: {}{}", said.stdout, said.stderr);
            if is_json {
                assert_eq!(said.json()["error"]["written"], "unknown", "{what}: {}", said.stdout);
            } else {
                let told = "whether epoch 2 was committed is not known";
                assert!(said.stderr.contains(told), "{what}: {}", said.stderr);
                assert!(!said.stderr.contains("nothing was written"), "{what}: {}", said.stderr);
            }
            if is_in_the_way {
                std::fs::remove_dir(&there).expect("it is empty");
            }
            std::fs::rename(&away, &there).expect("it can be moved");
            if *verb != "migrate" {
                assert_eq!(story::tables(project.directory()), before, "{what}");
            }
        }
        project.vardelta(verb, arguments).expect(0);
        project.vardelta("verify", &[]).expect(0);
        assert_eq!(project.vardelta("drops", &["--json"]).expect(0).json()["epoch"], 2, "{verb}");
    }
}

/// Dies after a commit, and starts again while the database is not there: what was prepared is kept until it can be asked.
#[test]
fn an_epoch_is_not_given_up_while_its_database_is_away() {
    let project = Project::new(story::PIPELINE.text);
    load(&project);
    project.vardelta("run", &[]).expect(0);
    story::write_drop(&project, "gamma", &story::lines(3, 35));
    finish(project.command("run", &[]).env("VARDELTA_FAILPOINT", "commit:after-sink")).expect(-1);
    // A copy of it at rest: a process that dies leaves a write-ahead log.
    let kept = tempfile::tempdir().expect("a temporary directory can be made");
    let parts = ["", "-wal", "-shm"].map(|end| format!("{DATABASE}{end}"));
    for part in parts.iter().filter(|part| project.path(part).exists()) {
        std::fs::rename(project.path(part), kept.path().join(part)).expect("it can be moved");
    }
    for (verb, arguments) in [("run", &[][..]), ("withdraw", &["beta"]), ("verify", &[])] {
        let said = project.vardelta(verb, arguments).expect(6);
        assert!(said.stderr.contains("holds nothing of"), "{verb}: {}", said.stderr);
    }
    for part in &parts {
        let _ = std::fs::remove_file(project.path(part));
        if kept.path().join(part).exists() {
            std::fs::copy(kept.path().join(part), project.path(part)).expect("it can be copied");
        }
    }
    project.vardelta("verify", &[]).expect(0);
    project.vardelta("run", &[]).expect(0).says(&["nothing"]);
    let lines = [story::lines(1, 40), story::lines(2, 30), story::lines(3, 35)];
    let expected = (story::PIPELINE.expected)(&[&lines[0], &lines[1], &lines[2]]);
    assert_eq!(story::tables(project.directory()).rows, expected);
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn a_migration_whose_commit_failed_says_what_it_has_added() {
    on_each_place("a_migration_whose_commit_failed_says_what_it_has_added", "", |place: Place| {
        load(&place.project);
        place.vardelta("run", &[]).expect(0);
        redefine(&place.project);
        let failing = |arguments: &[&str]| {
            finish(place.command("migrate", arguments).env("VARDELTA_FAILPOINT", "sink-commit:fails")).expect(6)
        };
        // In a server a step commits by itself, also where the next one fails.
        let mut command = place.command("migrate", &["--json"]);
        let cut_short = finish(command.env("VARDELTA_FAILPOINT", "panic@migrate:step")).expect(70);
        let stands = if place.server().is_some() { "expanded" } else { "nothing" };
        assert_eq!(cut_short.json()["error"]["written"], stands, "{}", cut_short.stdout);
        let error = failing(&["--json"]).json()["error"].clone();
        assert_eq!(error["written"], "expanded", "{error}");
        let said = failing(&[]);
        assert!(said.stderr.contains("what was added to the tables"), "{}", said.stderr);
        assert!(!said.stderr.contains("nothing was written"), "{}", said.stderr);
        place.vardelta("migrate", &[]).expect(0);
        place.vardelta("verify", &[]).expect(0);
    });
}
