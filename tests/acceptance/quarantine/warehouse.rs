//! A pipeline whose database judges rows, what it must hold, and the questions asked of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use mysql::{Row, Value, prelude::Queryable};
use vardelta_test_servers::{Server, each};
use vardelta_tests::{
    database,
    project::{Project, Said, finish},
};

/// Everything before the sink's database.
const STAGES: &str = r#"
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
tables = ["summary", "variants"]
on_constraint = "quarantine"
"#;
const ON_SQLITE: &str = r#"
type = "sqlite"
path = "warehouse.sqlite"
checks = { variants = ["quality BETWEEN 0 AND 100", "position <> 13", "chromosome IN ('1', '2', 'X')"] }
"#;
const ON_SERVER: &str = r#"
type = "mysql"
url = "${VARDELTA_MYSQL_URL}"
text_characters = { chromosome = 8 }
checks = { variants = ["quality BETWEEN 0 AND 100", "position <> 13"] }
references = { variants = [{ columns = ["chromosome"], table = "contigs", to = ["name"] }] }
"#;

/// Chromosome, position and quality of an A>C record.
pub(super) type Record = (String, u32, f64);

pub(super) fn is_taken((chromosome, position, quality): &Record) -> bool {
    ["1", "2", "X"].contains(&chromosome.as_str()) && *position != 13 && (0.0..=100.0).contains(quality)
}

pub(super) fn vcf(records: &[Record]) -> Vec<u8> {
    let header = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    let line =
        |(chromosome, position, quality): &Record| format!("{chromosome}\t{position}\t.\tA\tC\t{quality}\tPASS\t.\n");
    format!("{header}{}", records.iter().map(line).collect::<String>()).into_bytes()
}

/// Records on the contigs that there are, from this position on; every `bad`th is refused, in four ways.
pub(super) fn records(count: u32, first: u32, bad: u32) -> Vec<Record> {
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

/// The database of a pipeline.
#[derive(Clone)]
pub(super) enum Database {
    Sqlite,
    Server { server: &'static Server, name: String, url: String },
}

pub(super) struct Warehouse {
    pub(super) database: Database,
    pub(super) project: Project,
}

impl Warehouse {
    /// On SQLite, with more options of the sink.
    pub(super) fn on_sqlite(options: &str) -> Warehouse {
        Warehouse { database: Database::Sqlite, project: Project::new(&format!("{STAGES}{ON_SQLITE}{options}")) }
    }

    /// On a server, with more options of the sink.
    pub(super) fn on_server(server: &'static Server, name: &str, options: &str) -> Warehouse {
        let collation = match server.root().query_first::<String, _>("select version()") {
            Ok(Some(version)) if version.contains("MariaDB") => "utf8mb4_nopad_bin",
            _ => "utf8mb4_0900_bin",
        };
        let database = Database::Server { server, name: name.to_owned(), url: server.url(name) };
        let new = Warehouse { database, project: Project::new(&format!("{STAGES}{ON_SERVER}{options}")) };
        new.sql(&format!("create table contigs (name varchar(8) collate {collation} primary key)"));
        new.sql("insert into contigs values ('1'), ('2'), ('X')");
        new
    }

    /// Another one, empty, on the same database system.
    fn fresh(&self) -> Warehouse {
        match &self.database {
            Database::Sqlite => Warehouse::on_sqlite(""),
            Database::Server { server, .. } => Warehouse::on_server(server, &server.new_database(), ""),
        }
    }

    pub(super) fn command(&self, verb: &str, arguments: &[&str]) -> Command {
        let mut command = self.project.command(verb, arguments);
        if let Database::Server { url, .. } = &self.database {
            command.env("VARDELTA_MYSQL_URL", url);
        }
        command
    }

    #[track_caller]
    pub(super) fn run(&self, verb: &str, arguments: &[&str], code: i32) -> Said {
        finish(&mut self.command(verb, arguments)).expect(code)
    }

    /// Writes a drop's file and runs.
    #[track_caller]
    pub(super) fn deliver(&self, name: &str, records: &[Record]) -> serde_json::Value {
        self.project.write(&format!("drops/{name}.vcf"), &vcf(records));
        self.run("run", &["--json"], 0).json()
    }

    /// Withdraws a drop and removes its file.
    #[track_caller]
    pub(super) fn withdraw(&self, name: &str) -> serde_json::Value {
        let report = self.run("withdraw", &[name, "--json"], 0).json();
        std::fs::remove_file(self.project.path(&format!("drops/{name}.vcf"))).expect("it is there");
        report
    }

    /// What a statement yields, each row as text.
    pub(super) fn sql(&self, statement: &str) -> Vec<String> {
        match &self.database {
            Database::Sqlite => {
                let connection = rusqlite::Connection::open(self.project.path("warehouse.sqlite")).expect("it opens");
                database::rows(&connection, statement)
            }
            Database::Server { server, name, .. } => {
                let rows: Vec<Row> = server.root_in(name).query(statement).expect("the statement runs");
                let show = |value: Value| match value {
                    Value::NULL => "NULL".to_owned(),
                    Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                    value => value.as_sql(false),
                };
                rows.into_iter().map(|row| row.unwrap().into_iter().map(show).collect::<Vec<_>>().join("|")).collect()
            }
        }
    }

    /// The number of variants. Where nothing was ever written SQLite has no table.
    pub(super) fn rows_if_any(&self) -> Vec<String> {
        let there = match self.database {
            Database::Sqlite => self.sql("select count(*) from sqlite_schema where name = 'variants'"),
            Database::Server { .. } => vec!["1".to_owned()],
        };
        if there == ["1"] { self.sql("select count(*) from variants") } else { there }
    }

    /// The table is the model's, and the summary is what the database makes of the table.
    #[track_caller]
    pub(super) fn check(&self, drops: &[&[Record]]) {
        let found = self.sql("select chromosome, position, reference, alternate, quality from variants");
        assert_eq!(found.len(), found.iter().collect::<BTreeSet<_>>().len());
        let (found, expected) = (found.into_iter().collect::<BTreeSet<_>>(), standing(drops));
        let odd: Vec<_> = found.symmetric_difference(&expected).take(5).collect();
        assert!(odd.is_empty(), "{} rows, {} expected: {odd:?}", found.len(), expected.len());
        let summary = self.sql(SUMMARY);
        let grouped = "select chromosome, count(*), sum(position), max(quality) from variants group by 1 order by 1";
        assert_eq!(summary, self.sql(grouped));
        self.run("verify", &[], 0);
        // The state agrees: what is recomputed from it is the same.
        let fresh = self.fresh();
        for (at, drop) in drops.iter().enumerate() {
            fresh.project.write(&format!("drops/{at:03}.vcf"), &vcf(drop));
        }
        if !drops.is_empty() {
            fresh.run("run", &["--set", "pipeline.max_reject_share=1.0"], 0);
            assert_eq!(fresh.sql(SUMMARY), summary);
        }
    }
}

const SUMMARY: &str = "select chromosome, variants, positions, best from summary order by 1";

/// Runs a test on every database system, and says which it is about to use.
pub(super) fn on_each(test: &str, run: impl Fn(Warehouse)) {
    on_each_with(test, "", run);
}

/// The same, with more options of the sink.
pub(super) fn on_each_with(test: &str, options: &str, run: impl Fn(Warehouse)) {
    eprintln!("{test}: on SQLite");
    run(Warehouse::on_sqlite(options));
    each(test, |server, name| run(Warehouse::on_server(server, name, options)));
}

/// The same, and on servers by INSERT too.
pub(super) fn on_each_path(test: &str, run: impl Fn(Warehouse)) {
    on_each(test, &run);
    each(test, |server, name| run(Warehouse::on_server(server, name, "local_infile = false\n")));
}

/// One of a drop's counts in a report.
#[track_caller]
pub(super) fn count(report: &serde_json::Value, drop: &str, what: &str) -> u64 {
    let drops = report["drops"].as_array().expect("drops");
    let found = drops.iter().find(|found| found["name"] == drop).expect("the drop");
    let of = |what: &str| found[what].as_u64().expect("a count");
    assert_eq!(of("read"), of("loaded") + of("filtered") + of("rejected") + of("duplicates"), "{found}");
    of(what)
}
