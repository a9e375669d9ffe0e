//! Joins as they are planned: keys, columns, what is shared, and what is refused.
#![allow(clippy::unwrap_used)]

use super::JoinSpec;
use crate::{
    contract::stage::Planned,
    plan::{
        Plan,
        explain::explanation,
        fakes::{problems, resolve},
    },
    relational::Relational,
};

/// Three tables: of variants, of known variants by allele and place, of genes.
const TABLES: &str = r#"
[pipeline]
name = "joins"

[stages.calls]
type = "events"
columns = { gene = "text?", chrom = "text", pos = "int64", alt = "text", depth = "int64?", share = "float64?" }
[stages.variants]
type = "table"
input = "calls"
key = ["chrom", "pos", "alt"]

[stages.known_rows]
type = "events"
columns = { alt = "text", contig = "text", pos = "int64", class = "text?", depth = "text" }
[stages.known]
type = "table"
input = "known_rows"
key = ["pos", "contig", "alt"]

[stages.gene_rows]
type = "events"
columns = { symbol = "text", drug = "text", note = "text?" }
[stages.drugs]
type = "table"
input = "gene_rows"
key = ["symbol", "drug"]
[stages.genes]
type = "count_by"
input = "drugs"
group_by = ["symbol"]

[stages.warehouse]
type = "memory"
tables = ["variants", "known", "drugs", "genes", "joined"]
"#;

fn with(join: &str) -> String {
    format!("{TABLES}\n[stages.joined]\ntype = \"join\"\n{join}\n")
}

fn spec<'a>(plan: &'a Plan, name: &str) -> &'a JoinSpec {
    match &plan.stage(name).unwrap().1.planned {
        Planned::Relational(Relational::Join(spec)) => spec,
        _ => panic!("{name} is no join"),
    }
}

fn key(plan: &Plan, name: &str) -> Vec<String> {
    let stage = plan.stage(name).unwrap().1;
    stage.key.iter().flatten().map(|at| stage.schema.columns()[*at].name.clone()).collect()
}

#[test]
fn tables_by_the_on_columns_are_shared_in_the_key_order_of_the_right_one() {
    let plan = resolve(&with(
        "inputs = [\"variants\", \"known\"]\nhow = \"left\"\non = [\"alt\", [\"chrom\", \"contig\"], \"pos\"]\nprefix = \"k_\"",
    ))
    .unwrap();
    let spec = spec(&plan, "joined");
    // The tables' keys differ in order, so that only one of them can serve.
    assert!(spec.right.is_shared && !spec.left.is_shared);
    assert_eq!((&spec.right.on[..], &spec.left.on[..]), (&[2, 1, 0][..], &[2, 1, 3][..]));
    assert_eq!(key(&plan, "joined"), ["chrom", "pos", "alt"]);
    let stage = plan.stage("joined").unwrap().1;
    let columns: Vec<String> =
        stage.schema.columns().iter().map(|c| format!("{}{}", c.name, if c.nullable { "?" } else { "" })).collect();
    assert_eq!(columns, ["gene?", "chrom", "pos", "alt", "depth?", "share?", "k_class?", "k_depth?"]);
    assert!(stage.definition.contains("\"key\":[\"chrom\",\"pos\",\"alt\"]"), "{}", stage.definition);
    let operators = explanation(&plan).operators;
    let join = operators.iter().find(|operator| operator.stages == ["joined"]).unwrap();
    assert_eq!(join.exchanged_by.as_deref(), Some("pos, chrom, alt = pos, contig, alt"));
    assert_eq!(
        join.persisted,
        [
            "left: its own copy of `variants` by (pos, chrom, alt), any number of rows for each",
            "right: nothing of its own, shared with table `known`, which has it by (pos, contig, alt), one row at the most for each",
        ]
    );
}

#[test]
fn the_key_follows_from_what_is_unique_on_the_right() {
    let inner = resolve(&with("inputs = [\"variants\", \"drugs\"]\non = [[\"gene\", \"symbol\"]]")).unwrap();
    assert_eq!(key(&inner, "joined"), ["chrom", "pos", "alt", "drug"]);
    let of_genes =
        resolve(&with("inputs = [\"variants\", \"genes\"]\nhow = \"left\"\non = [[\"gene\", \"symbol\"]]")).unwrap();
    assert_eq!(key(&of_genes, "joined"), ["chrom", "pos", "alt"]);
    assert!(!spec(&of_genes, "joined").right.is_shared, "an aggregate's state holds no rows");
    let refused = problems(&with("inputs = [\"variants\", \"drugs\"]\nhow = \"left\"\non = [[\"gene\", \"symbol\"]]"));
    assert!(refused.contains("stage `joined` has no key, so no table can be kept of it"), "{refused}");
    assert!(refused.contains("aggregate the right side to one row per `on` columns"), "{refused}");
}

#[test]
fn a_chain_is_a_join_of_joins() {
    let plan = resolve(&with(
        "inputs = [\"variants\", \"known\", \"drugs\"]\nhow = [\"left\", \"inner\"]\n\
         on = [[[\"chrom\", \"contig\"], \"pos\", \"alt\"], [[\"gene\", \"symbol\"]]]\nprefix = [\"k_\", \"d_\"]",
    ))
    .unwrap();
    let (first_at, first) = plan.stage("joined#1").unwrap();
    let (_, last) = plan.stage("joined").unwrap();
    assert_eq!(last.inputs[0], first_at);
    assert_eq!(plan.stages[last.inputs[1]].name, "drugs");
    assert_eq!(first.inputs.iter().map(|at| plan.stages[*at].name.as_str()).collect::<Vec<_>>(), ["variants", "known"]);
    assert_eq!(key(&plan, "joined#1"), ["chrom", "pos", "alt"]);
    assert_eq!(key(&plan, "joined"), ["chrom", "pos", "alt", "d_drug"]);
    assert!(last.schema.index_of("k_class").is_some() && last.schema.index_of("d_note").is_some());
    let same = problems(&with("inputs = [\"variants\", \"known\", \"genes\"]\non = [\"pos\"]\nprefix = \"k_\""));
    assert!(same.contains("`genes` has no column `pos`"), "{same}");
}

#[test]
fn what_cannot_be_joined_is_said_with_its_place() {
    let cases = [
        (
            "inputs = [\"variants\", \"known\"]\non = [\"pos\", \"alt\"]",
            "both sides have a column `depth`",
            "Set `prefix`",
        ),
        (
            "inputs = [\"variants\", \"known\"]\non = [\"depth\"]\nprefix = \"k_\"",
            "`depth` of `variants` is int64, but `depth` of `known` is text",
            "CAST(depth AS BIGINT)",
        ),
        ("inputs = [\"variants\", \"known\"]\non = [[\"share\", \"class\"]]", "`share` is a float64", "DECIMAL(18,6)"),
        ("inputs = [\"variants\", \"known\"]\non = [\"contig\"]", "`variants` has no column `contig`", "columns are"),
        (
            "inputs = [\"variants\", \"known\"]\non = [[\"chrom\", \"contigs\"]]",
            "`known` has no column `contigs`",
            "Did you mean `contig`?",
        ),
        ("inputs = [\"variants\", \"known\"]\non = []", "no column is to be equal", "at least one column"),
        (
            "inputs = [\"variants\", \"known\"]\non = [[\"pos\", \"pos\", \"alt\"]]",
            "expected a pair of columns",
            "left side's column",
        ),
        (
            "inputs = [\"variants\", \"known\"]\non = [\"pos\", [\"pos\", \"pos\"]]",
            "`on` names `pos` twice",
            "once on each side",
        ),
        (
            "inputs = [\"variants\", \"known\"]\non = [\"pos\"]\nprefix = \"k \"",
            "`k ` is no beginning of a column name",
            "ASCII",
        ),
        ("inputs = [\"variants\", \"known\"]\non = [\"pos\"]\nhow = \"outer\"", "`outer` is not a choice", "inner"),
        (
            "inputs = [\"variants\", \"known\", \"genes\"]\non = [[\"pos\"]]",
            "`on` has 1 lists for 2 inputs",
            "In a chain",
        ),
        ("inputs = [\"variants\", \"known_rows\"]\non = [\"pos\"]", "`known_rows` has no key", "Put a `table`"),
    ];
    for (join, message, hint) in cases {
        let said = problems(&with(join));
        assert!(said.contains(message) && said.contains(hint), "{join}:\n{said}");
        assert!(said.contains("p.toml:"), "{said}");
    }
}

#[test]
fn a_tag_makes_a_union_of_tables_keyed() {
    let tagged = |tag: &str| {
        format!(
            "{}\n[stages.some]\ntype = \"keep\"\ninput = \"variants\"\ncolumns = [\"alt\", \"chrom\", \"pos\"]\n\
             [stages.others]\ntype = \"keep\"\ninput = \"variants\"\ncolumns = [\"alt\", \"chrom\", \"pos\"]\n\
             [stages.joined]\ntype = \"union\"\ninputs = [\"some\", \"others\"]\n{tag}\n",
            TABLES
        )
    };
    let plan = resolve(&tagged("tag = \"origin\"")).unwrap();
    assert_eq!(key(&plan, "joined"), ["origin", "chrom", "pos", "alt"]);
    let untagged = problems(&tagged(""));
    assert!(untagged.contains("has no key") && untagged.contains("give it a `tag`"), "{untagged}");
    let taken = problems(&tagged("tag = \"alt\""));
    assert!(taken.contains("the inputs have a column `alt` already"), "{taken}");
}

#[test]
fn distinct_is_keyed_by_the_columns_it_keeps() {
    let plan = resolve(&format!(
        "{TABLES}\n[stages.joined]\ntype = \"distinct\"\ninput = \"variants\"\ncolumns = [\"gene\", \"chrom\"]\n"
    ))
    .unwrap();
    assert_eq!(key(&plan, "joined"), ["gene", "chrom"]);
    let all = resolve(&format!("{TABLES}\n[stages.joined]\ntype = \"distinct\"\ninput = \"drugs\"\n")).unwrap();
    assert_eq!(key(&all, "joined"), ["symbol", "drug", "note"]);
    assert!(all.stage("joined").unwrap().1.definition.contains("\"key\":[\"symbol\",\"drug\",\"note\"]"));
    let unknown = problems(&format!(
        "{TABLES}\n[stages.joined]\ntype = \"distinct\"\ninput = \"drugs\"\ncolumns = [\"drugs\"]\n"
    ));
    assert!(unknown.contains("there is no column `drugs`"), "{unknown}");
}
