//! Which view is verified how, database by database: none falls back to the replay unseen, and `explain` says the same.

use vardelta_engine::run::{Means, RunOptions, VerifiedTable};
use vardelta_test_servers::{Flavor, shared};
use vardelta_tests::{
    drop_file::{self, Packing},
    in_process::Warehouse,
    pipelines::{CARRIERS, COHORT, GENE_SUMMARY, JOINS, LAYERS, Pipeline},
    project::{Project, finish},
    random::{Random, seed},
    record::Line,
    server_project::{ServerProject, URL_VARIABLE, discreet},
};

/// The pipelines, with the views that no database computes and what is to blame.
const REPLAYED: [(&Pipeline, &[(&str, &str)]); 5] = [
    (&GENE_SUMMARY, &[]),
    (&CARRIERS, &[]),
    (
        &JOINS,
        // The sink does not keep the table.
        &[
            ("observed", "table `observations`"),
            ("rivals", "table `observations`"),
            ("alike_counts", "table `observations`"),
            ("both", "table `observations`"),
        ],
    ),
    (
        &COHORT,
        // The sink does not keep the table.
        &[("deep", "table `sites`"), ("per_gene", "table `sites`"), ("everything", "table `sites`")],
    ),
    (
        &LAYERS,
        // Nor this one.
        &[
            ("labels", "table `hits`"),
            ("busy", "table `hits`"),
            ("sizes", "table `hits`"),
            ("notable_totals", "table `hits`"),
        ],
    ),
];

fn verified(warehouse: &Warehouse, seed: u64) -> Vec<VerifiedTable> {
    let mut random = Random::new(seed);
    for name in ["alpha", "beta"] {
        let lines: Vec<Line> = (0..120).map(|_| Line::random(&mut random)).collect();
        drop_file::write(&warehouse.drops(), name, &drop_file::text(&lines, 0), Packing::Plain);
    }
    warehouse.run(0, &RunOptions::default()).expect("it runs");
    let report = warehouse.verify(&RunOptions { replay: true, ..RunOptions::default() }).expect("verify works");
    assert_eq!(report.difference_count, 0, "{:#?}", report.differences);
    report.tables
}

fn check(pipeline: &Pipeline, replayed: &[(&str, &str)], where_: &str, verified: &[VerifiedTable]) {
    for (name, _) in pipeline.keys {
        let of: Vec<&VerifiedTable> = verified.iter().filter(|table| table.name == *name).collect();
        let means: Vec<Means> = of.iter().map(|table| table.by).collect();
        let expected: &[Means] = match replayed.iter().find(|(view, _)| view == name) {
            Some((_, why)) => {
                let said = of[0].not_sql.as_deref().unwrap_or_default();
                assert!(said.contains(why), "{where_}, {name}: {said}");
                &[Means::Replay]
            }
            None if means == [Means::State] => &[Means::State],
            None => &[Means::Sql, Means::Replay],
        };
        assert_eq!(means, expected, "{where_}, {name}: {of:?}");
    }
}

#[test]
fn every_view_is_computed_by_the_database_unless_it_is_said_why_not() {
    let test = "every_view_is_computed_by_the_database_unless_it_is_said_why_not";
    let first = seed(1);
    for (seed, (pipeline, replayed)) in (first..).zip(REPLAYED) {
        check(pipeline, replayed, "SQLite", &verified(&Warehouse::new(pipeline.text), seed));
        // With the tables that the sink does not keep otherwise.
        let (missing, text) = match replayed {
            [] => continue,
            [(_, why), ..] => {
                let missing = why.split('`').nth(1).expect("a name");
                (missing, pipeline.text.replace("tables = [", &format!("tables = [\"{missing}\", ")))
            }
        };
        let verified = verified(&Warehouse::new(&text), seed);
        let by_replay = |table: &&VerifiedTable| table.not_sql.is_some();
        let left: Vec<(&str, &str)> = verified
            .iter()
            .filter(by_replay)
            .map(|table| (table.name.as_str(), table.not_sql.as_deref().unwrap_or_default()))
            .collect();
        eprintln!("with `{missing}`: {left:?}");
        match missing {
            "hits" => {
                let views: Vec<&str> = left.iter().map(|(name, _)| *name).collect();
                assert_eq!(views, ["labels", "notable_totals"], "{left:?}");
                let said = |at: usize, text: &str| assert!(left[at].1.contains(text), "{left:?}");
                said(0, "a function that databases do not have alike, in stage `labels`");
                said(1, "`round` in SQLite");
            }
            _ => assert!(left.is_empty(), "{left:?}"),
        }
        let tolerant: Vec<&str> = verified.iter().flat_map(|table| &table.tolerant).map(String::as_str).collect();
        if missing == "sites" {
            assert_eq!(tolerant, ["quality_sum", "quality_avg", "quality_sum"], "sums of doubles");
        }
    }
    for flavor in Flavor::ALL {
        let Some(server) = shared(test, flavor) else { continue };
        for (seed, (pipeline, replayed)) in (first..).zip(REPLAYED) {
            let database = server.new_database();
            let warehouse = Warehouse::at(server.url(&database), &pipeline.on_server(""));
            check(pipeline, replayed, &flavor.to_string(), &verified(&warehouse, seed));
        }
    }
}

#[test]
fn explain_prints_the_sql_of_the_server_that_is_there() {
    let said = Project::new(GENE_SUMMARY.text).vardelta("explain", &[]).expect(0);
    said.says(&[
        "gene_summary.sqlite, SQLite:",
        "`verify` has mutation_summary computed there:",
        "FROM \"variants\" AS \"t\"",
    ]);
    for (flavor, collation, words) in
        [(Flavor::MariaDb, "utf8mb4_nopad_bin", "MariaDB 1"), (Flavor::MySql, "utf8mb4_0900_bin", "MySQL ")]
    {
        let Some(server) = shared("explain_prints_the_sql_of_the_server_that_is_there", flavor) else { continue };
        let project = ServerProject::new(server, &GENE_SUMMARY, "");
        let said = project.vardelta("explain", &[]).expect(0);
        said.says(&[collation, words, "FROM `variants` AS `t`"]);
        let report = project.vardelta("explain", &["--json"]).expect(0).json();
        assert!(report["server"].as_str().is_some_and(|server| server.starts_with(words)), "{report}");
        assert_eq!(report["views"][0]["table"], "mutation_summary");
        assert!(report["views"][0]["sql"].as_str().is_some_and(|sql| sql.starts_with("SELECT")), "{report}");
    }
    // Nobody answers there.
    let project = Project::new(&GENE_SUMMARY.on_server(""));
    let mut explain = project.command("explain", &[]);
    explain.env(URL_VARIABLE, "mysql://me:secret@127.0.0.1:1/w");
    let said = discreet(finish(&mut explain)).expect(0);
    said.says(&["as for MySQL, since no server answers"]);
}
