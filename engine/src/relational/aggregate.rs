//! Plans an `aggregate`: finds the aggregate calls in its columns, and types what they are applied to and what is made of
//! their results.

use std::{collections::BTreeMap, mem};

use sqlparser::{
    ast::{
        DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Spanned as _, Value,
    },
    tokenizer::Span,
};
use vardelta_schemas::{Column, ColumnType, Schema};

use super::{AggregateCall, AggregateFunction, AggregateSpec};
use crate::{
    contract::options::{NamedTexts, Spanned},
    diagnostics::Diagnostics,
    expression::{
        Expression,
        depth::with_room,
        functions::{Functions, Known, known},
        parse, resolve,
        spans::Source,
        walk::children_mut,
    },
    suggest::{listed, nearest},
};

/// The aggregate functions, as they are written.
const AVAILABLE: &str = "count, sum, avg, min, max, bool_and and bool_or";

/// The same, with the other names that two of them have.
const KEPT: &[&str] = &["count", "sum", "avg", "mean", "min", "max", "bool_and", "every", "bool_or"];

/// Plans an aggregate over rows of `input`: one row per distinct value of the columns `group_by` (one row in all where
/// there are none), with `columns` computed from it. Everything that is wrong is reported.
pub fn plan_aggregate(
    group_by: &[Spanned<String>],
    columns: &NamedTexts,
    input: &Schema,
    functions: &Functions,
    diagnostics: &mut Diagnostics,
) -> Option<AggregateSpec> {
    let before = diagnostics.len();
    let groups = group_columns(group_by, input, diagnostics);
    let group_names: Vec<&str> = groups.iter().map(|at| input.columns()[*at].name.as_str()).collect();
    check_names(columns, &group_names, diagnostics);
    let (calls, typed) = with_room(|| plan_columns(columns, &groups, input, functions, diagnostics));
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
fn group_columns(group_by: &[Spanned<String>], input: &Schema, diagnostics: &mut Diagnostics) -> Vec<usize> {
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
        let mut extract = Extract { source: &source, input, functions, calls: &mut calls, diagnostics };
        extract.walk(&mut tree);
        if diagnostics.len() == before {
            outer_trees.push((name, source, tree));
        }
    }
    let mut outer: Vec<Column> = groups.iter().map(|at| input.columns()[*at].clone()).collect();
    outer.extend(calls.list.iter().enumerate().map(|(at, call)| {
        let name = AggregateSpec::call_column(at);
        let counts = matches!(call.function, AggregateFunction::Count | AggregateFunction::CountDistinct);
        if counts { Column::required(name, call.result.clone()) } else { Column::nullable(name, call.result.clone()) }
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

/// What to say of a column that stands outside of every call and is not grouped by: message and hint.
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

/// The calls found so far, each once.
#[derive(Default)]
struct Calls {
    list: Vec<AggregateCall>,
    known: BTreeMap<(&'static str, Option<String>, Option<String>), usize>,
}

/// Replaces every aggregate call of a tree by the column of its result.
struct Extract<'a> {
    source: &'a Source<'a>,
    input: &'a Schema,
    functions: &'a Functions,
    calls: &'a mut Calls,
    diagnostics: &'a mut Diagnostics,
}

impl Extract<'_> {
    fn walk(&mut self, expr: &mut Expr) {
        if !self.extract(expr) {
            children_mut(expr).into_iter().for_each(|part| self.walk(part));
        }
    }

    /// Replaces an aggregate call; false for anything else. What is replaced is not walked into: its arguments have been
    /// compiled over the input.
    fn extract(&mut self, expr: &mut Expr) -> bool {
        let Expr::Function(function) = expr else { return false };
        let Some(name) = resolve::function_name(function) else { return false };
        // With OVER it is a window function, which is refused when the rest of the tree is looked at.
        if !matches!(known(&name, self.functions), Known::Aggregate) || function.over.is_some() {
            return false;
        }
        let span = function.name.span();
        let call = self.call(function, &name);
        let column = call.map_or(Expr::value(Value::Null), |call| {
            let mut column = Ident::with_quote('"', AggregateSpec::call_column(call));
            column.span = span;
            Expr::Identifier(column)
        });
        drop(mem::replace(expr, column));
        true
    }

    /// The place of a call in the list, added if it is new.
    fn call(&mut self, function: &Function, name: &str) -> Option<usize> {
        let span = function.name.span();
        if !KEPT.contains(&name) {
            let hint = format!("Available are {AVAILABLE}: those that can be kept up to date exactly.");
            return self.refuse(span, format!("the aggregate function `{name}` is not available"), &hint);
        }
        let FunctionArguments::List(list) = &function.args else {
            return self.refuse(span, format!("`{name}` is not called that way"), &example(name));
        };
        let bare = list.clauses.is_empty()
            && matches!(function.parameters, FunctionArguments::None)
            && function.null_treatment.is_none()
            && function.within_group.is_empty();
        let argument = match list.args.as_slice() {
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] if bare => Some(argument),
            [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)] if bare => None,
            _ => return self.refuse(span, format!("`{name}` is not called that way"), &example(name)),
        };
        let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        let aggregate = match (name, argument.is_some(), distinct) {
            ("count", _, false) => AggregateFunction::Count,
            ("count", true, true) => AggregateFunction::CountDistinct,
            ("sum", true, false) => AggregateFunction::Sum,
            ("avg" | "mean", true, false) => AggregateFunction::Avg,
            ("min", true, _) => AggregateFunction::Min,
            ("max", true, _) => AggregateFunction::Max,
            ("bool_and" | "every", true, _) => AggregateFunction::BoolAnd,
            ("bool_or", true, _) => AggregateFunction::BoolOr,
            ("sum" | "avg" | "mean", true, true) => {
                return self.refuse(
                    span,
                    format!("`{name}(DISTINCT …)` is not available"),
                    "Only count takes DISTINCT. Group by the value in an aggregate of its own first.",
                );
            }
            _ => return self.refuse(span, format!("`{name}` needs a value to be applied to"), &example(name)),
        };
        let key = (
            function_key(aggregate),
            argument.map(ToString::to_string),
            function.filter.as_ref().map(|filter| filter.to_string()),
        );
        if let Some(at) = self.calls.known.get(&key) {
            return Some(*at);
        }
        // Both are looked at before giving up, so that the problems of both are reported.
        let filter = function.filter.as_ref().map(|filter| self.filter(filter));
        let compiled = argument.map(|argument| self.compile(argument));
        let result = match (argument, &compiled) {
            (Some(argument), Some(Some(expression))) => self.result(aggregate, name, argument, expression)?,
            (Some(_), _) => return None,
            (None, _) => ColumnType::Int64,
        };
        let filter = match filter {
            Some(filter) => Some(filter?),
            None => None,
        };
        let at = self.calls.list.len();
        self.calls.list.push(AggregateCall { function: aggregate, argument: compiled.flatten(), filter, result });
        self.calls.known.insert(key, at);
        Some(at)
    }

    fn compile(&mut self, tree: &Expr) -> Option<Expression> {
        Expression::from_tree(tree, self.source, self.input, self.functions, &|_| None, self.diagnostics)
    }

    fn filter(&mut self, tree: &Expr) -> Option<Expression> {
        let filter = self.compile(tree)?;
        if filter.column_type != ColumnType::Bool {
            let message = format!("FILTER (WHERE …) needs a condition, and this is {}", filter.column_type);
            return self.refuse(tree.span(), message, "Compare it with something.");
        }
        Some(filter)
    }

    /// The type of a call's result, reporting an argument that the function does not take.
    fn result(
        &mut self,
        function: AggregateFunction,
        name: &str,
        tree: &Expr,
        argument: &Expression,
    ) -> Option<ColumnType> {
        use AggregateFunction as F;
        use ColumnType as T;
        let of = &argument.column_type;
        Some(match (function, of) {
            (F::Count, _) => T::Int64,
            (F::CountDistinct, of) if of.is_scalar() => T::Int64,
            (F::Min | F::Max, of) if of.is_scalar() => of.clone(),
            (F::Sum, T::Int64) => T::Int64,
            (F::Sum, T::Decimal { scale, .. }) => T::Decimal { precision: 38, scale: *scale },
            // 19 digits of an int64 and 4 after the point.
            (F::Avg, T::Int64) => T::Decimal { precision: 24, scale: 4 },
            // Four digits more, as far as 38 allow: the digits before the point are never cut.
            (F::Avg, T::Decimal { precision, scale }) => {
                let more = 4.min(38 - *precision);
                T::Decimal { precision: precision + more, scale: scale + more as i8 }
            }
            (F::Sum | F::Avg, T::Float64) => T::Float64,
            (F::BoolAnd | F::BoolOr, T::Bool) => T::Bool,
            _ => {
                let hint = match function {
                    F::Sum | F::Avg if *of == T::Bool => {
                        "To count the rows for which it is true, write count(*) FILTER (WHERE …)."
                    }
                    F::Sum | F::Avg => "It takes numbers: write CAST(… AS DOUBLE) around a text that holds one.",
                    F::BoolAnd | F::BoolOr => "It takes conditions, such as qual > 20.",
                    _ => "It takes single values: make a row of each item of the list first.",
                };
                return self.refuse(tree.span(), format!("`{name}` is applied to {of}"), hint);
            }
        })
    }

    fn refuse<T>(&mut self, span: Span, message: String, hint: &str) -> Option<T> {
        let place = self.source.place(span);
        self.diagnostics.error(place, message).hint(hint);
        None
    }
}

/// How a function is called, for hints.
fn example(name: &str) -> String {
    match name {
        "count" => {
            "Write count(*), count(x) or count(DISTINCT x), with FILTER (WHERE …) after it if need be.".to_string()
        }
        _ => format!("Write {name}(x), with FILTER (WHERE …) after it if need be."),
    }
}

/// Names a function for the comparison of calls.
fn function_key(function: AggregateFunction) -> &'static str {
    match function {
        AggregateFunction::Count => "count",
        AggregateFunction::CountDistinct => "count distinct",
        AggregateFunction::Sum => "sum",
        AggregateFunction::Avg => "avg",
        AggregateFunction::Min => "min",
        AggregateFunction::Max => "max",
        AggregateFunction::BoolAnd => "bool_and",
        AggregateFunction::BoolOr => "bool_or",
    }
}

#[cfg(test)]
mod tests;
