//! A state and a ledger that a vardelta of before identities left, with an epoch committed and not finalised.
//!
//! `before_identities/` was made by that vardelta: four epochs (two drops, a third that was withdrawn) and a fifth, a fourth
//! drop, whose run died right after the commit.

use std::path::PathBuf;

use mysql::prelude::Queryable;
use vardelta_test_servers::{Server, each};
use vardelta_tests::{binary::root, database, folder, older::of_these_stages, project::Project};

fn sample(name: &str) -> PathBuf {
    root().join("tests/acceptance/crash/before_identities").join(name)
}

fn old() -> Project {
    let project = Project::new(&std::fs::read_to_string(sample("pipeline.toml")).expect("it is there"));
    folder::copy(&sample("drops"), &project.path("drops"));
    folder::copy(&sample("state"), &project.path(".vardelta/old"));
    let statements = std::fs::read_to_string(sample("database.sql")).expect("it is there");
    let connection = rusqlite::Connection::open(project.path("old.sqlite")).expect("it can be made");
    connection.execute_batch(&statements).expect("the statements are right");
    of_these_stages(&project.path("old.sqlite"));
    project
}

fn texts(project: &Project, statement: &str) -> Vec<String> {
    database::texts(&project.path("old.sqlite"), statement)
}

const ROWS: &str = "SELECT position || ' ' || gene FROM variants ORDER BY position";

#[test]
fn a_state_and_a_ledger_of_before_identities_are_taken_over() {
    let project = old();
    project.vardelta("verify", &[]).expect(0);
    // The epoch that was committed stands, and its files are known.
    project.vardelta("run", &[]).expect(0);
    assert_eq!(texts(&project, ROWS), ["100 TP53", "200 BRCA2", "300 BRCA2", "500 KRAS"]);
    assert_eq!(project.vardelta("drops", &["--json"]).expect(0).json()["epoch"], 5);
    // The next epoch gives identities, and the definition is kept once.
    project.write("drops/five.vcf", std::fs::read(sample("drops/four.vcf")).expect("it is there").as_slice());
    project.vardelta("run", &[]).expect(0);
    project.vardelta("verify", &[]).expect(0);
    let identities = "SELECT count(*) || ' ' || min(length(identity)) FROM";
    assert_eq!(texts(&project, &format!("{identities} vardelta_epochs WHERE identity IS NOT NULL")), ["1 32"]);
    assert_eq!(texts(&project, &format!("{identities} vardelta_pipelines")), ["1 32"]);
    assert_eq!(texts(&project, &format!("{identities} vardelta_drops WHERE name = 'five'")), ["1 32"]);
    assert_eq!(texts(&project, "SELECT epoch || '' FROM vardelta_epochs WHERE definition <> ''"), ["1"]);
    // Number 3 is that of a drop that was withdrawn.
    let drops = "SELECT drop_id || ' ' || name FROM vardelta_drops ORDER BY drop_id";
    assert_eq!(texts(&project, drops), ["1 one", "2 two", "4 four", "5 five"]);
    project.vardelta("withdraw", &["two"]).expect(0);
    project.vardelta("verify", &[]).expect(0);
    project.vardelta("rebuild", &[]).expect(0);
    project.vardelta("verify", &[]).expect(0);
    assert_eq!(texts(&project, ROWS), ["100 TP53", "200 TP53", "500 KRAS"]);
}

/// A server's ledger of before identities, made of today's: the same epochs as the old state's, and what has come since taken
/// away. The old state then has the fifth epoch prepared, as in the file.
fn old_on_server(server: &Server, database: &str) -> Project {
    let text = std::fs::read_to_string(sample("pipeline.toml")).expect("it is there");
    let project = Project::new(&text.replace(
        "type = \"sqlite\"\npath = \"old.sqlite\"",
        &format!("type = \"mysql\"\nurl = \"{}\"", server.url(database)),
    ));
    folder::copy(&sample("drops"), &project.path("kept"));
    let three = std::fs::read_to_string(sample("drops/four.vcf")).expect("it is there").replace("500", "400");
    project.write("kept/three.vcf", three.as_bytes());
    for name in ["one", "two", "three", "four"] {
        std::fs::copy(project.path(&format!("kept/{name}.vcf")), project.path(&format!("drops/{name}.vcf")))
            .expect("it can be copied");
        project.vardelta("run", &[]).expect(0);
        if name == "three" {
            project.vardelta("withdraw", &["three"]).expect(0);
            std::fs::remove_file(project.path("drops/three.vcf")).expect("it is there");
        }
    }
    let mut root = server.root_in(database);
    for statement in [
        "DROP TABLE vardelta_pipelines",
        "ALTER TABLE vardelta_epochs DROP COLUMN identity",
        "ALTER TABLE vardelta_drops DROP COLUMN identity",
        "UPDATE vardelta_meta SET value = '3' WHERE name = 'ledger_version'",
    ] {
        root.query_drop(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    // Every epoch had its whole definition.
    let definition: String = root
        .query_first("SELECT definition FROM vardelta_epochs WHERE epoch = 1")
        .expect("the ledger can be read")
        .expect("an epoch");
    root.exec_drop("UPDATE vardelta_epochs SET definition = ?", (definition,)).expect("the ledger can be written");
    std::fs::remove_dir_all(project.path(".vardelta/old")).expect("today's state is there");
    folder::copy(&sample("state"), &project.path(".vardelta/old"));
    project
}

#[test]
fn so_are_those_of_a_server() {
    each("so_are_those_of_a_server", |server, database| {
        let project = old_on_server(server, database);
        let mut root = server.root_in(database);
        let mut texts = |query: &str| -> Vec<String> { root.query(query).expect("the query is sound") };
        project.vardelta("verify", &[]).expect(0);
        // The epoch that was committed stands, and its files are known.
        project.vardelta("run", &[]).expect(0).says(&["nothing"]);
        let rows = "SELECT CONCAT(position, ' ', gene) FROM variants ORDER BY position";
        assert_eq!(texts(rows), ["100 TP53", "200 BRCA2", "300 BRCA2", "500 KRAS"]);
        assert_eq!(project.vardelta("drops", &["--json"]).expect(0).json()["epoch"], 5);
        project.write("drops/five.vcf", std::fs::read(sample("drops/four.vcf")).expect("it is there").as_slice());
        project.vardelta("run", &[]).expect(0);
        project.vardelta("verify", &[]).expect(0);
        let identities = "SELECT CONCAT(COUNT(*), ' ', MIN(LENGTH(identity))) FROM";
        assert_eq!(texts(&format!("{identities} vardelta_epochs WHERE identity IS NOT NULL")), ["1 32"]);
        assert_eq!(texts(&format!("{identities} vardelta_pipelines")), ["1 32"]);
        assert_eq!(texts(&format!("{identities} vardelta_drops WHERE name = 'five'")), ["1 32"]);
        assert_eq!(texts("SELECT epoch FROM vardelta_epochs WHERE definition <> ''"), ["1"]);
        let drops = "SELECT CONCAT(drop_id, ' ', name) FROM vardelta_drops ORDER BY drop_id";
        assert_eq!(texts(drops), ["1 one", "2 two", "4 four", "5 five"]);
        // An older copy of the state is not taken for that of a newer epoch.
        folder::copy(&sample("state"), &project.path("kept_state/old"));
        let said = project.vardelta("run", &["--set", "pipeline.state_dir=\"kept_state\""]).expect(6);
        assert!(said.stderr.contains("copy of another time"), "{}", said.stderr);
        project.vardelta("withdraw", &["two"]).expect(0);
        project.vardelta("verify", &[]).expect(0);
        project.vardelta("rebuild", &[]).expect(0);
        project.vardelta("verify", &[]).expect(0);
        assert_eq!(texts(rows), ["100 TP53", "200 TP53", "500 KRAS"]);
    });
}

#[test]
fn an_old_copy_of_the_state_is_not_taken_for_that_of_a_newer_epoch() {
    let project = old();
    project.vardelta("run", &[]).expect(0);
    folder::copy(&project.path(".vardelta/old"), &project.path("kept/old"));
    project.vardelta("withdraw", &["two"]).expect(0);
    let said = project.vardelta("run", &["--set", "pipeline.state_dir=\"kept\""]).expect(6);
    assert!(said.stderr.contains("copy of another time"), "{}", said.stderr);
}
