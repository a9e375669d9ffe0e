//! What is refused before any file is opened.

use std::path::PathBuf;

use vardelta_engine::{
    contract::{
        options::OptionReader,
        stage::{PipelineSettings, PlanRequest, Planned, PlannedInput, StageType},
    },
    diagnostics::Diagnostics,
    expression::functions::Functions,
    spec::{Entry, Node, Value},
};

use crate::sinks::sqlite::{SQLITE, tests::*};

fn plan(inputs: &[(&str, Schema, Option<&[usize]>)], options: &[Entry]) -> Result<Planned, Vec<String>> {
    let pipeline =
        PipelineSettings { name: "p".into(), base_dir: PathBuf::from("base"), ..PipelineSettings::default() };
    let inputs = inputs
        .iter()
        .map(|(name, schema, key)| PlannedInput { name, schema, key: *key, is_table: false, span: 0..1 })
        .collect();
    let options = OptionReader::new("stage `s` (sqlite)".into(), 0..1, options.iter());
    let mut diagnostics = Diagnostics::default();
    let planned = SQLITE.plan(
        PlanRequest { name: "s", inputs, options, pipeline: &pipeline, functions: Functions::built_in() },
        &mut diagnostics,
    );
    let messages: Vec<String> = diagnostics.into_sorted().into_iter().map(|problem| problem.message).collect();
    assert_eq!(planned.is_some(), messages.is_empty());
    planned.ok_or(messages)
}

fn path_option() -> Entry {
    let node = Node { span: 0..1, value: Value::Text("out/x.sqlite".into()) };
    Entry { key: "path".into(), key_span: 0..1, node }
}

fn history_option(tables: &[&str]) -> Entry {
    let node = |value| Node { span: 0..1, value };
    let tables = tables.iter().map(|table| node(Value::Text((*table).into()))).collect();
    Entry { key: "history".into(), key_span: 0..1, node: node(Value::Array(tables)) }
}

fn schema(columns: &[(&str, ColumnType)]) -> Schema {
    Schema::new(columns.iter().map(|(name, column_type)| Column::required(*name, column_type.clone())).collect())
}

#[test]
fn paths_start_at_the_pipeline_file() {
    let text = schema(&[("a", ColumnType::Text)]);
    let Ok(Planned::Sink(sink)) = plan(&[("t", text, Some(&[0]))], &[path_option()]) else { panic!("no sink") };
    assert_eq!(sink.location(), "base/out/x.sqlite");
    assert_eq!(sink.default_state_dir(), Some(PathBuf::from("base/out/.vardelta")));
    assert_eq!(
        sink.statements(&[numbers("t")], vardelta_schemas::sql::Dialect::Sqlite)[3],
        r#"DELETE FROM "t" WHERE "name" = ?"#
    );
    assert_eq!(SQLITE.inert_options(), ["path"]);
}

#[test]
fn what_sqlite_cannot_keep_is_refused() {
    let text = || schema(&[("a", ColumnType::Text)]);
    let problems =
        |inputs: &[(&str, Schema, Option<&[usize]>)]| plan(inputs, &[path_option()]).err().unwrap_or_default();
    assert_eq!(problems(&[("Vardelta_x", text(), Some(&[0]))]), ["a table cannot be called `Vardelta_x`"]);
    assert_eq!(problems(&[("sqlite_x", text(), Some(&[0]))]), ["a table cannot be called `sqlite_x`"]);
    assert_eq!(
        problems(&[("t", text(), Some(&[0])), ("T", text(), Some(&[0]))]),
        ["SQLite does not tell `T` from `t`"]
    );
    assert_eq!(problems(&[("t", text(), None)]), ["`t` has no key, so its rows cannot be kept as a table"]);
    let list = schema(&[("a", ColumnType::Text), ("l", ColumnType::List(Box::new(ColumnType::Int64)))]);
    assert_eq!(problems(&[("t", list, Some(&[0]))]), ["column `l` of `t` is list<int64>"]);
    let columns = schema(&[("af", ColumnType::Text), ("AF", ColumnType::Text), ("Changed_Epoch", ColumnType::Text)]);
    assert_eq!(
        problems(&[("t", columns, Some(&[0]))]),
        [
            "SQLite does not tell column `AF` of `t` from `af`",
            "SQLite does not tell column `Changed_Epoch` of `t` from `changed_epoch`"
        ]
    );
    let problems = |inputs: &[(&str, Schema, Option<&[usize]>)], history: &[&str]| {
        plan(inputs, &[path_option(), history_option(history)]).err().unwrap_or_default()
    };
    assert_eq!(problems(&[("t", text(), Some(&[0]))], &["u"]), ["`u` is not a table of this sink"]);
    assert_eq!(problems(&[("t", text(), Some(&[0]))], &["t", "t"]), ["`t` is listed twice"]);
    assert_eq!(
        problems(&[("t", text(), Some(&[0])), ("T_history", text(), Some(&[0]))], &["t"]),
        ["the history of `t` would be called `t_history`, as a table is"]
    );
    let columns = schema(&[("old_a", ColumnType::Text), ("Epoch", ColumnType::Text), ("a", ColumnType::Text)]);
    assert_eq!(
        problems(&[("t", columns, Some(&[0, 1]))], &["t"]),
        [
            "SQLite does not tell column `epoch` of `t_history` from `Epoch`",
            "SQLite does not tell column `old_a` of `t_history` from `old_a`"
        ]
    );
    assert_eq!(plan(&[("t", text(), Some(&[0]))], &[]).err().unwrap_or_default(), ["stage `s` (sqlite) needs `path`"]);
}

#[test]
fn checks_are_planned() {
    let node = |value| Node { span: 0..1, value };
    let problems = |check: &str| {
        let wide = ColumnType::Decimal { precision: 16, scale: 2 };
        let narrow = ColumnType::Decimal { precision: 15, scale: 2 };
        let columns = schema(&[("a", ColumnType::Text), ("wide", wide), ("narrow", narrow)]);
        let conditions = node(Value::Array(vec![node(Value::Text(check.into()))]));
        let table = Entry { key: "t".into(), key_span: 0..1, node: conditions };
        let checks = Entry { key: "checks".into(), key_span: 0..1, node: node(Value::Table(vec![table])) };
        plan(&[("t", columns, Some(&[0]))], &[path_option(), checks])
    };
    let Ok(Planned::Sink(sink)) = problems("narrow >= 0 AND length(a) > 1") else { panic!("no sink") };
    assert!(
        sink.statements(&[numbers("t")], vardelta_schemas::sql::Dialect::Sqlite)[0]
            .contains("CHECK (((\"narrow\" >= 0) AND (length(CAST(\"a\" AS BLOB)) > 1)))")
    );
    let refused = problems("a = 'x' OR wide BETWEEN 0 AND 1").err().unwrap_or_default();
    assert_eq!(refused, ["SQLite keeps `wide` as text, which it does not compare as a number"]);
    assert!(problems("nothing > 1").err().unwrap_or_default()[0].contains("nothing"));
}
