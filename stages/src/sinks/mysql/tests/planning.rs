//! What is refused before any server is asked.

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

use vardelta_schemas::history::history_table;

use crate::sinks::mysql::{MYSQL, tests::*};

fn plan(options: &[(&str, Value)]) -> Result<Planned, Vec<String>> {
    let pipeline =
        PipelineSettings { name: "p".into(), base_dir: PathBuf::from("base"), ..PipelineSettings::default() };
    let columns = vec![
        Column::required("chromosome", ColumnType::Text),
        Column::required("position", ColumnType::Int64),
        Column::required("alternate", ColumnType::Text),
        Column::nullable("gene_symbol", ColumnType::Text),
    ];
    let (variants, genes) = (Schema::new(columns.clone()), Schema::new(columns[3..].to_vec()));
    let inputs = vec![
        PlannedInput { name: "variants", schema: &variants, key: Some(&[0, 1, 2]), is_table: true, span: 0..1 },
        PlannedInput { name: "genes", schema: &genes, key: Some(&[0]), is_table: false, span: 0..1 },
    ];
    let entries: Vec<Entry> = options.iter().map(|(key, value)| entry(key, value.clone())).collect();
    let options = OptionReader::new("stage `s` (mysql)".into(), 0..1, entries.iter());
    let mut diagnostics = Diagnostics::default();
    let planned = MYSQL.plan(
        PlanRequest { name: "s", inputs, options, pipeline: &pipeline, functions: Functions::built_in() },
        &mut diagnostics,
    );
    let messages: Vec<String> = diagnostics.into_sorted().into_iter().map(|problem| problem.message).collect();
    assert_eq!(planned.is_some(), messages.is_empty(), "{messages:?}");
    planned.ok_or(messages)
}

fn node(value: Value) -> Node {
    Node { span: 0..1, value }
}

fn entry(key: &str, value: Value) -> Entry {
    Entry { key: key.into(), key_span: 0..1, node: node(value) }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn list(items: Vec<Value>) -> Value {
    Value::Array(items.into_iter().map(node).collect())
}

fn index(columns: &[&str]) -> Value {
    list(columns.iter().map(|column| text(column)).collect())
}

fn url() -> (&'static str, Value) {
    ("url", text("mysql://me:secret@h/d"))
}

#[test]
fn indexes_by_column_and_by_table() {
    let statements = |indexes| match plan(&[url(), ("indexes", indexes)]) {
        Ok(Planned::Sink(sink)) => {
            let mut table = numbers("variants");
            table.schema = Schema::new(vec![
                Column::required("chromosome", ColumnType::Text),
                Column::required("position", ColumnType::Int64),
                Column::required("alternate", ColumnType::Text),
                Column::nullable("gene_symbol", ColumnType::Text),
            ]);
            table.key = vec![0, 1, 2];
            let statements = sink.statements(&[table], vardelta_schemas::sql::Dialect::MySql);
            statements.into_iter().filter(|statement| statement.starts_with("CREATE INDEX")).collect::<Vec<_>>()
        }
        other => panic!("{:?}", other.err()),
    };
    let expected = ["CREATE INDEX `by_chromosome_gene_symbol` ON `variants` (`chromosome`, `gene_symbol`)"];
    assert_eq!(statements(list(vec![index(&["chromosome", "gene_symbol"])])), expected);
    let by_table = Value::Table(vec![entry("variants", list(vec![index(&["chromosome", "gene_symbol"])]))]);
    assert_eq!(statements(by_table), expected);
    // Text in an index gets a bound, in the tables that have the index.
    let Ok(Planned::Sink(sink)) = plan(&[url(), ("indexes", list(vec![index(&["gene_symbol"])]))]) else { panic!() };
    assert_eq!(sink.location(), "mysql://me@h:3306/d");
    assert_eq!(sink.default_state_dir(), None);
}

#[test]
fn a_history_is_found_by_key() {
    let Ok(Planned::Sink(sink)) = plan(&[url(), ("history", index(&["genes", "variants"]))]) else { panic!() };
    assert_eq!(sink.history(), ["genes", "variants"]);
    let columns = vec![Column::nullable("gene_symbol", ColumnType::Text)];
    let genes = TableSchema { name: "genes".into(), schema: Schema::new(columns), key: vec![0] };
    let statements = sink.statements(&[genes.clone(), history_table(&genes)], vardelta_schemas::sql::Dialect::MySql);
    assert!(statements[4].contains("`operation` varchar(8)") && statements[4].contains("`gene_symbol` varchar(255)"));
    // A column that may be NULL is in no primary key.
    assert_eq!(statements.last().unwrap(), "CREATE INDEX `by_gene_symbol` ON `genes_history` (`gene_symbol`)");
    assert_eq!(statements.iter().filter(|statement| statement.starts_with("CREATE INDEX")).count(), 1);
}

#[test]
fn what_cannot_be_kept_is_refused() {
    let problems = |options: &[(&str, Value)]| {
        let mut all = vec![url()];
        all.extend(options.iter().cloned());
        plan(&all).err().unwrap_or_default()
    };
    let indexes = |columns: &[&str]| problems(&[("indexes", list(vec![index(columns)]))]);
    assert_eq!(indexes(&["chromosome", "gene"]), ["no table of this sink has a column `gene`"]);
    assert_eq!(indexes(&[]), ["an index needs a column"]);
    let too_long = indexes(&["chromosome", "alternate", "gene_symbol", "position"]);
    assert_eq!(too_long, ["an index of `variants` would take 3074 bytes"]);
    let unbounded = Value::Table(vec![entry("gene_symbol", Value::Integer(0))]);
    let both =
        problems(&[("indexes", list(vec![index(&["position", "gene_symbol"])])), ("text_characters", unbounded)]);
    assert_eq!(both, ["an index of `variants` has text of any length"]);
    let unknown = Value::Table(vec![entry("genes_symbol", Value::Integer(5))]);
    assert_eq!(problems(&[("text_characters", unknown)]), ["no table of this sink has a column `genes_symbol`"]);
    let no_table = Value::Table(vec![entry("variant", list(vec![index(&["position"])]))]);
    assert_eq!(problems(&[("indexes", no_table)]), ["`variant` is not a table of this sink"]);
    let history = |tables: &[&str]| problems(&[("history", index(tables))]);
    assert_eq!(history(&["genes"]), [""; 0]);
    assert_eq!(history(&["gene"]), ["`gene` is not a table of this sink"]);
    let bad = plan(&[("url", text("mysql://me:secret@h"))]).err().unwrap_or_default();
    assert!(bad.len() == 1 && !bad[0].contains("secret"), "{bad:?}");
}

fn named(entries: Vec<(&str, Value)>) -> Value {
    Value::Table(entries.into_iter().map(|(key, value)| entry(key, value)).collect())
}

fn reference(table: &str, columns: &[&str], parent: &str, to: &[&str]) -> Value {
    let names = |names: &[&str]| list(names.iter().map(|name| text(name)).collect());
    let reference = named(vec![("columns", names(columns)), ("table", text(parent)), ("to", names(to))]);
    named(vec![(table, list(vec![reference]))])
}

#[test]
fn constraints_that_cannot_be_are_reported() {
    let refused = |option: &'static str, value: Value| plan(&[url(), (option, value)]).err().unwrap_or_default();
    let check = |table: &str, sql: &str| refused("checks", named(vec![(table, list(vec![text(sql)]))]));
    assert_eq!(check("variants", "position >= 0"), [""; 0]);
    assert!(check("variants", "positon >= 0")[0].contains("positon"));
    assert!(check("variants", "position")[0].contains("not a condition"));
    assert!(check("variants", "position / 2 > 1")[0].contains("cannot be part of a constraint"));
    assert_eq!(check("variant", "position >= 0"), ["`variant` is not a table of this sink"]);

    // Somebody else's table is known to the server alone.
    assert_eq!(refused("references", reference("variants", &["gene_symbol"], "elsewhere", &["symbol"])), [""; 0]);
    let of = |columns: &[&str], parent: &str, to: &[&str]| {
        refused("references", reference("variants", columns, parent, to)).join("; ")
    };
    assert!(of(&["gene"], "elsewhere", &["x"]).contains("table `variants` has no column `gene`"));
    assert!(of(&["gene_symbol"], "elsewhere", &["x", "y"]).contains("1 columns refer to 2"));
    // Its key may be NULL, so it is no primary key.
    assert!(of(&["gene_symbol"], "genes", &["gene_symbol"]).contains("is no primary key by itself"));
    assert!(of(&["position"], "variants", &["position"]).contains("must name its key, in order"));
    let cycle = of(&["chromosome", "position", "alternate"], "variants", &["chromosome", "position", "alternate"]);
    assert!(cycle.contains("lead back to it") || cycle.contains("is no primary key"), "{cycle}");
}

#[test]
fn authorities_without_verification_are_refused() {
    let refused = |tls: Option<&str>| {
        let mut options = vec![url(), ("tls_ca", text("ca.pem"))];
        options.extend(tls.map(|tls| ("tls", text(tls))));
        plan(&options).err().unwrap_or_default()
    };
    for tls in [None, Some("off"), Some("preferred"), Some("required")] {
        assert!(refused(tls).join("").contains("does not have the server's certificate verified"), "{tls:?}");
    }
    for tls in ["verify_ca", "verify_identity"] {
        assert_eq!(refused(Some(tls)), [""; 0]);
    }
}

#[test]
fn a_column_that_an_index_bounds_can_part_a_table() {
    let by = [url(), ("partition_by", text("alternate")), ("partitions", index(&["A", "C"]))];
    let problems = plan(&by).err().unwrap_or_default();
    assert_eq!(problems, ["`alternate` is in no primary key of this sink's tables"]);
    let indexed = [by.to_vec(), vec![("indexes", list(vec![index(&["alternate"])]))]].concat();
    assert!(plan(&indexed).is_ok());
    let referring = reference("variants", &["alternate"], "alleles", &["allele"]);
    let problems = plan(&[by.to_vec(), vec![("references", referring)]].concat()).err().unwrap_or_default();
    assert_eq!(problems, ["`variants` refers to `alleles`, and `variants` is partitioned"]);
}
