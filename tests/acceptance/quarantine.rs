use std::collections::{BTreeMap, BTreeSet};

use mysql::{Row, Value, prelude::Queryable};
use vardelta_test_servers::{Server, each};
use vardelta_tests::project::{Project, Said};

const PIPELINE: &str = r#"
[pipeline]
name = "quarantine"
max_reject_share = 0.05
chunk_records = 700
[stages.calls]
type = "vcf"
path = "drops/*.vcf"
[stages.alleles]
type = "normalize"
input = "calls"
[stages.named]
type = "select"
input = "alleles"
columns = { chromosome = "chrom", position = "pos", reference = "ref", alternate = "alt", quality = "qual" }
[stages.variants]
type = "table"
input = "named"
key = ["chromosome", "position", "reference", "alternate"]
conflict = "latest_drop"
[stages.summary]
type = "aggregate"
input = "variants"
group_by = ["chromosome"]
columns = { variants = "count(*)", positions = "sum(position)", best = "max(quality)" }
[stages.warehouse]
type = "mysql"
url = "${VARDELTA_MYSQL_URL}"
tables = ["summary", "variants"]
text_characters = { chromosome = 8 }
checks = { variants = ["quality BETWEEN 0 AND 100", "position <> 13"] }
references = { variants = [{ columns = ["chromosome"], table = "contigs", to = ["name"] }] }
on_constraint = "quarantine"
"#;

/// Chromosome, position and quality of an A>C record.
type Record = (String, u32, f64);

fn is_taken((chromosome, position, quality): &Record) -> bool {
    ["1", "2", "X"].contains(&chromosome.as_str()) && *position != 13 && (0.0..=100.0).contains(quality)
}

fn vcf(records: &[Record]) -> Vec<u8> {
    let header = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    let line =
        |(chromosome, position, quality): &Record| format!("{chromosome}\t{position}\t.\tA\tC\t{quality}\tPASS\t.\n");
    format!("{header}{}", records.iter().map(line).collect::<String>()).into_bytes()
}

/// Records on the contigs that there are, from this position on; every `bad`th is refused, in four ways.
fn records(count: u32, first: u32, bad: u32) -> Vec<Record> {
    let record = |at: u32| {
        let contig = ["1", "2", "X"][at as usize % 3];
        let good = (contig.to_owned(), first + at, f64::from(at % 97));
        match (bad > 0 && at % bad == 7, at / bad.max(1) % 3) {
            (false, _) => good,
            (true, 0) => (good.0, good.1, 500.0),
            (true, 1) => ("Y".to_owned(), good.1, good.2),
            (true, _) => ("chromosome_1".to_owned(), good.1, good.2),
        }
    };
    (0..count).map(record).collect()
}

/// What stands: per key the last of a drop's records, of the latest drop whose record is taken.
fn standing(drops: &[&[Record]]) -> BTreeSet<String> {
    let mut rows: BTreeMap<(&str, u32), f64> = BTreeMap::new();
    for drop in drops {
        let last: BTreeMap<(&str, u32), &Record> = drop.iter().map(|record| ((&*record.0, record.1), record)).collect();
        rows.extend(last.into_iter().filter(|(_, record)| is_taken(record)).map(|(key, record)| (key, record.2)));
    }
    rows.into_iter().map(|((chromosome, position), quality)| format!("{chromosome}|{position}|A|C|{quality}")).collect()
}

struct Warehouse {
    server: &'static Server,
    database: String,
    project: Project,
}

impl Warehouse {
    fn new(server: &'static Server, database: &str, pipeline: &str) -> Warehouse {
        let dialect = match server.root().query_first::<String, _>("select version()") {
            Ok(Some(version)) if version.contains("MariaDB") => "utf8mb4_nopad_bin",
            _ => "utf8mb4_0900_bin",
        };
        let new = Warehouse { server, database: database.to_owned(), project: Project::new(pipeline) };
        new.sql(&format!("create table contigs (name varchar(8) collate {dialect} primary key)"));
        new.sql("insert into contigs values ('1'), ('2'), ('X')");
        new
    }

    fn run(&self, verb: &str, arguments: &[&str], code: i32) -> Said {
        let mut command = self.project.command(verb, arguments);
        command.env("VARDELTA_MYSQL_URL", self.server.url(&self.database));
        vardelta_tests::project::finish(&mut command).expect(code)
    }

    fn sql(&self, statement: &str) -> Vec<String> {
        let rows: Vec<Row> = self.server.root_in(&self.database).query(statement).expect("the statement runs");
        let show = |value: Value| match value {
            Value::NULL => "NULL".to_owned(),
            Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            value => value.as_sql(false),
        };
        rows.into_iter().map(|row| row.unwrap().into_iter().map(show).collect::<Vec<_>>().join("|")).collect()
    }

    /// The table is the model's, and the summary is what the server makes of the table.
    fn check(&self, drops: &[&[Record]]) {
        let found = self.sql("select chromosome, position, reference, alternate, quality from variants");
        assert_eq!(found.len(), found.iter().collect::<BTreeSet<_>>().len());
        let (found, expected) = (found.into_iter().collect::<BTreeSet<_>>(), standing(drops));
        let odd: Vec<_> = found.symmetric_difference(&expected).take(5).collect();
        assert!(odd.is_empty(), "{} rows, {} expected: {odd:?}", found.len(), expected.len());
        let summary = self.sql("select chromosome, variants, positions, best from summary order by 1");
        let grouped = "select chromosome, count(*), sum(position), max(quality) from variants group by 1 order by 1";
        assert_eq!(summary, self.sql(grouped));
        self.run("verify", &[], 0);
        // The state agrees: what is computed anew from it is the same.
        let fresh = Warehouse::new(self.server, &self.server.new_database(), PIPELINE);
        for (at, drop) in drops.iter().enumerate() {
            fresh.project.write(&format!("drops/{at}.vcf"), &vcf(drop));
        }
        if !drops.is_empty() {
            fresh.run("run", &[], 0);
            assert_eq!(fresh.sql("select chromosome, variants, positions, best from summary order by 1"), summary);
        }
    }
}

fn count(report: &serde_json::Value, drop: &str, what: &str) -> u64 {
    let drops = report["drops"].as_array().expect("drops");
    let found = drops.iter().find(|found| found["name"] == drop).expect("the drop");
    let of = |what: &str| found[what].as_u64().expect("a count");
    assert_eq!(of("read"), of("loaded") + of("filtered") + of("rejected") + of("duplicates"), "{found}");
    of(what)
}

fn on_each_path(test: &str, run: impl Fn(Warehouse)) {
    let by_insert = format!("{PIPELINE}local_infile = false\n");
    each(test, |server, database| run(Warehouse::new(server, database, PIPELINE)));
    each(test, |server, database| run(Warehouse::new(server, database, &by_insert)));
}

#[test]
fn rows_that_the_server_refuses_become_rejects_and_all_else_is_exact() {
    on_each_path("rows_that_the_server_refuses_become_rejects_and_all_else_is_exact", |warehouse| {
        // One in 1,000.
        let mut first = records(1_000, 100, 0);
        first[700].2 = -3.5;
        warehouse.project.write("drops/a.vcf", &vcf(&first));
        let report = warehouse.run("run", &["--json", "--rejects", "rejects.tsv"], 0).json();
        assert_eq!((count(&report, "a", "loaded"), count(&report, "a", "rejected")), (999, 1));
        assert_eq!(report["rejects"].to_string(), "{\"constraint\":1}");
        let columns = "select drop_name, stage, line, reason, detail from vardelta_rejects";
        let rejects = warehouse.sql(columns);
        assert!(rejects[0].starts_with("a|warehouse|703|constraint|table `variants`, "), "{rejects:?}");
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
    each("what_cannot_be_quarantined_ends_the_run", |server, database| {
        let warehouse = Warehouse::new(server, database, PIPELINE);
        // Too much of the drop.
        let mut drop = records(100, 100, 0);
        drop[..10].iter_mut().for_each(|record| record.2 = 500.0);
        warehouse.project.write("drops/a.vcf", &vcf(&drop));
        let said = warehouse.run("run", &[], 5);
        assert!(said.stderr.contains("10 of 100 records were rejected"), "{}", said.stderr);
        assert_eq!(warehouse.sql("select count(*) from variants"), ["0"]);

        // A view's row.
        drop = records(100, 100, 0);
        warehouse.project.write("drops/a.vcf", &vcf(&drop));
        warehouse.run("run", &[], 0);
        warehouse.sql("alter table summary add constraint few check (variants < 40)");
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
    each("without_quarantine_nothing_is_written", |server, database| {
        let pipeline = PIPELINE.replace("\"quarantine\"\n", "\"abort\"\n").replace("name = \"abort\"", "name = \"q\"");
        let warehouse = Warehouse::new(server, database, &pipeline);
        let mut drop = records(1_000, 100, 0);
        drop[700].2 = -3.5;
        warehouse.project.write("drops/a.vcf", &vcf(&drop));
        let said = warehouse.run("run", &[], 6);
        for text in ["table `variants`", "position = 800", "`quality BETWEEN 0 AND 100`"] {
            assert!(said.stderr.contains(text), "{text}: {}", said.stderr);
        }
        assert_eq!(warehouse.sql("select count(*) from variants"), ["0"]);
    });
}

#[test]
fn a_quarantined_row_leaves_no_entry_in_the_history() {
    each("a_quarantined_row_leaves_no_entry_in_the_history", |server, database| {
        let pipeline = format!("{PIPELINE}history = [\"variants\", \"summary\"]\n");
        let warehouse = Warehouse::new(server, database, &pipeline);
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
                 as before_it from {table}_history) as entries where not old <=> before_it"
            );
            assert_eq!(warehouse.sql(&broken), ["0"], "{table}");
        }
        let refused =
            "select count(*) from variants_history where new_quality > 100 or chromosome not in ('1', '2', 'X')";
        assert_eq!(warehouse.sql(refused), ["0"]);
        assert!(warehouse.sql("select count(*) from vardelta_rejects where reason = 'constraint'")[0] != "0");
    });
}
