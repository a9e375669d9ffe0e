//! Answers that real services gave, replayed to the fragments that ask them. The recordings lie beside the repository.

use std::path::Path;

use vardelta_tests::{
    database::texts,
    project::{Project, finish},
    shared::shared,
    web_sink::WebSink,
};

/// A pipeline that has these keys looked up by a fragment of ours.
fn project(fragment: &str, keys: &[&str]) -> Project {
    let file = vardelta_tests::binary::root().join("pipelines/fragments").join(format!("{fragment}.toml"));
    let project = Project::new(&format!(
        r#"
[[include]]
file = "{}"
[include.with]
{fragment}_input = "wanted"
{fragment}_key = "id"

[pipeline]
name = "recorded"

[stages.rows]
type = "delimited"
path = "drops/*.tsv"
separator = "tab"
[stages.rows.columns]
id = "text"
[stages.named]
type = "filter"
input = "rows"
where = "id IS NOT NULL"
[stages.wanted]
type = "table"
input = "named"
key = ["id"]

[stages.warehouse]
type = "sqlite"
path = "recorded.sqlite"
tables = ["wanted", "{fragment}"]
"#,
        file.display()
    ));
    project.write("drops/day1.tsv", format!("id\n{}\n", keys.join("\n")).as_bytes());
    project
}

/// Runs it against a recording; the accounting of its look-up, and the rows of a query.
fn run(project: &Project, fragment: &str, (variable, url): (&str, &str), query: &str) -> (String, Vec<String>) {
    let retries = format!("stages.{fragment}.retries=0");
    let mut command = project.command("run", &["--json", "--set", &retries]);
    let report = finish(command.env(variable, url)).expect(0).json();
    let of = |name: &str| report["lookups"][0][name].as_u64().unwrap_or_default();
    let told = format!("{} = {} + {} + {}", of("wanted"), of("answered"), of("absent"), of("failed"));
    (told, texts(&project.path("recorded.sqlite"), query))
}

fn recording(folder: &Path, name: &str) -> Vec<u8> {
    let path = folder.join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn clinvar_by_e_utilities_is_read_as_the_service_answers() {
    let Some(folder) = shared("recorded answers of E-utilities", "data/api/eutils_transcribed") else { return };
    let query = "SELECT concat_ws('|', id, lookup_status, accession, record_type, germline_classification, \
        germline_review_status) FROM eutils_clinvar ORDER BY id";
    let found = "17661|found|VCV000017661|single nucleotide variant|Pathogenic|reviewed by expert panel";
    for (file, status, key, told, row) in [
        ("clinvar_esummary_17661.trimmed.json", "200 OK", "17661", "1 = 1 + 0 + 0", found),
        ("esummary_unknown_uid_item.json", "200 OK", "99999999", "1 = 0 + 1 + 0", "99999999|absent"),
        // An error of the whole answer is never "there is none".
        ("esummary_invalid_uid_top_error.json", "200 OK", "NC_999999999", "1 = 0 + 0 + 1", "NC_999999999|waiting"),
        ("rate_limit.json", "429 Too Many Requests", "17661", "1 = 0 + 0 + 1", "17661|waiting"),
    ] {
        let service = WebSink::replaying(status, recording(&folder, file));
        let found = run(&project("eutils_clinvar", &[key]), "eutils_clinvar", ("EUTILS_URL", &service.url("")), query);
        assert_eq!(found, (told.to_owned(), vec![row.to_owned()]), "{file}");
    }
}

#[test]
fn consequences_by_ensembl_are_read_as_the_service_answers() {
    let Some(folder) = shared("recorded answers of Ensembl", "data/api/ensembl_vep_rest") else { return };
    let one = recording(&folder, "16_89279135_89279135_G_C.json");
    let value: serde_json::Value = serde_json::from_slice(&one).expect("JSON");
    let key = value["input"].as_str().expect("the service repeats what it was asked for");
    // One region was asked for there; of several it makes a list.
    let service = WebSink::replaying("200 OK", [b"[".as_slice(), &one, b"]"].concat());
    let query =
        "SELECT concat_ws('|', lookup_status, most_severe_consequence, allele_string) FROM ensembl_vep ORDER BY id";
    let project = project("ensembl_vep", &[key, "1 1 1 A/T 1"]);
    let (told, rows) = run(&project, "ensembl_vep", ("ENSEMBL_URL", &service.url("")), query);
    assert_eq!(told, "2 = 1 + 1 + 0");
    let severe = value["most_severe_consequence"].as_str().expect("a consequence");
    let alleles = value["allele_string"].as_str().expect("alleles");
    assert!(rows.contains(&format!("found|{severe}|{alleles}")), "{rows:?}");
    assert!(rows.contains(&"absent".to_owned()), "{rows:?}");
}
