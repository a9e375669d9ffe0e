//! Makes an executable expression strict: integers never wrap, and AND and OR evaluate their right side only on the rows
//! where the left side leaves the answer open.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use arrow_array::{Array as _, BooleanArray, RecordBatch, cast::AsArray as _};
use arrow_schema::{DataType, Schema};
use arrow_select::filter::filter_record_batch;
use datafusion_common::{
    DataFusionError, Result,
    tree_node::{Transformed, TransformedResult as _, TreeNode as _},
};
use datafusion_expr::{ColumnarValue, Operator};
use datafusion_physical_expr::{
    PhysicalExpr,
    expressions::{BinaryExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr, Literal, NotExpr},
};

/// Rebuilds an expression so that overflow is an error and guards hold.
pub(crate) fn harden(expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
    expr.transform_up(|expr| {
        let Some(binary) = expr.downcast_ref::<BinaryExpr>() else { return Ok(Transformed::no(expr)) };
        match binary.op() {
            Operator::Plus | Operator::Minus | Operator::Multiply => {
                Ok(Transformed::yes(Arc::new(binary.clone().with_fail_on_overflow(true))))
            }
            Operator::And | Operator::Or if !cannot_fail(binary.right()) => Ok(Transformed::yes(Arc::new(Guarded {
                left: binary.left().clone(),
                or: *binary.op() == Operator::Or,
                right: binary.right().clone(),
            }))),
            _ => Ok(Transformed::no(expr)),
        }
    })
    .data()
}

/// Whether an expression has a value on every row.
fn cannot_fail(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let total = match expr.downcast_ref::<BinaryExpr>() {
        Some(binary) => matches!(
            binary.op(),
            Operator::And
                | Operator::Or
                | Operator::Eq
                | Operator::NotEq
                | Operator::Lt
                | Operator::LtEq
                | Operator::Gt
                | Operator::GtEq
                | Operator::IsDistinctFrom
                | Operator::IsNotDistinctFrom
        ),
        None => {
            expr.is::<Column>()
                || expr.is::<Literal>()
                || expr.is::<NotExpr>()
                || expr.is::<IsNullExpr>()
                || expr.is::<IsNotNullExpr>()
                || expr.is::<InListExpr>()
                || expr.is::<LikeExpr>()
        }
    };
    total && expr.children().into_iter().all(cannot_fail)
}

/// `left AND right`, or `left OR right`, where `right` may fail.
///
/// DataFusion's own operator evaluates the right side on every row unless most rows are decided by the left one: right
/// for speed, wrong for `b <> 0 AND a / b > 2`.
#[derive(Debug, Clone, Eq)]
struct Guarded {
    left: Arc<dyn PhysicalExpr>,
    or: bool,
    right: Arc<dyn PhysicalExpr>,
}

// Written out because the derive moves trait objects out of their place (rust-lang/rust#78808).
impl PartialEq for Guarded {
    fn eq(&self, other: &Guarded) -> bool {
        self.or == other.or && self.left.eq(&other.left) && self.right.eq(&other.right)
    }
}

impl Hash for Guarded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.or.hash(state);
        self.left.hash(state);
        self.right.hash(state);
    }
}

impl fmt::Display for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} {} {})", self.left, if self.or { "OR" } else { "AND" }, self.right)
    }
}

impl PhysicalExpr for Guarded {
    fn data_type(&self, _schema: &Schema) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        Ok(self.left.nullable(schema)? || self.right.nullable(schema)?)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let rows = batch.num_rows();
        let left = booleans(self.left.evaluate(batch)?, rows)?;
        let open: BooleanArray = left.iter().map(|value| Some(value != Some(self.or))).collect();
        let open_rows = open.true_count();
        if open_rows == 0 {
            return Ok(ColumnarValue::Array(Arc::new(left)));
        }
        let right = if open_rows == rows {
            booleans(self.right.evaluate(batch)?, rows)?
        } else {
            booleans(self.right.evaluate(&filter_record_batch(batch, &open)?)?, open_rows)?
        };
        let mut answers = right.iter();
        let joined: BooleanArray = left
            .iter()
            .map(|value| match value {
                Some(decided) if decided == self.or => Some(decided),
                // TRUE AND x is x, NULL AND FALSE is FALSE, NULL AND anything else is NULL; OR is its mirror.
                Some(_) => answers.next().flatten(),
                None => answers.next().flatten().filter(|answer| *answer == self.or),
            })
            .collect();
        Ok(ColumnarValue::Array(Arc::new(joined)))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.left, &self.right]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        match <[Arc<dyn PhysicalExpr>; 2]>::try_from(children) {
            Ok([left, right]) => Ok(Arc::new(Guarded { left, or: self.or, right })),
            Err(_) => Err(DataFusionError::Internal("AND and OR have two sides".into())),
        }
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn booleans(value: ColumnarValue, rows: usize) -> Result<BooleanArray> {
    let array = value.into_array(rows)?;
    match array.data_type() {
        DataType::Boolean => Ok(array.as_boolean().clone()),
        DataType::Null => Ok(BooleanArray::new_null(rows)),
        other => Err(DataFusionError::Internal(format!("AND and OR of {other}"))),
    }
}
