//! Aggregates as a pipeline author meets them.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use crate::display::value_text;
use arrow_array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray};

use vardelta_schemas::ColumnType;

use super::*;
use crate::{
    contract::{
        options::OptionReader,
        stage::{Kind, PipelineSettings, PlanRequest, Planned, PlannedInput, StageType},
    },
    expression::{OVERFLOW, functions::Functions},
    relational::{Aggregate, Relational},
    spec::{Entry, Node, Value},
};

fn input() -> Schema {
    Schema::new(vec![
        Column::nullable("gene_symbol", ColumnType::Text).with_doc("HGNC symbol"),
        Column::required("chrom", ColumnType::Text),
        Column::required("pos", ColumnType::Int64),
        Column::nullable("qual", ColumnType::Float64),
        Column::nullable("quality", ColumnType::Decimal { precision: 5, scale: 2 }),
        Column::nullable("wide", ColumnType::Decimal { precision: 37, scale: 10 }),
        Column::nullable("filter", ColumnType::Text),
        Column::nullable("seen", ColumnType::Date),
        Column::required("known", ColumnType::Bool),
        Column::nullable("ad", ColumnType::List(Box::new(ColumnType::Int64))),
    ])
}

/// Texts, each with a span of its own: the first at 1000, the next at 2000, ….
fn spanned(texts: &[&str], base: usize) -> Vec<Spanned<String>> {
    let place = |(at, text): (usize, &&str)| {
        let start = base + at * 1_000;
        Spanned { value: text.to_string(), span: start..start + text.len() + 2 }
    };
    texts.iter().enumerate().map(place).collect()
}

fn plan(group_by: &[&str], columns: &[(&str, &str)]) -> Result<AggregateSpec, Vec<String>> {
    let (names, texts): (Vec<&str>, Vec<&str>) = columns.iter().copied().unzip();
    let named = spanned(&names, 100_000).into_iter().zip(spanned(&texts, 1_000)).collect();
    let mut diagnostics = Diagnostics::default();
    let spec = plan_aggregate(
        &spanned(group_by, 500_000),
        &NamedTexts(named),
        &input(),
        Functions::built_in(),
        &mut diagnostics,
    );
    let problems = diagnostics.into_sorted();
    match spec {
        Some(spec) => {
            assert!(problems.is_empty(), "{problems:?}");
            Ok(spec)
        }
        None => {
            let show = |problem: &crate::diagnostics::Diagnostic| {
                let (list, base) = match problem.span.start {
                    500_000.. => (group_by, 500_000),
                    100_000.. => (&names[..], 100_000),
                    _ => (&texts[..], 1_000),
                };
                let at = (problem.span.start - base) / 1_000;
                let quoted = format!("\"{}\"", list[at]);
                let start = problem.span.start - base - at * 1_000;
                let part = &quoted[start..start + problem.span.len()];
                format!("{part} | {} | {}", problem.message, problem.hint.as_deref().unwrap_or(""))
            };
            assert!(!problems.is_empty(), "refused without a problem");
            Err(problems.iter().map(show).collect())
        }
    }
}

fn problem(group_by: &[&str], sql: &str) -> String {
    let mut problems = plan(group_by, &[("x", sql)]).expect_err(sql);
    assert_eq!(problems.len(), 1, "{sql}: {problems:?}");
    problems.remove(0)
}

#[test]
fn the_design_s_own_aggregate() {
    let spec = plan(
        &["gene_symbol"],
        &[
            ("variant_count", "count(*)"),
            ("avg_quality", "avg(quality)"),
            ("passing", "count(*) FILTER (WHERE filter = 'PASS')"),
        ],
    )
    .unwrap();
    assert_eq!(
        spec.schema.to_string(),
        "gene_symbol text?, variant_count int64, avg_quality decimal(9,6)?, passing int64"
    );
    assert_eq!((spec.key.as_slice(), spec.group_by.as_slice()), (&[0][..], &[0][..]));
    assert_eq!(spec.calls.len(), 3);
    assert!(spec.calls[0].arguments.is_empty() && spec.calls[0].filter.is_none());
    assert_eq!(spec.calls[1].arguments[0].as_column(), Some(4));
    assert!(spec.calls[2].arguments.is_empty() && spec.calls[2].filter.is_some());
    assert_eq!(spec.schema.columns()[0].doc, "HGNC symbol");
    // A column that is nothing but a call is that call's column.
    assert_eq!(spec.columns[1].1.as_column(), Some(2));
}

#[test]
fn result_types() {
    for (sql, expected) in [
        ("count(qual)", "int64"),
        ("count(DISTINCT chrom)", "int64"),
        ("sum(pos)", "int64?"),
        ("sum(quality)", "decimal(38,2)?"),
        ("sum(qual)", "float64?"),
        ("avg(pos)", "decimal(24,4)?"),
        ("avg(quality)", "decimal(9,6)?"),
        ("avg(wide)", "decimal(38,11)?"),
        ("mean(qual)", "float64?"),
        ("count(DISTINCT chrom, filter)", "int64"),
        ("count_if(qual > 20)", "int64"),
        ("sum(DISTINCT quality)", "decimal(38,2)?"),
        ("avg(DISTINCT pos)", "decimal(24,4)?"),
        ("sum(known)", "int64?"),
        ("avg(known)", "decimal(5,4)?"),
        ("stddev(pos)", "float64?"),
        ("var_samp(quality)", "float64?"),
        ("any_value(filter)", "text?"),
        ("max_by(seen, qual)", "date?"),
        ("group_concat(DISTINCT filter ORDER BY pos DESC SEPARATOR ' | ')", "text?"),
        ("group_concat(chrom, ':', pos)", "text?"),
        ("median(pos)", "decimal(24,4)?"),
        ("median(qual)", "float64?"),
        ("percentile_cont(0.25) WITHIN GROUP (ORDER BY quality DESC)", "decimal(9,6)?"),
        ("percentile_disc(0.9) WITHIN GROUP (ORDER BY filter) FILTER (WHERE known)", "text?"),
        ("min(chrom)", "text?"),
        ("max(seen)", "date?"),
        ("min(known)", "bool?"),
        ("max(quality)", "decimal(5,2)?"),
        ("bool_and(known)", "bool?"),
        ("bool_or(qual > 20)", "bool?"),
        ("round(avg(qual), 2)", "float64?"),
        ("CAST(avg(quality) AS DECIMAL(6,2))", "decimal(6,2)?"),
        ("sum(pos) / count(*)", "decimal(23,4)?"),
        ("coalesce(sum(pos), 0)", "int64"),
        ("count(*) FILTER (WHERE qual > 20) * 100.0 / count(*)", "decimal(27,5)"),
        ("gene_symbol || ':' || count(*)", "text?"),
        ("CASE WHEN count(*) > 1 THEN 'many' ELSE 'one' END", "text"),
        ("COUNT(*)", "int64"),
    ] {
        let spec = plan(&["gene_symbol"], &[("x", sql)]).unwrap_or_else(|problems| panic!("{sql}: {problems:?}"));
        assert_eq!(spec.schema.to_string(), format!("gene_symbol text?, x {expected}"), "{sql}");
    }
}

#[test]
fn identical_calls_are_shared() {
    let spec = plan(
        &[],
        &[
            ("a", "sum(pos) / count(*)"),
            ("b", "sum( pos ) + COUNT(*)"),
            ("c", "sum(pos) FILTER (WHERE qual>1) - sum(pos) FILTER (WHERE qual > 1)"),
        ],
    )
    .unwrap();
    assert_eq!(spec.calls.len(), 3);
    assert!(spec.key.is_empty() && spec.group_by.is_empty());
}

#[test]
fn outer_expressions_see_the_group_and_the_results() {
    let spec =
        plan(&["chrom", "filter"], &[("share", "sum(pos) * 100 / count(*)"), ("label", "filter || '/' || chrom")])
            .unwrap();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["1", "2"])),
        Arc::new(StringArray::from(vec![Some("PASS"), None])),
        Arc::new(Int64Array::from(vec![Some(7), Some(1)])),
        Arc::new(Int64Array::from(vec![2, 0])),
    ];
    let names = ["chrom", "filter", "__call_0", "__call_1"];
    let batch = RecordBatch::try_from_iter(names.into_iter().zip(columns)).unwrap();
    let shown = |at: usize| {
        let evaluated = spec.columns[at].1.evaluate(&batch);
        let shown: Vec<String> = (0..2).map(|row| value_text(&evaluated.values, row)).collect();
        (shown.join(" "), evaluated.failures.len())
    };
    assert_eq!(shown(0), ("350.0000 NULL".to_string(), 1));
    assert_eq!(shown(1), ("PASS/1 NULL".to_string(), 0));
}

#[test]
fn columns_outside_of_calls_must_be_grouped_by() {
    let refused = problem(&["gene_symbol"], "chrom || count(*)");
    assert!(refused.starts_with("chrom | `chrom` is neither grouped by nor inside an aggregate call | "), "{refused}");
    assert!(problem(&["gene_symbol"], "gene_symbl").ends_with("Did you mean `gene_symbol`?"));
    assert_eq!(problem(&[], "sum(ps)"), "ps | there is no column `ps` | Did you mean `pos`?");
    let both = plan(&[], &[("x", "sum(ps) FILTER (WHERE qul > 1)"), ("y", "pos + count(*)")]).unwrap_err();
    assert_eq!(both.len(), 3, "{both:?}");
    let mistyped = problem(&["chrom"], "grop_concat(chrom)");
    assert_eq!(mistyped, "grop_concat | there is no function `grop_concat` | Did you mean `group_concat`?");
}

#[test]
fn calls_that_cannot_be_are_refused() {
    for (sql, part, message) in [
        ("sum(chrom)", "chrom", "`sum` is applied to text"),
        ("avg(seen)", "seen", "`avg` is applied to date"),
        ("bool_and(pos)", "pos", "`bool_and` is applied to int64"),
        ("min(ad)", "ad", "`min` is applied to list<int64>"),
        ("count(DISTINCT ad)", "ad", "`count` is applied to list<int64>"),
        ("bool_and(chrom)", "chrom", "`bool_and` is applied to text"),
        ("count_if(pos)", "pos", "`count_if` is applied to int64"),
        ("stddev(chrom)", "chrom", "`stddev` is applied to text"),
        ("median(seen)", "seen", "`median` is applied to date"),
        ("max_by(pos, ad)", "ad", "`max_by` is applied to list<int64>"),
        ("group_concat(ad)", "ad", "`group_concat` is applied to list<int64>"),
        ("group_concat(chrom, cad)", "cad", "there is no column `cad`"),
        ("stddev(DISTINCT pos)", "stddev", "`stddev(DISTINCT …)` is not available"),
        ("max_by(pos)", "max_by", "`max_by` is not called that way"),
        ("sum(pos ORDER BY pos)", "sum", "`sum` is not called that way"),
        ("group_concat(chrom ORDER BY 1)", "1", "this orders nothing"),
        ("group_concat(chrom LIMIT 3)", "group_concat", "`group_concat` is not called that way"),
        ("percentile_cont(0.5)", "percentile_cont", "`percentile_cont` is not called that way"),
        ("percentile_cont(50) WITHIN GROUP (ORDER BY pos)", "50", "`percentile_cont` takes a share from 0 to 1"),
        ("percentile_disc(qual) WITHIN GROUP (ORDER BY pos)", "qual", "`percentile_disc` takes a share from 0 to 1"),
        (
            "string_agg(chrom, ',')",
            "string_agg",
            "the aggregate function `string_agg` is not available | Write group_concat",
        ),
        ("approx_percentile(qual, 0.9)", "approx_percentile", "the aggregate function `approx_percentile` is not"),
        ("sum(*)", "sum", "`sum` needs a value to be applied to"),
        ("count()", "count", "`count` is not called that way"),
        ("count(pos, qual)", "count", "`count` is not called that way"),
        ("sum(count(*))", "count", "`count` is an aggregate function, and an expression sees one row"),
        ("count(*) FILTER (WHERE pos)", "pos", "FILTER (WHERE …) needs a condition, and this is int64"),
        ("count(*) OVER ()", "count", "`count(…) OVER` is a window function"),
        ("count(*) > 'a'", "count(*) > 'a'", "text and number are mixed"),
    ] {
        let refused = problem(&[], sql);
        assert!(refused.starts_with(&format!("{part} | {message}")), "{sql}: {refused}");
    }
}

#[test]
fn names_and_groups_are_checked() {
    let refused = plan(&["gene_symbol"], &[("gene_symbol", "count(*)")]).unwrap_err();
    assert!(refused[0].contains("is the name of a column of `group_by` already"), "{refused:?}");
    let refused = plan(&[], &[("a", "count(*)"), ("a", "sum(pos)")]).unwrap_err();
    assert!(refused[0].contains("there are two columns `a`"), "{refused:?}");
    let refused = plan(&["gene_symbl", "chrom", "chrom", "ad"], &[("n", "count(*)")]).unwrap_err();
    assert_eq!(refused.len(), 3, "{refused:?}");
    assert!(refused[0].ends_with("Did you mean `gene_symbol`?"), "{refused:?}");
    assert!(refused[1].contains("grouped by twice") && refused[2].contains("is a list"), "{refused:?}");
}

#[test]
fn calls_evaluate_their_arguments_over_the_input() {
    let spec = plan(&[], &[("x", "sum(pos * 2) FILTER (WHERE filter = 'PASS')")]).unwrap();
    let schema = input();
    let columns = schema.columns().iter().map(|column| -> ArrayRef {
        match column.name.as_str() {
            "pos" => Arc::new(Int64Array::from(vec![3, i64::MAX])),
            "chrom" => Arc::new(StringArray::from(vec!["1", "2"])),
            "filter" => Arc::new(StringArray::from(vec![Some("PASS"), None])),
            "known" => Arc::new(arrow_array::BooleanArray::from(vec![true, false])),
            "qual" => Arc::new(Float64Array::from(vec![1.0, 2.0])),
            "quality" => Arc::new(Decimal128Array::from(vec![1, 2]).with_precision_and_scale(5, 2).unwrap()),
            _ => arrow_array::new_null_array(&column.column_type.to_arrow(), 2),
        }
    });
    let batch = RecordBatch::try_new(schema.to_arrow(), columns.collect()).unwrap();
    let argument = spec.calls[0].arguments[0].evaluate(&batch);
    assert_eq!(value_text(&argument.values, 0), "6");
    assert_eq!((argument.failures[0].row, argument.failures[0].reason), (1, OVERFLOW));
    let filter = spec.calls[0].filter.as_ref().unwrap().evaluate(&batch);
    assert_eq!(value_text(&filter.values, 0), "true");
}

fn entry(key: &str, value: Value) -> Entry {
    Entry { key: key.into(), key_span: 10..20, node: Node { span: 30..40, value } }
}

fn plan_stage(entries: &[Entry], key: Option<&[usize]>) -> (Option<Planned>, Vec<String>) {
    let schema = input();
    let pipeline = PipelineSettings { name: "p".into(), ..PipelineSettings::default() };
    let request = PlanRequest {
        name: "summary",
        inputs: vec![PlannedInput { name: "variants", schema: &schema, key, is_table: true, span: 50..60 }],
        options: OptionReader::new("stage `summary` (aggregate)".into(), 0..5, entries.iter()),
        pipeline: &pipeline,
        functions: Functions::built_in(),
    };
    let mut diagnostics = Diagnostics::default();
    let planned = Aggregate.plan(request, &mut diagnostics);
    (planned, diagnostics.into_sorted().into_iter().map(|problem| problem.message).collect())
}

#[test]
fn the_stage_reads_its_options() {
    let text = |text: &str| Node { span: 30..40, value: Value::Text(text.into()) };
    let columns = || entry("columns", Value::Table(vec![entry("n", Value::Text("count(*)".into()))]));
    let group_by = entry("group_by", Value::Array(vec![text("chrom")]));
    let (planned, problems) = plan_stage(&[group_by, columns()], Some(&[1]));
    assert_eq!(problems, Vec::<String>::new());
    let Some(Planned::Relational(Relational::Aggregate(spec))) = planned else { panic!("no aggregate") };
    assert_eq!(spec.schema.to_string(), "chrom text, n int64");
    assert_eq!(Aggregate.kind(), Kind::Relational);

    // Rows without a key (a union of views) can be counted as well; the planner sees to it that a table comes first.
    let (planned, problems) = plan_stage(&[columns()], None);
    assert!(planned.is_some() && problems.is_empty());
    let (planned, _) = plan_stage(&[columns()], Some(&[1]));
    assert!(matches!(planned, Some(Planned::Relational(Relational::Aggregate(spec))) if spec.key.is_empty()));
    let (_, problems) = plan_stage(&[entry("columns", Value::Table(vec![]))], Some(&[1]));
    assert_eq!(problems, ["stage `summary` computes nothing"]);
    let (_, problems) = plan_stage(&[columns(), entry("group", Value::Bool(true))], Some(&[1]));
    assert_eq!(problems, ["stage `summary` (aggregate) has no option `group`"]);
}
