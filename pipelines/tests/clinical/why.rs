//! `why` on the shipped pipelines: a row of a table, of an aggregate, of a join, with and without what is there now.

use std::fs;

use serde_json::{Value, json};

use crate::{Copy, PIPELINE};

/// Table, drop and number of rows of each contribution.
fn parts(why: &Value) -> Vec<Value> {
    let parts = why["contributions"].as_array().expect("contributions");
    let mut parts: Vec<Value> = parts.iter().map(|part| json!([part["table"], part["drop"], part["rows"]])).collect();
    parts.sort_by_key(Value::to_string);
    parts
}

#[test]
fn a_row_of_a_table_names_every_drop_and_the_one_that_stands() {
    let copy = Copy::new();
    copy.done(&["run", PIPELINE]);
    copy.done(&["run", PIPELINE, "--into", "calls", "gene_summary/later/day2.vcf"]);
    // Without the files.
    fs::remove_dir_all(copy.path("gene_summary")).expect("folder");
    let key = ["chromosome=chr17", "position=7675088", "reference=C", "alternate=T"];
    let why = copy.done(&[&["why", PIPELINE, "variants"][..], &key].concat());
    assert_eq!((&why["table"], &why["key"]["position"]), (&json!("variants"), &json!(7_675_088)));
    let assertions: Vec<Value> = why["assertions"]
        .as_array()
        .expect("assertions")
        .iter()
        .map(|one| json!([one["drop"], one["line"], one["stands"], one["row"]["quality"]]))
        .collect();
    assert_eq!(assertions, [json!(["day1", 28, false, "60.00"]), json!(["day2", 19, true, "80.00"])]);
    assert_eq!(why["row"]["quality"], "80.00");
    assert_eq!(
        why["stages"].as_array().and_then(|stages| stages.last()),
        Some(&json!({ "name": "variants", "type": "table" }))
    );
}

#[test]
fn a_summary_names_its_rows_by_drop_and_what_moved_it() {
    let copy = Copy::new();
    copy.done(&["run", PIPELINE]);
    copy.publish("clinical/later/clinvar.vcf");
    copy.done(&["run", PIPELINE]);
    let why = copy.done(&["why", PIPELINE, "mutation_summary", "gene_symbol=TP53"]);
    assert_eq!((&why["row"]["variant_count"], &why["row"]["benign_count"]), (&json!(2), &json!(1)));
    // Two variants, each a row of three tables, one carried by every sample but one; no drug; four carriers.
    assert_eq!(
        parts(&why),
        [
            json!(["clinvar", "clinvar", 2]),
            json!(["genotype_genes", "batch1", 3]),
            json!(["genotype_genes", "batch2", 1]),
            json!(["genotypes", "batch1", 3]),
            json!(["genotypes", "batch2", 1]),
            json!(["variant_genes", "day1", 2]),
            json!(["variants", "day1", 2]),
        ],
        "{why}"
    );
    let history = why["history"].as_array().expect("history");
    assert_eq!(history.len(), 2, "{why}");
    assert_eq!((&history[0]["epoch"], &history[0]["operation"]), (&json!(1), &json!("insert")));
    let moved: Vec<Value> = history[1]["columns"]
        .as_array()
        .expect("columns")
        .iter()
        .map(|one| json!([one["name"], one["old"], one["new"]]))
        .collect();
    assert_eq!(moved, [json!(["benign_count", 0, 1]), json!(["unclassified_count", 1, 0])]);

    // A drug that was found by a former symbol comes with the name that led to the gene.
    let why = copy.done(&["why", PIPELINE, "mutation_summary", "gene_symbol=BRCA2"]);
    assert_eq!(why["row"]["drug_count"], 2);
    assert_eq!(
        parts(&why),
        [
            json!(["clinvar", "clinvar", 1]),
            json!(["drug_annotations", "drugs", 2]),
            json!(["genotype_genes", "batch1", 1]),
            json!(["genotypes", "batch1", 1]),
            json!(["symbol_names", "symbols", 2]),
            json!(["variant_genes", "day1", 1]),
            json!(["variants", "day1", 1]),
        ],
        "{why}"
    );

    // A row that is gone is explained by its history, one that never was is an error.
    copy.done(&["withdraw", PIPELINE, "day1"]);
    let gone = copy.done(&["why", PIPELINE, "mutation_summary", "gene_symbol=TP53"]);
    assert_eq!((&gone["row"], gone["history"].as_array().map(Vec::len)), (&Value::Null, Some(3)));
    for (key, words) in [
        (&["gene_symbol=NOPE"][..], "has no row"),
        (&["gene=TP53"], "The key is gene_symbol"),
        (&["gene_symbol"], "COLUMN=VALUE"),
    ] {
        let (code, said) = copy.json(&[&["why", PIPELINE, "mutation_summary"][..], key].concat());
        assert_eq!(code, 2, "{said}");
        assert!(said.to_string().contains(words), "{said}");
    }
}

#[test]
fn a_joined_row_names_a_row_of_each_side() {
    let copy = Copy::new();
    copy.done(&["run", PIPELINE]);
    let key = ["chromosome=chr6", "position=26092913", "reference=G", "alternate=A", "gene_symbol=HFE"];
    let why = copy.done(&[&["why", PIPELINE, "classified_variants"][..], &key].concat());
    assert_eq!((&why["row"]["clinical_group"], &why["row"]["carrier_count"]), (&json!("pathogenic"), &json!(3)));
    assert_eq!(
        parts(&why),
        [
            json!(["clinvar", "clinvar", 1]),
            json!(["genotypes", "batch1", 2]),
            json!(["genotypes", "batch2", 1]),
            json!(["variant_genes", "day1", 1]),
            json!(["variants", "day1", 1]),
        ],
        "{why}"
    );
}

#[test]
fn which_changed_rows_moved_it() {
    let copy = Copy::new();
    copy.done(&["run", "cohort.toml"]);
    copy.done(&["withdraw", "cohort.toml", "--sample", "SOUTH01"]);
    let why = copy.done(&["why", "cohort.toml", "gene_carriers", "gene_symbol=CFTR"]);
    let history = why["history"].as_array().expect("history");
    assert_eq!(history.len(), 2, "{why}");
    assert_eq!(
        (&history[0]["because"].as_array().map(Vec::len), &history[0]["drops"]),
        (&Some(3), &json!(["batch1", "batch2"]))
    );
    let because: Vec<Value> = history[1]["because"]
        .as_array()
        .expect("because")
        .iter()
        .map(|one| json!([one["table"], one["operation"], one["key"]["position"], one["key"]["sample"]]))
        .collect();
    assert_eq!(
        because,
        [
            json!(["genotype_genes", "delete", 117_559_590, "SOUTH01"]),
            json!(["genotype_genes", "delete", 117_587_778, "SOUTH01"])
        ]
    );
    let text = copy.text(&["why", "cohort.toml", "gene_carriers", "gene_symbol=CFTR"]);
    assert!(text.contains("since delete in `genotype_genes`: chromosome=chr7 position=117559590"), "{text}");
    assert!(text.contains("carrier_count 2 -> 1"), "{text}");
}

#[test]
fn a_region_names_the_variant_and_the_features_around_it() {
    let copy = Copy::new();
    let text = r#"
[[include]]
file = "fragments/genes.toml"
[include.with]
genes_path = "clinical/genes/*.gff3"
[pipeline]
name = "located"
assembly = "GRCh38"
max_reject_share = 0.1
[stages.calls]
type = "vcf"
path = "gene_summary/drops/*.vcf"
[stages.alleles]
type = "normalize"
input = "calls"
[stages.columns]
type = "select"
input = "alleles"
[stages.columns.columns]
chromosome = "chrom"
position = "pos"
reference = "ref"
alternate = "alt"
[stages.variants]
type = "table"
input = "columns"
key = ["chromosome", "position", "reference", "alternate"]
[stages.model]
type = "table"
input = "gene_rows"
key = ["feature_key"]
[stages.located]
type = "regions"
inputs = ["variants", "model"]
[stages.warehouse]
type = "sqlite"
path = "located.sqlite"
tables = ["located", "genes"]
"#;
    fs::write(copy.path("located.toml"), text).expect("pipeline");
    copy.done(&["run", "located.toml"]);
    let key = ["chromosome=chr17", "position=7675088", "reference=C", "alternate=T"];
    let why = copy.done(&[&["why", "located.toml", "located"][..], &key].concat());
    assert_eq!(why["row"]["gene_symbol"], "TP53");
    assert_eq!(parts(&why), [json!(["model", "genes", 1]), json!(["variants", "day1", 1])], "{why}");
    let feature = why["contributions"].as_array().and_then(|parts| parts.iter().find(|part| part["table"] == "model"));
    let feature = &feature.expect("the model's part")["first"][0];
    assert!(feature["key"]["feature_key"].to_string().contains("ENSG00000141510"), "{why}");
    assert_eq!(feature["line"], 11);
}
