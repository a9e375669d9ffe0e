//! SQL expressions over a stage's columns: typed when the pipeline is validated, vectorised when it runs.

use arrow_array::{ArrayRef, RecordBatch};
use vardelta_schemas::{ColumnType, Schema};

use crate::{diagnostics::Diagnostics, options::Spanned};

/// A typed expression, ready to be evaluated on batches laid out as the schema it was compiled against.
#[derive(Clone, Debug)]
pub struct Expression {
    /// The type of its values.
    pub column_type: ColumnType,
    /// Whether it may yield NULL.
    pub nullable: bool,
}

impl Expression {
    /// Parses, resolves and types an expression. Problems are reported at the place inside the pipeline file where
    /// they stand.
    pub fn compile(sql: &Spanned<String>, schema: &Schema, diagnostics: &mut Diagnostics) -> Option<Expression> {
        let _ = (sql, schema, diagnostics);
        None
    }

    /// If the expression is nothing but a column, that column's place in the schema.
    pub fn as_column(&self) -> Option<usize> {
        None
    }

    /// Evaluates the expression on every row. A row on which it fails (integer overflow, division by zero, a cast that
    /// does not hold the value, a float that is not finite) is in `failures`, and its value is NULL.
    pub fn evaluate(&self, batch: &RecordBatch) -> Evaluated {
        let _ = batch;
        unimplemented!()
    }
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
    /// The reason code: `overflow`, `division_by_zero`, `bad_cast`, `not_finite` or `expression_failed`.
    pub reason: &'static str,
    /// What exactly was wrong.
    pub detail: String,
}
