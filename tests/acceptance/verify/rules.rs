//! A rule that is wrong, the same way in a load and in a replay: only the database's own SQL finds it.

use vardelta_tests::{project::finish, story};

use super::{differing, tables};
use crate::history::place::on_each_place;

/// Makes aggregates leave FILTER (WHERE …) out of account.
const WRONG_RULE: (&str, &str) = ("VARDELTA_FAILPOINT", "aggregate:ignores_filters");

#[test]
fn a_wrong_aggregate_rule_is_found_by_the_database_and_by_no_replay() {
    on_each_place("a_wrong_aggregate_rule_is_found_by_the_database_and_by_no_replay", "", |place| {
        story::write_drop(&place.project, "alpha", &story::lines(3, 60));
        let wrong = |verb: &str, arguments: &[&str]| {
            let (name, value) = WRONG_RULE;
            finish(place.command(verb, arguments).env(name, value))
        };
        wrong("run", &[]).expect(0);
        let report = wrong("verify", &["--json", "--replay"]).expect(7).json();
        let of_summary: Vec<(String, bool)> = tables(&report)
            .into_iter()
            .filter(|(name, ..)| name == "mutation_summary")
            .map(|(_, by, differences)| (by, differences > 0))
            .collect();
        assert_eq!(of_summary, [("sql".to_owned(), true), ("replay".to_owned(), false)], "{report}");
        // It need not be asked for.
        let report = wrong("verify", &["--json"]).expect(7).json();
        assert_eq!(differing(&report), [("mutation_summary".to_owned(), "sql".to_owned())]);
        let difference = &report["differences"][0];
        assert!(difference["expected"].as_str().is_some_and(|row| row.contains("pathogenic_count=")), "{report}");
    });
}
