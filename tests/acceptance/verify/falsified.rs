//! Rows changed behind vardelta's back.

use vardelta_tests::story;

use super::differing;
use crate::history::place::{Place, on_each_place};

const HISTORIES: &str = "history = [\"variants\", \"mutation_summary\"]";

/// What somebody does, what is to be found of it, and how it is taken back.
struct Falsification {
    does: &'static str,
    undoes: &'static str,
    found: &'static [(&'static str, &'static str)],
}

const GENE: &str = "(SELECT gene_symbol FROM (SELECT min(gene_symbol) AS gene_symbol FROM mutation_summary) AS s)";

const CASES: [Falsification; 7] = [
    // One unit in the last place of an average.
    Falsification {
        does: "UPDATE mutation_summary SET avg_quality = round(avg_quality + 0.000001, 6) WHERE gene_symbol = GENE",
        undoes: "UPDATE mutation_summary SET avg_quality = round(avg_quality - 0.000001, 6) WHERE gene_symbol = GENE",
        found: &[("mutation_summary", "sql"), ("mutation_summary_history", "ledger")],
    },
    Falsification {
        does: "UPDATE mutation_summary SET variant_count = variant_count + 1 WHERE gene_symbol = GENE",
        undoes: "UPDATE mutation_summary SET variant_count = variant_count - 1 WHERE gene_symbol = GENE",
        found: &[("mutation_summary", "sql"), ("mutation_summary_history", "ledger")],
    },
    // The base row is not the state's, the summary not what the base rows say, and neither history its table's.
    Falsification {
        does: "UPDATE variants SET quality = quality - 1 WHERE gene_symbol = GENE",
        undoes: "UPDATE variants SET quality = quality + 1 WHERE gene_symbol = GENE",
        found: &[("variants", "state"), ("mutation_summary", "sql"), ("variants_history", "ledger")],
    },
    Falsification {
        does: "UPDATE mutation_summary_history SET new_variant_count = new_variant_count + 1 \
               WHERE gene_symbol = GENE AND operation <> 'delete'",
        undoes: "UPDATE mutation_summary_history SET new_variant_count = new_variant_count - 1 \
                 WHERE gene_symbol = GENE AND operation <> 'delete'",
        found: &[("mutation_summary_history", "ledger")],
    },
    Falsification {
        does: "UPDATE variants_history SET new_quality = new_quality - 1 WHERE operation <> 'delete'",
        undoes: "UPDATE variants_history SET new_quality = new_quality + 1 WHERE operation <> 'delete'",
        found: &[("variants_history", "ledger")],
    },
    Falsification {
        does: "UPDATE variants_history SET epoch = epoch + 100",
        undoes: "UPDATE variants_history SET epoch = epoch - 100",
        found: &[("variants_history", "ledger")],
    },
    // A row is gone, which nothing undoes.
    Falsification {
        does: "DELETE FROM mutation_summary WHERE gene_symbol = GENE",
        undoes: "",
        found: &[("mutation_summary", "sql"), ("mutation_summary_history", "ledger")],
    },
];

fn loaded(place: &Place) {
    story::write_drop(&place.project, "alpha", &story::lines(1, 40));
    place.vardelta("run", &[]).expect(0);
    story::write_drop(&place.project, "beta", &story::lines(2, 30));
    place.vardelta("run", &[]).expect(0);
}

#[test]
fn falsified_rows_are_found() {
    on_each_place("falsified_rows_are_found", HISTORIES, |place| {
        loaded(&place);
        for Falsification { does, undoes, found } in &CASES {
            place.vardelta("verify", &[]).expect(0);
            // The gene's name is read first: a DELETE may not read what it deletes.
            let gene = format!("'{}'", place.query(&format!("SELECT {GENE}"))[0][0]);
            place.execute(&does.replace("GENE", &gene));
            let report = place.vardelta("verify", &["--json"]).expect(7).json();
            let found: Vec<(String, String)> =
                found.iter().map(|(table, by)| ((*table).to_owned(), (*by).to_owned())).collect();
            assert_eq!(differing(&report), found, "{does}: {report}");
            // The replay finds the same.
            let second = place.vardelta("verify", &["--json", "--replay"]).expect(7).json();
            let by_both = differing(&second).into_iter().filter(|(_, by)| by != "replay").collect::<Vec<_>>();
            assert_eq!(by_both, found, "{does}");
            let is_replayed = differing(&second).contains(&("mutation_summary".into(), "replay".into()));
            assert_eq!(is_replayed, found.contains(&("mutation_summary".into(), "sql".into())), "{does}");
            if undoes.is_empty() {
                place.vardelta("rebuild", &[]).expect(0);
            } else {
                place.execute(&undoes.replace("GENE", &gene));
            }
        }
    });
}
