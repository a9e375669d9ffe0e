//! Rows that are taken out, and the history of those that are not.

use super::warehouse::{Record, on_each_with, records, vcf};

#[test]
fn a_quarantined_row_leaves_no_entry_in_the_history() {
    let options = "history = [\"variants\", \"summary\"]\n";
    on_each_with("a_quarantined_row_leaves_no_entry_in_the_history", options, |warehouse| {
        let first = records(1_000, 100, 100);
        warehouse.project.write("drops/a.vcf", &vcf(&first));
        warehouse.run("run", &[], 0);
        // Over rows of the first drop: some refused, so that those stand as they were.
        let second: Vec<Record> =
            records(1_000, 600, 50).into_iter().map(|(chromosome, at, q)| (chromosome, at, q + 0.5)).collect();
        warehouse.project.write("drops/b.vcf", &vcf(&second));
        warehouse.run("run", &[], 0);
        warehouse.run("withdraw", &["a"], 0);
        std::fs::remove_file(warehouse.project.path("drops/a.vcf")).expect("it is there");
        warehouse.check(&[&second]);
        // What the history says of each key last is what stands, and each entry goes on from the one before it.
        for (table, key, value) in [
            ("variants", "chromosome, position, reference, alternate", "quality"),
            ("summary", "chromosome", "variants"),
        ] {
            let last = format!(
                "select {key}, new_{value} from (select {key}, operation, new_{value}, row_number() over (partition by \
                 {key} order by epoch desc) as nth from {table}_history) as entries where nth = 1 and operation <> 'delete' \
                 order by {key}"
            );
            assert_eq!(
                warehouse.sql(&last),
                warehouse.sql(&format!("select {key}, {value} from {table} order by {key}"))
            );
            let broken = format!(
                "select count(*) from (select old_{value} as old, lag(new_{value}) over (partition by {key} order by epoch) \
                 as before_it from {table}_history) as entries where old <> before_it or (old is null) <> (before_it is null)"
            );
            assert_eq!(warehouse.sql(&broken), ["0"], "{table}");
        }
        let refused =
            "select count(*) from variants_history where new_quality > 100 or chromosome not in ('1', '2', 'X')";
        assert_eq!(warehouse.sql(refused), ["0"]);
        assert!(warehouse.sql("select count(*) from vardelta_rejects where reason = 'constraint'")[0] != "0");
    });
}
