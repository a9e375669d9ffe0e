//! Indexes, and how long texts in them may be: planned from what the pipeline file says of columns.

use vardelta_engine::{contract::stage::PlannedInput, diagnostics::Diagnostics};
use vardelta_schemas::{
    TableSchema,
    history::history_table,
    sql::{
        Dialect,
        mysql::layout::{TableLayout, TextCharacters},
    },
};

use crate::sinks::{
    mysql::{option_values::NamedNumbers, settings::PlannedIndex, values::base64},
    shared::index_columns::{IndexColumns, Indexes, tables_with},
};

/// Columns that no table has are reported.
pub(super) fn plan_text_characters(
    said: &NamedNumbers,
    inputs: &[PlannedInput<'_>],
    diagnostics: &mut Diagnostics,
) -> TextCharacters {
    let mut planned = TextCharacters::new();
    for (name, characters) in &said.0 {
        if !inputs.iter().any(|input| input.schema.column(&name.value).is_some()) {
            diagnostics
                .error(name.span.clone(), format!("no table of this sink has a column `{}`", name.value))
                .label("unknown column");
        }
        planned.insert(name.value.clone(), usize::try_from(*characters).unwrap_or(usize::MAX));
    }
    planned
}

/// The indexes with their tables and names. What is wrong with them is reported.
pub(super) fn plan_indexes(
    said: &Indexes,
    inputs: &[PlannedInput<'_>],
    text_characters: &TextCharacters,
    diagnostics: &mut Diagnostics,
) -> Vec<PlannedIndex> {
    let mut planned: Vec<PlannedIndex> = Vec::new();
    for (table, columns) in &said.0 {
        if columns.value.is_empty() {
            diagnostics.error(columns.span.clone(), "an index needs a column").label("no columns");
            continue;
        }
        for (input, places) in tables_with(table.as_ref(), columns, inputs, "nothing to index", diagnostics) {
            let names: Vec<&str> = columns.value.iter().map(|column| column.value.as_str()).collect();
            let index = PlannedIndex { table: input.name.to_owned(), name: index_name(&names), columns: places };
            check_bytes(&index, input, columns, text_characters, diagnostics);
            if !planned.contains(&index) {
                planned.push(index);
            }
        }
    }
    planned
}

/// An index by key for each history whose primary key does not begin with its table's key, over as much of the key as an
/// index can hold.
pub(super) fn history_indexes(
    history: &[String],
    inputs: &[PlannedInput<'_>],
    text_characters: &TextCharacters,
) -> Vec<PlannedIndex> {
    let of = |name: &String| {
        let input = inputs.iter().find(|input| input.name == name)?;
        let key = input.key.unwrap_or_default().to_vec();
        let table = history_table(&TableSchema { name: name.clone(), schema: input.schema.clone(), key: key.clone() });
        let layout = TableLayout::new(Dialect::MySql, &table, text_characters, &[]);
        let fits = |columns: &[usize]| {
            layout.index_bytes(&table, columns).is_some_and(|bytes| bytes <= TableLayout::INDEX_BYTES)
        };
        let columns: Vec<usize> = (0..key.len()).collect();
        let columns = columns[..(0..=key.len()).rev().find(|count| fits(&columns[..*count]))?].to_vec();
        if columns.is_empty() || layout.primary_key.starts_with(&columns) {
            return None;
        }
        let names: Vec<&str> = columns.iter().map(|index| table.schema.columns()[*index].name.as_str()).collect();
        Some(PlannedIndex { name: index_name(&names), table: table.name.clone(), columns })
    };
    history.iter().filter_map(of).collect()
}

pub(super) fn check_bytes(
    index: &PlannedIndex,
    input: &PlannedInput<'_>,
    columns: &IndexColumns,
    text_characters: &TextCharacters,
    diagnostics: &mut Diagnostics,
) {
    let key = input.key.unwrap_or_default().to_vec();
    let table = TableSchema { name: index.table.clone(), schema: input.schema.clone(), key };
    let layout = TableLayout::new(Dialect::MySql, &table, text_characters, std::slice::from_ref(&index.columns));
    match layout.index_bytes(&table, &index.columns) {
        None => {
            diagnostics
                .error(columns.span.clone(), format!("an index of `{}` has text of any length", index.table))
                .label("cannot be indexed whole")
                .hint("Say how long it may be: `text_characters = { column = 64 }`. A part of a text is never indexed alone.");
        }
        Some(bytes) if bytes > TableLayout::INDEX_BYTES => {
            diagnostics
                .error(columns.span.clone(), format!("an index of `{}` would take {bytes} bytes", index.table))
                .label(format!("the servers allow {}", TableLayout::INDEX_BYTES))
                .hint(
                    "Bound its text columns: `text_characters = { column = 64 }`; a character takes up to four bytes.",
                );
        }
        Some(_) => {}
    }
}

/// Names are at most 64 characters.
pub(super) fn index_name(columns: &[&str]) -> String {
    let name = format!("by_{}", columns.join("_"));
    if name.chars().count() <= 64 {
        return name;
    }
    format!("by_{}", base64(xxhash_rust::xxh3::xxh3_128(columns.join("\0").as_bytes())))
}
