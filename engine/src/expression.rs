//! SQL expressions over a stage's columns: typed when the pipeline is validated, vectorised when it runs.
//!
//! The language is SQL as DataFusion evaluates it, made strict:
//! - Column names are exact, upper and lower case count, and a name that is an SQL keyword (`filter`, `end`) needs no quotes.
//! - Text, numbers, booleans and dates are never converted into each other silently (but `||` and `concat` take anything,
//!   and a literal text may stand for a date).
//! - `least` and `greatest` are NULL where an argument is.
//! - Integers do not wrap, `/` of two integers drops the fraction, CAST fails where the value does not fit and TRY_CAST
//!   gives NULL. Each failure concerns its row alone.
//! - A CAST to DECIMAL rounds half away from zero; a float is scaled as a double first, so that what is rounded is the
//!   nearest double to the scaled value. FLOAT and REAL mean double.
//! - The value depends on the row alone: `now()`, `random()` and their kin are refused.

use std::{
    ops::{ControlFlow, Range},
    sync::Arc,
};

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::DataType;
use datafusion_common::DFSchema;
use datafusion_physical_expr::{PhysicalExpr, expressions::Column, utils::collect_columns};
use datafusion_sql::sqlparser::ast::{self, Spanned as _};
use vardelta_schemas::{ColumnType, Schema};

use self::{spans::Source, types::Problem};
use crate::{
    contract::{options::Spanned, reason::Reason},
    diagnostics::Diagnostics,
};

pub mod condition;
pub(crate) mod depth;
mod evaluate;
pub mod facts;
pub(crate) mod functions;
mod logic;
pub(crate) mod parse;
pub(crate) mod resolve;
pub(crate) mod spans;
#[cfg(test)]
mod tests;
mod types;

/// A typed expression, ready to be evaluated on batches laid out as the schema it was compiled against.
#[derive(Clone, Debug)]
pub struct Expression {
    /// The type of its values.
    pub column_type: ColumnType,
    /// Whether it may yield NULL.
    pub nullable: bool,
    physical: Arc<dyn PhysicalExpr>,
    arrow_type: DataType,
}

impl Expression {
    /// Parses, resolves and types an expression. Problems are reported at the place inside the pipeline file where
    /// they stand.
    pub fn compile(sql: &Spanned<String>, schema: &Schema, diagnostics: &mut Diagnostics) -> Option<Expression> {
        depth::with_room(|| {
            let source = Source::new(sql);
            let tree = parse::parse(&source, schema, diagnostics)?;
            Expression::from_tree(&tree, &source, schema, &|_| None, diagnostics)
        })
    }

    /// Resolves and types a syntax tree; `explain` may say more of a column that is not in the schema.
    pub(crate) fn from_tree(
        tree: &ast::Expr,
        source: &Source<'_>,
        schema: &Schema,
        explain: resolve::Explain<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Expression> {
        if !resolve::check(tree, source, schema, explain, diagnostics) {
            return None;
        }
        let typed =
            DFSchema::try_from(schema.to_arrow()).map_err(|error| (source.whole(), Problem::from(error))).and_then(
                |schema| types::type_tree(tree, &schema).map_err(|problem| innermost(tree, source, &schema, problem)),
            );
        let typed = match typed {
            Ok(typed) => typed,
            Err((place, problem)) => {
                let reported = diagnostics.error(place, problem.message);
                if let Some(hint) = problem.hint {
                    reported.hint(hint);
                }
                return None;
            }
        };
        let column_type = column_type(&typed.data_type, source.whole(), diagnostics)?;
        let arrow_type = column_type.to_arrow();
        let expression = Expression { column_type, nullable: typed.nullable, physical: typed.physical, arrow_type };
        expression.check_constant(source, diagnostics).then_some(expression)
    }

    /// If the expression is nothing but a column, that column's place in the schema.
    pub fn as_column(&self) -> Option<usize> {
        self.physical.downcast_ref::<Column>().map(Column::index)
    }

    /// Whether its value depends on this column of the schema.
    pub fn reads(&self, column: usize) -> bool {
        collect_columns(&self.physical).iter().any(|read| read.index() == column)
    }

    /// Evaluates the expression on every row. A row on which it fails (integer overflow, division by zero, a cast that
    /// does not hold the value, a float that is not finite) is in `failures`, and its value is NULL.
    pub fn evaluate(&self, batch: &RecordBatch) -> Evaluated {
        evaluate::evaluate(&self.physical, &self.arrow_type, self.nullable, batch)
    }

    /// Reports an expression without columns that fails: it would fail on every row.
    fn check_constant(&self, source: &Source<'_>, diagnostics: &mut Diagnostics) -> bool {
        if !collect_columns(&self.physical).is_empty() {
            return true;
        }
        let options = RecordBatchOptions::new().with_row_count(Some(1));
        let Ok(row) = RecordBatch::try_new_with_options(Schema::default().to_arrow(), Vec::new(), &options) else {
            return true;
        };
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

/// The place of the innermost part of a tree that has no type, and why it has none.
fn innermost(tree: &ast::Expr, source: &Source<'_>, schema: &DFSchema, problem: Problem) -> (Range<usize>, Problem) {
    let mut found = (source.place(tree.span()), problem);
    let _ = ast::visit_expressions(tree, |part| {
        // Parts are visited before what they hold, so nothing inside the last one that fails does.
        if let Err(problem) = types::type_tree(part, schema) {
            found = (source.place(part.span()), problem);
        }
        ControlFlow::<()>::Continue(())
    });
    found
}

/// The column type for values of an Arrow type, reporting those that no column can hold.
fn column_type(data_type: &DataType, place: Range<usize>, diagnostics: &mut Diagnostics) -> Option<ColumnType> {
    let found = ColumnType::from_arrow(data_type).filter(
        |found| !matches!(found, ColumnType::Decimal { precision, scale } if *scale < 0 || *scale as u8 > *precision),
    );
    if found.is_none() {
        let (message, hint) = match data_type {
            DataType::Null => ("this is always NULL and has no type".to_string(), "Write CAST(NULL AS TEXT), say."),
            DataType::Decimal256(..) | DataType::Decimal128(..) => (
                format!("the result is {data_type}, which no column can hold"),
                "Write CAST(… AS DECIMAL(38, 4)), say: at most 38 digits, and none of them beyond the precision.",
            ),
            DataType::Timestamp(..) | DataType::Date64 | DataType::Time32(_) | DataType::Time64(_) => {
                (format!("the result is {data_type}, which no column can hold"), "Write CAST(… AS DATE) or AS TEXT.")
            }
            _ => (format!("the result is {data_type}, which no column can hold"), "Write CAST(… AS …)."),
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
}

/// The values of an expression on a batch.
#[derive(Debug)]
pub struct Evaluated {
    /// A value per row, of [`Expression::column_type`].
    pub values: ArrayRef,
    /// Rows on which it failed, in order.
    pub failures: Vec<Failure>,
}

/// A row on which an expression failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The row.
    pub row: usize,
    /// Why: one of [`REASONS`].
    pub reason: &'static Reason,
    /// What exactly was wrong.
    pub detail: String,
}
