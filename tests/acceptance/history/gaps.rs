//! A history that is asked for later, or no longer and then again: what is not in it is said, and `verify` does not miss it.

use serde_json::json;
use vardelta_tests::{drop_file, story};

use super::place::on_each_place;

const KEPT: &str = "stages.warehouse.history=[\"variants\"]";

fn kept<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &["--set", KEPT]].concat()
}

#[test]
fn epochs_without_a_history_are_said_and_not_missed() {
    on_each_place("epochs_without_a_history_are_said_and_not_missed", "", |place| {
        story::write_drop(&place.project, "alpha", &story::lines(1, 40));
        story::write_drop(&place.project, "beta", &story::lines(2, 30));
        place.vardelta("run", &kept(&[])).expect(0);
        // What the history has of alpha's rows is no longer so, and it does not know.
        drop_file::remove(&place.project.path("drops"), "alpha");
        place.vardelta("withdraw", &["alpha"]).expect(0);
        story::write_drop(&place.project, "gamma", &story::lines(3, 20));
        let said = place.vardelta("run", &kept(&[])).expect(0);
        said.says(&["the history of `variants` begins again with epoch 3: what epoch 2 did is not in it"]);

        let missing = "the history of `variants` was not kept all the time: what epoch 2 did is not in it";
        for arguments in [["--since", "0"], ["--epoch", "2"]] {
            let said = place.vardelta("changes", &kept(&arguments)).expect(0);
            assert!(said.stderr.contains(missing), "{}", said.stderr);
            let json = place.vardelta("changes", &kept(&[arguments[0], arguments[1], "--json"])).expect(0).json();
            assert_eq!(json["missing"], json!([{ "table": "variants", "first_epoch": 2, "last_epoch": 2 }]));
        }
        let json = place.vardelta("changes", &kept(&["--json"])).expect(0).json();
        assert_eq!(json["missing"], json!([]), "the last epoch is in it");

        let verified = "`variants_history` was not kept all the time: what epoch 2 did is not in it";
        place.vardelta("verify", &kept(&[])).expect(0).says(&[verified]);
        place.vardelta("rebuild", &kept(&[])).expect(0);
        place.vardelta("verify", &kept(&[])).expect(0).says(&[verified]);
        // Nothing is said of an epoch that only goes on.
        story::write_drop(&place.project, "delta", &story::lines(4, 20));
        let said = place.vardelta("run", &kept(&[])).expect(0);
        assert!(!said.stdout.contains("is not in it"), "{}", said.stdout);
        // Rows that went from an epoch that kept it are missed all the same.
        place.execute("DELETE FROM variants_history WHERE epoch = 3");
        place.vardelta("verify", &kept(&[])).expect(7).says(&["epoch 3"]);
    });
}

#[test]
fn a_history_that_is_asked_for_later_says_where_it_begins() {
    on_each_place("a_history_that_is_asked_for_later_says_where_it_begins", "", |place| {
        story::write_drop(&place.project, "alpha", &story::lines(1, 40));
        place.vardelta("run", &[]).expect(0);
        story::write_drop(&place.project, "beta", &story::lines(2, 30));
        let said = place.vardelta("run", &kept(&[])).expect(0);
        said.says(&["the history of `variants` begins with epoch 2: what epoch 1 did is not in it"]);
        place.vardelta("verify", &kept(&[])).expect(0);
        let said = place.vardelta("changes", &kept(&["--since", "0"])).expect(0);
        assert!(said.stderr.contains("what epoch 1 did is not in it"), "{}", said.stderr);
    });
}
