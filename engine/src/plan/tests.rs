//! Pipeline files that resolve, and what becomes of them. The bad ones are in [`bad`].
#![allow(clippy::unwrap_used)]

mod bad;

use crate::{
    error::RunErrorKind,
    plan::{
        Plan,
        content::{Definitions, Wanted},
        definition_changes,
        fakes::{problems, resolve, resolve_with},
    },
};

/// A pipeline that uses every kind of stage.
pub(crate) const GOOD: &str = r#"
[pipeline]
name = "good"
workers = 2

[stages.calls]
type = "events"
path = "drops/*.txt"
columns = { chrom = "text", pos = "int64", gene = "text?" }

[stages.slim]
type = "keep"
input = "calls"

[stages.slimmer]
type = "keep"
input = "slim"
columns = ["pos", "chrom", "gene"]

[stages.variants]
type = "table"
input = "slimmer"
key = ["chrom", "pos"]

[stages.genes]
type = "count_by"
input = "variants"
group_by = ["gene"]

[stages.places]
type = "keep"
input = "variants"
columns = ["chrom", "pos"]

[stages.warehouse]
type = "memory"
tables = ["variants", "genes", "places"]
"#;

#[test]
fn resolves_keys_places_and_settings() {
    let plan = resolve(GOOD).unwrap();
    let key = |name: &str| plan.stage(name).unwrap().1.key.clone();
    assert_eq!(key("variants"), Some(vec![1, 0]));
    assert_eq!(key("genes"), Some(vec![0]));
    assert_eq!(key("places"), Some(vec![0, 1]));
    assert_eq!(key("slimmer"), None);
    let before: Vec<&str> =
        plan.stages.iter().filter(|stage| stage.before_tables).map(|stage| stage.name.as_str()).collect();
    assert_eq!(before, ["calls", "slim", "slimmer"]);
    assert_eq!(plan.stages[plan.sink].name, "warehouse");
    let tables: Vec<_> = plan.tables().into_iter().map(|table| (table.name, table.key)).collect();
    assert_eq!(tables, [("variants".into(), vec![1, 0]), ("genes".into(), vec![0]), ("places".into(), vec![0, 1])]);
    let settings = &plan.pipeline;
    assert_eq!((settings.workers, settings.chunk_records, settings.max_reject_share), (2, 250_000, 0.01));
    assert_eq!(settings.base_dir, std::path::Path::new("."));
}

#[test]
fn orders_stages_after_their_inputs_and_otherwise_as_written() {
    let (head, tail) = GOOD.split_once("[stages.calls]").unwrap();
    let (calls, rest) = tail.split_once("[stages.slim]").unwrap();
    let turned = format!("{head}[stages.slim]{rest}\n[stages.calls]{calls}");
    let names =
        |text: &str| -> Vec<String> { resolve(text).unwrap().stages.iter().map(|stage| stage.name.clone()).collect() };
    assert_eq!(names(GOOD), ["calls", "slim", "slimmer", "variants", "genes", "places", "warehouse"]);
    assert_eq!(names(&turned), names(GOOD));
    // `places` moves before `genes` when the file has it so.
    let (before, behind) = GOOD.split_once("[stages.genes]").unwrap();
    let (genes, behind) = behind.split_once("[stages.places]").unwrap();
    let (places, sink) = behind.split_once("[stages.warehouse]").unwrap();
    let swapped = format!("{before}[stages.places]{places}[stages.genes]{genes}[stages.warehouse]{sink}");
    assert_eq!(names(&swapped), ["calls", "slim", "slimmer", "variants", "places", "genes", "warehouse"]);
}

#[test]
fn a_whole_aggregate_stays_one_keyed_row_unless_rows_are_multiplied() {
    let text = GOOD
        .replace(r#"group_by = ["gene"]"#, "group_by = []")
        .replace(r#"[stages.warehouse]"#, "[stages.all]\ntype = \"keep\"\ninput = \"genes\"\n[stages.warehouse]");
    let text = text.replace(r#""places"]"#, r#""places", "all"]"#);
    assert_eq!(resolve(&text).unwrap().stage("all").unwrap().1.key, Some(Vec::new()));
    let text = text.replace("input = \"genes\"\n", "input = \"genes\"\nmultiplies = true\n");
    assert!(problems(&text).contains("stage `all` has no key"));
}

#[test]
fn unions_stay_on_their_side_of_the_tables() {
    let text = GOOD.replace(
        "[stages.slim]\ntype = \"keep\"\ninput = \"calls\"",
        "[stages.more]\ntype = \"events\"\ncolumns = { chrom = \"text?\", pos = \"int64\", gene = \"text?\" }\n\
         [stages.slim]\ntype = \"union\"\ninputs = [\"calls\", \"more\"]",
    );
    let refused = problems(&text);
    assert!(refused.contains("the key column `chrom` may be NULL"), "{refused}");
    let text = text.replace("chrom = \"text?\"", "chrom = \"text\"");
    let plan = resolve(&text).unwrap();
    let (_, union) = plan.stage("slim").unwrap();
    assert!(union.before_tables && union.key.is_none());
    assert_eq!(union.schema.to_string(), "chrom text, pos int64, gene text?");
}

fn definitions(plan: &Plan) -> Definitions {
    Definitions::of(plan, "", Wanted::All).expect("the fakes name no files that are not there")
}

#[test]
fn definitions_know_what_is_computed_and_nothing_else() {
    let plan = resolve(GOOD).unwrap();
    assert_eq!(
        plan.stage("variants").unwrap().1.definition,
        r#"{"inputs":["slimmer"],"options":{"key":["chrom","pos"]},"type":"table","version":1}"#
    );
    assert_eq!(
        plan.stage("calls").unwrap().1.definition,
        r#"{"options":{"columns":[["chrom","text"],["pos","int64"],["gene","text?"]]},"type":"events","version":1}"#
    );
    assert_eq!(plan.stages[plan.sink].definition, r#"{"tables":["variants","genes","places"]}"#);

    // Paths, formatting, comments, the sink's options and defaults written out change nothing.
    let same = GOOD
        .replace("drops/*.txt", "elsewhere")
        .replace("\nkey = [\"chrom\", \"pos\"]", "\nconflict = 'latest_drop' # the default\nkey = [\n'chrom',\n'pos' ]")
        .replace("type = \"memory\"", "type = \"memory\"\npassword = \"secret\"");
    let same = resolve(&same).unwrap();
    assert_eq!(definitions(&same).to_json(), definitions(&plan).to_json());
    assert_eq!(definition_changes(&definitions(&plan).to_json(), &definitions(&same)).unwrap(), [""; 0]);
    assert_eq!(definition_changes("", &definitions(&plan)).unwrap(), [""; 0]);

    // The order of a table's keys does.
    let turned = GOOD.replace("chrom = \"text\", pos = \"int64\"", "pos = \"int64\", chrom = \"text\"");
    assert_eq!(
        definition_changes(&definitions(&plan).to_json(), &definitions(&resolve(&turned).unwrap())).unwrap(),
        ["stage `calls` changed: option `columns`"]
    );
}

#[test]
fn definition_changes_name_stages_and_options() {
    let old = definitions(&resolve(GOOD).unwrap()).to_json();
    let new = GOOD
        .replace("key = [\"chrom\", \"pos\"]", "key = [\"pos\", \"chrom\"]\nconflict = \"first_drop\"")
        .replace("columns = [\"chrom\", \"pos\"]\n", "")
        .replace("slimmer", "slimmest")
        .replace("\"genes\", ", "")
        .replace("[stages.genes]\ntype = \"count_by\"\ninput = \"variants\"\ngroup_by = [\"gene\"]\n", "");
    assert_eq!(
        definition_changes(&old, &definitions(&resolve(&new).unwrap())).unwrap(),
        [
            "stage `genes` was removed",
            "stage `places` changed: option `columns` (removed)",
            "stage `slimmer` was removed",
            "stage `slimmest` was added",
            "stage `variants` changed: its inputs, option `conflict` (added), option `key`",
            "stage `warehouse` changed: its tables",
        ]
    );
    let error = definition_changes("no json", &definitions(&resolve(GOOD).unwrap())).unwrap_err();
    assert_eq!(error.kind, RunErrorKind::Internal);
    assert!(error.message.contains("`no json`"), "{error}");
}

#[test]
fn overrides_replace_add_and_are_taken_as_text_where_they_are_not_toml() {
    let overrides = [
        "pipeline.workers=3",
        "pipeline.name = over_ride",
        "pipeline.assembly=GRCh38",
        "stages.calls.columns={ chrom = \"text\", pos = \"int64\", gene = \"text\" }",
        "stages.calls.columns.extra=float64",
    ];
    let plan = resolve_with(GOOD, &overrides, &|_| None).unwrap();
    assert_eq!(plan.pipeline.workers, 3);
    assert_eq!(plan.pipeline.name, "over_ride");
    assert_eq!(plan.pipeline.assembly.as_ref().unwrap().value, "GRCh38");
    assert_eq!(plan.stage("calls").unwrap().1.schema.to_string(), "chrom text, pos int64, gene text, extra float64");
}

#[test]
fn an_overridden_variable_need_not_be_set() {
    let text = GOOD.replace("\"good\"", "\"${NAME}\"");
    assert!(resolve(&text).is_err());
    assert_eq!(resolve_with(&text, &["pipeline.name=x"], &|_| None).unwrap().pipeline.name, "x");
}

#[test]
fn a_value_cannot_change_the_structure() {
    let text = GOOD.replace("\"good\"", "\"${NAME}\"").replace("\"drops/*.txt\"", "\"${PATH_}\"");
    let environment = |name: &str| match name {
        "NAME" => Some("x".to_owned()),
        "PATH_" => Some("a\"\n[stages.evil]\ntype = \"memory\"\n#${NAME} $$".to_owned()),
        _ => None,
    };
    let plan = resolve_with(&text, &[], &environment).unwrap();
    assert_eq!(plan.pipeline.name, "x");
    assert!(plan.stage("evil").is_none());
}

#[test]
fn many_stages_are_planned_in_no_time() {
    let mut text = GOOD.to_owned();
    let names: Vec<String> = (0..3000).map(|at| format!("\"view_{at}\"")).collect();
    for name in &names {
        text += &format!("[stages.{name}]\ntype = \"keep\"\ninput = \"variants\"\n");
    }
    let text = text.replace("\"places\"]", &format!("\"places\", {}]", names.join(", ")));
    let start = std::time::Instant::now();
    assert_eq!(resolve(&text).unwrap().stages.len(), 3007);
    assert!(start.elapsed().as_secs() < 20, "took {:?}", start.elapsed());
}
