//! State and database that somebody has damaged: `verify` tells, `rebuild` mends.

use vardelta_tests::{project::Project, story};

const DATABASE: &str = story::PIPELINE.database;

/// What somebody does to the database by hand.
#[track_caller]
fn alter(project: &Project, statements: &str) {
    let connection = rusqlite::Connection::open(project.path(DATABASE)).expect("it is there");
    connection.execute_batch(statements).unwrap_or_else(|error| panic!("{statements}: {error}"));
}

fn with_history() -> Project {
    let text = story::PIPELINE.text.replace("tables = [", "history = [\"variants\"]\ntables = [");
    let project = Project::new(&text);
    story::write_drop(&project, "alpha", &story::lines(1, 40));
    project.vardelta("run", &[]).expect(0);
    let mut lines = story::lines(1, 40);
    lines.truncate(30);
    lines.extend(story::lines(4, 8));
    story::write_drop(&project, "alpha", &lines);
    story::write_drop(&project, "beta", &story::lines(2, 30));
    project.vardelta("run", &[]).expect(0);
    project.vardelta("verify", &[]).expect(0);
    project
}

#[test]
fn verify_finds_what_was_done_to_ledger_and_histories() {
    for (change, table) in [
        ("DELETE FROM vardelta_drops WHERE name = 'beta'", "vardelta_drops"),
        ("DELETE FROM vardelta_drops", "vardelta_drops"),
        ("UPDATE vardelta_drops SET identity = '0123456789abcdef0123456789abcdef' WHERE drop_id = 1", "vardelta_drops"),
        (
            "DELETE FROM variants_history WHERE position = (SELECT min(position) FROM variants_history)",
            "variants_history",
        ),
        ("DELETE FROM variants_history", "variants_history"),
        ("UPDATE variants_history SET new_gene_symbol = 'X' WHERE operation <> 'delete'", "variants_history"),
        ("UPDATE variants_history SET operation = 'delete'", "variants_history"),
        ("UPDATE variants_history SET epoch = 7 WHERE epoch = 2", "variants_history"),
    ] {
        let project = with_history();
        alter(&project, change);
        let said = project.vardelta("verify", &["--json"]).expect(7);
        let report = said.json();
        let differing = report["tables"].as_array().expect("a list").iter().filter(|it| it["differences"] != 0);
        let differing: Vec<&str> = differing.map(|it| it["name"].as_str().expect("a name")).collect();
        assert_eq!(differing, [table], "{change}");
        assert!(
            report["difference_count"].as_u64() > Some(0)
                && !report["differences"].as_array().expect("a list").is_empty()
        );
    }
}

#[test]
fn a_ledger_without_its_drops_is_not_gone_on_with() {
    let project = with_history();
    alter(&project, "DELETE FROM vardelta_drops WHERE name = 'beta'");
    for (verb, arguments) in [("run", &[][..]), ("withdraw", &["alpha"]), ("migrate", &[])] {
        let said = project.vardelta(verb, arguments).expect(6);
        assert!(said.stderr.contains("hold different drops"), "{verb}: {}", said.stderr);
    }
    // A rebuild takes the ledger's word, and not the state's.
    project.vardelta("rebuild", &[]).expect(0).says(&["rebuilt from the drops' files"]);
    project.vardelta("verify", &[]).expect(0);
    project.vardelta("run", &[]).expect(0);
    project.vardelta("verify", &[]).expect(0);
}

/// Changes bytes of every data file of the state, so that no block is what it was.
fn damage(project: &Project) {
    let directory = project.path(".vardelta/gene_summary");
    for entry in std::fs::read_dir(directory).expect("it can be listed") {
        let path = entry.expect("it can be listed").path();
        if path.extension().is_some_and(|extension| extension == "seg") {
            let mut bytes = std::fs::read(&path).expect("it can be read");
            bytes.iter_mut().step_by(24).for_each(|byte| *byte ^= 0x55);
            std::fs::write(&path, bytes).expect("it can be written");
        }
    }
}

#[test]
fn rebuild_of_a_damaged_state_reads_the_files_and_names_those_that_are_missing() {
    let project = with_history();
    damage(&project);
    let expected = story::tables(project.directory()).rows;
    let (there, away) = (project.path("drops/beta.vcf.gz"), project.path("beta.vcf.gz"));
    std::fs::rename(&there, &away).expect("it can be moved");
    let said = project.vardelta("rebuild", &[]).expect(4);
    assert!(said.stderr.contains("the state is damaged") && said.stderr.contains("beta.vcf"), "{}", said.stderr);
    assert!(said.stderr.contains("nothing was written"), "{}", said.stderr);
    std::fs::rename(&away, &there).expect("it can be moved");
    project.vardelta("rebuild", &[]).expect(0).says(&["the state is damaged", "rebuilt from the drops' files"]);
    assert_eq!(story::tables(project.directory()).rows, expected);
    project.vardelta("verify", &[]).expect(0);
    project.vardelta("withdraw", &["beta"]).expect(0);
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn triggers_on_the_tables_are_told() {
    let project = with_history();
    alter(
        &project,
        "CREATE TABLE seen (n INTEGER);
         CREATE TRIGGER mine AFTER INSERT ON seen BEGIN SELECT 1; END;
         CREATE TRIGGER alters AFTER INSERT ON variants BEGIN
           UPDATE variants SET gene_symbol = lower(gene_symbol) WHERE position = new.position; END;",
    );
    story::write_drop(&project, "gamma", &story::lines(3, 35));
    let said = project.vardelta("run", &[]).expect(0).says(&["trigger `alters`"]);
    assert!(!said.stdout.contains("`mine`") && !said.stderr.contains("`mine`"), "{}", said.stdout);
    project.vardelta("verify", &[]).expect(7).says(&["trigger `alters`"]);
}
