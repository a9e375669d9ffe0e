//! The parts of a syntax tree. Only forms that the language has are walked into; whatever else the parser knows is refused
//! as a whole.

use sqlparser::ast::{
    AccessExpr, Expr, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, Subscript,
};

macro_rules! parts {
    ($name:ident, $doc:literal, $iter:ident, $as_deref:ident $(, $mutable:tt)?) => {
        #[doc = $doc]
        pub(crate) fn $name(tree: & $($mutable)? Expr) -> Vec<& $($mutable)? Expr> {
            match tree {
                Expr::Nested(one)
                | Expr::UnaryOp { expr: one, .. }
                | Expr::IsTrue(one)
                | Expr::IsNotTrue(one)
                | Expr::IsFalse(one)
                | Expr::IsNotFalse(one)
                | Expr::IsNull(one)
                | Expr::IsNotNull(one)
                | Expr::IsUnknown(one)
                | Expr::IsNotUnknown(one)
                | Expr::Cast { expr: one, .. }
                | Expr::Convert { expr: one, .. }
                | Expr::Extract { expr: one, .. }
                | Expr::Ceil { expr: one, .. }
                | Expr::Floor { expr: one, .. }
                | Expr::Collate { expr: one, .. } => vec![one],
                Expr::Interval(interval) => vec![& $($mutable)? interval.value],
                Expr::BinaryOp { left: one, right: two, .. }
                | Expr::IsDistinctFrom(one, two)
                | Expr::IsNotDistinctFrom(one, two)
                | Expr::Position { expr: one, r#in: two }
                | Expr::RLike { expr: one, pattern: two, .. }
                | Expr::Like { expr: one, pattern: two, .. }
                | Expr::ILike { expr: one, pattern: two, .. } => vec![one, two],
                Expr::Between { expr, low, high, .. } => vec![expr, low, high],
                Expr::InList { expr, list, .. } => {
                    let mut all: Vec<& $($mutable)? Expr> = vec![expr];
                    all.extend(list.$iter());
                    all
                }
                Expr::Substring { expr, substring_from, substring_for, .. } => {
                    let mut all: Vec<& $($mutable)? Expr> = vec![expr];
                    all.extend(substring_from.$as_deref());
                    all.extend(substring_for.$as_deref());
                    all
                }
                Expr::Trim { expr, trim_what, .. } => {
                    let mut all: Vec<& $($mutable)? Expr> = vec![expr];
                    all.extend(trim_what.$as_deref());
                    all
                }
                Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                    let mut all: Vec<& $($mutable)? Expr> = vec![expr, overlay_what, overlay_from];
                    all.extend(overlay_for.$as_deref());
                    all
                }
                Expr::Case { operand, conditions, else_result, .. } => {
                    let mut all: Vec<& $($mutable)? Expr> = Vec::new();
                    all.extend(operand.$as_deref());
                    for branch in conditions.$iter() {
                        all.push(& $($mutable)? branch.condition);
                        all.push(& $($mutable)? branch.result);
                    }
                    all.extend(else_result.$as_deref());
                    all
                }
                Expr::CompoundFieldAccess { root, access_chain } => {
                    let mut all: Vec<& $($mutable)? Expr> = vec![root];
                    for access in access_chain.$iter() {
                        if let AccessExpr::Subscript(Subscript::Index { index }) = access {
                            all.push(index);
                        }
                    }
                    all
                }
                Expr::Function(function) => {
                    let mut all: Vec<& $($mutable)? Expr> = Vec::new();
                    if let FunctionArguments::List(list) = & $($mutable)? function.args {
                        for argument in list.args.$iter() {
                            if let FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) = argument {
                                all.push(argument);
                            }
                        }
                        for clause in list.clauses.$iter() {
                            if let FunctionArgumentClause::OrderBy(order) = clause {
                                all.extend(order.$iter().map(|by| & $($mutable)? by.expr));
                            }
                        }
                    }
                    all.extend(function.within_group.$iter().map(|by| & $($mutable)? by.expr));
                    all.extend(function.filter.$as_deref());
                    all
                }
                _ => Vec::new(),
            }
        }
    };
}

parts!(children, "The expressions directly inside one, in the order in which they are written.", iter, as_deref);
parts!(children_mut, "As [`children`], to be replaced.", iter_mut, as_deref_mut, mut);
