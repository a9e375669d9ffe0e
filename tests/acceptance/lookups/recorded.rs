//! Answers that real services gave, replayed to the fragments that ask them. The recordings lie beside the repository.

use std::path::Path;

use serde_json::{Value, json};
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
    let value: Value = serde_json::from_slice(&one).expect("JSON");
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

/// An object of a recording with the key that it answers, as the service repeats it where many are asked for.
fn answering(mut object: Value, key: &str) -> Value {
    object["query"] = key.into();
    object
}

/// The recordings are of requests for one variant; of many the service makes a list, which is put together here.
#[test]
fn variants_by_myvariant_are_read_as_the_service_answers() {
    let Some(folder) = shared("recorded answers of MyVariant.info", "data/api/biomcp/myvariant") else { return };
    let of = |name: &str| serde_json::from_slice::<Value>(&recording(&folder, name)).expect("JSON");
    let (braf, pten) = (of("get_braf_v600e_grch38_20260806.stripped.json"), of("get_grid1_grch38_20260806.json"));
    let key = |object: &Value| object["_id"].as_str().expect("the service names the variant").to_owned();
    let (first, second, none) = (key(&braf), key(&pten), "chr1:g.1A>T".to_owned());
    let facts = |object: &Value| {
        let number = |value: &Value| value.as_f64().map(|number| format!("{number:.8}")).unwrap_or_default();
        let rsid = object["dbsnp"]["rsid"].as_str().expect("an identifier").to_owned();
        let clinvar = object["clinvar"]["variant_id"].as_u64().expect("a variation");
        format!("found|{rsid}|{clinvar}|{}", number(&object["gnomad_genome"]["af"]["af"]))
    };
    let wanted =
        [format!("{second}|{}", facts(&pten)), format!("{none}|absent|||"), format!("{first}|{}", facts(&braf))];
    // In another order than they are asked for.
    let list = Value::Array(vec![
        answering(braf.clone(), &first),
        json!({ "query": none, "notfound": true }),
        answering(pten.clone(), &second),
    ]);
    let service = WebSink::replaying("200 OK", list.to_string().into_bytes());
    let query = "SELECT id || '|' || lookup_status || '|' || ifnull(rsid, '') || '|' || ifnull(clinvar_variation_id, '') || '|' \
        || iif(gnomad_genome_af IS NULL, '', printf('%.8f', gnomad_genome_af)) FROM myvariant ORDER BY id";
    let project = project("myvariant", &[&first, &second, &none]);
    let found = run(&project, "myvariant", ("MYVARIANT_URL", &service.url("")), query);
    assert_eq!(found, ("3 = 2 + 1 + 0".to_owned(), wanted.to_vec()));
    let asked = &service.posted()[0];
    assert!(asked.line.starts_with("POST /variant?assembly=hg38 "), "{asked:?}");
    assert_eq!(asked.json()["ids"].as_array().map(Vec::len), Some(3), "{asked:?}");
}

#[test]
fn genes_by_mygene_are_read_as_the_service_answers() {
    let Some(folder) = shared("recorded answers of MyGene.info", "data/api/biomcp/mygene") else { return };
    let hit = |name: &str, symbol: &str| {
        let recorded: Value = serde_json::from_slice(&recording(&folder, name)).expect("JSON");
        assert_eq!(recorded["hits"][0]["symbol"], symbol, "{name}");
        answering(recorded["hits"][0].clone(), symbol)
    };
    let (braf, brca1) = (hit("get_braf_20260811.json", "BRAF"), hit("get_brca1_20260811.json", "BRCA1"));
    let row = |object: &Value| {
        let text = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
        format!("{}|found|{}|{}|{}", text("query"), text("entrezgene"), text("name"), text("type_of_gene"))
    };
    let wanted = vec![row(&braf), row(&brca1), "PDL1|absent|||".to_owned()];
    // A second hit of less weight is not what counts.
    let lesser = json!({ "query": "BRAF", "_id": "0", "_score": 0.1, "entrezgene": "1", "name": "another" });
    let list = Value::Array(vec![brca1, braf, lesser, json!({ "query": "PDL1", "notfound": true })]);
    let service = WebSink::replaying("200 OK", list.to_string().into_bytes());
    let query = "SELECT id || '|' || lookup_status || '|' || ifnull(entrez_id, '') || '|' || ifnull(gene_name, '') || '|' \
        || ifnull(gene_type, '') FROM mygene ORDER BY id";
    let project = project("mygene", &["BRCA1", "PDL1", "BRAF"]);
    let found = run(&project, "mygene", ("MYGENE_URL", &service.url("")), query);
    assert_eq!(found, ("3 = 2 + 1 + 0".to_owned(), wanted));
    assert!(service.posted()[0].line.starts_with("POST /query "), "{:?}", service.posted());
}

/// The recording lists interactions, each with its gene; here they are under their genes, as our question asks for them.
#[test]
fn drugs_by_dgidb_are_read_as_the_service_answers() {
    let Some(folder) = shared("recorded answers of DGIdb", "data/api/dgidb_graphql") else { return };
    let recorded = recording(&folder, "get_interactions_by_genes_response.open_sources.json");
    let recorded: Value = serde_json::from_slice(&recorded).expect("JSON");
    let interactions = recorded["data"]["genes"]["nodes"][0]["interactions"].as_array().expect("interactions");
    let gene = interactions[0]["gene"].clone();
    let symbol = gene["name"].as_str().expect("a symbol").to_owned();
    let drugs: Vec<&str> =
        interactions.iter().map(|interaction| interaction["drug"]["name"].as_str().expect("a drug")).collect();
    let text = |name: &str| gene[name].as_str().unwrap_or_default();
    let wanted = vec![
        "NOGENE|absent|||".to_owned(),
        format!("{symbol}|found|{}|{}|{}", text("conceptId"), text("longName"), drugs.join("|")),
    ];
    let mut node = gene.clone();
    node["interactions"] = Value::Array(interactions.clone());
    let query = "SELECT id || '|' || lookup_status || '|' || ifnull(concept_id, '') || '|' || ifnull(gene_long_name, '') || '|' \
        || ifnull(drug_names, '') FROM dgidb ORDER BY id = 'NOGENE' DESC";
    let answer = json!({ "data": { "genes": { "nodes": [node] } } }).to_string();
    let service = WebSink::replaying("200 OK", answer.into_bytes());
    let found = run(&project("dgidb", &[&symbol, "NOGENE"]), "dgidb", ("DGIDB_URL", &service.url("")), query);
    assert_eq!(found, ("2 = 1 + 1 + 0".to_owned(), wanted));
    assert_eq!(service.posted()[0].json()["variables"]["names"].as_array().map(Vec::len), Some(2));

    // An error of the whole question comes with status 200, and is never "there is none".
    let refusal = r#"{"errors": [{"message": "Field 'x' doesn't exist"}], "data": null}"#;
    let service = WebSink::replaying("200 OK", refusal.as_bytes().to_vec());
    let (told, _) = run(&project("dgidb", &[&symbol]), "dgidb", ("DGIDB_URL", &service.url("")), query);
    assert_eq!(told, "1 = 0 + 0 + 1");
}
