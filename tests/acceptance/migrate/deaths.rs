//! Death at any step of a migration: loads of the old definition go on or are refused, and a second migration goes on.

use vardelta_engine::failpoint::{Effect, points};
use vardelta_tests::{project::finish, story};

use super::{
    columns::{fewer_columns, more_columns},
    store::{Loaded, Store, is_as_fresh},
};

/// Areas of the steps at which the process aborts.
const AREAS: &[&str] = &["migrate", "commit"];
/// Steps of the tables that this migration takes.
const TABLE_STEPS: usize = 6;

/// The steps, those of the tables each time that they come.
fn deaths() -> Vec<String> {
    let times = |point: &str| if point == "migrate:step" { 1..=TABLE_STEPS } else { 1..=1 };
    points(Effect::Dies, AREAS)
        .into_iter()
        .flat_map(|point| times(point).map(move |hit| format!("{point}:{hit}")))
        .collect()
}

#[test]
fn a_migration_that_dies_is_gone_on_with() {
    for store in Store::all("a_migration_that_dies_is_gone_on_with") {
        let old = Loaded::new(store, story::PIPELINE.text);
        let before = old.rows_like(&old);
        let text = more_columns();
        let fresh = Loaded::new(store, &text);
        for point in deaths() {
            let loaded = Loaded::new(store, story::PIPELINE.text);
            loaded.define(&text);
            let mut command = loaded.project.command("migrate", &["--contract"]);
            let said = finish(command.env("VARDELTA_FAILPOINT", &point));
            // A migration need not come by every step of an epoch, but by every step of its own.
            if said.code == 0 && point.starts_with("commit:") {
                continue;
            }
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
