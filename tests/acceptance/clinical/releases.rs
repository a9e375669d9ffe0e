//! Two real releases of ClinVar, the older, the newer and the older again: what is written is what SQL says that differs, and
//! what is reported as reclassified is what an independent reading of the files says.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;
use vardelta_tests::{database, project::Project, shared::shared};

use super::{info, project, text_of};

const PIPELINE: &str = r#"
[[include]]
file = "fragments/clinvar.toml"
[include.with]
clinvar_path = "drops/*.vcf*"
[pipeline]
name = "releases"
assembly = "GRCh37"
[stages.warehouse]
type = "sqlite"
path = "x.sqlite"
tables = ["clinvar", "clinvar_genes", "clinvar_conditions"]
history = ["clinvar"]
"#;
const COLUMNS: &str = "chromosome, position, reference, alternate, variation_id, clinical_significance, clinical_group, \
                       clinical_rank, review_status, review_stars";
const KEY: &str = "USING (chromosome, position, reference, alternate)";

fn publish(project: &Project, release: &Path) -> Value {
    project.write("drops/clinvar.vcf.gz", &std::fs::read(release).expect("a release"));
    project.vardelta("run", &["--accept-smaller", "--json"]).expect(0).json()
}

fn dump(project: &Project) -> Vec<String> {
    let connection = database::open(&project.path("x.sqlite"));
    let of = |(table, columns): (&str, &str)| {
        database::rows(&connection, &format!("SELECT '{table}', {columns} FROM {table} ORDER BY 1, 2, 3, 4, 5, 6"))
    };
    let pair = "chromosome, position, reference, alternate";
    [
        ("clinvar", COLUMNS),
        ("clinvar_genes", &*format!("{pair}, gene_symbol")),
        ("clinvar_conditions", &*format!("{pair}, condition_name")),
    ]
    .into_iter()
    .flat_map(of)
    .collect()
}

/// Of a release: each variation with its classification, as the file's lines say.
fn classified(release: &Path) -> BTreeSet<(String, String)> {
    let text = text_of(release);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let of = |line: &str| {
        let id = line.split('\t').nth(2).unwrap_or_default().to_owned();
        // A record without an alternate allele has no row.
        let has_allele = line.split('\t').nth(4).is_some_and(|alternate| alternate != ".");
        info(line, "CLNSIG").filter(|_| has_allele).map(|word| (id, word.to_owned()))
    };
    lines.filter_map(of).collect()
}

#[test]
fn a_release_forth_and_back_writes_what_differs_and_tells_the_reclassified() {
    let test = "a_release_forth_and_back_writes_what_differs_and_tells_the_reclassified";
    let Some(data) = shared(test, "data/vcf_clinvar") else { return };
    let (older, newer) = (data.join("clinvar_20191007_72.vcf.gz"), data.join("clinvar_2000_CLNSIG_GENEINFO.vcf.gz"));
    let (one, other) = (project(PIPELINE), project(PIPELINE));
    publish(&one, &older);
    publish(&other, &newer);
    let (before, after) = (dump(&one), dump(&other));

    // What differs, by SQL over both databases, before the newer release comes to the older one.
    let connection = database::open(&one.path("x.sqlite"));
    let beside = other.path("x.sqlite");
    connection.execute("ATTACH DATABASE ? AS newer", [beside.to_string_lossy()]).expect("a database");
    let count = |query: &str| -> u64 {
        let rows = database::rows(&connection, query);
        rows[0].parse().expect("a number")
    };
    let differs: Vec<String> = ["variation_id", "clinical_significance", "review_status"]
        .iter()
        .map(|column| format!("a.{column} IS NOT b.{column}"))
        .collect();
    let expected = [
        count(&format!(
            "SELECT count(*) FROM newer.clinvar b LEFT JOIN main.clinvar a {KEY} WHERE a.changed_epoch IS NULL"
        )),
        count(&format!(
            "SELECT count(*) FROM main.clinvar a JOIN newer.clinvar b {KEY} WHERE {}",
            differs.join(" OR ")
        )),
        count(&format!(
            "SELECT count(*) FROM main.clinvar a LEFT JOIN newer.clinvar b {KEY} WHERE b.changed_epoch IS NULL"
        )),
    ];
    drop(connection);
    assert!(expected[0] > 1000 && expected[1] > 10, "the releases differ: {expected:?}");

    let report = publish(&one, &newer);
    let table = &report["tables"][0];
    let found = ["inserted", "updated", "deleted"].map(|count| table[count].as_u64().expect("a count"));
    assert_eq!((&table["name"], found), (&Value::from("clinvar"), expected));
    assert!(dump(&one) == after, "the newer release is what it is in a fresh run");

    let (old, new) = (classified(&older), classified(&newer));
    let reclassified: BTreeSet<(String, String, String)> = old
        .iter()
        .flat_map(|(id, was)| {
            let of_id = new.iter().filter(move |(other, is)| other == id && is != was);
            of_id.map(move |(_, is)| (id.clone(), was.clone(), is.clone()))
        })
        .collect();
    let changes = one.vardelta("changes", &["--table", "clinvar", "--by", "clinical_rank", "--json"]).expect(0).json();
    let changes = changes["changes"].as_array().expect("changes");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let told: BTreeSet<(String, String, String)> = changes
        .iter()
        .filter(|change| change["operation"] == "update")
        .map(|change| (&change["old"], &change["new"]))
        .filter(|(old, new)| old["clinical_significance"] != new["clinical_significance"])
        .map(|(old, new)| {
            (text(&new["variation_id"]), text(&old["clinical_significance"]), text(&new["clinical_significance"]))
        })
        .collect();
    assert!(!reclassified.is_empty());
    assert_eq!(told, reclassified);
    // The worst change comes first.
    let rank = |side: &Value| side["clinical_rank"].as_i64().unwrap_or(0);
    let rises: Vec<i64> = changes.iter().map(|change| rank(&change["new"]) - rank(&change["old"])).collect();
    assert!(rises.is_sorted_by(|a, b| a >= b), "{rises:?}");

    publish(&one, &older);
    assert!(dump(&one) == before, "the older release brings its tables back");
    assert_eq!(one.vardelta("verify", &["--json"]).expect(0).json()["difference_count"], 0);
}
