//! Sense about indexes: advice of `validate`, what databases say of queries (`explain --server`), and a reference to a table that
//! nobody made.

use serde_json::Value;
use vardelta_test_servers::each;
use vardelta_tests::{
    project::{Project, finish},
    server_project::{URL_VARIABLE, discreet},
};

const SQLITE: &str = "type = \"sqlite\"\npath = \"planned.sqlite\"";

fn server(options: &str) -> String {
    format!("type = \"mysql\"\nurl = \"${{{URL_VARIABLE}}}\"\n{options}")
}

/// Variants with a gene that may be NULL, and what is counted of each gene.
fn project(sink: &str) -> Project {
    let project = Project::new(&format!(
        r#"
[pipeline]
name = "planned"

[stages.rows]
type = "delimited"
path = "drops/*.tsv"
null_values = [""]
[stages.rows.columns]
chromosome = "text"
position = "int64"
gene_symbol = "text"
passed = "bool"

[stages.located]
type = "filter"
input = "rows"
where = "chromosome IS NOT NULL AND position IS NOT NULL"

[stages.variants]
type = "table"
input = "located"
key = ["chromosome", "position"]

[stages.by_gene]
type = "aggregate"
input = "variants"
group_by = ["gene_symbol"]
[stages.by_gene.columns]
variants = "count(*)"

[stages.warehouse]
{sink}
tables = ["variants", "by_gene"]
"#
    ));
    let mut rows = String::from("chromosome\tposition\tgene_symbol\tpassed\n");
    for at in 1..=400 {
        rows += &format!("chr{}\t{at}\tGENE{}\ttrue\n", at % 5, at % 40);
    }
    project.write("drops/day1.tsv", rows.as_bytes());
    project
}

/// What `validate` advises: line, and message.
fn advice(sink: &str) -> Vec<(u64, String)> {
    let project = project(sink);
    let mut command = project.command("validate", &["--json"]);
    let said = finish(command.env(URL_VARIABLE, "mysql://u:p@127.0.0.1/d")).expect(0).json();
    assert_eq!(said["diagnostics"], Value::Array(Vec::new()));
    let of = |one: &Value| {
        (one["line"].as_u64().unwrap_or_default(), one["message"].as_str().unwrap_or_default().to_owned())
    };
    said["advice"].as_array().expect("a list").iter().map(of).collect()
}

#[test]
fn indexes_that_find_nothing_and_keys_that_find_nothing_are_told() {
    let found = advice(&server(
        "text_characters = { gene_symbol = 64 }\nindexes = [[\"chromosome\"], [\"gene_symbol\"], [\"gene_symbol\", \"position\"], [\"passed\"]]",
    ));
    let messages: Vec<&str> = found.iter().map(|(_, message)| message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "this index of `variants` finds nothing that the primary key does not",
            "this index of `variants` finds nothing that the one on (gene_symbol, position) does not",
            "`passed` parts the rows of `variants` in two",
        ]
    );
    assert!(found.iter().all(|(line, _)| *line == found[0].0), "{found:?}");

    let hashed = advice(&server(""));
    assert_eq!(hashed.len(), 1, "{hashed:?}");
    assert_eq!(hashed[0].1, "`WHERE gene_symbol = …` scans `by_gene`: its primary key is a hash of (gene_symbol)");
    let well = "text_characters = { gene_symbol = 64 }\nindexes = { by_gene = [[\"gene_symbol\"]] }";
    assert_eq!(advice(&server(well)), []);
    // People read it underlined, and nothing is refused for it.
    let said = project(&server("")).command("validate", &[]).env(URL_VARIABLE, "mysql://u:p@127.0.0.1/d").output();
    let said = String::from_utf8(said.expect("a process").stdout).expect("UTF-8");
    assert!(
        said.contains("no problems") && said.contains("note: `WHERE gene_symbol") && said.contains("^^^^"),
        "{said}"
    );
}

/// How the database finds the rows of each query: table, purpose, access.
fn queries(said: &Value) -> Vec<(String, String, String)> {
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    let queries = said["queries"].as_array().expect("a list");
    queries.iter().map(|one| (text(one, "table"), text(one, "purpose"), text(one, "access"))).collect()
}

fn expected(by_gene: &str, of_gene: &str, index: bool) -> Vec<(String, String, String)> {
    let row = |table: &str, purpose: &str, access: &str| (table.to_owned(), purpose.to_owned(), access.to_owned());
    let mut rows = vec![
        row("variants", "a row by its key (chromosome, position)", "lookup"),
        row("variants", "rows by chromosome", "lookup"),
        row("variants", "rows behind one of `by_gene`, by gene_symbol", of_gene),
    ];
    if index {
        rows.push(row("variants", "what the index by_gene_symbol has, by gene_symbol", "covering"));
    }
    rows.push(row("variants", "rows that the last epoch changed", "scan"));
    rows.push(row("by_gene", "a row by its key (gene_symbol)", by_gene));
    if index {
        rows.push(row("by_gene", "what the index by_gene_symbol has, by gene_symbol", "covering"));
    }
    rows.push(row("by_gene", "rows that the last epoch changed", "scan"));
    rows
}

#[test]
fn sqlite_says_how_it_finds_rows() {
    let project = project(SQLITE);
    project.vardelta("explain", &["--server"]).expect(6).says(&["nothing has been loaded", "Run the pipeline once"]);
    project.vardelta("run", &[]).expect(0);
    let said = project.vardelta("explain", &["--server", "--json"]).expect(0).json();
    assert_eq!(queries(&said), expected("lookup", "scan", false));
    project.vardelta("explain", &["--server"]).expect(0).says(&[
        "Queries, as the database plans them",
        "lookup",
        "scan",
    ]);
    let without = project.vardelta("explain", &["--json"]).expect(0).json();
    assert_eq!(without["queries"], Value::Null);
}

#[test]
fn servers_say_how_they_find_rows() {
    each("servers_say_how_they_find_rows", |host, name| {
        let with = "text_characters = { gene_symbol = 64 }\nindexes = [[\"gene_symbol\"]]";
        for (options, expected) in [("", expected("scan", "scan", false)), (with, expected("lookup", "lookup", true))] {
            let project = project(&server(options));
            let database = if options.is_empty() { name.to_owned() } else { host.new_database() };
            let vardelta = |verb: &str, arguments: &[&str]| {
                let mut command = project.command(verb, arguments);
                discreet(finish(command.env(URL_VARIABLE, host.url(&database))))
            };
            vardelta("run", &[]).expect(0);
            let found = queries(&vardelta("explain", &["--server", "--json"]).expect(0).json());
            assert_eq!(found, expected, "{} with `{options}`", host.flavor);
        }
    });
}

#[test]
fn a_reference_to_a_table_that_nobody_made_is_told_in_words() {
    each("a_reference_to_a_table_that_nobody_made_is_told_in_words", |host, name| {
        let references =
            "references = { variants = [{ columns = [\"chromosome\"], table = \"contigs\", to = [\"name\"] }] }";
        let project = project(&server(references));
        let mut command = project.command("run", &[]);
        let said = discreet(finish(command.env(URL_VARIABLE, host.url(name)))).expect(6);
        let said = said.says(&[
            "`variants` (chromosome) refers to `contigs`",
            "has no such table",
            "Make it first",
            "nothing was written",
        ]);
        assert!(!format!("{}{}", said.stdout, said.stderr).contains("errno"), "{}", said.stderr);
    });
}
