//! The CHECK and FOREIGN KEY constraints of a pipeline file, and the order in which tables that refer to each other are
//! made and written.

use vardelta_engine::{
    contract::{options::Spanned, sink::Part, stage::PlannedInput},
    diagnostics::Diagnostics,
};
use vardelta_schemas::{
    TableSchema,
    sql::{
        Dialect,
        mysql::{
            constraint::Rule,
            layout::{TableLayout, TextCharacters},
        },
    },
};

use crate::sinks::{
    mysql::{
        indexes::check_bytes,
        option_values::{ReferenceOption, References},
        settings::PlannedIndex,
    },
    shared::constraints::{Checks, PlannedConstraint, add, input, plan_checks},
};

/// The constraints with their tables. What is wrong with them is reported.
pub(super) fn plan_constraints(
    checks: &Checks,
    references: &References,
    inputs: &[PlannedInput<'_>],
    text_characters: &TextCharacters,
    diagnostics: &mut Diagnostics,
) -> Vec<PlannedConstraint> {
    let mut planned = plan_checks(checks, inputs, diagnostics);
    for (table, said) in &references.0 {
        let Some(input) = input(table, inputs, diagnostics) else { continue };
        for reference in said {
            let before = diagnostics.len();
            check_reference(reference, input, inputs, text_characters, diagnostics);
            if diagnostics.len() == before {
                let names = |list: &Spanned<Vec<Spanned<String>>>| {
                    list.value.iter().map(|name| name.value.clone()).collect::<Vec<_>>()
                };
                let (columns, to, table) = (names(&reference.columns), names(&reference.to), &reference.table.value);
                let said = format!("({}) references {table} ({})", columns.join(", "), to.join(", "));
                add(&mut planned, input.name, said, Rule::Reference { columns, table: table.clone(), to });
            }
        }
    }
    check_cycles(references, &planned, diagnostics);
    planned
}

fn check_reference(
    reference: &ReferenceOption,
    input: &PlannedInput<'_>,
    inputs: &[PlannedInput<'_>],
    text_characters: &TextCharacters,
    diagnostics: &mut Diagnostics,
) {
    let (columns, to) = (&reference.columns, &reference.to);
    if columns.value.is_empty() || columns.value.len() != to.value.len() {
        diagnostics
            .error(to.span.clone(), format!("{} columns refer to {}", columns.value.len(), to.value.len()))
            .label("as many as in `columns`, and at least one");
        return;
    }
    let places = |input: &PlannedInput<'_>, names: &Spanned<Vec<Spanned<String>>>, diagnostics: &mut Diagnostics| {
        let place = |name: &Spanned<String>| {
            let place = input.schema.index_of(&name.value);
            if place.is_none() {
                diagnostics
                    .error(name.span.clone(), format!("table `{}` has no column `{}`", input.name, name.value))
                    .label("unknown column");
            }
            place
        };
        names.value.iter().map(place).collect::<Vec<_>>().into_iter().collect::<Option<Vec<usize>>>()
    };
    let Some(from) = places(input, columns, diagnostics) else { return };
    let index = PlannedIndex { table: input.name.to_owned(), name: String::new(), columns: from.clone() };
    check_bytes(&index, input, columns, text_characters, diagnostics);
    // A table that is not vardelta's is known to the server alone.
    let Some(parent) = inputs.iter().find(|parent| parent.name == reference.table.value) else { return };
    let Some(places) = places(parent, to, diagnostics) else { return };
    let key = parent.key.unwrap_or_default();
    if places != key {
        let names: Vec<&str> = key.iter().map(|at| parent.schema.columns()[*at].name.as_str()).collect();
        diagnostics
            .error(to.span.clone(), format!("a reference to `{}` must name its key, in order", parent.name))
            .label("not the key")
            .hint(format!("Its key is [{}].", names.join(", ")));
        return;
    }
    let table = TableSchema { name: parent.name.to_owned(), schema: parent.schema.clone(), key: key.to_vec() };
    if TableLayout::new(Dialect::MySql, &table, text_characters, &[]).has_hash {
        diagnostics
            .error(reference.table.span.clone(), format!("the key of `{}` is no primary key by itself", parent.name))
            .label("cannot be referred to")
            .hint("Columns that may be NULL, and text of any length, cannot: bound the text with `text_characters`.");
    }
    for ((from, to), name) in from.iter().zip(&places).zip(&columns.value) {
        let types = [&input.schema.columns()[*from].column_type, &parent.schema.columns()[*to].column_type];
        if types[0] != types[1] {
            diagnostics
                .error(
                    name.span.clone(),
                    format!("`{}` is {}, and what it refers to is {}", name.value, types[0], types[1]),
                )
                .label("another type");
        }
    }
}

/// Reports references that lead back to where they start: no order of writing could keep them.
fn check_cycles(said: &References, planned: &[PlannedConstraint], diagnostics: &mut Diagnostics) {
    for (table, references) in &said.0 {
        for reference in references {
            if ancestors(&reference.table.value, planned).contains(&table.value.as_str()) {
                diagnostics
                    .error(reference.table.span.clone(), format!("the references of `{}` lead back to it", table.value))
                    .label("a cycle")
                    .hint("Rows are written parents first, which a cycle does not permit: leave one reference out.");
            }
        }
    }
}

/// A table and all it refers to, directly or not.
fn ancestors<'a>(table: &'a str, planned: &'a [PlannedConstraint]) -> Vec<&'a str> {
    let mut found = vec![table];
    let mut at = 0;
    while at < found.len() {
        for parent in parents(found[at], planned) {
            if !found.contains(&parent) {
                found.push(parent);
            }
        }
        at += 1;
    }
    found
}

fn parents<'a>(table: &str, planned: &'a [PlannedConstraint]) -> impl Iterator<Item = &'a str> {
    planned.iter().filter(move |of| of.table == table).filter_map(|of| match &of.constraint.rule {
        Rule::Reference { table, .. } => Some(table.as_str()),
        Rule::Check(_) => None,
    })
}

/// The tables, those that are referred to before those that refer to them.
pub(super) fn parents_first(tables: &[TableSchema], planned: &[PlannedConstraint]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..tables.len()).collect();
    // A table has more ancestors than any of them, for there are no cycles.
    order.sort_by_key(|at| ancestors(&tables[*at].name, planned).len());
    order
}

/// The parts in which changes are written: new rows of a table before those that refer to them, old rows after.
pub(super) fn write_order(tables: &[TableSchema], planned: &[PlannedConstraint]) -> Vec<(usize, Part)> {
    let order = parents_first(tables, planned);
    let is_parent =
        |at: usize| tables.iter().any(|table| parents(&table.name, planned).any(|parent| parent == tables[at].name));
    let part = |at: usize| if is_parent(at) { Part::NewRows } else { Part::All };
    let mut parts: Vec<(usize, Part)> = order.iter().map(|at| (*at, part(*at))).collect();
    parts.extend(order.iter().rev().filter(|at| is_parent(**at)).map(|at| (*at, Part::OldRows)));
    parts
}
