//! CASE and its kin: values of which one is taken.

use sqlparser::ast::CaseWhen;

use super::*;

impl Planner<'_> {
    pub(super) fn case(
        &self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
        span: Span,
    ) -> Result<Typed, Problem> {
        let operand = operand.map(|operand| self.plan(operand)).transpose()?;
        let mut whens = Vec::with_capacity(conditions.len());
        let mut values = Vec::with_capacity(conditions.len() + 1);
        for branch in conditions {
            whens.push(match &operand {
                None => self.condition(&branch.condition)?,
                Some(operand) => {
                    let value = self.plan(&branch.condition)?;
                    self.compare(Comparison::Equal, operand.clone(), value, branch.condition.span())?
                }
            });
            values.push(self.plan(&branch.result)?);
        }
        if let Some(otherwise) = otherwise {
            values.push(self.plan(otherwise)?);
        }
        let mut values = unify(values, span)?;
        let otherwise = if values.len() > whens.len() { values.pop() } else { None };
        Ok(choose(whens.into_iter().zip(values).collect(), otherwise))
    }

    /// The first that is not NULL.
    pub(super) fn coalesce(&self, values: Vec<Typed>, span: Span) -> Result<Typed, Problem> {
        let values = unify(values, span)?;
        let of = values[0].of.clone();
        let nullable = values.iter().all(|value| value.nullable);
        // What comes after a value that is never NULL is never asked for.
        let needed = values.iter().position(|value| !value.nullable).map_or(values.len(), |at| at + 1);
        let values: Vec<Typed> = values.into_iter().take(needed).collect();
        let fails = values.iter().any(|value| value.fails);
        Ok(match <[Typed; 1]>::try_from(values) {
            Ok([value]) => value,
            Err(values) => Typed { node: Node::Coalesce(values), of, nullable, fails },
        })
    }

    /// NULL where both are equal.
    pub(super) fn null_if(&self, value: Typed, other: Typed, span: Span) -> Result<Typed, Problem> {
        let equal = self.compare(Comparison::Equal, value.clone(), other, span)?;
        let of = value.of.clone();
        Ok(Typed { nullable: true, ..choose(vec![(equal, Typed::null(of))], Some(value)) })
    }
}

/// The first value whose condition is true.
pub(super) fn choose(branches: Vec<(Typed, Typed)>, otherwise: Option<Typed>) -> Typed {
    let of = branches[0].1.of.clone();
    let values = || branches.iter().map(|(_, value)| value).chain(&otherwise);
    let nullable = otherwise.is_none() || values().any(|value| value.nullable);
    let fails = values().any(|value| value.fails) || branches.iter().any(|(condition, _)| condition.fails);
    Typed { node: Node::Case { branches, otherwise: otherwise.map(Box::new) }, of, nullable, fails }
}

/// Values in the one type that they meet in.
pub(super) fn unify(values: Vec<Typed>, span: Span) -> Result<Vec<Typed>, Problem> {
    let has_date = values.iter().any(|value| matches!(value.of, Type::Date | Type::DateTime));
    let mut met = Vec::with_capacity(values.len());
    let mut of = Type::Null;
    for value in values {
        let value = match value.as_text() {
            Some(text) if has_date => dates::of_text(text, span)?,
            _ => value,
        };
        // A number in the text needs no more digits than it has.
        let own = literal_digits(&value).unwrap_or_else(|| value.of.clone());
        of = match (common(&of, &own), &of) {
            (Some(of), _) => of,
            (None, before) => return Err(Problem::mixed(span, before, &value.of)),
        };
        met.push(value);
    }
    if met.iter().all(|value| value.of == Type::Int || value.of == Type::Null) && of != Type::Null {
        of = Type::Int;
    }
    Ok(met.into_iter().map(|value| widen(value, &of)).collect())
}

/// The decimal type of an integer in the text.
fn literal_digits(value: &Typed) -> Option<Type> {
    use arrow_array::{Array as _, cast::AsArray as _, types::Int64Type};
    let array = value.as_constant().filter(|array| value.of == Type::Int && array.is_valid(0))?;
    let digits =
        array.as_primitive::<Int64Type>().value(0).unsigned_abs().checked_ilog10().map_or(1, |log| log as u8 + 1);
    Some(Type::decimal(digits, 0))
}
