//! `validate`: every problem at once, each with its place; no data opened. Environment variables and overrides.

use vardelta_tests::{
    project::{Project, finish},
    story,
};

/// Problems of six sorts, one per line.
const WRONG: &str = r#"[pipeline]
name = "wrong"
worker = 3

[stages.calls]
type = "vfc"

[stages.kept]
type = "filter"
input = "alleles"
where = "qual >="

[stages.alleles]
type = "normalize"
input = "cals"

[stages.variants]
type = "table"
input = "kept"
key = 7

[stages.warehouse]
type = "sqlite"
path = "wrong.sqlite"
tables = ["variants"]
"#;

#[test]
fn every_problem_is_told_with_its_place_and_a_hint() {
    let project = Project::new(WRONG);
    let said = project.vardelta("validate", &[]).expect(3).says(&[
        "pipeline.toml:3:1",
        "Did you mean `workers`?",
        "pipeline.toml:6:8",
        "Did you mean \"vcf\"?",
        "pipeline.toml:15:9",
        "Did you mean \"calls\"?",
    ]);
    assert!(said.stdout.is_empty(), "problems go to standard error");
    assert!(said.stderr.contains("^^^^^^"), "the place is underlined");

    let json = project.vardelta("validate", &["--json"]).expect(3).json();
    let problems = json["diagnostics"].as_array().expect("a list");
    let places: Vec<(u64, u64)> = problems
        .iter()
        .map(|problem| (problem["line"].as_u64().expect("a line"), problem["column"].as_u64().expect("a column")))
        .collect();
    assert!([(3, 1), (6, 8), (15, 9)].iter().all(|place| places.contains(place)), "{places:?}");
    assert!(places.is_sorted(), "in the order of the file: {places:?}");
}

#[test]
fn expressions_are_typed_and_told_with_their_place() {
    let text = story::PIPELINE
        .text
        .replace("quality = \"CAST(least(qual, 100.0) AS DECIMAL(5,2))\"", "quality = \"gene_symbol + 1\"")
        .replace("avg_quality = \"avg(quality)\"", "avg_quality = \"avg(gene_symbol)\"")
        .replace("qual >= 20 AND", "qal >= 20 AND");
    let project = Project::new(&text);
    let said = project.vardelta("validate", &[]).expect(3);
    let line = |part: &str| 1 + text.lines().position(|line| line.contains(part)).expect("the line is there");
    let place = format!("pipeline.toml:{}:{}", line("qal >="), 1 + "where = \"".len());
    said.says(&[&place, "Did you mean `qual`?"]);

    // What is after the filter is looked at once the filter is right.
    project.write("pipeline.toml", text.replace("qal >=", "qual >=").as_bytes());
    let place = format!("pipeline.toml:{}:", line("gene_symbol + 1"));
    project.vardelta("validate", &[]).expect(3).says(&[&place]);
}

#[test]
fn keys_that_may_be_null_and_cycles_are_found() {
    let nullable = story::PIPELINE.text.replace(
        "key = [\"chromosome\", \"position\", \"reference\", \"alternate\"]",
        "key = [\"chromosome\", \"clinical_significance\"]",
    );
    Project::new(&nullable).vardelta("validate", &[]).expect(3).says(&["clinical_significance", "NULL", "IS NOT NULL"]);
    let cycle = story::PIPELINE.text.replace("input = \"calls\"", "input = \"passing\"");
    Project::new(&cycle).vardelta("validate", &[]).expect(3).says(&["alleles", "passing"]);
}

#[test]
fn no_data_is_opened() {
    let project = Project::new(story::PIPELINE.text);
    project.write("drops/broken.vcf", b"this is no VCF\n");
    project.vardelta("validate", &[]).expect(0);
    assert!(!project.path(story::PIPELINE.database).exists() && !project.path(".vardelta").exists());
}

#[test]
fn variables_are_put_into_texts_and_never_shown() {
    let text = story::PIPELINE
        .text
        .replace("path = \"drops/*.vcf*\"", "path = \"${VARDELTA_TEST_DROPS:-drops}/*.vcf*\"")
        .replace("path = \"gene_summary.sqlite\"", "path = \"${VARDELTA_TEST_NAME}.sqlite\"");
    let project = Project::new(&text);
    project.vardelta("validate", &[]).expect(3).says(&["VARDELTA_TEST_NAME"]);
    story::write_drop(&project, "alpha", &story::lines(1, 20));
    let mut command = project.command("run", &["--json"]);
    finish(command.env("VARDELTA_TEST_NAME", "from_the_environment")).expect(0);
    assert!(project.path("from_the_environment.sqlite").exists());

    // A variable's value cannot change the structure, and messages do not show it.
    let mut command = project.command("validate", &["--set", "stages.warehouse.tables=[\"variants\", \"nothing\"]"]);
    let said = finish(command.env("VARDELTA_TEST_NAME", "se\"cret\"\ntype = \"x")).expect(3);
    assert!(!said.stderr.contains("se\"cret"), "{}", said.stderr);
    let wrong = text.replace("type = \"sqlite\"", "type = \"${VARDELTA_TEST_TYPE}\"");
    project.write("pipeline.toml", wrong.as_bytes());
    let mut command = project.command("validate", &[]);
    let command = command.env("VARDELTA_TEST_NAME", "x").env("VARDELTA_TEST_TYPE", "hush-hush");
    let said = finish(command).expect(3);
    assert!(!said.stderr.contains("hush-hush"), "{}", said.stderr);
}

#[test]
fn overrides_replace_options_and_are_checked() {
    let project = Project::new(story::PIPELINE.text);
    project.vardelta("validate", &["--set", "stages.calls.path=/nowhere/*.vcf"]).expect(0);
    project.vardelta("validate", &["--set", "stages.cals.path=x"]).expect(3).says(&["--set", "cals"]);
    project.vardelta("validate", &["--set", "pipeline.workers=none"]).expect(3).says(&["--set"]);
    project.vardelta("validate", &["--set", "nonsense"]).says(&["nonsense"]);
}
