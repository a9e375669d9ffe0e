//! A dry run judges the sink's checks itself: it shows what the run then does.

use serde_json::Value;

use super::warehouse::{Database, on_each, records, vcf};

/// What both reports must have alike.
fn alike(report: &Value) -> Vec<Value> {
    ["tables", "drops", "rejects"].iter().map(|part| report[part].clone()).collect()
}

#[test]
fn a_dry_run_takes_out_what_the_run_takes_out() {
    on_each("a_dry_run_takes_out_what_the_run_takes_out", |warehouse| {
        // Over several chunks, one row below another drop's, and rows that come to stand in the place of others.
        let mut first = records(2_000, 100, 0);
        first[700].2 = -3.5;
        first.push(("1".into(), 13, 1.0));
        let mut second = records(1_500, 500, 0);
        second[20].2 = 500.0;
        second.push(("1".into(), 13, 2.0));
        for (name, records, rejected) in [("a", &first, 2), ("b", &second, 2)] {
            warehouse.project.write(&format!("drops/{name}.vcf"), &vcf(records));
            let dry = warehouse.run("run", &["--dry-run", "--json", "--changes", "dry.ndjson"], 0).json();
            let run = warehouse.run("run", &["--json", "--changes", "run.ndjson"], 0).json();
            assert_eq!(alike(&dry), alike(&run), "{name}");
            assert_eq!(run["rejects"]["constraint"], rejected, "{name}");
            assert_eq!(warehouse.project.bytes("dry.ndjson"), warehouse.project.bytes("run.ndjson"), "{name}");
            let is_told = dry["notices"].to_string().contains("`references`");
            assert_eq!(is_told, matches!(warehouse.database, Database::Server { .. }), "{dry}");
        }
        // What cannot be quarantined ends both.
        let mut third = records(100, 9_000, 0);
        third[..10].iter_mut().for_each(|record| record.2 = 500.0);
        warehouse.project.write("drops/c.vcf", &vcf(&third));
        for arguments in [&["--dry-run"][..], &[]] {
            assert!(warehouse.run("run", arguments, 5).stderr.contains("10 of 100 records were rejected"));
        }
    });
}

#[test]
fn where_the_run_aborts_so_does_the_dry_run() {
    on_each("where_the_run_aborts_so_does_the_dry_run", |warehouse| {
        let mut drop = records(1_000, 100, 0);
        drop[700].2 = -3.5;
        warehouse.project.write("drops/a.vcf", &vcf(&drop));
        for arguments in [&["--dry-run"][..], &[]] {
            let said =
                warehouse.run("run", &[arguments, &["--set", "stages.warehouse.on_constraint=abort"]].concat(), 6);
            for text in ["table `variants`", "position = 800", "`quality BETWEEN 0 AND 100`", "on_constraint"] {
                assert!(said.stderr.contains(text), "{text}: {}", said.stderr);
            }
        }
    });
}
