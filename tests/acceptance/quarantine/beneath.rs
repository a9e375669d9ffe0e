//! Rows that stand below another drop's, where nobody judges them, and come up when that drop goes: a withdrawal is always
//! possible.

use vardelta_tests::random::{Random, from_environment, seed};

use super::warehouse::{Record, Warehouse, count, is_taken, on_each, records};

const REJECTS: &str =
    "select epoch, drop_name, line, contig, pos from vardelta_rejects order by epoch, drop_name, line";

/// Good records, and one at position 50 with this quality.
fn with(quality: f64, first: u32) -> Vec<Record> {
    let mut records = records(60, first, 0);
    records.push(("1".into(), 50, quality));
    records
}

#[test]
fn a_withdrawal_rejects_the_rows_that_come_up_by_the_name_of_their_drop() {
    on_each("a_withdrawal_rejects_the_rows_that_come_up_by_the_name_of_their_drop", |warehouse| {
        let (a, b) = (with(-1.0, 100), with(5.0, 300));
        warehouse.project.write("drops/a.vcf", &super::vcf(&a));
        let report = warehouse.deliver("b", &b);
        assert_eq!((count(&report, "a", "loaded"), count(&report, "a", "rejected")), (61, 0), "it is hidden");
        let said = warehouse.run("withdraw", &["b", "--dry-run"], 0);
        assert!(said.stdout.contains("position=50"), "{}", said.stdout);
        let report = warehouse.withdraw("b");
        assert_eq!(report["rejects"].to_string(), "{\"constraint\":1}");
        let notices = report["notices"].to_string();
        assert!(notices.contains("drop `a`, loaded earlier: 1 of its rows came to stand"), "{notices}");
        assert_eq!(warehouse.sql(REJECTS), ["2|a|63|1|50"]);
        warehouse.check(&[&a]);
        // What was taken out stays out, and its drop can go as any other.
        let c = with(6.0, 300);
        warehouse.deliver("c", &c);
        warehouse.withdraw("c");
        assert_eq!(warehouse.sql(REJECTS).len(), 1);
        warehouse.check(&[&a]);
        warehouse.withdraw("a");
        warehouse.check(&[]);
    });
}

#[test]
fn a_replacement_lets_rows_come_up_too() {
    on_each("a_replacement_lets_rows_come_up_too", |warehouse| {
        let (a, b) = (with(-1.0, 100), with(5.0, 300));
        warehouse.project.write("drops/a.vcf", &super::vcf(&a));
        warehouse.deliver("b", &b);
        // The new content does not say anything of the key, and has a refused row of its own.
        let mut new = records(60, 300, 0);
        new[7].2 = 101.0;
        let report = warehouse.deliver("b", &new);
        assert_eq!(count(&report, "b", "rejected"), 1, "that of the other drop is not its own");
        assert_eq!(report["rejects"].to_string(), "{\"constraint\":2}");
        let contig = ["1", "2", "X"][7 % 3];
        assert_eq!(warehouse.sql(REJECTS), ["2|a|63|1|50".to_owned(), format!("2|b|10|{contig}|307")]);
        warehouse.check(&[&a, &new]);
    });
}

#[test]
fn any_number_of_rows_may_lie_below_each_other() {
    on_each("any_number_of_rows_may_lie_below_each_other", |warehouse| {
        // More than a dozen, each with another value; some drops say the same.
        let mut drops: Vec<Vec<Record>> = (0..14).map(|at| with(-f64::from(1 + at / 2), 100 * (1 + at))).collect();
        drops.push(with(7.0, 10_000));
        for (at, drop) in drops.iter().enumerate() {
            warehouse.project.write(&format!("drops/d{at:02}.vcf"), &super::vcf(drop));
        }
        warehouse.run("run", &[], 0);
        let report = warehouse.withdraw("d14");
        assert_eq!(report["rejects"].to_string(), "{\"constraint\":14}");
        drops.pop();
        let left: Vec<&[Record]> = drops.iter().map(Vec::as_slice).collect();
        warehouse.check(&left);
    });
}

#[test]
fn where_nothing_is_quarantined_the_message_says_how_to_go_on() {
    on_each("where_nothing_is_quarantined_the_message_says_how_to_go_on", |warehouse| {
        let (a, b) = (with(-1.0, 100), with(5.0, 300));
        warehouse.project.write("drops/a.vcf", &super::vcf(&a));
        warehouse.deliver("b", &b);
        let said = warehouse.run("withdraw", &["b", "--set", "stages.warehouse.on_constraint=abort"], 6);
        assert!(said.stderr.contains("on_constraint = \"quarantine\""), "{}", said.stderr);
        warehouse.check(&[&a, &b]);
        warehouse.withdraw("b");
        warehouse.check(&[&a]);
    });
}

/// Drops of a few keys, good and bad, come, change and go in any order and in any company.
fn history(warehouse: &Warehouse, random: &mut Random, steps: usize) {
    const ANY_SHARE: [&str; 2] = ["--set", "pipeline.max_reject_share=1.0"];
    let record = |random: &mut Random| {
        let contig = *random.pick(&["1", "1", "2", "2", "X", "Y", "chromosome_1"]);
        let quality = *random.pick(&[1.0, 2.0, 50.0, 100.0, 100.5, -1.0]);
        (contig.to_owned(), 10 + random.below(7) as u32, quality)
    };
    // In the order of first delivery.
    let mut standing: Vec<(String, Vec<Record>)> = Vec::new();
    for step in 0..steps {
        let mut delivered = Vec::new();
        for _ in 0..1 + random.below(3) {
            let name = format!("d{}", random.below(6));
            let count = 1 + random.below(12);
            let records: Vec<Record> = (0..count).map(|_| record(random)).collect();
            warehouse.project.write(&format!("drops/{name}.vcf"), &super::vcf(&records));
            delivered.retain(|(other, _)| *other != name);
            delivered.push((name, records));
        }
        delivered.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (name, records) in delivered {
            match standing.iter_mut().find(|(other, _)| *other == name) {
                Some((_, old)) => *old = records,
                None => standing.push((name, records)),
            }
        }
        warehouse.run("run", &ANY_SHARE, 0);
        if random.percent(60) {
            let (name, _) = standing.remove(random.below(standing.len()));
            warehouse.withdraw(&name);
        }
        let drops: Vec<&[Record]> = standing.iter().map(|(_, records)| records.as_slice()).collect();
        eprintln!("step {step}: {} drops, {} records", drops.len(), drops.iter().map(|drop| drop.len()).sum::<usize>());
        warehouse.check(&drops);
    }
    // Down to nothing, in any order.
    random.shuffle(&mut standing);
    for (name, _) in standing {
        warehouse.withdraw(&name);
    }
    warehouse.check(&[]);
    let bad = warehouse.sql("select count(*) from vardelta_rejects where drop_name is null or contig is null");
    assert_eq!(bad, ["0"], "every reject names its drop and its place");
}

#[test]
fn random_histories_of_good_and_bad_rows_are_exact_at_every_step() {
    let seed = seed(1);
    let steps = from_environment("VARDELTA_STEPS", 4) as usize;
    on_each("random_histories_of_good_and_bad_rows_are_exact_at_every_step", |warehouse| {
        assert!(is_taken(&("1".into(), 10, 100.0)) && !is_taken(&("1".into(), 13, 1.0)));
        history(&warehouse, &mut Random::new(seed), steps);
    });
}
