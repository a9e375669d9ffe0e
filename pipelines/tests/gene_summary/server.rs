use std::fs;

use super::Copy;

const PIPELINE: &str = "gene_summary_mysql.toml";
const VARIABLE: &str = "VARDELTA_MYSQL_URL";
/// Nobody answers there.
const URL: &str = "mysql://loader:hush%21@127.0.0.1:1/warehouse";

#[test]
fn it_computes_what_the_other_one_does() {
    let copy = Copy::new();
    let stages = |file: &str| {
        let text = fs::read_to_string(copy.path(file)).expect(file);
        let (from, to) = (text.find("[stages.calls]").expect("stages"), text.find("[stages.warehouse]").expect("sink"));
        text[from..to].to_owned()
    };
    assert_eq!(stages(PIPELINE), stages("gene_summary.toml"));
}

#[test]
fn it_is_valid_and_explained_without_a_server() {
    let copy = Copy::new();
    let run = |arguments: &[&str]| {
        let output = copy.command(arguments).env(VARIABLE, URL).output().expect("vardelta runs");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).expect("UTF-8"))
    };
    assert_eq!(run(&["validate", PIPELINE]).0, Some(0));
    let (code, said) = run(&["explain", PIPELINE]);
    assert_eq!(code, Some(0), "{said}");
    for expected in
        ["mysql://loader@127.0.0.1:1/warehouse", "LOAD DATA LOCAL INFILE", "`by_chromosome_quality_gene_symbol`"]
    {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    // Whatever goes wrong, the password is not reported.
    for arguments in [
        &["run", PIPELINE][..],
        &["drops", PIPELINE],
        &["explain", PIPELINE, "--json"],
        &["validate", PIPELINE, "--set", "stages.warehouse.tls=yes"],
        &["validate", PIPELINE, "--set", "stages.warehouse.url=mysql://loader:hush!@127.0.0.1"],
        &["run", PIPELINE, "--json"],
    ] {
        let (_, said) = run(arguments);
        assert!(!said.contains("hush"), "{arguments:?}: {said}");
    }
    assert_eq!(run(&["run", PIPELINE]).0, Some(6));
    assert_eq!(copy.vardelta(&["validate", PIPELINE]).code, 3, "the variable must be set");
}
