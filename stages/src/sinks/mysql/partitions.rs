//! Which tables are partitioned, and by which values.

use std::collections::BTreeSet;

use vardelta_engine::{
    contract::{options::Spanned, stage::PlannedInput},
    diagnostics::Diagnostics,
    suggest::nearest,
};
use vardelta_schemas::{
    ColumnType, TableSchema,
    sql::mysql::{
        layout::TableLayout,
        partition::{PARTITIONS_MAX, Partition, Partitioning},
    },
};

use crate::{
    assembly::Assembly,
    sinks::mysql::{option_values::Partitions, options::MySqlOptions, settings::PartitionBy, values::base64},
};

/// Characters of a partition's name that is a value, at the most.
const NAME_CHARACTERS: usize = 48;

/// What the pipeline file says about partitions.
pub(super) struct Said<'a> {
    pub(super) options: &'a MySqlOptions,
    pub(super) assembly: Option<&'a Spanned<String>>,
}

/// How a table is laid out, partitions apart.
type LayoutOf<'a> = dyn Fn(&TableSchema) -> TableLayout + 'a;

/// The partitions. What is wrong with them is reported.
pub(super) fn plan_partitions(
    said: &Said<'_>,
    inputs: &[PlannedInput<'_>],
    layout_of: &LayoutOf<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<PartitionBy> {
    let column = match (&said.options.partition_by, &said.options.partitions) {
        (Some(column), _) => column,
        (None, Some(partitions)) => {
            diagnostics
                .error(partitions.span.clone(), "`partitions` says into which parts, and nothing says by which column")
                .label("needs `partition_by`")
                .hint("Add `partition_by = \"chromosome\"`, or leave `partitions` out.");
            return None;
        }
        (None, None) => return None,
    };
    let partitioned = partitioned_tables(column, inputs, layout_of, diagnostics);
    let partitions = match &said.options.partitions {
        Some(listed) => listed_values(listed, diagnostics)?,
        None => known_values(column, said.assembly, diagnostics)?,
    };
    check_lengths(column, &partitions, &partitioned, layout_of, diagnostics);
    for (table, references) in &said.options.references.0 {
        for reference in references {
            let parents = [(&table.value, &table.span), (&reference.table.value, &reference.table.span)];
            let Some((name, span)) =
                parents.into_iter().find(|(name, _)| partitioned.iter().any(|it| it.name == **name))
            else {
                continue;
            };
            diagnostics
                .error(
                    span.clone(),
                    format!("`{}` refers to `{}`, and `{name}` is partitioned", table.value, reference.table.value),
                )
                .label("InnoDB keeps no foreign keys of partitioned tables")
                .hint("Leave out the reference, or `partition_by`.");
        }
    }
    Some(PartitionBy { column: column.value.clone(), partitions: named(partitions) })
}

/// The tables whose primary keys have the column.
fn partitioned_tables(
    column: &Spanned<String>,
    inputs: &[PlannedInput<'_>],
    layout_of: &LayoutOf<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<TableSchema> {
    let tables: Vec<TableSchema> = inputs.iter().map(table_of).collect();
    let with_column: Vec<&TableSchema> =
        tables.iter().filter(|table| table.schema.column(&column.value).is_some()).collect();
    if with_column.is_empty() {
        let problem = diagnostics
            .error(column.span.clone(), format!("no table of this sink has a column `{}`", column.value))
            .label("unknown column");
        let names = inputs.iter().flat_map(|input| input.schema.columns()).map(|column| column.name.as_str());
        if let Some(near) = nearest(&column.value, names) {
            problem.hint(format!("Did you mean `{near}`?"));
        }
        return Vec::new();
    }
    let is_text = |table: &&&TableSchema| {
        table.schema.column(&column.value).is_some_and(|column| column.column_type == ColumnType::Text)
    };
    if let Some(other) = with_column.iter().find(|table| !is_text(table)) {
        diagnostics
            .error(column.span.clone(), format!("`{}` of `{}` is no text", column.value, other.name))
            .label("partitions list texts")
            .hint("Partition by a column of names, such as the chromosome.");
        return Vec::new();
    }
    let is_partitioned =
        |table: &&&TableSchema| layout_of(table).partitioned(table, &column.value, &[]).partitioning.is_some();
    let found: Vec<TableSchema> = with_column.iter().filter(is_partitioned).map(|table| (*table).clone()).collect();
    if found.is_empty() {
        diagnostics
            .error(column.span.clone(), format!("`{}` is in no primary key of this sink's tables", column.value))
            .label("the servers partition by columns of the primary key only")
            .hint(
                "Put it into the table's key, in front of numbers, or bound it with `text_characters`; it must never be NULL.",
            );
    }
    found
}

fn table_of(input: &PlannedInput<'_>) -> TableSchema {
    let key = input.key.unwrap_or_default().to_vec();
    TableSchema { name: input.name.to_owned(), schema: input.schema.clone(), key }
}

/// The values that the pipeline file lists.
fn listed_values(listed: &Spanned<Partitions>, diagnostics: &mut Diagnostics) -> Option<Vec<Vec<String>>> {
    let before = diagnostics.len();
    let lists = &listed.value.0;
    if lists.is_empty() || lists.iter().any(Vec::is_empty) {
        diagnostics.error(listed.span.clone(), "a partition needs a value").label("no values");
    }
    // MariaDB's partition for all other values is one too.
    if lists.len() >= PARTITIONS_MAX {
        diagnostics
            .error(listed.span.clone(), format!("these are {} partitions", lists.len()))
            .label(format!("a table has {} at the most", PARTITIONS_MAX - 1))
            .hint("Let rare values share a partition: `[\"chr1\", [\"chrUn_1\", \"chrUn_2\"]]`.");
    }
    let mut seen = BTreeSet::new();
    for value in lists.iter().flatten() {
        if let Some(why) = Partitioning::value_problem(&value.value) {
            diagnostics.error(value.span.clone(), format!("this value cannot have a partition: {why}"));
        }
        if !seen.insert(&value.value) {
            diagnostics.error(value.span.clone(), format!("`{}` is listed twice", value.value)).label("listed before");
        }
    }
    let values = |list: &Vec<Spanned<String>>| list.iter().map(|value| value.value.clone()).collect();
    (diagnostics.len() == before).then(|| lists.iter().map(values).collect())
}

/// The contigs of the pipeline's assembly.
fn known_values(
    column: &Spanned<String>,
    assembly: Option<&Spanned<String>>,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Vec<String>>> {
    if let Some(known) = assembly.and_then(|named| Assembly::known(&named.value)) {
        return Some(known.contig_names().map(|name| vec![name.to_owned()]).collect());
    }
    let why = match assembly {
        Some(_) => "the pipeline's `assembly` is none that vardelta knows by name",
        None => "the pipeline names no `assembly`",
    };
    diagnostics
        .error(column.span.clone(), format!("which values get a partition is not known: {why}"))
        .label("needs `partitions`")
        .hint("List the values: `partitions = [\"chr1\", \"chr2\"]`.");
    None
}

fn check_lengths(
    column: &Spanned<String>,
    partitions: &[Vec<String>],
    tables: &[TableSchema],
    layout_of: &LayoutOf<'_>,
    diagnostics: &mut Diagnostics,
) {
    for table in tables {
        let characters = table.schema.index_of(&column.value).and_then(|index| layout_of(table).characters[index]);
        let longest = partitions.iter().flatten().map(|value| (value.chars().count(), value)).max();
        if let Some(((length, value), characters)) = longest.zip(characters).filter(|((length, _), most)| length > most)
        {
            diagnostics
                .error(column.span.clone(), format!("`{value}` has {length} characters, more than the column holds"))
                .label(format!("`{}` of `{}` holds {characters}", column.value, table.name))
                .hint("Raise its bound in `text_characters`, or do not list the value.");
        }
    }
}

/// Names for partitions: the first value where that can be one, told apart without letter case as the servers do.
fn named(partitions: Vec<Vec<String>>) -> Vec<Partition> {
    let mut taken = BTreeSet::from([Partition::RESERVED.to_owned()]);
    let is_plain = |value: &str| {
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        !value.is_empty() && value.len() <= NAME_CHARACTERS && value.chars().all(is_letter)
    };
    let name = |values: Vec<String>| {
        let first = values.first().filter(|value| is_plain(value)).filter(|value| taken.insert(value.to_lowercase()));
        let name = first.cloned().unwrap_or_else(|| {
            let text = values.join("\0");
            format!("p_{}", base64(xxhash_rust::xxh3::xxh3_128(text.as_bytes())))
        });
        Partition { name, values }
    };
    partitions.into_iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_values_where_they_can_be() {
        let lists = [vec!["chr1"], vec!["CHR1"], vec!["rest"], vec!["HLA-A*01:01"], vec!["X", "Y"]];
        let lists = lists.iter().map(|list| list.iter().map(|value| (*value).to_owned()).collect()).collect();
        let names: Vec<String> = named(lists).into_iter().map(|partition| partition.name).collect();
        assert_eq!((names[0].as_str(), names[4].as_str()), ("chr1", "X"));
        assert!(names[1..4].iter().all(|name| name.starts_with("p_")), "{names:?}");
        assert_eq!(BTreeSet::from_iter(names.iter().map(|name| name.to_lowercase())).len(), 5);
    }
}
