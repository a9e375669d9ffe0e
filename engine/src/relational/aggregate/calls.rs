//! Finds the aggregate calls of an expression, and puts their results in their place.

use std::{collections::BTreeMap, mem};

use sqlparser::{
    ast::{
        Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName,
        OrderByExpr, Spanned as _, Value,
    },
    tokenizer::Span,
};
use vardelta_schemas::{ColumnType, Schema};

use super::{
    super::{
        AggregateCall, AggregateFunction as F, AggregateSpec, Concat,
        aggregate_manual::{example, is_ours, names},
    },
    results,
    written::{Written, order_of, percentile},
};
use crate::{
    diagnostics::Diagnostics,
    expression::{
        Expression, foreign,
        functions::{Functions, Known, known},
        resolve,
        spans::Source,
        walk::children_mut,
    },
    suggest::listed,
};

/// What is between the texts of a `group_concat` unless it is said: MySQL's.
const SEPARATOR: &str = ",";

/// The calls found so far, each once.
#[derive(Default)]
pub(super) struct Calls {
    pub list: Vec<AggregateCall>,
    known: BTreeMap<String, usize>,
}

/// Replaces every aggregate call of a tree by the column of its result.
pub(super) struct Extract<'a> {
    pub source: &'a Source<'a>,
    pub input: &'a Schema,
    pub functions: &'a Functions,
    pub concat_max_bytes: u64,
    pub calls: &'a mut Calls,
    pub diagnostics: &'a mut Diagnostics,
}

/// What a call means: the function, and the trees of its arguments.
type Meaning = (F, Vec<Expr>);

impl Extract<'_> {
    pub fn walk(&mut self, expr: &mut Expr) {
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
        let (aggregate, trees) = self.meaning(function, name)?;
        let texts: Vec<String> = trees.iter().chain(function.filter.as_deref()).map(ToString::to_string).collect();
        let key = format!("{aggregate:?} {} {texts:?}", function.filter.is_some());
        if let Some(at) = self.calls.known.get(&key) {
            return Some(*at);
        }
        // All are looked at before giving up, so that the problems of all are reported.
        let filter = function.filter.as_ref().map(|filter| self.filter(filter));
        let compiled: Vec<Option<Expression>> = trees.iter().map(|tree| self.compile(tree)).collect();
        let arguments = compiled.into_iter().collect::<Option<Vec<Expression>>>()?;
        let result = match results::result(&aggregate, &arguments) {
            Ok(result) => result,
            Err(at) => {
                let message = format!("`{name}` is applied to {}", arguments[at].column_type);
                return self.refuse(trees[at].span(), message, results::hint(&aggregate));
            }
        };
        let filter = match filter {
            Some(filter) => Some(filter?),
            None => None,
        };
        let at = self.calls.list.len();
        self.calls.list.push(AggregateCall { function: aggregate, arguments, filter, result });
        self.calls.known.insert(key, at);
        Some(at)
    }

    /// What a call means, reporting one that means nothing.
    fn meaning(&mut self, function: &Function, name: &str) -> Option<Meaning> {
        let span = function.name.span();
        if !is_ours(name) {
            let hint = match foreign::instead(name) {
                Some(instead) => instead.to_string(),
                None => format!("Available are {}: those that can be kept up to date exactly.", listed(names())),
            };
            return self.refuse(span, format!("the aggregate function `{name}` is not available"), &hint);
        }
        let Some(written) = Written::of(function) else {
            return self.refuse(span, format!("`{name}` is not called that way"), &example(name));
        };
        if written.is_star && name != "count" {
            return self.refuse(span, format!("`{name}` needs a value to be applied to"), &example(name));
        }
        let meaning = match name {
            "group_concat" if written.within.is_empty() => self.concat(&written)?,
            "percentile_cont" | "percentile_disc" => self.percentile(&written, name)?,
            _ if written.is_plain() => plain(&written, name),
            _ => None,
        };
        match meaning {
            Some(meaning) => Some(meaning),
            None if written.is_distinct && plain(&Written { is_distinct: false, ..written }, name).is_some() => self
                .refuse(
                    span,
                    format!("`{name}(DISTINCT …)` is not available"),
                    "DISTINCT is for count, sum, avg, min, max and group_concat. Let a `distinct` stage come before.",
                ),
            None => self.refuse(span, format!("`{name}` is not called that way"), &example(name)),
        }
    }

    /// A `group_concat`; `Some(None)` where it is not called that way, `None` after reporting.
    fn concat(&mut self, written: &Written<'_>) -> Option<Option<Meaning>> {
        if written.is_star || written.arguments.is_empty() {
            return Some(None);
        }
        let separator = match written.separator {
            None => SEPARATOR.to_string(),
            Some(value) => match &value.value {
                Value::SingleQuotedString(text) => text.clone(),
                _ => {
                    let message = "SEPARATOR is followed by a text in single quotes".to_string();
                    return self.refuse(value.span, message, &example("group_concat"));
                }
            },
        };
        for by in written.order {
            self.check_order(by)?;
        }
        for argument in &written.arguments {
            let of = self.compile(argument)?.column_type;
            if !of.is_scalar() {
                let hint = "Make a text of the list with list_join(list, ','), or a row of each item with `explode`.";
                return self.refuse(argument.span(), format!("`group_concat` is applied to {of}"), hint);
            }
        }
        let concat = Concat {
            distinct: written.is_distinct,
            order: written.order.iter().map(order_of).collect(),
            separator,
            max_bytes: self.concat_max_bytes,
        };
        let mut trees: Vec<Expr> = written.order.iter().map(|by| by.expr.clone()).collect();
        trees.push(joined(&written.arguments));
        Some(Some((F::GroupConcat(concat), trees)))
    }

    /// Reports what orders nothing.
    fn check_order(&mut self, by: &OrderByExpr) -> Option<()> {
        if by.with_fill.is_some() || matches!(by.expr, Expr::Value(_)) {
            let hint =
                "A number is not the place of an argument here. Name a column, or write an expression of columns.";
            return self.refuse(by.expr.span(), "this orders nothing: it is the same on every row".into(), hint);
        }
        Some(())
    }

    /// A percentile; `Some(None)` where it is not called that way, `None` after reporting.
    fn percentile(&mut self, written: &Written<'_>, name: &str) -> Option<Option<Meaning>> {
        let ([share], [by]) = (written.arguments.as_slice(), written.within) else { return Some(None) };
        if written.is_distinct || written.is_star || !written.order.is_empty() || written.separator.is_some() {
            return Some(None);
        }
        self.check_order(by)?;
        let descending = order_of(by).descending;
        match percentile(share, name == "percentile_cont", descending) {
            Some(percentile) => Some(Some((F::Percentile(percentile), vec![by.expr.clone()]))),
            None => {
                let message =
                    format!("`{name}` takes a share from 0 to 1, a number of at most 18 digits after the point");
                self.refuse(share.span(), message, &example(name))
            }
        }
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

    fn refuse<T>(&mut self, span: Span, message: String, hint: &str) -> Option<T> {
        let place = self.source.place(span);
        self.diagnostics.error(place, message).hint(hint);
        None
    }
}

/// The calls that have nothing but arguments.
fn plain(written: &Written<'_>, name: &str) -> Option<Meaning> {
    let arguments = written.arguments.as_slice();
    let function = match (name, arguments.len(), written.is_distinct) {
        ("count", 0, false) if written.is_star => F::Count,
        ("count", 1, false) => F::Count,
        ("count", 1.., true) => F::CountDistinct,
        ("count_if" | "countif", 1, false) => F::CountIf,
        ("sum", 1, false) => F::Sum,
        ("sum", 1, true) => F::SumDistinct,
        ("avg" | "mean", 1, false) => F::Avg,
        ("avg" | "mean", 1, true) => F::AvgDistinct,
        ("var_pop" | "variance", 1, false) => F::VarPop,
        ("var_samp", 1, false) => F::VarSamp,
        ("std" | "stddev" | "stddev_pop", 1, false) => F::StddevPop,
        ("stddev_samp", 1, false) => F::StddevSamp,
        ("min", 1, _) | ("any_value", 1, false) => F::Min,
        ("max", 1, _) => F::Max,
        ("bool_and" | "every", 1, _) => F::BoolAnd,
        ("bool_or", 1, _) => F::BoolOr,
        ("min_by", 2, false) => F::MinBy,
        ("max_by", 2, false) => F::MaxBy,
        ("median", 1, false) => F::Percentile(super::super::Percentile {
            interpolates: true,
            descending: false,
            numerator: 1,
            denominator: 2,
        }),
        _ => return None,
    };
    let mut trees: Vec<Expr> = arguments.iter().map(|argument| (*argument).clone()).collect();
    // `max_by(x, y)`: what decides comes first.
    if matches!(function, F::MinBy | F::MaxBy) {
        trees.reverse();
    }
    Some((function, trees))
}

/// The text of the arguments one after the other, NULL where one is: `concat(…)`.
fn joined(arguments: &[&Expr]) -> Expr {
    let mut name = Ident::new("concat");
    name.span = arguments.first().map_or_else(Span::empty, |argument| argument.span());
    let argument = |tree: &&Expr| FunctionArg::Unnamed(FunctionArgExpr::Expr((*tree).clone()));
    Expr::Function(Function {
        name: ObjectName::from(vec![name]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.iter().map(argument).collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
