//! Look-ups against a service of this process that fails as a test says: the rows are there with or without answers, late
//! answers are changes of their rows alone, and what does not load asks nobody.

mod asked;
mod deaths;
mod definitions;
mod erasure;
mod histories;
mod lives;
mod proxies;
mod recorded;
mod redis_tls;
mod tested;

use std::{fmt::Write as _, sync::Arc};

use vardelta_engine::{report::RunReport, run::RunOptions};
use vardelta_tests::{
    database::{Key, Tables, read_tables},
    in_process::Warehouse,
    scripted::Service,
};

/// Variants with a gene, which is looked up; what is said of it names a word, which is looked up too.
const PIPELINE: &str = r#"
[pipeline]
name = "looked_up"

[stages.rows]
type = "delimited"
path = "drops/*.tsv"
null_values = [""]
[stages.rows.columns]
id = "int64"
gene = "text"
[stages.located]
type = "filter"
input = "rows"
where = "id IS NOT NULL"
[stages.variants]
type = "table"
input = "located"
key = ["id"]

[stages.gene_facts]
type = "scripted"
input = "variants"
key = "gene"
service = "{genes}"
[stages.word_facts]
type = "scripted"
input = "gene_facts"
key = "word"
service = "{words}"
prefix = "word_"

[stages.annotated]
type = "join"
inputs = ["variants", "gene_facts"]
how = "left"
on = ["gene"]
[stages.statuses]
type = "select"
input = "annotated"
[stages.statuses.columns]
status = "coalesce(lookup_status, 'no gene')"
number = "number"
[stages.by_status]
type = "aggregate"
input = "statuses"
group_by = ["status"]
[stages.by_status.columns]
variants = "count(*)"
numbers = "sum(number)"
[stages.strict]
type = "join"
inputs = ["variants", "gene_facts"]
on = ["gene"]

[stages.warehouse]
type = "sqlite"
path = "looked_up.sqlite"
tables = ["variants", "gene_facts", "word_facts", "annotated", "by_status", "strict"]
"#;

/// The tables and their keys.
const KEYS: &[Key<'_>] = &[
    ("variants", &["id"]),
    ("gene_facts", &["gene"]),
    ("word_facts", &["word"]),
    ("annotated", &["id"]),
    ("by_status", &["status"]),
    ("strict", &["id"]),
];

/// A pipeline and its two services.
pub struct LookedUp {
    pub warehouse: Warehouse,
    pub genes: Arc<Service>,
    pub words: Arc<Service>,
}

/// The pipeline's text, for these services.
fn text_of(genes: &Service, words: &Service) -> String {
    PIPELINE.replace("{genes}", &genes.name).replace("{words}", &words.name)
}

impl LookedUp {
    /// Nothing loaded, and services that know a few genes and words.
    pub fn new(seed: u64) -> LookedUp {
        let (genes, words) = (Service::start(seed), Service::start(seed + 1));
        let warehouse = Warehouse::new(&text_of(&genes, &words));
        LookedUp { warehouse, genes, words }
    }

    /// Writes a drop: id and gene of each row.
    pub fn write(&self, name: &str, rows: &[(i64, &str)]) {
        let mut text = String::from("id\tgene\n");
        for (id, gene) in rows {
            let _ = writeln!(text, "{id}\t{gene}");
        }
        std::fs::write(self.warehouse.drops().join(format!("{name}.tsv")), text).expect("a file can be written");
    }

    /// Loads.
    #[track_caller]
    pub fn run(&self) -> RunReport {
        self.run_with(&RunOptions::default())
    }

    /// Loads, in chunks of one record where there are several workers.
    #[track_caller]
    pub fn run_with(&self, options: &RunOptions) -> RunReport {
        let report = self.warehouse.run(0, options);
        report.unwrap_or_else(|error| panic!("the run failed: {error} {:?}", error.hint))
    }

    /// The tables.
    pub fn tables(&self) -> Tables {
        read_tables(&self.database(), KEYS)
    }

    /// The database.
    pub fn database(&self) -> std::path::PathBuf {
        self.warehouse.directory.path().join("looked_up.sqlite")
    }

    /// Rows of a query of one text column.
    #[track_caller]
    pub fn texts(&self, query: &str) -> Vec<String> {
        vardelta_tests::database::texts(&self.database(), query)
    }

    /// What is known of each gene, and how often it was asked for in vain.
    #[track_caller]
    pub fn ledger(&self) -> Vec<String> {
        self.texts(
            "SELECT stage || ' ' || key || ' ' || status || ' ' || attempts FROM vardelta_lookups ORDER BY stage, key",
        )
    }

    /// Panics unless the tables are what the state says they should be.
    #[track_caller]
    pub fn is_sound(&self) {
        let report = self.warehouse.verify(&RunOptions::default()).expect("verify works");
        assert_eq!(report.difference_count, 0, "{:#?}", report.differences);
    }
}

/// Genes TP53 and BRCA1 are known, XYZ is not.
fn sample(seed: u64) -> LookedUp {
    let sample = LookedUp::new(seed);
    learn_and_deliver(&sample);
    sample
}

/// Has the services know what [`sample`] says, and writes a drop.
fn learn_and_deliver(sample: &LookedUp) {
    sample.genes.knows("TP53", 7157, "tumour");
    sample.genes.knows("BRCA1", 672, "repair");
    sample.words.knows("tumour", 1, "a lump");
    sample.write("day1", &[(1, "TP53"), (2, "BRCA1"), (3, "XYZ"), (4, ""), (5, "TP53")]);
}
