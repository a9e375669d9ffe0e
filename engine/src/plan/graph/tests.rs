#![allow(clippy::unwrap_used)]

use crate::plan::{fakes::resolve_with, graph::*};

/// A small pipeline, with names that need care.
fn plan() -> Plan {
    let text = r#"
[pipeline]
name = "small"
assembly = "GRCh38"
workers = 2
[stages.end]
type = "events"
columns = { chrom = "text", pos = "int64", 'a "b" \ c' = "list" }
[stages.variants]
type = "keep"
input = "end"
columns = ["chrom", "pos"]
[stages.kept]
type = "table"
input = "variants"
key = ["chrom", "pos"]
[stages.all]
type = "count_by"
input = "kept"
group_by = []
[stages.out]
type = "memory"
tables = ["kept", "all"]
"#;
    resolve_with(text, &[], &|_| None).unwrap()
}

#[test]
fn text() {
    assert_eq!(
        render(&plan(), Format::Text),
        r#"small (GRCh38)

end  [source events]
  │ chrom text, pos int64, a "b" \ c list<text>
  └─> variants

variants  [transform keep]  <- end
  │ chrom text, pos int64
  └─> kept

kept  [relational table]  <- variants
  │ chrom text, pos int64
  │ key: chrom, pos
  ├─> all
  └─> out

all  [relational count_by]  <- kept
  │ rows int64
  │ key: none, one row
  └─> out

out  [sink memory]  <- kept, all
"#
    );
}

#[test]
fn dot() {
    assert_eq!(
        render(&plan(), Format::Dot),
        r#"digraph "small" {
  rankdir = TB;
  node [fontname = "monospace"];
  "end" [shape = invhouse, label = "end\nevents"];
  "variants" [shape = box, label = "variants\nkeep"];
  "kept" [shape = folder, label = "kept\ntable"];
  "all" [shape = folder, label = "all\ncount_by"];
  "out" [shape = cylinder, label = "out\nmemory"];
  "end" -> "variants" [label = "chrom text\lpos int64\la \"b\" \\ c list<text>\l"];
  "variants" -> "kept" [label = "chrom text\lpos int64\l"];
  "kept" -> "all" [label = "chrom text\lpos int64\lkey: chrom, pos\l"];
  "kept" -> "out" [label = "chrom text\lpos int64\lkey: chrom, pos\l"];
  "all" -> "out" [label = "rows int64\lkey: none, one row\l"];
}
"#
    );
}

#[test]
fn mermaid() {
    assert_eq!(
        render(&plan(), Format::Mermaid),
        r#"flowchart TB
  stage_end[/"end<br/>events"/]
  stage_variants["variants<br/>keep"]
  stage_kept[["kept<br/>table"]]
  stage_all[["all<br/>count_by"]]
  stage_out[("out<br/>memory")]
  stage_end -->|"chrom text<br/>pos int64<br/>a #quot;b#quot; \ c list#lt;text#gt;"| stage_variants
  stage_variants -->|"chrom text<br/>pos int64"| stage_kept
  stage_kept -->|"chrom text<br/>pos int64<br/>key: chrom, pos"| stage_all
  stage_kept -->|"chrom text<br/>pos int64<br/>key: chrom, pos"| stage_out
  stage_all -->|"rows int64<br/>key: none, one row"| stage_out
"#
    );
}

#[test]
fn long_schemas_are_wrapped() {
    let columns: Vec<String> = (0..30).map(|at| format!("column_{at} text")).collect();
    let lines = wrap(&columns, 96);
    assert!(lines.len() > 3 && lines.iter().all(|line| line.len() <= 96), "{lines:?}");
    assert_eq!(lines.join(" "), columns.join(", "));
}
