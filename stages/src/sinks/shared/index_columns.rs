//! Lists of columns, by table or for every table that has them: how indexes are written in a pipeline file.

use vardelta_engine::{
    contract::{
        options::{OptionValue, Spanned, wrong_type},
        stage::PlannedInput,
    },
    diagnostics::Diagnostics,
    spec::{Node, Value},
    suggest::nearest,
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

/// The tables that have all of these columns, or the one that is named, each with the places of the columns. That there is none is
/// reported; `nothing` is what is said of it then.
pub(crate) fn tables_with<'a>(
    table: Option<&Spanned<String>>,
    columns: &IndexColumns,
    inputs: &'a [PlannedInput<'a>],
    nothing: &str,
    diagnostics: &mut Diagnostics,
) -> Vec<(&'a PlannedInput<'a>, Vec<usize>)> {
    let meant = || inputs.iter().filter(|input| table.is_none_or(|table| table.value == input.name));
    if let Some(table) = table.filter(|_| meant().next().is_none()) {
        let problem = diagnostics.error(table.span.clone(), format!("`{}` is not a table of this sink", table.value));
        problem.label("unknown table");
        if let Some(near) = nearest(&table.value, inputs.iter().map(|input| input.name)) {
            problem.hint(format!("Did you mean `{near}`?"));
        }
        return Vec::new();
    }
    let places = |input: &'a PlannedInput<'a>| {
        let places = columns.value.iter().map(|column| input.schema.index_of(&column.value));
        Some((input, places.collect::<Option<Vec<usize>>>()?))
    };
    let found: Vec<_> = meant().filter_map(places).collect();
    if !found.is_empty() {
        return found;
    }
    let is_nowhere = |name: &str| !meant().any(|input| input.schema.column(name).is_some());
    match columns.value.iter().find(|column| is_nowhere(&column.value)) {
        Some(column) => {
            let message = match table {
                Some(table) => format!("`{}` has no column `{}`", table.value, column.value),
                None => format!("no table of this sink has a column `{}`", column.value),
            };
            let problem = diagnostics.error(column.span.clone(), message);
            problem.label("unknown column");
            let names = meant().flat_map(|input| input.schema.columns()).map(|column| column.name.as_str());
            if let Some(near) = nearest(&column.value, names) {
                problem.hint(format!("Did you mean `{near}`?"));
            }
        }
        None => {
            diagnostics
                .error(columns.span.clone(), "no table of this sink has all of these columns")
                .label(nothing.to_owned());
        }
    }
    found
}
