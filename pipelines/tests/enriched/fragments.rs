//! The shipped fragments of services: each is well, and names its limits and terms.

use std::{fs, path::Path};

use rusqlite::Connection;

use super::{Copy, service};

/// Fragment, its stage, the column of its keys.
const SERVICES: [(&str, &str, &str); 6] = [
    ("mygene", "mygene", "gene_symbol"),
    ("myvariant", "myvariant", "hgvs_g"),
    ("eutils_clinvar", "eutils_clinvar", "variation_id"),
    ("ensembl_genes", "ensembl_genes", "gene_symbol"),
    ("ensembl_vep", "ensembl_vep", "vcf_fields"),
    ("dgidb", "dgidb", "gene_symbol"),
];

/// A pipeline that asks a fragment's service for what a list holds.
fn pipeline(fragment: &str, stage: &str, key: &str) -> String {
    format!(
        r#"[[include]]
file = "fragments/{fragment}.toml"
with = {{ {stage}_input = "keys", {stage}_key = "{key}" }}

[pipeline]
name = "{fragment}"

[stages.key_rows]
type = "delimited"
path = "keys/*.tsv"
[stages.key_rows.columns]
{key} = {{ type = "text", required = true }}

[stages.keys]
type = "table"
input = "key_rows"
key = ["{key}"]

[stages.warehouse]
type = "sqlite"
path = "{fragment}.sqlite"
tables = ["{stage}"]
"#
    )
}

#[test]
fn every_fragment_of_a_service_is_well_and_says_what_the_service_wants() {
    let copy = Copy::new(&service());
    let folder = copy.directory.path();
    for (fragment, stage, key) in SERVICES {
        let file = format!("{fragment}_test.toml");
        fs::write(folder.join(&file), pipeline(fragment, stage, key)).expect("a pipeline");
        copy.done(&["validate", &file]);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fragments/{fragment}.toml"));
        let text = fs::read_to_string(path).expect("a fragment");
        for word in ["# Limits: ", "# Terms: ", "rate_per_s = ", "batch = "] {
            assert!(text.contains(word), "{fragment} does not say `{word}`");
        }
    }
}

#[test]
fn the_fragment_of_mygene_is_answered_by_a_service_of_its_form() {
    let service = service();
    let mut copy = Copy::new(&service);
    let folder = copy.directory.path();
    // The variable by which the pipeline finds its service in tests stands in for the fragment's own.
    let fragment = folder.join("fragments/mygene.toml");
    let text = fs::read_to_string(&fragment).expect("a fragment").replace("MYGENE_URL", "GENE_FACTS_URL");
    fs::write(&fragment, text).expect("written");
    fs::write(folder.join("genes_test.toml"), pipeline("mygene", "mygene", "gene_symbol")).expect("a pipeline");
    fs::create_dir(folder.join("keys")).expect("a folder");
    fs::write(folder.join("keys/one.tsv"), "gene_symbol\nTP53\nBRCA2\nNOTAGENE\n").expect("a drop");
    copy.url = service.url("");
    let report = copy.done(&["run", "genes_test.toml"]);
    assert_eq!(report["lookups"][0]["answered"], 2, "{report}");
    let connection = Connection::open(folder.join("mygene.sqlite")).expect("the database");
    let query = "SELECT group_concat(gene_symbol || ' ' || ifnull(entrez_id, '-') || ' ' || lookup_status, '; ') \
                 FROM (SELECT * FROM mygene ORDER BY gene_symbol)";
    let rows: String = connection.query_row(query, [], |row| row.get(0)).expect("rows");
    assert_eq!(rows, "BRCA2 675 found; NOTAGENE - absent; TP53 7157 found");
}
