//! The shipped clinical pipeline with its fragments and sample drops: a release of ClinVar takes the place of another.

mod cohort;
mod why;

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use rusqlite::{Connection, types::Value as Cell};
use serde_json::{Value, json};
use vardelta_tests::shipped;

const PIPELINE: &str = "clinical.toml";

/// A copy of the shipped pipeline in a directory of its own.
struct Copy {
    directory: tempfile::TempDir,
}

impl Copy {
    fn new() -> Copy {
        let folders = ["clinical", "cohort", "fragments", "gene_summary"];
        let directory = shipped::copied(&folders, &[PIPELINE, "clinical_mysql.toml", "cohort.toml"]);
        Copy { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs a verb with `--json`; the exit code, and the object it prints.
    fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vardelta"));
        command.args(arguments).arg("--json").current_dir(self.directory.path()).stdin(Stdio::null());
        let output = command.output().expect("vardelta runs");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        (output.status.code().expect("not killed"), value)
    }

    /// What a verb that must succeed prints for people.
    fn text(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vardelta"));
        let output = command.args(arguments).current_dir(self.directory.path()).stdin(Stdio::null()).output();
        let output = output.expect("vardelta runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Runs a verb that must succeed.
    fn done(&self, arguments: &[&str]) -> Value {
        let (code, value) = self.json(arguments);
        assert_eq!(code, 0, "{arguments:?}: {value}");
        value
    }

    /// Another release of ClinVar takes the place of the one that lies there.
    fn publish(&self, release: &str) {
        fs::copy(self.path(release), self.path("clinical/clinvar/clinvar.vcf")).expect("release");
    }

    /// Every table of a database, row by row, without the epoch that last changed each row.
    fn dump_of(&self, database: &str) -> Vec<Vec<Cell>> {
        let connection = Connection::open(self.path(database)).expect("database");
        let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'vardelta%' AND name NOT LIKE \
                     '%_history' ORDER BY name";
        let mut statement = connection.prepare(names).expect("valid SQL");
        let tables: Vec<String> =
            statement.query_map([], |row| row.get(0)).expect("rows").map(|name| name.expect("a name")).collect();
        assert!(!tables.is_empty());
        let mut rows = Vec::new();
        for table in tables {
            let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).expect(&table);
            let kept: Vec<usize> =
                (0..statement.column_count()).filter(|at| statement.column_name(*at) != Ok("changed_epoch")).collect();
            let found = statement
                .query_map([], |row| kept.iter().map(|at| row.get(*at)).collect::<Result<Vec<Cell>, _>>())
                .expect(&table);
            rows.push(vec![Cell::Text(table.clone())]);
            rows.extend(found.map(|row| row.expect(&table)));
        }
        rows
    }

    fn dump(&self) -> Vec<Vec<Cell>> {
        self.dump_of("clinical.sqlite")
    }

    fn texts(&self, query: &str) -> Vec<String> {
        let connection = Connection::open(self.path("clinical.sqlite")).expect("database");
        let mut statement = connection.prepare(query).expect("valid SQL");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.map(|row| row.expect("a text")).collect()
    }
}

/// What happened to each table: inserted, updated, deleted.
fn tables(report: &Value) -> Vec<Value> {
    let keys = ["name", "inserted", "updated", "deleted"];
    let tables = report["tables"].as_array().expect("tables");
    tables.iter().map(|table| keys.iter().map(|key| table[*key].clone()).collect()).collect()
}

#[test]
fn a_newer_release_rewrites_what_differs_and_the_older_one_brings_it_back() {
    let copy = Copy::new();
    let first = copy.done(&["run", PIPELINE]);
    assert_eq!(
        tables(&first),
        [
            json!(["genes", 10, 0, 0]),
            json!(["variants", 15, 0, 0]),
            json!(["variant_genes", 16, 0, 0]),
            json!(["clinvar", 10, 0, 0]),
            json!(["clinvar_genes", 11, 0, 0]),
            json!(["clinvar_conditions", 12, 0, 0]),
            json!(["drug_annotations", 12, 0, 0]),
            json!(["drug_symbols", 12, 0, 0]),
            json!(["genotypes", 19, 0, 0]),
            json!(["genotype_genes", 19, 0, 0]),
            json!(["variant_carriers", 9, 0, 0]),
            json!(["classified_variants", 16, 0, 0]),
            json!(["mutation_summary", 10, 0, 0]),
            json!(["variant_summary", 10, 0, 0]),
        ]
    );
    let before = copy.dump();
    fs::copy(copy.path("clinical/clinvar/clinvar.vcf"), copy.path("older.vcf")).expect("kept");

    copy.publish("clinical/later/clinvar.vcf");
    let second = copy.done(&["run", PIPELINE]);
    assert_eq!(
        tables(&second),
        [
            json!(["genes", 0, 0, 0]),
            json!(["variants", 0, 0, 0]),
            json!(["variant_genes", 0, 0, 0]),
            json!(["clinvar", 1, 2, 1]),
            json!(["clinvar_genes", 1, 0, 1]),
            json!(["clinvar_conditions", 2, 0, 1]),
            json!(["drug_annotations", 0, 0, 0]),
            json!(["drug_symbols", 0, 0, 0]),
            json!(["genotypes", 0, 0, 0]),
            json!(["genotype_genes", 0, 0, 0]),
            json!(["variant_carriers", 0, 0, 0]),
            json!(["classified_variants", 0, 2, 0]),
            json!(["mutation_summary", 0, 2, 0]),
            json!(["variant_summary", 0, 1, 0]),
        ]
    );
    let reclassified = "SELECT gene_symbol || ' ' || pathogenic_count || ' ' || conflicting_count || ' ' || benign_count || ' ' \
                        || unclassified_count FROM mutation_summary WHERE changed_epoch = 2 ORDER BY 1";
    assert_eq!(copy.texts(reclassified), ["HFE 0 1 0 1", "TP53 1 0 1 0"]);
    assert_eq!(copy.done(&["verify", PIPELINE])["difference_count"], 0);

    copy.publish("older.vcf");
    copy.done(&["run", PIPELINE]);
    assert!(copy.dump() == before, "the older release brings its tables back");
}

/// What SQLite makes of the tables is what the summary says.
#[test]
fn the_summary_is_what_sql_makes_of_the_tables() {
    let copy = Copy::new();
    copy.done(&["run", PIPELINE]);
    copy.publish("clinical/later/clinvar.vcf");
    copy.done(&["run", PIPELINE]);
    let of_summary = "SELECT gene_symbol || ' ' || variant_count || ' ' || pathogenic_count || ' ' || conflicting_count || ' ' \
                      || unclassified_count || ' ' || coalesce(drug_count, 0) FROM mutation_summary ORDER BY gene_symbol";
    let of_tables = "SELECT g.gene_symbol || ' ' || count(*) || ' ' || sum(coalesce(c.clinical_group IN ('pathogenic', 'likely \
                     pathogenic'), 0)) || ' ' || sum(coalesce(c.clinical_group = 'conflicting', 0)) || ' ' || sum(c.position IS \
                     NULL) || ' ' || (SELECT count(DISTINCT drug_name) FROM drug_symbols d WHERE d.gene_symbol = \
                     g.gene_symbol) FROM variant_genes g JOIN variants v USING (chromosome, position, reference, alternate) LEFT \
                     JOIN clinvar c USING (chromosome, position, reference, alternate) GROUP BY g.gene_symbol ORDER BY \
                     g.gene_symbol";
    let found = copy.texts(of_summary);
    assert_eq!(found, copy.texts(of_tables));
    assert_eq!(found.len(), 10);
}

/// A drug table calls two genes by symbols that they no longer have.
#[test]
fn a_former_symbol_finds_its_gene_and_an_ambiguous_one_none() {
    let copy = Copy::new();
    copy.done(&["run", PIPELINE]);
    let found = "SELECT written_symbol || ' ' || gene_symbol || ' ' || found_by FROM drug_symbols WHERE written_symbol <> \
                 gene_symbol ORDER BY 1";
    assert_eq!(copy.texts(found), ["FANCD1 BRCA2 previous", "KRAS2 KRAS previous"]);
    let drugs = "SELECT gene_symbol || ' ' || drug_count FROM mutation_summary WHERE gene_symbol IN ('BRCA2', 'KRAS') ORDER BY 1";
    assert_eq!(copy.texts(drugs), ["BRCA2 2", "KRAS 2"]);
    // PTEN was called MMAC1 and, as an alias, TEP1, which is another gene's approved symbol; one more gene takes FANCD1.
    let symbols = copy.path("clinical/symbols/symbols.tsv");
    let text = fs::read_to_string(&symbols).expect("symbols");
    fs::write(&symbols, format!("{text}HGNC:0\tOTHER\t\tFANCD1\n")).expect("symbols");
    let drugs_file = copy.path("clinical/drugs/drugs.tsv");
    let text = fs::read_to_string(&drugs_file).expect("drugs");
    fs::write(&drugs_file, format!("{text}TEP1\tX\tFDA\t\nMMAC1\tX\tFDA\t\nNOSUCH\tX\tFDA\t\n")).expect("drugs");
    copy.done(&["run", PIPELINE]);
    let found = "SELECT written_symbol || ' ' || gene_symbol || ' ' || found_by FROM drug_symbols WHERE written_symbol IN \
                 ('FANCD1', 'TEP1', 'MMAC1', 'NOSUCH') ORDER BY 1";
    assert_eq!(
        copy.texts(found),
        ["FANCD1 FANCD1 ambiguous", "MMAC1 PTEN alias", "NOSUCH NOSUCH unknown", "TEP1 TEP1 approved"]
    );
    assert_eq!(copy.texts(drugs), ["BRCA2 1", "KRAS 2"]);
    assert_eq!(copy.done(&["verify", PIPELINE])["difference_count"], 0);
}

/// A gene model is read twice, and the standard input can be read once: it is kept in between.
#[test]
fn a_gene_model_may_come_through_a_pipe() {
    let copy = Copy::new();
    copy.done(&["run", PIPELINE]);
    let text = fs::read_to_string(copy.path("clinical/genes/genes.gff3")).expect("model");
    let pipe = |text: &str| -> Value {
        fs::write(copy.path("piped"), text).expect("file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_vardelta"));
        command.args(["run", PIPELINE, "-", "--into", "gene_rows", "--as", "genes", "--json"]);
        command.current_dir(copy.directory.path()).stdin(fs::File::open(copy.path("piped")).expect("file"));
        let output = command.output().expect("vardelta runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    let same = pipe(&text);
    assert_eq!((&same["drops"][0]["action"], &same["committed"]), (&json!("unchanged"), &json!(false)));
    let renamed = text.replace("Name=TP53", "Name=P53");
    let changed = pipe(&renamed);
    assert_eq!(changed["drops"][0]["action"], "replaced");
    assert_eq!(tables(&changed)[0], json!(["genes", 0, 1, 0]));
}

#[test]
fn the_twin_with_a_server_is_valid_and_computes_the_same() {
    let copy = Copy::new();
    let mut validate = Command::new(env!("CARGO_BIN_EXE_vardelta"));
    validate.args(["validate", "clinical_mysql.toml"]).current_dir(copy.directory.path());
    let output =
        validate.env("VARDELTA_MYSQL_URL", "mysql://loader@127.0.0.1:1/warehouse").output().expect("vardelta runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = |name: &str| fs::read_to_string(copy.path(name)).expect(name);
    let head = |name: &str| {
        let text = text(name);
        let (from, to) = (text.find("[[include]]").expect("include"), text.find("[stages.warehouse]").expect("sink"));
        text[from..to].to_owned()
    };
    assert_eq!(head("clinical.toml"), head("clinical_mysql.toml").replace("\"clinical_mysql\"", "\"clinical\""));
}

#[test]
fn no_classification_is_folded_into_another() {
    let copy = Copy::new();
    copy.done(&["run", PIPELINE]);
    let groups = "SELECT DISTINCT clinical_group FROM clinvar ORDER BY 1";
    assert_eq!(copy.texts(groups), ["pathogenic", "uncertain significance"]);
    let text = fs::read_to_string(copy.path("clinical/clinvar/clinvar.vcf")).expect("release");
    let renamed = text.replace("CLNSIG=Uncertain_significance", "CLNSIG=Established_risk_allele");
    fs::write(copy.path("clinical/clinvar/clinvar.vcf"), renamed).expect("release");
    copy.done(&["run", PIPELINE]);
    assert_eq!(copy.texts(groups), ["established risk allele", "pathogenic"]);
    // What nobody knows stays what it is, and is reported with its place.
    let unknown = text.replace("CLNSIG=Uncertain_significance", "CLNSIG=Benign_or_so");
    fs::write(copy.path("clinical/clinvar/clinvar.vcf"), unknown).expect("release");
    let report = copy.done(&["run", PIPELINE]);
    assert_eq!(copy.texts(groups), ["benign or so", "pathogenic"]);
    let told: Vec<&Value> =
        report["warnings"].as_array().expect("warnings").iter().filter(|one| one["reason"] == "unknown_term").collect();
    assert!(
        !told.is_empty() && told.iter().all(|one| one["field"] == "benign or so" && one["drop"] == "clinvar"),
        "{report}"
    );
    assert_eq!((&told[0]["first"]["contig"], &told[0]["first"]["pos"]), (&json!("10"), &json!(87_933_147)));
    let stars = "SELECT review_stars || ' ' || count(*) FROM clinvar GROUP BY review_stars ORDER BY 1";
    assert_eq!(copy.texts(stars), ["1 3", "2 3", "3 4"]);
}

#[test]
fn a_problem_in_a_fragment_is_told_at_its_place_there() {
    let copy = Copy::new();
    let fragment = copy.path("fragments/clinvar.toml");
    let text = fs::read_to_string(&fragment).expect("fragment").replace("pick = \"all\"", "pik = \"all\"");
    let line = 1 + text.lines().position(|line| line.starts_with("pik")).expect("the option is there");
    fs::write(&fragment, text).expect("fragment");
    let (code, report) = copy.json(&["validate", PIPELINE]);
    assert_eq!(code, 3);
    let problem = report["diagnostics"].as_array().and_then(|problems| problems.first()).expect("a problem");
    assert_eq!(
        (&problem["file"], &problem["line"], &problem["column"]),
        (&json!("fragments/clinvar.toml"), &json!(line), &json!(1))
    );
    let (code, _) = copy.json(&["validate", PIPELINE, "--set", "stages.clinvar_rows.path=elsewhere/*.vcf"]);
    assert_eq!(code, 3, "an override does not hide it");
}
