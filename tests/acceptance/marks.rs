//! Rows that stay marked when they go, on SQLite, MariaDB and MySQL alike: what readers see is what they would see without
//! marks, and what is marked is what went.

mod schema;

use vardelta_tests::{project::finish, story};

use crate::migrate::store::{Loaded, Store};

const TABLES: [&str; 2] = ["variants", "mutation_summary"];

/// A definition whose sink marks rows.
fn marking(text: &str) -> String {
    with_option(text, "on_delete = \"mark\"")
}

fn with_option(text: &str, option: &str) -> String {
    let path = "path = \"gene_summary.sqlite\"";
    assert!(text.contains(path), "the story's sink");
    text.replace(path, &format!("{path}\n{option}"))
}

/// The rows of a table or view, with the columns that `like` has, in an order of their values.
fn rows(loaded: &Loaded, place: &str, like: (&Loaded, &str)) -> Vec<String> {
    let columns: Vec<String> = like.0.columns(like.1).into_iter().map(|(name, _)| name).collect();
    let mut rows = loaded.query(&format!("SELECT {} FROM {place}", columns.join(", ")));
    rows.sort();
    rows
}

/// Panics unless readers of the views see what those of the plain twin's tables see, and every mark has its epoch's time.
#[track_caller]
fn is_like(what: &str, marked: &Loaded, plain: &Loaded) {
    for table in TABLES {
        let view = format!("{table}_live");
        let columns = |place: &Loaded, name| place.columns(name).into_iter().map(|column| column.0).collect::<Vec<_>>();
        assert_eq!(columns(marked, &view), columns(plain, table), "{what}: the columns of {view}");
        assert_eq!(rows(marked, &view, (plain, table)), rows(plain, table, (plain, table)), "{what}: {view}");
        let time = match marked.is_file() {
            true => "t.deleted_at",
            false => "DATE_FORMAT(t.deleted_at, '%Y-%m-%dT%H:%i:%sZ')",
        };
        let other_times = format!(
            "SELECT t.* FROM {table} AS t LEFT JOIN vardelta_epochs AS e ON e.epoch = t.changed_epoch \
             WHERE t.deleted_at IS NOT NULL AND (e.committed_at IS NULL OR e.committed_at <> {time})"
        );
        assert_eq!(marked.query(&other_times), Vec::<String>::new(), "{what}: the times of {table}");
    }
}

fn marked_rows(loaded: &Loaded) -> Vec<u64> {
    let count = |table: &&str| {
        let count = loaded.query(&format!("SELECT COUNT(*) FROM {table} WHERE deleted_at IS NOT NULL"));
        count[0].parse().expect("a number")
    };
    TABLES.iter().map(count).collect()
}

#[test]
fn readers_of_the_live_rows_see_what_they_would_see_without_marks() {
    let history = "history = [\"variants\", \"mutation_summary\"]";
    for store in Store::all("readers_of_the_live_rows_see_what_they_would_see_without_marks") {
        let plain = Loaded::new(store, &with_option(story::PIPELINE.text, history));
        let marked = Loaded::new(store, &marking(&with_option(story::PIPELINE.text, history)));
        is_like("loaded", &marked, &plain);
        assert_eq!(marked_rows(&marked), [0, 0]);
        let both = |what: &str, verb: &str, arguments: &[&str]| {
            let reports = [&marked, &plain].map(|loaded| loaded.vardelta(verb, arguments).expect(0).json());
            assert_eq!(reports[0]["tables"], reports[1]["tables"], "{what}: the report");
            is_like(what, &marked, &plain);
            marked.vardelta("verify", &[]).expect(0);
            for table in TABLES.map(|table| format!("{table}_history")) {
                let columns = plain.columns(&table).into_iter().map(|column| column.0);
                let columns: Vec<String> = columns.filter(|name| name != "changed_at").collect();
                let select = format!("SELECT {} FROM {table} ORDER BY 1, 2, 3, 4, 5", columns.join(", "));
                assert_eq!(marked.query(&select), plain.query(&select), "{what}: {table}");
            }
        };
        let before = rows(&marked, "variants_live", (&plain, "variants"));
        both("a dry run", "withdraw", &["beta", "--dry-run", "--json"]);
        assert_eq!(marked_rows(&marked), [0, 0]);
        both("withdrawn", "withdraw", &["beta", "--json"]);
        let gone = marked_rows(&marked);
        assert!(gone[0] > 10, "{gone:?}");
        let kept = plain.columns("variants").into_iter().map(|column| column.0).filter(|name| name != "changed_epoch");
        let kept = kept.collect::<Vec<_>>().join(", ");
        let known: Vec<String> =
            marked.query(&format!("SELECT {kept} FROM variants WHERE deleted_at IS NOT NULL OR changed_epoch = 1"));
        assert_eq!(known.len(), before.len() - updated(&marked), "rows that went are there as they were");
        for row in known {
            assert!(before.iter().any(|before| before.starts_with(&row)), "{row} has its last values");
        }
        both("loaded again", "run", &["--json"]);
        assert_eq!(marked_rows(&marked), [0, 0], "what came back lives");
        for loaded in [&marked, &plain] {
            story::write_drop(&loaded.project, "alpha", &story::lines(7, 30));
            std::fs::remove_file(loaded.project.path("drops/beta.vcf.gz")).expect("beta can go");
        }
        both("replaced and pruned", "run", &["--prune-all", "--json"]);
        assert!(marked_rows(&marked)[0] > gone[0]);
        both("all withdrawn", "withdraw", &["alpha", "--json"]);
        assert!(marked_rows(&marked)[1] > 0, "a group that is empty is marked");
    }
}

/// Live rows that the last epoch wrote.
fn updated(loaded: &Loaded) -> usize {
    loaded.query("SELECT 1 FROM variants WHERE deleted_at IS NULL AND changed_epoch > 1").len()
}

#[test]
fn verify_takes_marked_rows_for_gone() {
    for store in Store::all("verify_takes_marked_rows_for_gone") {
        let loaded = Loaded::new(store, &marking(story::PIPELINE.text));
        loaded.vardelta("withdraw", &["beta"]).expect(0);
        loaded.vardelta("verify", &[]).expect(0);
        let all = "SELECT position FROM variants GROUP BY position HAVING COUNT(deleted_at) =";
        let [gone, live] = ["COUNT(*)", "0"].map(|marked| loaded.query(&format!("{all} {marked}"))[0].clone());
        for (set, put_back) in [
            // A row that the pipeline asserts is marked.
            (
                format!("UPDATE variants SET deleted_at = '2026-01-01 00:00:00' WHERE position = {live}"),
                format!("UPDATE variants SET deleted_at = NULL WHERE position = {live}"),
            ),
            // One that it does not assert lives.
            (
                format!("UPDATE variants SET deleted_at = NULL WHERE position = {gone}"),
                format!("UPDATE variants SET deleted_at = '2026-01-01 00:00:00' WHERE position = {gone}"),
            ),
        ] {
            loaded.execute(&set);
            loaded.vardelta("verify", &[]).expect(7);
            loaded.execute(&put_back);
            loaded.vardelta("verify", &[]).expect(0);
        }
    }
}

#[test]
fn a_run_that_dies_leaves_the_marks_of_before_or_of_after() {
    for store in Store::all("a_run_that_dies_leaves_the_marks_of_before_or_of_after") {
        let plain = Loaded::new(store, story::PIPELINE.text);
        let marked = Loaded::new(store, &marking(story::PIPELINE.text));
        for (verb, arguments) in [("withdraw", vec!["beta"]), ("run", vec![])] {
            for point in ["commit:begin", "commit:batch", "commit:applied", "commit:before-sink", "commit:after-sink"] {
                let mut command = marked.project.command(verb, &arguments);
                let said = finish(command.env("VARDELTA_FAILPOINT", point));
                assert_eq!(said.code, -1, "{point} aborts\n{}", said.stderr);
                // The last one is after the commit.
                let is_done = point == "commit:after-sink";
                if is_done {
                    plain.vardelta(verb, &arguments).expect(0);
                    marked.vardelta("run", &["--prune-all", "--dry-run"]).expect(0);
                }
                is_like(&format!("{verb} died at {point}"), &marked, &plain);
                assert_eq!(marked_rows(&marked)[0] == 0, is_done == (verb == "run"), "{verb} died at {point}");
                marked.vardelta("verify", &[]).expect(0);
            }
        }
    }
}
