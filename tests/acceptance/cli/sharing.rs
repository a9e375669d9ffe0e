//! A database that others use as well: readers, writers, additions, other pipelines.

use rusqlite::Connection;
use vardelta_tests::{
    database::{open, read_tables},
    project::Project,
    story,
};

fn loaded() -> Project {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 40));
    project.vardelta("run", &[]).expect(0);
    project
}

fn connect(project: &Project) -> Connection {
    Connection::open(project.path(story::PIPELINE.database)).expect("the database is there")
}

fn count(connection: &Connection) -> i64 {
    connection.query_row("SELECT count(*) FROM variants", [], |row| row.get(0)).expect("the table can be read")
}

#[test]
fn a_reader_keeps_what_it_sees_and_delays_nobody() {
    let project = loaded();
    let reader = open(&project.path(story::PIPELINE.database));
    reader.execute_batch("BEGIN").expect("valid SQL");
    let before = count(&reader);
    story::write_drop(&project, "beta", &story::lines(2, 40));
    project.vardelta("run", &[]).expect(0);
    assert_eq!(count(&reader), before, "a transaction sees one moment");
    reader.execute_batch("COMMIT").expect("valid SQL");
    assert!(count(&reader) > before);
}

#[test]
fn a_writer_elsewhere_is_said_and_nothing_is_lost() {
    let project = loaded();
    let before = story::tables(project.directory());
    story::write_drop(&project, "beta", &story::lines(2, 40));
    let writer = connect(&project);
    writer.execute_batch("BEGIN IMMEDIATE").expect("valid SQL");
    project.vardelta("run", &[]).expect(6).says(&["gene_summary.sqlite", "writing to it"]);
    writer.execute_batch("ROLLBACK").expect("valid SQL");
    assert_eq!(story::tables(project.directory()), before);
    project.vardelta("verify", &[]).expect(0);
    project.vardelta("run", &[]).expect(0);
    let (one, two) = (story::lines(1, 40), story::lines(2, 40));
    assert_eq!(story::tables(project.directory()).rows, (story::PIPELINE.expected)(&[&one, &two]));
}

#[test]
fn a_row_that_somebody_changed_ends_the_run_that_meets_it() {
    let project = loaded();
    connect(&project).execute("DELETE FROM mutation_summary", []).expect("valid SQL");
    let before = story::tables(project.directory());
    story::write_drop(&project, "beta", &story::lines(2, 40));
    project.vardelta("run", &[]).expect(6).says(&["mutation_summary", "verify", "rebuild"]);
    assert_eq!(story::tables(project.directory()), before);
    project.vardelta("verify", &[]).expect(7);
    project.vardelta("rebuild", &[]).expect(0);
    project.vardelta("run", &[]).expect(0);
    let (one, two) = (story::lines(1, 40), story::lines(2, 40));
    assert_eq!(story::tables(project.directory()).rows, (story::PIPELINE.expected)(&[&one, &two]));
}

#[test]
fn indexes_views_triggers_and_other_tables_stay() {
    let project = loaded();
    connect(&project)
        .execute_batch(
            "CREATE TABLE notes (gene TEXT); INSERT INTO notes VALUES ('TP53');
             CREATE INDEX by_quality ON variants (quality);
             CREATE VIEW good AS SELECT * FROM variants WHERE quality > 50;
             CREATE TRIGGER noted AFTER INSERT ON variants BEGIN INSERT INTO notes VALUES (new.gene_symbol); END;",
        )
        .expect("valid SQL");
    story::write_drop(&project, "beta", &story::lines(2, 40));
    project.vardelta("run", &[]).expect(0);
    project.vardelta("rebuild", &[]).expect(0);
    let connection = connect(&project);
    let added = "SELECT count(*) FROM sqlite_schema WHERE name IN ('notes', 'by_quality', 'good', 'noted')";
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("valid SQL");
    assert_eq!(number(added), 4);
    assert!(number("SELECT count(*) FROM notes") > 1, "the trigger worked");
    assert!(number("SELECT count(*) FROM good") > 0);
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn two_pipelines_share_a_database_but_no_table() {
    let project = loaded();
    let before = story::tables(project.directory());
    let renamed = |text: &str| text.replace("name = \"gene_summary\"", "name = \"other\"");
    // The tables belong to the first pipeline.
    project.write("pipeline.toml", renamed(story::PIPELINE.text).as_bytes());
    project.vardelta("run", &[]).expect(6).says(&["variants"]);
    assert_eq!(story::tables(project.directory()), before);

    // With tables of its own the second one leaves the first alone, and the first the second.
    let own = renamed(story::PIPELINE.text)
        .replace("[stages.variants]", "[stages.alleles_seen]")
        .replace("\"variants\"", "\"alleles_seen\"")
        .replace("mutation_summary", "genes_seen");
    project.write("pipeline.toml", own.as_bytes());
    story::write_drop(&project, "beta", &story::lines(2, 40));
    project.vardelta("run", &[]).expect(0);
    project.vardelta("verify", &[]).expect(0);
    assert_eq!(story::tables(project.directory()), before);
    let seen =
        |project: &Project| read_tables(&project.path(story::PIPELINE.database), &[("genes_seen", &["gene_symbol"])]);
    let second = seen(&project);
    assert!(!second.rows["genes_seen"].is_empty());

    project.write("pipeline.toml", story::PIPELINE.text.as_bytes());
    project.vardelta("run", &[]).expect(0);
    project.vardelta("withdraw", &["alpha"]).expect(0);
    project.vardelta("verify", &[]).expect(0);
    assert_eq!(seen(&project), second);
    let two = story::lines(2, 40);
    assert_eq!(story::tables(project.directory()).rows, (story::PIPELINE.expected)(&[&two]));
    assert_eq!(project.vardelta("drops", &["--json"]).expect(0).json()["epoch"], 3);
}
