//! Marks that come to loaded tables and go from them: `migrate`, `rebuild`, names that are taken.

use vardelta_tests::{project::finish, story};

use super::{TABLES, is_like, marked_rows, marking, with_option};
use crate::migrate::{
    columns::more_columns,
    store::{Loaded, Store},
};

fn run_both(places: [&Loaded; 2], verb: &str, arguments: &[&str]) {
    for place in places {
        place.vardelta(verb, arguments).expect(0);
    }
}

/// Every row, and whether it is marked.
fn rows_and_marks(loaded: &Loaded) -> Vec<String> {
    let mut all = Vec::new();
    for table in TABLES {
        let names = loaded.columns(table).into_iter().map(|column| column.0);
        let mut columns: Vec<String> = names.filter(|name| name != "changed_epoch").collect();
        columns.sort();
        let marks = "deleted_at".to_owned();
        let columns: Vec<String> =
            columns.into_iter().map(|name| if name == marks { format!("{name} IS NULL") } else { name }).collect();
        all.push(columns.join(", "));
        let mut rows = loaded.query(&format!("SELECT {} FROM {table}", columns.join(", ")));
        rows.sort();
        all.extend(rows);
    }
    all
}

#[test]
fn a_migration_brings_marks_and_takes_them_away() {
    for store in Store::all("a_migration_brings_marks_and_takes_them_away") {
        let history = with_option(story::PIPELINE.text, "history = [\"variants\"]");
        let (plain, loaded) = (Loaded::new(store, &history), Loaded::new(store, &history));
        let both = |verb: &str, arguments: &[&str]| run_both([&plain, &loaded], verb, arguments);
        loaded.define(&marking(&history));
        let before = loaded.everything();
        loaded.vardelta("withdraw", &["beta"]).expect(6).says(&["`deleted_at`", "vardelta migrate"]);
        loaded.vardelta("migrate", &["--plan"]).expect(0).says(&["deleted_at", "variants_live", "instant"]);
        assert_eq!(loaded.everything(), before);
        loaded.vardelta("migrate", &["--contract"]).expect(0).says(&["no row changes"]);
        loaded.vardelta("migrate", &["--contract"]).expect(0).says(&["nothing to do"]);
        is_like("migrated", &loaded, &plain);
        both("withdraw", &["beta"]);
        is_like("withdrawn", &loaded, &plain);
        let gone = marked_rows(&loaded);
        assert!(gone[0] > 0);

        loaded.define(&history);
        loaded.vardelta("run", &[]).expect(6).says(&["`deleted_at`", "vardelta migrate"]);
        loaded.vardelta("migrate", &["--plan"]).expect(0).says(&["only with --contract", "DROP VIEW", "DROP COLUMN"]);
        loaded.vardelta("migrate", &[]).expect(0);
        loaded.vardelta("migrate", &[]).expect(0).says(&["nothing to do"]);
        assert_eq!(marked_rows(&loaded), gone, "nothing goes unasked");
        is_like("no more marks", &loaded, &plain);
        both("run", &[]);
        assert_eq!(marked_rows(&loaded), [0, 0], "what came back lives");
        both("withdraw", &["alpha"]);
        assert_eq!(marked_rows(&loaded), [0, 0], "what goes is deleted");
        is_like("loaded without marking", &loaded, &plain);
        loaded.vardelta("verify", &[]).expect(0);
        loaded.vardelta("migrate", &["--contract"]).expect(0).says(&["DROP COLUMN"]);
        assert_eq!(loaded.everything(), plain.everything());
        let histories = "SELECT COUNT(*) FROM variants_history";
        assert_eq!(loaded.query(histories), plain.query(histories), "a history stays");
        let owned = "SELECT table_name FROM vardelta_tables ORDER BY 1";
        assert_eq!(loaded.query(owned), plain.query(owned));
        both("run", &[]);
        loaded.vardelta("verify", &[]).expect(0);
        loaded.vardelta("migrate", &["--contract"]).expect(0).says(&["nothing to do"]);
    }
}

#[test]
fn a_migration_of_marks_that_dies_is_gone_on_with() {
    for store in Store::all("a_migration_of_marks_that_dies_is_gone_on_with") {
        let (plain, marking) = (story::PIPELINE.text.to_owned(), marking(story::PIPELINE.text));
        for (from, to) in [(&plain, &marking), (&marking, &plain)] {
            let fresh = Loaded::new(store, to);
            fresh.vardelta("withdraw", &["beta"]).expect(0);
            let mut deaths = 0;
            loop {
                let loaded = Loaded::new(store, from);
                if from == &marking {
                    loaded.vardelta("withdraw", &["beta"]).expect(0);
                }
                loaded.define(to);
                let point = format!("migrate:step:{}", deaths + 1);
                let mut command = loaded.project.command("migrate", &["--contract"]);
                if finish(command.env("VARDELTA_FAILPOINT", &point)).code == 0 {
                    break;
                }
                deaths += 1;
                loaded.vardelta("migrate", &["--contract"]).expect(0);
                loaded.vardelta("migrate", &["--contract"]).expect(0).says(&["nothing to do"]);
                if from == &plain {
                    loaded.vardelta("withdraw", &["beta"]).expect(0);
                }
                assert_eq!(rows_and_marks(&loaded), rows_and_marks(&fresh), "dying at {point}");
                loaded.vardelta("verify", &[]).expect(0);
            }
            assert!(deaths >= 2, "{deaths} steps");
        }
    }
}

#[test]
fn columns_come_while_marked_rows_stay() {
    for store in Store::all("columns_come_while_marked_rows_stay") {
        let loaded = Loaded::new(store, &marking(story::PIPELINE.text));
        loaded.vardelta("withdraw", &["beta"]).expect(0);
        let gone = marked_rows(&loaded);
        let text = more_columns();
        loaded.define(&marking(&text));
        loaded.vardelta("migrate", &["--contract"]).expect(0);
        loaded.vardelta("migrate", &["--contract"]).expect(0).says(&["nothing to do"]);
        assert_eq!(marked_rows(&loaded), gone);
        assert_eq!(loaded.query("SELECT 1 FROM variants WHERE deleted_at IS NOT NULL AND build IS NOT NULL").len(), 0);
        let plain = Loaded::new(store, &text);
        let same_live = |what: &str| {
            for table in TABLES {
                let columns: Vec<String> = plain.columns(table).into_iter().map(|column| column.0).collect();
                let columns: Vec<String> = columns.into_iter().filter(|name| name != "changed_epoch").collect();
                let read = |place: &Loaded, name: &str| {
                    let mut rows = place.query(&format!("SELECT {} FROM {name}", columns.join(", ")));
                    rows.sort();
                    rows
                };
                assert_eq!(read(&loaded, &format!("{table}_live")), read(&plain, table), "{what}: {table}");
            }
        };
        plain.vardelta("withdraw", &["beta"]).expect(0);
        same_live("migrated");
        run_both([&loaded, &plain], "run", &[]);
        same_live("loaded again");
        assert_eq!(marked_rows(&loaded), [0, 0]);
        loaded.vardelta("verify", &[]).expect(0);
        // And a column goes from under the view.
        loaded.define(&marking(story::PIPELINE.text));
        loaded.vardelta("withdraw", &["alpha"]).expect(6).says(&["vardelta migrate"]);
        loaded.vardelta("migrate", &["--contract"]).expect(0);
        let plain = Loaded::new(store, story::PIPELINE.text);
        let names = |place: &Loaded, name: &str| place.columns(name).into_iter().map(|it| it.0).collect::<Vec<_>>();
        let found = names(&loaded, "variants_live");
        assert_eq!(found, names(&plain, "variants"));
        loaded.vardelta("verify", &[]).expect(0);
    }
}

#[test]
fn a_rebuild_says_what_marked_rows_it_leaves_behind() {
    for store in Store::all("a_rebuild_says_what_marked_rows_it_leaves_behind") {
        let loaded = Loaded::new(store, &marking(story::PIPELINE.text));
        loaded.vardelta("withdraw", &["beta"]).expect(0);
        let gone = marked_rows(&loaded)[0];
        let said = loaded.vardelta("rebuild", &[]).expect(0);
        said.says(&[&format!("table `variants` was rebuilt without {gone} rows that were gone and marked")]);
        assert_eq!(marked_rows(&loaded), [0, 0]);
        let plain = Loaded::new(store, story::PIPELINE.text);
        plain.vardelta("withdraw", &["beta"]).expect(0);
        plain.vardelta("rebuild", &[]).expect(0);
        is_like("made again", &loaded, &plain);
        // Switched off and on by a rebuild.
        loaded.define(story::PIPELINE.text);
        loaded.vardelta("rebuild", &[]).expect(0);
        assert_eq!(loaded.columns("variants"), plain.columns("variants"));
        assert_eq!(loaded.columns("variants_live"), []);
        loaded.define(&marking(story::PIPELINE.text));
        run_both([&loaded, &plain], "rebuild", &[]);
        plain.vardelta("rebuild", &[]).expect(0);
        is_like("marking again", &loaded, &plain);
    }
}

#[test]
fn names_that_are_taken_are_refused() {
    for store in Store::all("names_that_are_taken_are_refused") {
        let loaded = Loaded::new(store, story::PIPELINE.text);
        let before = loaded.everything();
        let text = story::PIPELINE.text.replace("alternate = \"alt\"", "deleted_at = \"'x'\"\nalternate = \"alt\"");
        loaded.define(&marking(&text));
        loaded.vardelta("validate", &[]).expect(3).says(&[
            "pipeline.toml:",
            "`variants` has a column `deleted_at`",
            "on_delete",
        ]);
        loaded.define(&marking(&story::PIPELINE.text.replace("mutation_summary", "variants_live")));
        loaded.vardelta("validate", &[]).expect(3).says(&["`variants_live`, as a table is", "another name"]);
        loaded.define(&with_option(story::PIPELINE.text, "on_delete = \"marks\""));
        loaded.vardelta("validate", &[]).expect(3).says(&["Did you mean \"mark\"?"]);
        // Somebody's own view is not vardelta's.
        loaded.execute("CREATE VIEW variants_live AS SELECT 1 AS mine");
        loaded.define(&marking(story::PIPELINE.text));
        for (verb, arguments) in [("migrate", &["--plan"][..]), ("migrate", &[]), ("rebuild", &[])] {
            let said = loaded.vardelta(verb, arguments).expect(6);
            said.says(&["view `variants_live`", "vardelta did not make"]);
            assert_eq!(loaded.everything(), before);
            assert_eq!(loaded.query("SELECT mine FROM variants_live"), ["1"]);
        }
        loaded.execute("DROP VIEW variants_live");
        loaded.vardelta("migrate", &[]).expect(0);
    }
}
