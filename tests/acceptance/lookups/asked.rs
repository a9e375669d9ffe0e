//! A pipeline that asks the service of the repository over HTTP, driven by the command line.

use vardelta_tests::project::Project;

/// A pipeline that looks two genes up at this address, with these further options and cache tiers.
pub fn project(url: &str, options: &str, cache: &str) -> Project {
    let project = Project::new(&format!(
        r#"
[pipeline]
name = "asked"

[stages.rows]
type = "delimited"
path = "drops/*.tsv"
[stages.rows.columns]
gene = "text"
[stages.named]
type = "filter"
input = "rows"
where = "gene IS NOT NULL"
[stages.genes]
type = "table"
input = "named"
key = ["gene"]

[stages.facts]
type = "lookup"
input = "genes"
key = "gene"
url = "{url}"
method = "POST"
body = '{{"q": {{keys}}}}'
rows = "$[*]"
answer_key = "$.query"
not_found = "$.notfound"
retries = 0
deadline = "10s"
{options}
[stages.facts.columns]
entrez_id = {{ path = "$.entrezgene", type = "int64" }}
[stages.facts.cache]
{cache}

[stages.warehouse]
type = "sqlite"
path = "asked.sqlite"
tables = ["genes", "facts"]
"#
    ));
    project.write("drops/day1.tsv", b"gene\nTP53\nBRCA1\n");
    project
}

/// What is known of the genes.
pub fn facts(project: &Project) -> Vec<String> {
    let query = "SELECT gene || '|' || coalesce(entrez_id, '-') || '|' || lookup_status FROM facts ORDER BY gene";
    vardelta_tests::database::texts(&project.path("asked.sqlite"), query)
}

/// All of them, answered.
pub const ANSWERED: [&str; 2] = ["BRCA1|672|found", "TP53|7157|found"];
