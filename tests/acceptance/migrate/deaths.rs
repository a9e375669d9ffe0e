//! Death at any step of a migration: loads of the old definition go on or are refused, and a second migration goes on.

use vardelta_tests::{project::finish, story};

use super::{
    columns::{fewer_columns, more_columns},
    store::{Loaded, Store, is_as_fresh},
};

/// Steps at which the process aborts.
const DEATHS: &[&str] = &[
    "migrate:step:2",
    "migrate:expanded",
    "migrate:compared",
    "commit:applied",
    "commit:before-sink",
    "commit:after-sink",
    "migrate:filled",
    "migrate:step:5",
    "migrate:step:6",
];

#[test]
fn a_migration_that_dies_is_gone_on_with() {
    for store in Store::all("a_migration_that_dies_is_gone_on_with") {
        let old = Loaded::new(store, story::PIPELINE.text);
        let before = old.rows_like(&old);
        let text = more_columns();
        let fresh = Loaded::new(store, &text);
        for point in DEATHS {
            let loaded = Loaded::new(store, story::PIPELINE.text);
            loaded.define(&text);
            let mut command = loaded.project.command("migrate", &["--contract"]);
            let said = finish(command.env("VARDELTA_FAILPOINT", point));
            assert_eq!(said.code, -1, "{point} aborts\n{}", said.stderr);
            assert_eq!(loaded.rows_like(&old), before, "{point}: who reads the old columns sees them right");
            if loaded.query("SELECT MAX(epoch) FROM vardelta_epochs") == ["1"] {
                loaded.vardelta("run", &[]).expect(6).says(&["vardelta migrate"]);
            }
            loaded.vardelta("migrate", &["--contract"]).expect(0);
            assert_eq!(loaded.rows_like(&fresh), fresh.rows_like(&fresh), "dying at {point}");
            loaded.vardelta("migrate", &["--contract"]).expect(0).says(&["nothing to do"]);
        }
    }
}

#[test]
fn the_old_definition_goes_on_loading_beside_what_was_expanded() {
    for store in Store::all("the_old_definition_goes_on_loading_beside_what_was_expanded") {
        for text in [more_columns(), fewer_columns()] {
            let loaded = Loaded::new(store, story::PIPELINE.text);
            loaded.define(&text);
            let mut command = loaded.project.command("migrate", &[]);
            assert_eq!(finish(command.env("VARDELTA_FAILPOINT", "migrate:expanded")).code, -1);
            loaded.define(story::PIPELINE.text);
            story::write_drop(&loaded.project, "gamma", &story::lines(9, 20));
            loaded.vardelta("run", &[]).expect(0);
            loaded.vardelta("withdraw", &["gamma"]).expect(0);
            std::fs::remove_file(loaded.project.path("drops/gamma.vcf.gz")).expect("gamma can go");
            is_as_fresh("the old definition", &loaded, story::PIPELINE.text);
        }
    }
}
