//! An aggregate call as it is written: what is between its parentheses and after them.

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments,
    OrderByExpr, Value, ValueWithSpan,
};

use super::super::{Order, Percentile};

/// A call's parts.
pub(super) struct Written<'a> {
    /// The arguments; none for a star.
    pub arguments: Vec<&'a Expr>,
    /// Whether the argument is a star.
    pub is_star: bool,
    /// Whether the arguments come after DISTINCT.
    pub is_distinct: bool,
    /// `ORDER BY` between the parentheses.
    pub order: &'a [OrderByExpr],
    /// `SEPARATOR`.
    pub separator: Option<&'a ValueWithSpan>,
    /// `WITHIN GROUP (ORDER BY …)`.
    pub within: &'a [OrderByExpr],
}

impl<'a> Written<'a> {
    /// The parts of a call; `None` where it has others than these.
    pub fn of(function: &'a Function) -> Option<Written<'a>> {
        let FunctionArguments::List(list) = &function.args else { return None };
        if !matches!(function.parameters, FunctionArguments::None) || function.null_treatment.is_some() {
            return None;
        }
        let mut written = Written {
            arguments: Vec::new(),
            is_star: false,
            is_distinct: list.duplicate_treatment == Some(DuplicateTreatment::Distinct),
            order: &[],
            separator: None,
            within: &function.within_group,
        };
        for argument in &list.args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => written.arguments.push(argument),
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if list.args.len() == 1 => written.is_star = true,
                _ => return None,
            }
        }
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::OrderBy(order) => written.order = order,
                FunctionArgumentClause::Separator(separator) => written.separator = Some(separator),
                _ => return None,
            }
        }
        Some(written)
    }

    /// Whether nothing is there but arguments.
    pub fn is_plain(&self) -> bool {
        self.order.is_empty() && self.separator.is_none() && self.within.is_empty()
    }
}

/// The direction that is written after what is ordered by. As in MySQL, NULL comes before every value, and so last in
/// descending order, unless it is said.
pub(in super::super) fn order_of(by: &OrderByExpr) -> Order {
    let descending = by.options.asc == Some(false);
    Order { descending, nulls_first: by.options.nulls_first.unwrap_or(!descending) }
}

/// A percentile by its share as it is written, an exact number from 0 to 1.
pub(super) fn percentile(share: &Expr, interpolates: bool, descending: bool) -> Option<Percentile> {
    let Expr::Value(ValueWithSpan { value: Value::Number(text, _), .. }) = share else { return None };
    let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
    if digits.len() > 18 {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part: u64 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let denominator = 10_u64.pow(digits.len() as u32);
    let numerator = whole.checked_mul(denominator)?.checked_add(part).filter(|numerator| *numerator <= denominator)?;
    // Between values it is all the same from which end the way is measured.
    let from_above = interpolates && descending;
    let numerator = if from_above { denominator - numerator } else { numerator };
    Some(Percentile { interpolates, descending: descending && !interpolates, numerator, denominator })
}
