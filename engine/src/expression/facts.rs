//! What the text of a condition proves about columns: which of them cannot be NULL where it is true.

use std::collections::BTreeSet;

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};
use vardelta_schemas::Schema;

use crate::{
    contract::options::Spanned,
    diagnostics::Diagnostics,
    expression::{depth, parse, spans::Source},
};

/// The columns that are not NULL in any row for which the condition is true, as sorted indexes into the schema.
///
/// It looks at what joins conditions (AND, OR, parentheses), at `IS NOT NULL`, and at comparisons: SQL compares with NULL
/// to NULL, so `qual >= 20` is true only where `qual` is there. What it does not understand proves nothing, and a text
/// that does not parse neither; the answer may therefore leave out columns but never names a wrong one.
pub fn not_null_columns(sql: &str, schema: &Schema) -> Vec<usize> {
    depth::with_room(|| {
        let sql = Spanned { value: sql.to_owned(), span: 0..sql.len() };
        // Whoever compiles the condition reports what is wrong with it.
        match parse::parse(&Source::new(&sql), schema, &mut Diagnostics::default()) {
            Some(condition) => proven_by_truth(&condition, schema).into_iter().collect(),
            None => Vec::new(),
        }
    })
}

/// Columns that are not NULL where the condition is true.
fn proven_by_truth(condition: &Expr, schema: &Schema) -> BTreeSet<usize> {
    match condition {
        Expr::Nested(inner) | Expr::IsTrue(inner) => proven_by_truth(inner, schema),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            &proven_by_truth(left, schema) | &proven_by_truth(right, schema)
        }
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            &proven_by_truth(left, schema) & &proven_by_truth(right, schema)
        }
        Expr::IsNotNull(inner) | Expr::IsFalse(inner) | Expr::IsNotUnknown(inner) => null_makes_null(inner, schema),
        _ => null_makes_null(condition, schema),
    }
}

/// Columns of which a NULL makes the whole expression NULL.
fn null_makes_null(expression: &Expr, schema: &Schema) -> BTreeSet<usize> {
    match expression {
        Expr::Identifier(name) => schema.index_of(&name.value).into_iter().collect(),
        Expr::Nested(inner)
        | Expr::Cast { expr: inner, .. }
        | Expr::UnaryOp { op: UnaryOperator::Plus | UnaryOperator::Minus | UnaryOperator::Not, expr: inner } => {
            null_makes_null(inner, schema)
        }
        Expr::BinaryOp { left, op, right } if yields_null_for_null(op) => {
            &null_makes_null(left, schema) | &null_makes_null(right, schema)
        }
        // `x BETWEEN low AND high` can be false for a NULL bound, but never anything but NULL for a NULL `x`; the same
        // holds for `IN`.
        Expr::Between { expr, .. } | Expr::InList { expr, .. } => null_makes_null(expr, schema),
        Expr::Like { expr, pattern, any: false, .. }
        | Expr::ILike { expr, pattern, any: false, .. }
        | Expr::RLike { expr, pattern, .. } => &null_makes_null(expr, schema) | &null_makes_null(pattern, schema),
        _ => BTreeSet::new(),
    }
}

/// Whether the operator yields NULL as soon as one side is NULL. AND and OR do not; neither does what is not listed.
fn yields_null_for_null(operator: &BinaryOperator) -> bool {
    use BinaryOperator::{Divide, Eq, Gt, GtEq, Lt, LtEq, Minus, Modulo, Multiply, MyIntegerDivide, NotEq, Plus, Xor};
    matches!(
        operator,
        Eq | NotEq | Lt | LtEq | Gt | GtEq | Plus | Minus | Multiply | Divide | MyIntegerDivide | Modulo | Xor
    )
}

#[cfg(test)]
mod tests {
    use vardelta_schemas::{Column, ColumnType};

    use super::*;

    fn check(sql: &str, expected: &[&str]) {
        let names = ["qual", "filter", "gene_symbol", "pos"];
        let schema = Schema::new(names.iter().map(|name| Column::nullable(*name, ColumnType::Text)).collect());
        let found: Vec<&str> = not_null_columns(sql, &schema).into_iter().map(|at| names[at]).collect();
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn conjuncts_prove_their_columns() {
        check("qual >= 20 AND filter = 'PASS' AND gene_symbol IS NOT NULL", &["qual", "filter", "gene_symbol"]);
        check("(qual >= 20) AND (pos + 1 < 7)", &["qual", "pos"]);
        check("\"qual\" >= 20", &["qual"]);
        check("gene_symbol LIKE 'BRCA%' AND pos BETWEEN 1 AND 9", &["gene_symbol", "pos"]);
        check("filter NOT IN ('a', 'b')", &["filter"]);
        check("NOT (qual = 3)", &["qual"]);
        check("CAST(qual AS BIGINT) > 3", &["qual"]);
        check("filter REGEXP '^q' AND qual DIV 2 > 1", &["qual", "filter"]);
        check("(qual > 1) XOR (pos > 1)", &["qual", "pos"]);
    }

    #[test]
    fn alternatives_prove_what_all_of_them_prove() {
        check("qual > 20 OR qual < 5", &["qual"]);
        check("qual > 20 OR filter = 'PASS'", &[]);
        check("(qual > 20 AND pos > 1) OR (qual IS NOT NULL AND filter = 'x')", &["qual"]);
    }

    #[test]
    fn what_can_be_true_for_null_proves_nothing() {
        check("qual IS NULL", &[]);
        check("coalesce(qual, 30) > 20", &[]);
        check("NOT (qual > 20 AND pos > 1)", &[]);
        check("qual IS NOT DISTINCT FROM pos", &[]);
        check("(qual > 1) IS NOT TRUE", &[]);
        check("CASE WHEN qual IS NULL THEN true END", &[]);
        check("QUAL > 1", &[]);
        check("qual >= ", &[]);
        check("1 IN (qual, pos)", &[]);
        check("qual <=> pos", &[]);
    }
}
