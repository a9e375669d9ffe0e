//! Tables as text.

use vardelta_engine::{report::Action, run::RunOptions};
use vardelta_tests::{drop_file::Packing, in_process::Warehouse};

use super::*;

const PIPELINE: &str = r##"
[pipeline]
name = "tables"
max_reject_share = 0.5

[stages.drug_rows]
type = "delimited"
path = "drops/*.tsv*"
comment = "#"
[stages.drug_rows.columns]
gene = { from = "gene_name", type = "text", required = true }
drug = { type = "text", required = true }
score = "decimal(6,3)"

[stages.scored]
type = "filter"
input = "drug_rows"
where = "drug <> 'PLACEBO'"

[stages.drugs]
type = "table"
input = "scored"
key = ["gene", "drug"]

[stages.warehouse]
type = "sqlite"
path = "sources.sqlite"
tables = ["drugs"]
"##;
const QUERY: &str = "SELECT gene || ' ' || drug || ' ' || quote(score) FROM drugs ORDER BY 1";

#[test]
fn a_table_is_added_recognised_replaced_and_withdrawn() {
    let warehouse = Warehouse::new(PIPELINE);
    let first = "gene_name\tdrug\tscore\nEGFR\tGEFITINIB\t8.5\nEGFR\tPLACEBO\t0\nKRAS\tSOTORASIB\t\nKRAS\tcut\n\
                 EGFR\tGEFITINIB\t9\n";
    let report = deliver(&warehouse, "drugs.tsv", first.as_bytes());
    assert_eq!((counts(&report), changes(&report)), ((Action::Added, [5, 2, 1, 1, 1]), [2, 0, 0]));
    assert_eq!(
        report.rejects.iter().map(|(code, count)| (code.as_str(), *count)).collect::<Vec<_>>(),
        [("ragged_record", 1)]
    );
    assert_eq!(texts(&warehouse, QUERY), ["EGFR GEFITINIB 9.0", "KRAS SOTORASIB NULL"]);
    let place = "SELECT line || ' ' || reason || ' ' || raw FROM vardelta_rejects";
    assert_eq!(texts(&warehouse, place), ["5 ragged_record KRAS\tcut"]);

    // Packed, and with other comments, it is the same drop.
    for packing in [Packing::Gzip, Packing::Bgzf] {
        let commented = format!("# again\n{}", first.replace('\n', "\r\n"));
        let report = deliver(&warehouse, "drugs.tsv.gz", &packing.pack(commented.as_bytes()));
        assert_eq!(counts(&report).0, Action::Unchanged, "{packing:?}");
        assert!(!report.committed);
    }

    // Another order of columns means other values by the same bytes, so that the file is read; its rows are the same.
    let turned = "drug\tgene_name\tscore\nGEFITINIB\tEGFR\t9.000\nADAGRASIB\tKRAS\t7.25\n";
    let report = deliver(&warehouse, "drugs.tsv", turned.as_bytes());
    assert_eq!((counts(&report), changes(&report)), ((Action::Replaced, [2, 2, 0, 0, 0]), [1, 0, 1]));
    assert_eq!(texts(&warehouse, QUERY), ["EGFR GEFITINIB 9.0", "KRAS ADAGRASIB 7.25"]);
    equals_fresh(&warehouse, PIPELINE, QUERY);

    std::fs::remove_file(warehouse.drops().join("drugs.tsv")).expect("the file is not needed");
    let report = warehouse.withdraw(0, &["drugs".to_owned()], &RunOptions::default()).expect("withdraws");
    assert_eq!(changes(&report), [0, 0, 2]);
    assert!(texts(&warehouse, QUERY).is_empty());
}

#[test]
fn a_table_that_cannot_be_read_changes_nothing() {
    let warehouse = Warehouse::new(PIPELINE);
    deliver(&warehouse, "drugs.tsv", b"gene_name\tdrug\tscore\nEGFR\tGEFITINIB\t8.5\n");
    for (bad, expected) in [
        (&b"gene\tdrug\tscore\n"[..], "names no column `gene_name`"),
        (b"gene_name\tdrug\tscore\ndrug\n", "names"),
        (b"gene_name\tdrug\tscore\nEGFR\t\"GEFITINIB\t8.5\n", "opens a quote that is never closed"),
        (b"", "is empty"),
    ] {
        std::fs::write(warehouse.drops().join("drugs.tsv"), bad).expect("a drop can be written");
        let outcome = warehouse.run(0, &RunOptions::default());
        let message = match outcome {
            Err(error) => error.to_string(),
            // One record of one is more than the share that may be rejected.
            Ok(report) => panic!("{expected}: {:?}", report.drops),
        };
        let is_share = bad.ends_with(b"score\ndrug\n");
        assert!(is_share || message.contains(expected), "{expected}: {message}");
        assert_eq!(texts(&warehouse, QUERY), ["EGFR GEFITINIB 8.5"]);
    }
}
