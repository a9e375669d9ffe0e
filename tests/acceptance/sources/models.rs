//! Gene models, and files that include them.

use vardelta_engine::report::Action;
use vardelta_tests::in_process::{Warehouse, resolve};

use super::*;

const PIPELINE: &str = r#"
[pipeline]
name = "models"
assembly = "GRCh38"

[stages.gene_rows]
type = "gff3"
path = "drops/*.gff3"
features = ["gene", "mRNA", "exon"]

[stages.gene_model]
type = "table"
input = "gene_rows"
key = ["feature_key"]

[stages.warehouse]
type = "sqlite"
path = "sources.sqlite"
tables = ["gene_model"]
"#;
const QUERY: &str = "SELECT feature_key || ' ' || chrom || ':' || \"start\" || '-' || \"end\" || ' ' || quote(gene_symbol) \
                     || ' ' || quote(transcript_id) FROM gene_model ORDER BY 1";

/// A model of two genes: `symbol` of the first, `version` of its id, and `exon` where its exon ends.
fn model(symbol: &str, version: u32, exon: u32) -> String {
    format!(
        "##gff-version 3\n\
         17\tx\tgene\t7661779\t7687538\t.\t-\t.\tID=ENSG00000141510.{version};gene_name={symbol}\n\
         17\tx\tmRNA\t7668421\t7687490\t.\t-\t.\tID=ENST00000269305.9;Parent=ENSG00000141510.{version}\n\
         17\tx\texon\t7687377\t{exon}\t.\t-\t.\tParent=ENST00000269305.9\n\
         17\tx\tCDS\t7687377\t7687400\t.\t-\t0\tParent=ENST00000269305.9\n\
         12\tx\tgene\t25205246\t25250936\t.\t-\t.\tID=ENSG00000133703.14;gene_name=KRAS\n"
    )
}

#[test]
fn a_new_release_of_a_model_changes_the_rows_that_differ() {
    let warehouse = Warehouse::new(PIPELINE);
    let report = deliver(&warehouse, "genes.gff3", model("TP53", 18, 7_687_490).as_bytes());
    assert_eq!((counts(&report), changes(&report)), ((Action::Added, [5, 4, 1, 0, 0]), [4, 0, 0]));
    let tp53 = |symbol: &str| {
        [
            "ENSG00000133703 chr12:25205246-25250936 'KRAS' NULL".to_owned(),
            format!("ENSG00000141510 chr17:7661779-7687538 '{symbol}' NULL"),
            format!("ENST00000269305 chr17:7668421-7687490 '{symbol}' 'ENST00000269305'"),
        ]
    };
    assert_eq!(texts(&warehouse, QUERY)[..3], tp53("TP53"));
    // Only the version is counted up: the rows that hold it are updated, none comes or goes.
    let report = deliver(&warehouse, "genes.gff3", model("TP53", 19, 7_687_490).as_bytes());
    assert_eq!((counts(&report).0, changes(&report)), (Action::Replaced, [0, 2, 0]));
    // A gene is renamed: its parts are, whose lines did not change.
    let report = deliver(&warehouse, "genes.gff3", model("P53", 19, 7_687_490).as_bytes());
    assert_eq!(changes(&report), [0, 3, 0]);
    assert_eq!(texts(&warehouse, QUERY)[..3], tp53("P53"));
    // An exon without an id is named by its place: another place is another row.
    let report = deliver(&warehouse, "genes.gff3", model("P53", 19, 7_687_480).as_bytes());
    assert_eq!(changes(&report), [1, 0, 1]);
    equals_fresh(&warehouse, PIPELINE, QUERY);
    // The same lines in another order are the same drop.
    let text = model("P53", 19, 7_687_480);
    let mut lines: Vec<&str> = text.lines().collect();
    lines.reverse();
    let report = deliver(&warehouse, "genes.gff3", format!("{}\n", lines.join("\n")).as_bytes());
    assert_eq!(counts(&report).0, Action::Unchanged);
}

#[test]
fn how_a_pipeline_is_split_into_files_does_not_matter() {
    let folder = tempfile::tempdir().expect("a folder");
    let (head, rest) = PIPELINE.split_once("[stages.gene_rows]").expect("the stage is there");
    let (stage, rest) = rest.split_once("[stages.warehouse]").expect("the stage is there");
    let fragment = format!(
        "[parameters]\npath = \"nowhere/*\"\n[stages.gene_rows]{}",
        stage.replace("\"drops/*.gff3\"", "\"${path}\"")
    );
    std::fs::create_dir(folder.path().join("fragments")).expect("a folder");
    std::fs::write(folder.path().join("fragments/genes.toml"), fragment).expect("a file");
    let including = format!(
        "include = [{{ file = \"fragments/genes.toml\", with = {{ path = \"drops/*.gff3\" }} }}]\n{head}[stages.warehouse]{rest}"
    );
    let path = folder.path().join("pipeline.toml");
    let whole = resolve(&path, PIPELINE, &[]).expect("sound");
    let split = resolve(&path, &including, &[]).expect("sound");
    let definitions = |plan: &vardelta_engine::plan::Plan| -> Vec<(String, String)> {
        plan.stages.iter().map(|stage| (stage.name.clone(), stage.definition.clone())).collect()
    };
    assert_eq!(definitions(&whole), definitions(&split));
    let problems = resolve(&path, &including.replace("path =", "pth ="), &[]).err().expect("refused");
    assert!(problems.iter().any(|problem| problem.contains("has no parameter `pth`")), "{problems:?}");
}
