//! `top` as a pipeline author meets it.

use vardelta_schemas::{Column, ColumnType, Schema};

use super::*;
use crate::{
    contract::{options::OptionReader, stage::PipelineSettings},
    spec::{Entry, Node, Value},
};

fn input() -> Schema {
    Schema::new(vec![
        Column::required("id", ColumnType::Int64),
        Column::nullable("gene", ColumnType::Text),
        Column::nullable("qual", ColumnType::Float64),
        Column::nullable("ad", ColumnType::List(Box::new(ColumnType::Int64))),
    ])
}

fn texts(key: &str, texts: &[&str]) -> Entry {
    let text = |text: &&str| Node { span: 30..32 + text.len(), value: Value::Text((*text).into()) };
    entry(key, Value::Array(texts.iter().map(text).collect()))
}

fn entry(key: &str, value: Value) -> Entry {
    Entry { key: key.into(), key_span: 10..20, node: Node { span: 30..40, value } }
}

fn plan(entries: &[Entry], key: Option<&[usize]>) -> Result<TopSpec, Vec<String>> {
    let schema = input();
    let pipeline = PipelineSettings::default();
    let request = PlanRequest {
        name: "best",
        inputs: vec![PlannedInput { name: "rows", schema: &schema, key, is_table: true, span: 50..60 }],
        options: OptionReader::new("stage `best` (top)".into(), 0..5, entries.iter()),
        pipeline: &pipeline,
        functions: Functions::built_in(),
    };
    let mut diagnostics = Diagnostics::default();
    let planned = TopStage.plan(request, &mut diagnostics);
    let problems: Vec<String> = diagnostics.into_sorted().into_iter().map(|problem| problem.message).collect();
    match planned {
        Some(Planned::Relational(Relational::Top(spec))) if problems.is_empty() => Ok(spec),
        _ => Err(problems),
    }
}

#[test]
fn what_rows_are_ordered_by_is_read_as_in_sql() {
    let order = texts("order", &["qual DESC", "gene", "id % 10 desc nulls first", "`qual` ASC NULLS LAST"]);
    let spec = plan(&[texts("by", &["gene"]), order, entry("n", Value::Integer(3))], Some(&[0]));
    let spec = spec.unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!((spec.key.as_slice(), spec.by.as_slice(), spec.n), (&[0][..], &[1][..], 3));
    assert_eq!(spec.schema, input());
    let directions: Vec<(bool, bool)> =
        spec.order.iter().map(|(_, order)| (order.descending, order.nulls_first)).collect();
    // NULL is less than every value unless it is said.
    assert_eq!(directions, [(true, false), (false, true), (true, true), (false, false)]);
    assert_eq!(spec.order[0].0.as_column(), Some(2));
}

#[test]
fn what_cannot_be_ordered_is_refused() {
    for (by, order, n, key, message) in [
        (&["gene"][..], &["qual"][..], 0, Some(&[0][..]), "stage `best` keeps no row"),
        (&[], &[], 1, Some(&[0]), "stage `best` orders by nothing"),
        (&["gen"], &["qual"], 1, Some(&[0]), "there is no column `gen` to group by"),
        (&["ad"], &["qual"], 1, Some(&[0]), "`ad` is a list, and groups need single values"),
        (&[], &["quality"], 1, Some(&[0]), "there is no column `quality`"),
        (&[], &["ad"], 1, Some(&[0]), "rows cannot be ordered by a list<int64>"),
        (&[], &["3 DESC"], 1, Some(&[0]), "this orders nothing: it is the same on every row"),
        (&[], &["max(qual)"], 1, Some(&[0]), "`max` is an aggregate function, and an expression sees one row"),
        (&[], &["qual"], 1, None, "the rows of `rows` have no key"),
    ] {
        let entries = [texts("by", by), texts("order", order), entry("n", Value::Integer(n))];
        let problems = plan(&entries, key).expect_err(message);
        assert_eq!(problems, [message], "{order:?}");
    }
}
