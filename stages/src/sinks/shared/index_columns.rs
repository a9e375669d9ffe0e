//! Lists of columns, by table or for every table that has them: how indexes are written in a pipeline file.

use vardelta_engine::{
    contract::options::{OptionValue, Spanned, wrong_type},
    diagnostics::Diagnostics,
    spec::{Node, Value},
};

/// Columns of an index.
pub(crate) type IndexColumns = Spanned<Vec<Spanned<String>>>;

/// Indexes: each with its table, if the pipeline names it.
#[derive(Clone, Debug, Default)]
pub struct Indexes(pub Vec<(Option<Spanned<String>>, IndexColumns)>);

impl OptionValue for Indexes {
    const EXPECTS: &'static str = "a list of lists of columns, or a table of such lists";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut indexes = Vec::new();
        match &node.value {
            Value::Array(_) => {
                let lists = Vec::<IndexColumns>::read(node, diagnostics)?;
                indexes.extend(lists.into_iter().map(|columns| (None, columns)));
            }
            Value::Table(entries) => {
                for entry in entries {
                    let table = Spanned { value: entry.key.clone(), span: entry.key_span.clone() };
                    let lists = Vec::<IndexColumns>::read(&entry.node, diagnostics)?;
                    indexes.extend(lists.into_iter().map(|columns| (Some(table.clone()), columns)));
                }
            }
            _ => return wrong_type(node, Self::EXPECTS, diagnostics),
        }
        Some(Indexes(indexes))
    }
    fn json_schema() -> String {
        let lists = Vec::<Vec<String>>::json_schema();
        format!(r#"{{"anyOf":[{lists},{{"type":"object","additionalProperties":{lists}}}]}}"#)
    }
}
