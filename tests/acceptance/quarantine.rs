mod beneath;
mod definitions;
mod dry;
mod history;
mod place;
mod trouble;
mod warehouse;

use warehouse::{Database, count, on_each, on_each_path, records, vcf};

#[test]
fn rows_that_the_database_refuses_become_rejects_and_all_else_is_exact() {
    on_each_path("rows_that_the_database_refuses_become_rejects_and_all_else_is_exact", |warehouse| {
        // One in 1,000.
        let mut first = records(1_000, 100, 0);
        first[700].2 = -3.5;
        warehouse.project.write("drops/a.vcf", &vcf(&first));
        let report = warehouse.run("run", &["--json", "--rejects", "rejects.tsv"], 0).json();
        assert_eq!((count(&report, "a", "loaded"), count(&report, "a", "rejected")), (999, 1));
        assert_eq!(report["rejects"].to_string(), "{\"constraint\":1}");
        let columns = "select drop_name, stage, line, contig, pos, reason, raw, detail from vardelta_rejects";
        let rejects = warehouse.sql(columns);
        assert!(rejects[0].starts_with("a|warehouse|703|2|800|constraint|NULL|table `variants`, "), "{rejects:?}");
        assert!(rejects[0].contains("`quality BETWEEN 0 AND 100`"), "{rejects:?}");
        let listed = String::from_utf8(warehouse.project.bytes("rejects.tsv")).expect("UTF-8");
        assert_eq!(listed.lines().count(), 2, "{listed}");
        warehouse.check(&[&first]);

        // 100 in 10,000, over several chunks; some over good rows of the first drop, which then stand again.
        let second = records(10_000, 500, 100);
        warehouse.project.write("drops/b.vcf", &vcf(&second));
        let report = warehouse.run("run", &["--json"], 0).json();
        assert_eq!((count(&report, "b", "loaded"), count(&report, "b", "rejected")), (9_900, 100));
        warehouse.check(&[&first, &second]);
        assert_eq!(warehouse.sql("select count(*) from vardelta_rejects where reason = 'constraint'"), ["101"]);
        let ledger = "select records_loaded, records_rejected from vardelta_drops where name = 'b'";
        assert_eq!(warehouse.sql(ledger), ["9900|100"]);

        // Nothing is new.
        assert_eq!(warehouse.run("run", &["--json"], 0).json()["committed"], false);
        // A replacement corrects the rows, and another one brings one more that is bad.
        let mut third = records(10_000, 500, 0);
        warehouse.project.write("drops/b.vcf", &vcf(&third));
        let report = warehouse.run("run", &["--json"], 0).json();
        assert_eq!(count(&report, "b", "rejected"), 0);
        warehouse.check(&[&first, &third]);
        third[5].0 = "Y".into();
        warehouse.project.write("drops/b.vcf", &vcf(&third));
        let report = warehouse.run("run", &["--json"], 0).json();
        assert_eq!(count(&report, "b", "rejected"), 1);
        warehouse.check(&[&first, &third]);
        warehouse.run("withdraw", &["b"], 0);
        std::fs::remove_file(warehouse.project.path("drops/b.vcf")).expect("it is there");
        warehouse.check(&[&first]);
    });
}

#[test]
fn a_row_that_comes_to_stand_in_place_of_another_is_judged_too() {
    on_each_path("a_row_that_comes_to_stand_in_place_of_another_is_judged_too", |warehouse| {
        let good = records(100, 100, 0);
        let (mut a, mut b) = (good.clone(), good.clone());
        a.push(("1".into(), 13, 1.0));
        b.push(("1".into(), 13, 2.0));
        warehouse.project.write("drops/a.vcf", &vcf(&a));
        warehouse.project.write("drops/b.vcf", &vcf(&b));
        let report = warehouse.run("run", &["--json"], 0).json();
        assert_eq!((count(&report, "a", "rejected"), count(&report, "b", "rejected")), (1, 1));
        warehouse.check(&[&a, &b]);
    });
}

#[test]
fn what_cannot_be_quarantined_ends_the_run() {
    on_each("what_cannot_be_quarantined_ends_the_run", |warehouse| {
        // Too much of the drop.
        let mut drop = records(100, 100, 0);
        drop[..10].iter_mut().for_each(|record| record.2 = 500.0);
        warehouse.project.write("drops/a.vcf", &vcf(&drop));
        let said = warehouse.run("run", &[], 5);
        assert!(said.stderr.contains("10 of 100 records were rejected"), "{}", said.stderr);
        assert_eq!(warehouse.rows_if_any(), ["0"]);

        // A view's row.
        drop = records(100, 100, 0);
        warehouse.project.write("drops/a.vcf", &vcf(&drop));
        warehouse.run("run", &[], 0);
        warehouse.sql(match warehouse.database {
            Database::Sqlite => {
                "create trigger few before update on summary when new.variants >= 40 begin select raise(abort, 'few'); end"
            }
            Database::Server { .. } => "alter table summary add constraint few check (variants < 40)",
        });
        warehouse.project.write("drops/b.vcf", &vcf(&records(100, 1_000, 0)));
        let said = warehouse.run("run", &[], 6);
        assert!(
            said.stderr.contains("table `summary`") && said.stderr.contains("cannot be quarantined"),
            "{}",
            said.stderr
        );
        // The run that failed has left nothing.
        std::fs::remove_file(warehouse.project.path("drops/b.vcf")).expect("it is there");
        warehouse.check(&[&drop]);
    });
}

#[test]
fn without_quarantine_nothing_is_written() {
    on_each("without_quarantine_nothing_is_written", |warehouse| {
        let mut drop = records(1_000, 100, 0);
        drop[700].2 = -3.5;
        warehouse.project.write("drops/a.vcf", &vcf(&drop));
        let said = warehouse.run("run", &["--set", "stages.warehouse.on_constraint=abort"], 6);
        for text in ["table `variants`", "position = 800", "`quality BETWEEN 0 AND 100`"] {
            assert!(said.stderr.contains(text), "{text}: {}", said.stderr);
        }
        assert_eq!(warehouse.rows_if_any(), ["0"]);
    });
}
