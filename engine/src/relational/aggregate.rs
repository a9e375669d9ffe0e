//! Plans an `aggregate`: finds the aggregate calls in its columns, and types what they are applied to and what is made of
//! their results.

mod calls;
mod results;
mod written;

use vardelta_schemas::{Column, Schema};

use self::calls::{Calls, Extract};
pub(super) use self::written::order_of;
use super::{AggregateCall, AggregateSpec};
use crate::{
    contract::options::{NamedTexts, Spanned},
    diagnostics::Diagnostics,
    expression::{Expression, depth::with_room, functions::Functions, parse, spans::Source},
    suggest::{listed, nearest},
};

/// Bytes of a `group_concat` at the most, unless the stage says otherwise: what MariaDB allows unless it is told otherwise.
pub(crate) const CONCAT_MAX_BYTES: u64 = 1 << 20;

/// Plans an aggregate over rows of `input`: one row per distinct value of the columns `group_by` (one row in all where
/// there are none), with `columns` computed from it. Everything that is wrong is reported.
pub fn plan_aggregate(
    group_by: &[Spanned<String>],
    columns: &NamedTexts,
    input: &Schema,
    functions: &Functions,
    diagnostics: &mut Diagnostics,
) -> Option<AggregateSpec> {
    plan_bounded(group_by, columns, CONCAT_MAX_BYTES, input, functions, diagnostics)
}

/// As [`plan_aggregate`], with a bound on the bytes of a `group_concat`.
pub(super) fn plan_bounded(
    group_by: &[Spanned<String>],
    columns: &NamedTexts,
    concat_max_bytes: u64,
    input: &Schema,
    functions: &Functions,
    diagnostics: &mut Diagnostics,
) -> Option<AggregateSpec> {
    let before = diagnostics.len();
    let groups = group_columns(group_by, input, diagnostics);
    let group_names: Vec<&str> = groups.iter().map(|at| input.columns()[*at].name.as_str()).collect();
    check_names(columns, &group_names, diagnostics);
    let (calls, typed) = with_room(|| plan_columns(columns, &groups, concat_max_bytes, input, functions, diagnostics));
    if diagnostics.len() > before {
        return None;
    }
    let mut schema: Vec<Column> = groups.iter().map(|at| input.columns()[*at].clone()).collect();
    schema.extend(typed.iter().map(|(column, _)| column.clone()));
    Some(AggregateSpec {
        schema: Schema::new(schema),
        key: (0..groups.len()).collect(),
        group_by: groups,
        calls,
        columns: typed,
    })
}

/// The group's columns in the input.
pub(super) fn group_columns(group_by: &[Spanned<String>], input: &Schema, diagnostics: &mut Diagnostics) -> Vec<usize> {
    let mut groups = Vec::new();
    for name in group_by {
        match input.index_of(&name.value) {
            None => {
                let names = || input.columns().iter().map(|column| column.name.as_str());
                let hint = match nearest(&name.value, names()) {
                    Some(near) => format!("Did you mean `{near}`?"),
                    None => format!("The columns are: {}.", listed(names())),
                };
                diagnostics
                    .error(name.span.clone(), format!("there is no column `{}` to group by", name.value))
                    .label("unknown column")
                    .hint(hint);
            }
            Some(at) if groups.contains(&at) => {
                diagnostics
                    .error(name.span.clone(), format!("`{}` is grouped by twice", name.value))
                    .hint("Remove one.");
            }
            Some(at) if !input.columns()[at].column_type.is_scalar() => {
                diagnostics
                    .error(name.span.clone(), format!("`{}` is a list, and groups need single values", name.value))
                    .hint("Make a row of each item first: `normalize` for alleles, `explode` for other lists.");
            }
            Some(at) => groups.push(at),
        }
    }
    groups
}

/// Reports columns that are named like another one.
fn check_names(columns: &NamedTexts, group_names: &[&str], diagnostics: &mut Diagnostics) {
    for (at, (name, _)) in columns.0.iter().enumerate() {
        if group_names.contains(&name.value.as_str()) {
            diagnostics
                .error(name.span.clone(), format!("`{}` is the name of a column of `group_by` already", name.value))
                .hint("The columns of `group_by` come first by themselves; give this one another name.");
        } else if columns.0[..at].iter().any(|(earlier, _)| earlier.value == name.value) {
            diagnostics
                .error(name.span.clone(), format!("there are two columns `{}`", name.value))
                .hint("Give one of them another name.");
        }
    }
}

fn plan_columns(
    columns: &NamedTexts,
    groups: &[usize],
    concat_max_bytes: u64,
    input: &Schema,
    functions: &Functions,
    diagnostics: &mut Diagnostics,
) -> (Vec<AggregateCall>, Vec<(Column, Expression)>) {
    let mut calls = Calls::default();
    let mut outer_trees = Vec::new();
    for (name, sql) in &columns.0 {
        let source = Source::new(sql);
        let Some(mut tree) = parse::parse(&source, input, diagnostics) else { continue };
        let before = diagnostics.len();
        let mut extract =
            Extract { source: &source, input, functions, concat_max_bytes, calls: &mut calls, diagnostics };
        extract.walk(&mut tree);
        if diagnostics.len() == before {
            outer_trees.push((name, source, tree));
        }
    }
    let mut outer: Vec<Column> = groups.iter().map(|at| input.columns()[*at].clone()).collect();
    outer.extend(calls.list.iter().enumerate().map(|(at, call)| {
        let name = AggregateSpec::call_column(at);
        if call.function.counts() {
            Column::required(name, call.result.clone())
        } else {
            Column::nullable(name, call.result.clone())
        }
    }));
    let outer = Schema::new(outer);
    let explain = |name: &str| Some(explain_column(name, groups, input));
    let mut typed = Vec::new();
    for (name, source, tree) in outer_trees {
        if let Some(expression) = Expression::from_tree(&tree, &source, &outer, functions, &explain, diagnostics) {
            let mut column = Column::required(&name.value, expression.column_type.clone());
            column.nullable = expression.nullable;
            typed.push((column, expression));
        }
    }
    (calls.list, typed)
}

/// What to say of a column that is outside of every call and is not grouped by: message and hint.
fn explain_column(name: &str, groups: &[usize], input: &Schema) -> (String, String) {
    if input.index_of(name).is_some() {
        return (
            format!("`{name}` is neither grouped by nor inside an aggregate call"),
            format!("A group has many rows: add \"{name}\" to `group_by`, or say which value, as in min({name})."),
        );
    }
    let hint = match nearest(name, input.columns().iter().map(|column| column.name.as_str())) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => {
            let names: Vec<&str> = groups.iter().map(|at| input.columns()[*at].name.as_str()).collect();
            format!("Outside of aggregate calls the columns are those of `group_by`: {}.", names.join(", "))
        }
    };
    (format!("there is no column `{name}`"), hint)
}

#[cfg(test)]
mod tests;
