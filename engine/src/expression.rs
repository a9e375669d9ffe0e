//! SQL expressions over a stage's columns: typed when the pipeline is validated, vectorised when it runs.
//!
//! The language is SQL as MySQL means it, made strict; docs/expressions.md is its manual, made from the registry of
//! [`functions`].
//! - Column names are exact, upper and lower case count, and a name that is an SQL keyword (`filter`, `end`) needs no quotes.
//! - Text, numbers, booleans and dates are never converted into each other silently (but `||`, `concat` and the functions of
//!   texts take anything, and a literal text may stand for a date).
//! - Where MySQL errs silently, by a wrong number, a cut text or a NULL with a warning, the row is rejected with the reason.
//!   Each failure concerns its row alone.
//! - Texts compare byte by byte, as the tables' collations do.
//! - The value depends on the row alone: `now()`, `rand()` and their kin are refused.
//!
//! An expression is parsed ([`parse`], by the `sqlparser` crate in our [`dialect`]), its names are checked ([`resolve`]), it
//! is typed and made executable ([`plan`]), and evaluated on whole batches ([`node`]).

use std::ops::Range;

use arrow_array::{ArrayRef, RecordBatch};
use sqlparser::ast;
use vardelta_schemas::{
    ColumnType, Schema,
    sql::view::{Scalar, Unsayable},
};

use self::{
    functions::Functions,
    node::{Node, one_row},
    plan::Planner,
    spans::Source,
};
use crate::{
    contract::{options::Spanned, reason::Reason},
    diagnostics::Diagnostics,
};

mod arithmetic;
mod calendar;
pub mod call;
mod compare;
pub mod condition;
mod convert;
pub(crate) mod depth;
mod dialect;
mod evaluate;
mod exact;
pub mod example;
pub mod facts;
pub(crate) mod foreign;
pub mod functions;
mod like;
pub mod manual;
mod node;
pub mod operators;
pub(crate) mod parse;
mod plan;
pub(crate) mod resolve;
mod say;
pub(crate) mod spans;
mod syntax;
#[cfg(test)]
mod tests;
mod types;
pub(crate) mod walk;

pub use self::{
    node::{Run, Typed},
    types::Type,
};

/// A typed expression, ready to be evaluated on batches laid out as the schema it was compiled against.
#[derive(Clone, Debug)]
pub struct Expression {
    /// The type of its values.
    pub column_type: ColumnType,
    /// Whether it may yield NULL.
    pub nullable: bool,
    typed: Typed,
}

impl Expression {
    /// Parses, resolves and types an expression. Problems are reported at the place inside the pipeline file where
    /// they stand.
    pub fn compile(sql: &Spanned<String>, schema: &Schema, diagnostics: &mut Diagnostics) -> Option<Expression> {
        Expression::compile_with(Functions::built_in(), sql, schema, diagnostics)
    }

    /// As [`Expression::compile`], with functions beside the built-in ones.
    pub fn compile_with(
        functions: &Functions,
        sql: &Spanned<String>,
        schema: &Schema,
        diagnostics: &mut Diagnostics,
    ) -> Option<Expression> {
        depth::with_room(|| {
            let source = Source::new(sql);
            let tree = parse::parse(&source, schema, diagnostics)?;
            Expression::from_tree(&tree, &source, schema, functions, &|_| None, diagnostics)
        })
    }

    /// Resolves and types a syntax tree; `explain` may say more of a column that is not in the schema.
    pub(crate) fn from_tree(
        tree: &ast::Expr,
        source: &Source<'_>,
        schema: &Schema,
        functions: &Functions,
        explain: resolve::Explain<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Expression> {
        if !resolve::check(tree, source, schema, functions, explain, diagnostics) {
            return None;
        }
        let typed = match (Planner { schema, functions }).plan(tree) {
            Ok(typed) => typed,
            Err(problem) => {
                let reported = diagnostics.error(source.place(problem.span), problem.message);
                if let Some(hint) = problem.hint {
                    reported.hint(hint);
                }
                return None;
            }
        };
        let column_type = column_type(&typed.of, source.whole(), diagnostics)?;
        let expression = Expression { column_type, nullable: typed.nullable, typed };
        expression.check_constant(source, diagnostics).then_some(expression)
    }

    /// If the expression is nothing but a column, that column's place in the schema.
    pub fn as_column(&self) -> Option<usize> {
        match self.typed.node {
            Node::Column(at) => Some(at),
            _ => None,
        }
    }

    /// What it says, apart from any database; columns by their names in the schema that it was compiled against.
    ///
    /// # Errors
    /// Where a part of it is nothing that databases know.
    pub fn scalar(&self, schema: &Schema) -> Result<Scalar, Unsayable> {
        say::scalar(&self.typed, schema)
    }

    /// Whether its value depends on this column of the schema.
    pub fn reads(&self, column: usize) -> bool {
        self.typed.reads(&|read| read == column)
    }

    /// Evaluates the expression on every row. A row on which it fails (integer overflow, division by zero, a cast that
    /// does not hold the value, a float that is not finite) is in `failures`, and its value is NULL.
    pub fn evaluate(&self, batch: &RecordBatch) -> Evaluated {
        evaluate::evaluate(&self.typed, batch)
    }

    /// Reports an expression without columns that fails: it would fail on every row.
    fn check_constant(&self, source: &Source<'_>, diagnostics: &mut Diagnostics) -> bool {
        let Some(row) = one_row().filter(|_| self.typed.is_constant()) else { return true };
        match self.evaluate(&row).failures.into_iter().next() {
            Some(failure) => {
                diagnostics
                    .error(source.whole(), format!("this expression fails on every row: {}", failure.detail))
                    .label(failure.reason.code());
                false
            }
            None => true,
        }
    }
}

/// The column type for values of a type, reporting those that no column can hold.
fn column_type(of: &Type, place: Range<usize>, diagnostics: &mut Diagnostics) -> Option<ColumnType> {
    let found = of.to_column();
    if found.is_none() {
        let (message, hint) = match of {
            Type::Null => ("this is always NULL and has no type".to_string(), "Write CAST(NULL AS CHAR), say."),
            Type::DateTime => (
                format!("the result is {of}, which no column can hold"),
                "Write CAST(… AS DATE), or date_format(…, '%Y-%m-%d %H:%i') for a text.",
            ),
            _ => (format!("the result is {of}, which no column can hold"), "Write CAST(… AS …)."),
        };
        diagnostics.error(place, message).hint(hint);
    }
    found
}

crate::reasons! {
    /// Why an expression can fail on a row: what every stage that computes expressions rejects rows for.
    pub REASONS:
    reject OVERFLOW = "overflow":
        "a number left the range of its type"
        => "CAST to a wider type, or limit the value with `least` or a filter";
    reject DIVISION_BY_ZERO = "division_by_zero":
        "an expression divided by zero"
        => "divide by `nullif(x, 0)` where a NULL is wanted";
    reject BAD_CAST = "bad_cast":
        "a value could not be converted as a CAST asks"
        => "use TRY_CAST where a NULL is wanted, or filter such values out";
    reject NOT_FINITE = "not_finite":
        "an expression gave a float that is NaN or infinite, which no database stores"
        => "limit the expression's arguments, for example with CASE or a filter";
    reject EXPRESSION_FAILED = "expression_failed":
        "an expression failed for another reason, which the detail says"
        => "read the detail, and correct the expression or filter such rows out";
    warning UNKNOWN_TERM = "unknown_term":
        "a function that knows a vocabulary met a term that is not part of it, and names it; what becomes of the value is described with the function"
        => "look the term up at its publisher, and write a CASE around the function until vardelta knows it";
}

/// The values of an expression on a batch.
#[derive(Debug)]
pub struct Evaluated {
    /// A value per row, of [`Expression::column_type`].
    pub values: ArrayRef,
    /// Rows on which it failed, in order.
    pub failures: Vec<Failure>,
    /// What it warns of on rows that have a value all the same, in order.
    pub warnings: Vec<Failure>,
}

/// A row on which an expression failed, or that it warns of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The row.
    pub row: usize,
    /// Why: one of [`REASONS`].
    pub reason: &'static Reason,
    /// What exactly was wrong; the term, where one is not known.
    pub detail: String,
}
