//! Unique columns beside the key: planned, and the words about rows that share their values.

use vardelta_engine::{
    contract::{
        sink::{NamedIndex, Part, SinkError, SinkErrorKind},
        stage::PlannedInput,
    },
    diagnostics::Diagnostics,
};
use vardelta_schemas::{
    TableSchema,
    sql::{
        marks::Marks,
        unique::{PREFIX, Unique},
    },
};

use crate::{
    base64::base64,
    sinks::shared::{
        index_columns::{IndexColumns, Indexes, tables_with},
        marks::OnDelete,
        values::{ColumnReader, show_text},
    },
};

/// Characters of a name, at the most: what every database takes.
const NAME_CHARACTERS_MAX: usize = 64;
/// What to do about rows of the table that share values already.
const DUPLICATES_HINT: &str = "Nothing was changed. Correct or withdraw the drops that bring these rows, or leave the list out of `unique`, and \
     migrate again.";
/// What to do about a row whose values another row has.
pub(crate) const UNIQUE_HINT: &str = "Correct the record, or have such rows rejected with `on_constraint = \"quarantine\"`, or leave \
     the list out of `unique` and run `vardelta migrate`.";
/// What to do about a table whose unique indexes are not the planned ones.
pub(crate) const OTHER_UNIQUE_HINT: &str =
    "Run `vardelta migrate`, which builds and drops unique indexes, or put the pipeline file back as it was.";

/// A unique index with its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedUnique {
    pub(crate) table: String,
    /// Its columns, by place.
    pub(crate) columns: Vec<usize>,
    pub(crate) index: Unique,
}

impl PlannedUnique {
    /// As it is shown.
    pub(crate) fn named(&self) -> NamedIndex {
        NamedIndex { table: self.table.clone(), name: self.index.name.clone(), columns: self.columns.clone() }
    }
}

/// The unique indexes with their tables and names. What is wrong with them is reported. `by_table` says whether their names hold
/// the table's: in SQLite all indexes of a file share one space of names.
pub(crate) fn plan_unique(
    said: &Indexes,
    inputs: &[PlannedInput<'_>],
    (on_delete, by_table): (OnDelete, bool),
    diagnostics: &mut Diagnostics,
) -> Vec<PlannedUnique> {
    let mut planned: Vec<PlannedUnique> = Vec::new();
    for (table, columns) in &said.0 {
        if on_delete == OnDelete::Mark {
            diagnostics
                .error(columns.span.clone(), "a row that is marked as gone would keep its unique values")
                .label("not with on_delete = \"mark\"")
                .hint(
                    "Leave `unique` out, or have rows that go deleted, with a history of the table to look them up in.",
                );
            continue;
        }
        if !are_distinct(columns, diagnostics) {
            continue;
        }
        for (input, places) in tables_with(table.as_ref(), columns, inputs, "nothing to keep unique", diagnostics) {
            let key = input.key.unwrap_or_default();
            if key.iter().all(|column| places.contains(column)) {
                if table.is_some() || inputs.len() == 1 {
                    diagnostics
                        .error(columns.span.clone(), format!("rows of `{}` differ in their key already", input.name))
                        .label("holds the whole key")
                        .hint("Name columns that are to be unique beside the key.");
                }
                continue;
            }
            if planned.iter().any(|other| other.table == input.name && other.columns == places) {
                continue;
            }
            let names: Vec<&str> = columns.value.iter().map(|column| column.value.as_str()).collect();
            let others = planned.iter().filter(|other| by_table || other.table == input.name);
            let others = others.map(|other| other.index.name.as_str()).collect::<Vec<_>>();
            let index = Unique {
                name: index_name(by_table.then_some(input.name), &names, &others),
                columns: names.iter().map(|name| (*name).to_owned()).collect(),
            };
            planned.push(PlannedUnique { table: input.name.to_owned(), columns: places, index });
        }
    }
    planned
}

fn are_distinct(columns: &IndexColumns, diagnostics: &mut Diagnostics) -> bool {
    if columns.value.is_empty() {
        diagnostics.error(columns.span.clone(), "a list of unique columns needs a column").label("no columns");
        return false;
    }
    for (at, column) in columns.value.iter().enumerate() {
        if columns.value[..at].iter().any(|before| before.value == column.value) {
            diagnostics
                .error(column.span.clone(), format!("`{}` is listed twice", column.value))
                .label("listed before");
            return false;
        }
    }
    true
}

/// The name of an index: after its columns, unless that is too long or another's.
fn index_name(table: Option<&str>, columns: &[&str], others: &[&str]) -> String {
    let table_part = table.map(|table| format!("{table}_")).unwrap_or_default();
    let name = format!("{PREFIX}{table_part}by_{}", columns.join("_"));
    if name.chars().count() <= NAME_CHARACTERS_MAX && !others.contains(&name.as_str()) {
        return name;
    }
    let whole = format!("{}\0{}", table.unwrap_or_default(), columns.join("\0"));
    format!("{PREFIX}by_{}", base64(xxhash_rust::xxh3::xxh3_128(whole.as_bytes())))
}

/// The unique indexes of a table.
pub(crate) fn of(planned: &[PlannedUnique], table: &TableSchema) -> Vec<Unique> {
    planned.iter().filter(|planned| planned.table == table.name).map(|planned| planned.index.clone()).collect()
}

/// The columns of a table's unique indexes, by place.
fn columns_of(planned: &[PlannedUnique], table: &TableSchema) -> Vec<usize> {
    let mut columns: Vec<usize> = planned
        .iter()
        .filter(|planned| planned.table == table.name)
        .flat_map(|planned| planned.columns.clone())
        .collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// The order in which changes are written, where some tables have unique columns: what gives their values up comes before
/// everything that may take them.
pub(crate) fn leaving_first(
    tables: &[TableSchema],
    planned: &[PlannedUnique],
    order: Vec<(usize, Part)>,
) -> Vec<(usize, Part)> {
    let mut leaving = Vec::new();
    let mut rest = Vec::new();
    for (at, part) in order {
        let columns: std::sync::Arc<[usize]> = columns_of(planned, &tables[at]).into();
        if columns.is_empty() {
            rest.push((at, part));
        } else {
            leaving.push((at, Part::Leaving(std::sync::Arc::clone(&columns))));
            rest.push((at, Part::Arriving(columns)));
        }
    }
    leaving.extend(rest);
    leaving
}

/// How a table's unique indexes, by their names in the database, differ from the planned ones, in words. Those that users have
/// added are left alone.
pub(crate) fn difference(found: &[String], planned: &[Unique]) -> Option<String> {
    if let Some(missing) = planned.iter().find(|planned| !found.contains(&planned.name)) {
        return Some(format!("{} is not unique in it yet", missing.said()));
    }
    undeclared(found, planned)
        .next()
        .map(|extra| format!("it has the unique index `{extra}`, which the pipeline no longer declares"))
}

/// Those of a table's unique indexes, by their names in the database, that vardelta made and the pipeline no longer declares.
pub(crate) fn undeclared<'a>(found: &'a [String], planned: &'a [Unique]) -> impl Iterator<Item = &'a String> {
    let is_planned = |name: &String| planned.iter().any(|planned| planned.name == *name);
    found.iter().filter(move |name| name.starts_with(PREFIX) && !is_planned(name))
}

/// What is wrong with a row whose values another row has: `(a, b) = ('x', 1) is also in the row pos = 5`.
pub(crate) fn violation(
    table: &TableSchema,
    index: &Unique,
    columns: &[ColumnReader<'_>],
    row: usize,
    holder: Option<&[Option<String>]>,
) -> String {
    let values: Vec<String> =
        index.columns.iter().filter_map(|name| Some(columns[table.schema.index_of(name)?].show(row))).collect();
    let other = match holder {
        Some(key) => format!("the row {} has them", show_texts(&key_names(table), key)),
        None => "another row has them".into(),
    };
    format!("its values of {} must be unique, and they are not: ({}); {other}", index.said(), values.join(", "))
}

/// The error about rows that share values in a table that is to have a unique index. `rows` as [`Unique::duplicates`] yields them.
pub(crate) fn duplicates_error(
    table: &TableSchema,
    index: &Unique,
    location: &str,
    rows: &[Vec<Option<String>>],
) -> SinkError {
    let shown: Vec<String> = rows
        .iter()
        .map(|row| {
            let (values, key) = row.split_at(index.columns.len().min(row.len()));
            format!("{} in the row {}", show_texts(&index.columns, values), show_texts(&key_names(table), key))
        })
        .collect();
    SinkError::new(
        SinkErrorKind::Value,
        format!(
            "{} of table `{}` in {location} cannot become unique, for rows share their values: {}",
            index.said(),
            table.name,
            shown.join("; ")
        ),
    )
    .with_hint(DUPLICATES_HINT)
}

/// Refuses a unique index while rows are marked as gone: they would keep their values.
///
/// # Errors
/// When they are.
pub(crate) fn check_no_marks(table: &str, location: &str, marks: Marks) -> Result<(), SinkError> {
    if marks == Marks::None {
        return Ok(());
    }
    let message =
        format!("table `{table}` in {location} still has rows that are marked as gone, with their unique values");
    Err(SinkError::new(SinkErrorKind::Layout, message).with_hint(
        "Leave `unique` out, run `vardelta migrate --contract`, which takes them away, then declare it and migrate again.",
    ))
}

fn key_names(table: &TableSchema) -> Vec<String> {
    table.key.iter().map(|index| table.schema.columns()[*index].name.clone()).collect()
}

fn show_texts(names: &[String], texts: &[Option<String>]) -> String {
    let show = |(name, text): (&String, &Option<String>)| match text {
        Some(text) => format!("{name} = {}", show_text(text)),
        None => format!("{name} = NULL"),
    };
    names.iter().zip(texts).map(show).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_indexes() {
        assert_eq!(index_name(None, &["a", "b"], &[]), "vardelta_unique_by_a_b");
        assert_eq!(index_name(Some("t"), &["a"], &[]), "vardelta_unique_t_by_a");
        let other = index_name(Some("t"), &["a"], &["vardelta_unique_t_by_a"]);
        assert!(other.starts_with("vardelta_unique_by_") && other.len() < 64, "{other}");
        let long = index_name(None, &["a".repeat(60).as_str()], &[]);
        assert!(long.starts_with("vardelta_unique_by_") && long.len() < 64, "{long}");
    }

    #[test]
    fn indexes_that_differ_are_named() {
        let planned = [Unique { name: "vardelta_unique_by_a".into(), columns: vec!["a".into()] }];
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(difference(&names(&["vardelta_unique_by_a", "mine"]), &planned), None);
        assert_eq!(difference(&[], &planned).as_deref(), Some("(a) is not unique in it yet"));
        assert!(difference(&names(&["vardelta_unique_by_b"]), &[]).is_some_and(|text| text.contains("no longer")));
    }
}
