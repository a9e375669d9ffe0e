//! The shapes that values of the sink's options have in a pipeline file.

use vardelta_engine::{
    contract::options::{OptionReader, OptionValue, Spanned, wrong_type},
    diagnostics::Diagnostics,
    spec::{Node, Value},
};

use crate::sinks::shared::constraints::by_table;

/// A TOML table of whole numbers: `{ chromosome = 64 }`.
#[derive(Clone, Debug, Default)]
pub struct NamedNumbers(pub Vec<(Spanned<String>, u64)>);

impl OptionValue for NamedNumbers {
    const EXPECTS: &'static str = "a table of whole numbers";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Value::Table(entries) = &node.value else { return wrong_type(node, Self::EXPECTS, diagnostics) };
        let read: Vec<Option<_>> = entries
            .iter()
            .map(|entry| {
                let name = Spanned { value: entry.key.clone(), span: entry.key_span.clone() };
                Some((name, u64::read(&entry.node, diagnostics)?))
            })
            .collect();
        read.into_iter().collect::<Option<Vec<_>>>().map(NamedNumbers)
    }
    fn json_schema() -> String {
        r#"{"type":"object","additionalProperties":{"type":"integer","minimum":0}}"#.into()
    }
}

/// Values by partition: `["chr1", ["chrX", "chrY"]]`.
#[derive(Clone, Debug, Default)]
pub struct Partitions(pub Vec<Vec<Spanned<String>>>);

impl OptionValue for Partitions {
    const EXPECTS: &'static str = "a list of values, or of lists of values that share a partition";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Value::Array(items) = &node.value else { return wrong_type(node, Self::EXPECTS, diagnostics) };
        let read = items.iter().map(|item| match &item.value {
            Value::Array(_) => Vec::<Spanned<String>>::read(item, diagnostics),
            Value::Text(_) => Spanned::<String>::read(item, diagnostics).map(|value| vec![value]),
            _ => wrong_type(item, Self::EXPECTS, diagnostics),
        });
        // All of them are looked at before one that is wrong ends it.
        let read: Vec<Option<_>> = read.collect();
        read.into_iter().collect::<Option<Vec<_>>>().map(Partitions)
    }
    fn json_schema() -> String {
        let list = Vec::<String>::json_schema();
        format!(r#"{{"type":"array","items":{{"anyOf":[{{"type":"string"}},{list}]}}}}"#)
    }
}

/// References by table.
#[derive(Clone, Debug, Default)]
pub struct References(pub Vec<(Spanned<String>, Vec<ReferenceOption>)>);

/// A reference: `{ columns = ["gene_symbol"], table = "genes", to = ["symbol"] }`.
#[derive(Clone, Debug)]
pub struct ReferenceOption {
    pub(super) columns: Spanned<Vec<Spanned<String>>>,
    pub(super) table: Spanned<String>,
    pub(super) to: Spanned<Vec<Spanned<String>>>,
}

impl OptionValue for References {
    const EXPECTS: &'static str =
        "a table of lists of references such as { columns = [\"gene\"], table = \"genes\", to = [\"symbol\"] }";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        by_table(node, Self::EXPECTS, diagnostics).map(References)
    }
    fn json_schema() -> String {
        format!(r#"{{"type":"object","additionalProperties":{}}}"#, Vec::<ReferenceOption>::json_schema())
    }
}

impl OptionValue for ReferenceOption {
    const EXPECTS: &'static str = "a reference such as { columns = [\"gene\"], table = \"genes\", to = [\"symbol\"] }";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Value::Table(entries) = &node.value else { return wrong_type(node, Self::EXPECTS, diagnostics) };
        let mut reader = OptionReader::new("a reference".into(), node.span.clone(), entries.iter());
        let columns = reader.required("columns", diagnostics);
        let table = reader.required("table", diagnostics);
        let to = reader.required("to", diagnostics);
        reader.finish(diagnostics);
        Some(ReferenceOption { columns: columns?, table: table?, to: to? })
    }
    fn json_schema() -> String {
        let names = Vec::<String>::json_schema();
        format!(
            r#"{{"type":"object","required":["columns","table","to"],"additionalProperties":false,"properties":{{"columns":{names},"table":{{"type":"string"}},"to":{names}}}}}"#
        )
    }
}
