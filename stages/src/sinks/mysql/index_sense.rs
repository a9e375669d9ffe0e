//! Advice about indexes: those that cost every load and find nothing that another one would not, and tables that have none where they
//! need one.

use vardelta_engine::{contract::stage::PlannedInput, diagnostics::Diagnostics};
use vardelta_schemas::{ColumnType, TableSchema, sql::mysql::layout::TableLayout};

use crate::sinks::{mysql::settings::PlannedIndex, shared::index_columns::Indexes};

/// Tells of an index that another one or the primary key covers, of one that begins with a column of few values, and of a table
/// whose primary key is a hash, so that its own key columns find nothing.
pub(super) fn advise(
    said: &Indexes,
    planned: &[PlannedIndex],
    inputs: &[PlannedInput<'_>],
    layout: &dyn Fn(&TableSchema) -> TableLayout,
    diagnostics: &mut Diagnostics,
) {
    for input in inputs {
        let key = input.key.unwrap_or_default().to_vec();
        let table = TableSchema { name: input.name.to_owned(), schema: input.schema.clone(), key };
        let primary_key = layout(&table).primary_key;
        let indexes: Vec<&[usize]> =
            planned.iter().filter(|index| index.table == table.name).map(|index| index.columns.as_slice()).collect();
        for (of_table, columns) in &said.0 {
            if of_table.as_ref().is_some_and(|of| of.value != table.name) {
                continue;
            }
            let places = columns.value.iter().map(|column| table.schema.index_of(&column.value));
            let Some(places) = places.collect::<Option<Vec<usize>>>().filter(|places| !places.is_empty()) else {
                continue;
            };
            if let Some(by) = covered_by(&table, &places, &primary_key, &indexes) {
                diagnostics
                    .advise(
                        columns.span.clone(),
                        format!("this index of `{}` finds nothing that {by} does not", table.name),
                    )
                    .label("costs every load, and is not needed")
                    .hint("Leave it out: an index serves every query that names its first columns.");
            }
            let first = &table.schema.columns()[places[0]];
            if first.column_type == ColumnType::Bool {
                diagnostics
                    .advise(columns.span.clone(), format!("`{}` parts the rows of `{}` in two", first.name, table.name))
                    .label("begins with a column of few values")
                    .hint("Begin with a column of many values; the servers rather scan than read half of a table by an index.");
            }
        }
        advise_hashed(&table, &primary_key, &indexes, input, diagnostics);
    }
}

/// What finds all that an index on these columns finds, in words.
fn covered_by(table: &TableSchema, columns: &[usize], primary_key: &[usize], indexes: &[&[usize]]) -> Option<String> {
    if primary_key.starts_with(columns) {
        return Some("the primary key".into());
    }
    let longer = indexes.iter().find(|other| other.len() > columns.len() && other.starts_with(columns))?;
    let names: Vec<&str> = longer.iter().map(|place| table.schema.columns()[*place].name.as_str()).collect();
    Some(format!("the one on ({})", names.join(", ")))
}

fn advise_hashed(
    table: &TableSchema,
    primary_key: &[usize],
    indexes: &[&[usize]],
    input: &PlannedInput<'_>,
    diagnostics: &mut Diagnostics,
) {
    let Some(first) = table.key.first() else { return };
    let is_served = primary_key.contains(first) || indexes.iter().any(|columns| columns.first() == Some(first));
    if is_served {
        return;
    }
    let names: Vec<&str> = table.key.iter().map(|place| table.schema.columns()[*place].name.as_str()).collect();
    let name = names[0];
    diagnostics
        .advise(
            input.span.clone(),
            format!("`WHERE {name} = …` scans `{}`: its primary key is a hash of ({})", table.name, names.join(", ")),
        )
        .label("a key that may be NULL, or is text of any length")
        .hint(format!(
            "Write `indexes = {{ {} = [[\"{name}\"]] }}` and, for text, `text_characters = {{ {name} = 64 }}`; or keep NULL out of \
             the key with a `filter`.",
            table.name
        ));
}
