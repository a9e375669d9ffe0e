//! Checks that change, and checks of tables that change: a table has those that are declared, or the run says what to do.

use super::warehouse::{Database, Warehouse, count, on_each, records};

/// The pipeline with another text in place of one of its own.
fn define(warehouse: &Warehouse, from: &str, to: &str) {
    let text = String::from_utf8(warehouse.project.bytes("pipeline.toml")).expect("UTF-8");
    assert!(text.contains(from), "{from} is not in the pipeline");
    warehouse.project.write("pipeline.toml", text.replace(from, to).as_bytes());
}

#[test]
fn another_check_needs_a_rebuild() {
    on_each("another_check_needs_a_rebuild", |warehouse| {
        let mut a = records(60, 100, 0);
        warehouse.deliver("a", &a);
        define(&warehouse, "\"position <> 13\"", "\"position <> 13\", \"position <> 105\"");
        for verb in ["run", "migrate"] {
            warehouse.project.write("drops/b.vcf", &super::vcf(&records(1, 5_000, 0)));
            let said = warehouse.run(verb, &[], 6);
            let text = said.stderr;
            assert!(
                text.contains("no constraint `position <> 105`") && text.contains("vardelta rebuild"),
                "{verb}: {text}"
            );
            assert!(!text.contains("vardelta migrate`"), "{verb}: {text}");
        }
        // A row that stands is refused: it was judged by another rule when it came.
        let said = warehouse.run("rebuild", &[], 6);
        assert!(said.stderr.contains("position=105") && said.stderr.contains("made again"), "{}", said.stderr);
        define(&warehouse, "\"position <> 105\"", "\"position <> 1005\"");
        warehouse.run("rebuild", &[], 0);
        std::fs::remove_file(warehouse.project.path("drops/b.vcf")).expect("it is there");
        a.push(("1".into(), 1005, 1.0));
        let report = warehouse.deliver("a", &a);
        assert_eq!(count(&report, "a", "rejected"), 1);
        assert_eq!(warehouse.sql("select count(*) from variants"), ["60"]);
    });
}

#[test]
fn checks_stay_when_their_table_is_copied() {
    on_each("checks_stay_when_their_table_is_copied", |warehouse| {
        let mut a = records(60, 100, 0);
        warehouse.deliver("a", &a);
        // NOT NULL, which SQLite gives a column by copying its table alone.
        define(&warehouse, "quality = \"qual\"", "quality = \"coalesce(qual, 0.0)\"");
        warehouse.run("migrate", &["--contract"], 0);
        let not_null = match warehouse.database {
            Database::Sqlite => "select \"notnull\" from pragma_table_info('variants') where name = 'quality'",
            Database::Server { .. } => {
                "select is_nullable = 'NO' from information_schema.columns where table_schema = database() and table_name = \
                 'variants' and column_name = 'quality'"
            }
        };
        assert_eq!(warehouse.sql(not_null), ["1"]);
        a.push(("1".into(), 13, 1.0));
        a.push(("2".into(), 14, 200.0));
        let report = warehouse.deliver("a", &a);
        assert_eq!(count(&report, "a", "rejected"), 2);
        warehouse.check(&[&a]);
    });
}
