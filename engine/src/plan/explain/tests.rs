#![allow(clippy::unwrap_used)]

use crate::plan::{explain::*, fakes::resolve};

const TEXT: &str = r#"
[pipeline]
name = "small"
workers = 2
[stages.calls]
type = "events"
columns = { chrom = "text", pos = "int64", gene = "text?" }
[stages.a]
type = "keep"
input = "calls"
[stages.b]
type = "keep"
input = "a"
[stages.variants]
type = "table"
input = "b"
key = ["chrom", "pos"]
[stages.genes]
type = "count_by"
input = "variants"
group_by = ["gene"]
[stages.out]
type = "memory"
tables = ["variants", "genes"]
"#;

#[test]
fn says_what_is_fused_exchanged_arranged_persisted_and_sent() {
    assert_eq!(
        explain(&resolve(TEXT).unwrap()),
        "\
pipeline small: 2 workers, 250,000 records per dataflow

1. source: calls (events)

2. transform: a (keep) -> b (keep)
   reads      calls
   fused      2 transforms run as one operator

3. relational: variants (table)
   reads      b
   exchanged  by hash of (chrom, pos)
   arranged   the chunk's rows by (chrom, pos), with their drops
   persisted  (chrom, pos), drop, ordinal -> row
   persisted  drop, (chrom, pos), so that a drop can be taken back

4. relational: genes (count_by)
   reads      variants
   exchanged  by hash of (gene)
   arranged   the touched groups by (gene)
   persisted  (gene) -> counts and exact sums

5. sink: out (memory)
   reads      variants, genes
   persisted  in the database: its tables, the rejects and the ledger, in one transaction

SQL on memory out, a fake:
  KEEP variants (chrom text, pos int64, gene text?)
  BY [0, 1]
  KEEP genes (gene text?, rows int64)
  BY [0]

`verify` has genes computed there:
  SELECT \"gene\"
  FROM \"variants\" AS \"t\"
  GROUP BY \"t\".\"gene\"
"
    );
}

#[test]
fn a_transform_with_two_readers_ends_a_chain() {
    let text = TEXT.replace("input = \"b\"", "input = \"c\"").replace(
        "[stages.variants]",
        "[stages.c]\ntype = \"keep\"\ninput = \"b\"\n[stages.d]\ntype = \"keep\"\ninput = \"b\"\n\
         [stages.more]\ntype = \"table\"\ninput = \"d\"\nkey = [\"pos\"]\n[stages.variants]",
    );
    let text = text.replace("[\"variants\", \"genes\"]", "[\"variants\", \"genes\", \"more\"]");
    let plan = resolve(&text).unwrap();
    let names: Vec<Vec<&str>> =
        chains(&plan).iter().map(|chain| chain.iter().map(|at| plan.stages[*at].name.as_str()).collect()).collect();
    assert_eq!(
        names,
        [
            vec!["calls"],
            vec!["a", "b"],
            vec!["c"],
            vec!["d"],
            vec!["more"],
            vec!["variants"],
            vec!["genes"],
            vec!["out"]
        ]
    );
}

#[test]
fn as_data_it_says_the_same() {
    let explanation = serde_json::to_value(explanation(&resolve(TEXT).unwrap())).unwrap();
    assert_eq!(explanation["operators"][1]["stages"], serde_json::json!(["a", "b"]));
    assert_eq!(explanation["operators"][2]["exchanged_by"], "chrom, pos");
    assert_eq!(explanation["operators"][0]["exchanged_by"], serde_json::Value::Null);
    assert_eq!(explanation["chunk_records"], 250_000);
}
