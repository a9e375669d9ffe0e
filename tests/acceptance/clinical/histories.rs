//! Random histories of all sources of the clinical pipeline at once: drops of variants, releases of ClinVar, gene models, drug
//! tables, batches of samples; corrected, withdrawn, samples taken back and readmitted. After every step the views are what SQL
//! makes of the tables, on SQLite and on MariaDB alike; at the end all is as in a fresh run.

use std::{collections::BTreeSet, fmt::Write as _, fs};

use mysql::prelude::Queryable as _;
use vardelta_test_servers::{Flavor, Server};
use vardelta_tests::{
    binary::root,
    database,
    project::{Project, Said, finish},
    random::{Random, seed},
    server_database::literals,
    server_project::URL_VARIABLE,
};

use super::project;

const STEPS: u64 = 14;
const GENES: [(&str, &str); 4] = [("TP53", "ENSG1"), ("BRCA1", "ENSG2"), ("NBR2", "ENSG3"), ("KRAS", "ENSG4")];
const CLASSES: [&str; 8] = [
    "Pathogenic",
    "Likely_pathogenic",
    "Uncertain_significance",
    "Benign/Likely_benign",
    "Conflicting_classifications_of_pathogenicity",
    "drug_response",
    "Pathogenic,_low_penetrance",
    "A_word_of_next_year",
];
const SAMPLES: [&str; 4] = ["S1", "S2", "S3", "S4"];

/// What the views must be, as SQL over the tables, and what they are.
const VIEWS: [(&str, &str); 4] = [
    (
        "SELECT g.gene_symbol || ' ' || count(*) || ' ' || sum(CASE WHEN g.impact = 'HIGH' THEN 1 ELSE 0 END) || ' ' || sum(CASE \
         WHEN c.clinical_rank > 0 THEN 1 ELSE 0 END) || ' ' || sum(CASE WHEN c.clinical_rank < 0 THEN 1 ELSE 0 END) || ' ' || \
         sum(CASE WHEN c.clinical_group IS NULL THEN 1 ELSE 0 END) || ' ' || (SELECT count(DISTINCT d.drug_name) FROM \
         drug_annotations d WHERE d.gene_symbol = g.gene_symbol) || ' ' || (SELECT count(DISTINCT s.sample) FROM genotype_genes s \
         WHERE s.gene_symbol = g.gene_symbol) FROM variant_genes g JOIN variants v ON v.chromosome = g.chromosome AND v.position \
         = g.position AND v.reference = g.reference AND v.alternate = g.alternate LEFT JOIN clinvar c ON c.chromosome = \
         g.chromosome AND c.position = g.position AND c.reference = g.reference AND c.alternate = g.alternate GROUP BY \
         g.gene_symbol ORDER BY g.gene_symbol",
        "SELECT gene_symbol || ' ' || variant_count || ' ' || high_impact_count || ' ' || pathogenic_count || ' ' || benign_count \
         || ' ' || unclassified_count || ' ' || coalesce(drug_count, 0) || ' ' || coalesce(carrier_count, 0) FROM \
         mutation_summary ORDER BY gene_symbol",
    ),
    (
        "SELECT g.chromosome || ' ' || g.gene_symbol || ' ' || count(*) || ' ' || min(g.position) || ' ' || max(g.position) FROM \
         variant_genes g GROUP BY g.chromosome, g.gene_symbol ORDER BY 1",
        "SELECT chromosome || ' ' || gene_symbol || ' ' || variant_count || ' ' || first_position || ' ' || last_position FROM \
         variant_summary ORDER BY 1",
    ),
    (
        "SELECT g.position || ' ' || g.alternate || ' ' || g.gene_symbol || ' ' || coalesce(c.clinical_group, '-') || ' ' || \
         (SELECT count(*) FROM genotypes s WHERE s.chromosome = g.chromosome AND s.position = g.position AND s.reference = \
         g.reference AND s.alternate = g.alternate) FROM variant_genes g LEFT JOIN clinvar c ON c.chromosome = g.chromosome AND \
         c.position = g.position AND c.reference = g.reference AND c.alternate = g.alternate ORDER BY 1",
        "SELECT position || ' ' || alternate || ' ' || gene_symbol || ' ' || coalesce(clinical_group, '-') || ' ' || \
         carrier_count FROM classified_variants ORDER BY 1",
    ),
    (
        "SELECT position || ' ' || alternate || ' ' || count(*) || ' ' || sum(allele_count) FROM genotypes GROUP BY chromosome, \
         position, reference, alternate ORDER BY 1",
        "SELECT position || ' ' || alternate || ' ' || carrier_count || ' ' || allele_count FROM variant_carriers ORDER BY 1",
    ),
];

/// The pipeline over one database.
struct Place {
    project: Project,
    server: Option<(&'static Server, String)>,
}

impl Place {
    fn new(server: Option<(&'static Server, String)>, chunk_records: usize) -> Place {
        let shipped = if server.is_some() { "clinical_mysql.toml" } else { "clinical.toml" };
        let text = fs::read_to_string(root().join("pipelines").join(shipped)).expect("the shipped pipeline");
        let text = text.replace("gene_summary/drops/", "drops/").replace("cohort/drops/", "cohort/");
        let text = text.replace("clinical/genes/", "genes/").replace("clinical/clinvar/", "clinvar/");
        let text = text.replace("clinical/drugs/", "drugs/").replace("clinical/symbols/", "symbols/");
        let head = "assembly = \"GRCh38\"\n";
        let text = text.replace(head, &format!("{head}chunk_records = {chunk_records}\nmax_shrink_share = 1.0\n"));
        let project = project(&text);
        for folder in ["cohort", "genes", "clinvar", "drugs", "symbols"] {
            fs::create_dir(project.path(folder)).expect("a directory");
        }
        Place { project, server }
    }

    fn vardelta(&self, verb: &str, arguments: &[&str]) -> Said {
        let mut command = self.project.command(verb, arguments);
        if let Some((server, database)) = &self.server {
            command.env(URL_VARIABLE, server.url(database));
        }
        finish(&mut command)
    }

    fn sql(&self, query: &str) -> Vec<String> {
        match &self.server {
            None => database::rows(&database::open(&self.project.path("clinical.sqlite")), query),
            Some((server, name)) => {
                let mut connection = server.root_in(name);
                let mode = "SET SESSION sql_mode = 'PIPES_AS_CONCAT,ANSI_QUOTES,ONLY_FULL_GROUP_BY'";
                connection.query_drop(mode).expect("a setting");
                literals(&mut connection, query).into_iter().map(|row| row.trim_matches('\'').to_owned()).collect()
            }
        }
    }
}

/// One history, on all its databases.
struct World {
    places: Vec<Place>,
    random: Random,
    seed: u64,
    /// The samples that are withdrawn.
    out: BTreeSet<&'static str>,
}

const VCF: &str = "##fileformat=VCFv4.3\n##reference=GRCh38\n##FILTER=<ID=LowQual,Description=\"x\">\n";
const ANN: &str = "##INFO=<ID=ANN,Number=.,Type=String,Description=\"Functional annotations: 'Allele | Annotation | \
                   Annotation_Impact | Gene_Name | Gene_ID'\">\n";

impl World {
    fn annotation(&mut self, alternate: &str) -> String {
        let count = 1 + self.random.below(2);
        let entries = (0..count).map(|_| {
            let (gene, id) = *self.random.pick(&GENES);
            let (term, impact) = *self.random.pick(&[
                ("missense_variant", "MODERATE"),
                ("stop_gained", "HIGH"),
                ("synonymous_variant", "LOW"),
            ]);
            format!("{alternate}|{term}|{impact}|{gene}|{id}")
        });
        entries.collect::<Vec<String>>().join(",")
    }

    /// Places of one contig: two alleles each.
    fn records(&mut self, mut of: impl FnMut(&mut World, &str, u32, &str) -> String) -> String {
        let mut text = String::new();
        for position in 1..=10_u32 {
            if self.random.percent(45) {
                let contig = if position > 7 { "chr12" } else { "chr17" };
                let alternate = *self.random.pick(&["T", "G"]);
                text += &of(self, contig, position * 100, alternate);
            }
        }
        text
    }

    fn calls(&mut self) -> String {
        let rows = self.records(|world, contig, position, alternate| {
            let (quality, filter) = (world.random.below(100), *world.random.pick(&["PASS", "PASS", "LowQual"]));
            let ann = world.annotation(alternate);
            format!("{contig}\t{position}\t.\tA\t{alternate}\t{quality}\t{filter}\tANN={ann};DP=9\n")
        });
        let dp = "##INFO=<ID=DP,Number=1,Type=Integer,Description=\"x\">\n";
        format!("{VCF}{ANN}{dp}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{rows}")
    }

    fn release(&mut self) -> String {
        let rows = self.records(|world, contig, position, alternate| {
            let class = *world.random.pick(&CLASSES);
            let contig = contig.trim_start_matches("chr");
            format!(
                "{contig}\t{position}\t{position}\tA\t{alternate}\t.\t.\tCLNSIG={class};CLNREVSTAT=practice_guideline;CLNDN=x;GENEINFO=TP53:1\n"
            )
        });
        format!("{VCF}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{rows}")
    }

    fn batch(&mut self) -> String {
        let mut samples: Vec<&str> = SAMPLES.into_iter().filter(|_| self.random.percent(70)).collect();
        if samples.is_empty() {
            samples.push("S1");
        }
        let count = samples.len();
        let rows = self.records(|world, contig, position, alternate| {
            let ann = world.annotation(alternate);
            let mut row = format!("{contig}\t{position}\t.\tA\t{alternate}\t60\tPASS\tANN={ann}\tGT");
            for _ in 0..count {
                let _ = write!(row, "\t{}", world.random.pick(&["0/0", "0/1", "1/1", "./."]));
            }
            row + "\n"
        });
        let gt = "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"x\">\n";
        format!("{VCF}{ANN}{gt}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{}\n{rows}", samples.join("\t"))
    }

    /// Genes that move, change their names and go.
    fn model(&mut self) -> String {
        let mut text = "##gff-version 3\n".to_owned();
        for (gene, id) in GENES {
            if self.random.percent(75) {
                let start = 1 + self.random.below(500);
                let name = if self.random.percent(20) { "RENAMED" } else { gene };
                let _ = writeln!(
                    text,
                    "17\tx\tgene\t{start}\t{}\t.\t+\t.\tID=gene:{id};Name={name};gene_id={id}",
                    start + 300
                );
            }
        }
        text
    }

    fn drugs(&mut self) -> String {
        let mut text = "gene_name\tdrug_name\tinteraction_source_db_name\tinteraction_type\n".to_owned();
        for (gene, _) in GENES {
            for drug in ["A", "B", "C"] {
                if self.random.percent(35) {
                    let _ = writeln!(text, "{gene}\t{drug}\tFDA\t{}", self.random.pick(&["inhibitor", "NA"]));
                }
            }
        }
        text
    }

    /// Runs a command everywhere.
    fn everywhere(&self, verb: &str, arguments: &[&str]) {
        for place in &self.places {
            place.vardelta(verb, arguments).expect(0);
        }
    }

    fn write(&self, path: &str, text: &str) {
        for place in &self.places {
            place.project.write(path, text.as_bytes());
        }
    }

    fn step(&mut self) {
        let workers = (*self.random.pick(&["1", "2", "4"])).to_owned();
        let run = ["--workers", &workers];
        let drop = *self.random.pick(&["d1", "d2"]);
        match self.random.below(10) {
            0..=2 => {
                let text = self.calls();
                self.write(&format!("drops/{drop}.vcf"), &text);
            }
            3..=4 => {
                let text = self.release();
                self.write("clinvar/clinvar.vcf", &text);
            }
            5 => {
                let text = if self.random.percent(50) {
                    (self.model(), "genes/genes.gff3")
                } else {
                    (self.drugs(), "drugs/drugs.tsv")
                };
                self.write(text.1, &text.0);
            }
            6..=7 => {
                let text = self.batch();
                self.write(&format!("cohort/{drop}_samples.vcf"), &text);
            }
            8 => {
                let path = *self.random.pick(&[
                    "drops/d1.vcf",
                    "clinvar/clinvar.vcf",
                    "cohort/d1_samples.vcf",
                    "drugs/drugs.tsv",
                ]);
                for place in &self.places {
                    let _ = fs::remove_file(place.project.path(path));
                }
                self.everywhere("run", &["--prune-all", "--workers", &workers]);
            }
            _ => self.sample(&workers),
        }
        self.everywhere("run", &run);
    }

    /// Takes a sample back, or in again.
    fn sample(&mut self, workers: &str) {
        let sample = *self.random.pick(&SAMPLES);
        if self.out.contains(sample) {
            self.everywhere("run", &["--readmit", sample, "--workers", workers]);
            self.out.remove(sample);
            return;
        }
        let codes: Vec<i32> = self
            .places
            .iter()
            .map(|place| place.vardelta("withdraw", &["--sample", sample, "--workers", workers]).code)
            .collect();
        assert!(codes.iter().all(|code| *code == codes[0] && [0, 2].contains(code)), "seed {}: {codes:?}", self.seed);
        if codes[0] == 0 {
            self.out.insert(sample);
        }
    }

    /// The views are what SQL makes of the tables, and the same on every database.
    fn check(&self, step: u64) {
        for (expected, found) in VIEWS {
            let first = self.places[0].sql(found);
            for place in &self.places {
                let found = place.sql(found);
                assert_eq!(found, place.sql(expected), "seed {}, step {step}", self.seed);
                assert_eq!(found, first, "seed {}, step {step}: databases differ", self.seed);
            }
        }
    }

    /// A fresh run over the files, drop by drop in ledger order, without the samples that are out.
    fn check_fresh(&self) {
        let place = &self.places[0];
        let fresh = Place::new(None, 1000);
        let drops = place.vardelta("drops", &["--json"]).expect(0).json();
        for drop in drops["drops"].as_array().expect("drops") {
            let [source, name, path] = ["source", "name", "path"].map(|key| drop[key].as_str().expect("a text"));
            let mut text = fs::read_to_string(path).expect("the drop's file");
            if source == "cohort_calls" {
                self.out.iter().for_each(|sample| text = without(&text, sample));
            }
            // A file without samples is refused, since nothing could come of it.
            if source == "cohort_calls" && !text.contains("\tFORMAT\t") {
                continue;
            }
            let file = fresh.project.path("delivered.txt");
            fs::write(&file, text).expect("a file");
            let said = fresh.vardelta("run", &[&file.to_string_lossy(), "--into", source, "--as", name]);
            said.expect(0);
        }
        let connection = database::open(&place.project.path("clinical.sqlite"));
        let other = database::open(&fresh.project.path("clinical.sqlite"));
        let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'vardelta%' AND name NOT LIKE \
                     '%history' ORDER BY 1";
        let tables = database::rows(&connection, names);
        assert!(tables.len() > 10, "{tables:?}");
        for table in tables {
            let columns = database::rows(&connection, &format!("SELECT name FROM pragma_table_info('{table}')"));
            let columns: Vec<&str> =
                columns.iter().map(String::as_str).filter(|name| *name != "changed_epoch").collect();
            let query = format!("SELECT {} FROM {table}", columns.join(", "));
            let sorted = |connection| {
                let mut rows = database::rows(connection, &query);
                rows.sort();
                rows
            };
            assert_eq!(sorted(&connection), sorted(&other), "seed {}: {table}", self.seed);
        }
        for place in &self.places {
            assert_eq!(
                place.vardelta("verify", &["--json"]).expect(0).json()["difference_count"],
                0,
                "seed {}",
                self.seed
            );
        }
    }
}

/// A file without one of its samples.
fn without(text: &str, sample: &str) -> String {
    let head = text.lines().find(|line| line.starts_with("#CHROM")).expect("a header");
    let Some(gone) = head.split('\t').position(|name| name == sample) else { return text.to_owned() };
    let line = |line: &str| match line.starts_with("##") {
        true => format!("{line}\n"),
        false => {
            let mut cells: Vec<&str> = line.split('\t').collect();
            cells.remove(gone);
            // FORMAT alone says nothing.
            cells.truncate(if cells.len() == 9 { 8 } else { cells.len() });
            cells.join("\t") + "\n"
        }
    };
    text.lines().map(line).collect()
}

fn history(seed: u64, server: Option<&'static Server>) {
    let mut random = Random::new(seed);
    let chunk_records = *random.pick(&[1, 3, 1000]);
    eprintln!("seed {seed}, chunk_records {chunk_records}");
    let mut places = vec![Place::new(None, chunk_records)];
    places.extend(server.map(|server| Place::new(Some((server, server.new_database())), chunk_records)));
    let mut world = World { places, random, seed, out: BTreeSet::new() };
    for step in 0..STEPS {
        world.step();
        if world.places[0].project.path("clinical.sqlite").exists() {
            world.check(step);
        }
    }
    world.check_fresh();
}

#[test]
fn views_are_what_sql_makes_of_the_tables_whatever_changes() {
    let seed = seed(1);
    (seed..seed + 3).for_each(|seed| history(seed, None));
}

#[test]
fn the_same_on_mariadb() {
    let Some(server) = vardelta_test_servers::shared("the_same_on_mariadb", Flavor::MariaDb) else { return };
    history(seed(11), Some(server));
}
