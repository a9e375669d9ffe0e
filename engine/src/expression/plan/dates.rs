//! Dates among other values: texts in the pipeline that are dates, intervals, differences.

use super::*;
use crate::expression::calendar::{self, DAY_US};

/// How dates are written.
pub(super) const WRITTEN: &str = "Dates are written as '2024-01-31'.";

/// The date, or date with a time, that a text in the pipeline is.
pub(super) fn literal(text: &str, of: &Type) -> Option<Typed> {
    let typed = Typed::constant(Arc::new(StringArray::from(vec![text])), Type::Text);
    convert(typed, &Target::from(of.clone()), Mode::Strict).filter(|typed| typed.as_constant().is_some())
}

/// A text in the pipeline as the date that it is, with its time if it has one other than midnight.
pub(super) fn of_text(text: &str, span: Span) -> Result<Typed, Problem> {
    let of = match calendar::read_datetime(text) {
        Some(micros) if micros.rem_euclid(DAY_US) != 0 => Type::DateTime,
        _ => Type::Date,
    };
    literal(text, &of).ok_or_else(|| Problem::new(span, format!("'{text}' is not a date"), WRITTEN))
}

/// Makes a date of a text in the pipeline that is compared with one.
pub(super) fn meet(left: Typed, right: Typed, span: Span) -> Result<(Typed, Typed), Problem> {
    let is_date = |typed: &Typed| matches!(typed.of, Type::Date | Type::DateTime);
    Ok(match (left.as_text(), right.as_text()) {
        (_, Some(text)) if is_date(&left) => {
            let date = of_text(text, span)?;
            (left, date)
        }
        (Some(text), _) if is_date(&right) => (of_text(text, span)?, right),
        _ => (left, right),
    })
}

/// The days between two dates.
pub(super) fn difference(left: &Typed, right: &Typed) -> Option<Typed> {
    let is_date = |typed: &Typed| matches!(typed.of, Type::Date | Type::DateTime);
    if !is_date(left) || !is_date(right) {
        return None;
    }
    let days = |typed: &Typed| convert(typed.clone(), &Target::from(Type::Date), Mode::Strict);
    let run: Run = Arc::new(|call: &Call<'_>| {
        call.ints(|row| Ok(i64::from(call.date(0).at(row)) - i64::from(call.date(1).at(row))))
    });
    Some(Typed::strict(run, vec![days(left)?, days(right)?], Type::Int, false))
}

impl Planner<'_> {
    /// A date shifted by an interval, or by a number of days.
    pub(super) fn shifted(&self, date: &Expr, by: &Expr, back: bool) -> Result<Typed, Problem> {
        let (count, unit) = match by {
            Expr::Interval(interval) => {
                let name = interval.leading_field.as_ref().map(|field| field.to_string().to_uppercase());
                let unit = name.as_deref().and_then(Unit::find).filter(|_| interval.last_field.is_none());
                let unit = unit.ok_or_else(|| {
                    Problem::new(
                        by.span(),
                        "this interval has no unit that is known",
                        "Write INTERVAL 1 DAY, with YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND or MICROSECOND.",
                    )
                })?;
                (self.plan(&interval.value)?, unit)
            }
            days => (self.plan(days)?, Unit::Days(1)),
        };
        // INTERVAL '1' DAY.
        let count = match count.as_text() {
            Some(_) => {
                convert(count, &Target::from(Type::Int), Mode::Strict).filter(|count| count.as_constant().is_some())
            }
            None => Some(count),
        };
        let count = count
            .filter(|count| matches!(count.of, Type::Int | Type::Null))
            .ok_or_else(|| Problem::new(by.span(), "an interval is an integer and a unit", "Write INTERVAL 1 DAY."))?;
        let value = self.plan(date)?;
        let value = match value.as_text() {
            Some(text) => of_text(text, date.span())?,
            None => value,
        };
        let of = match value.of {
            Type::Date if !unit.is_time() => Type::Date,
            Type::Date | Type::DateTime | Type::Null => Type::DateTime,
            _ => {
                return Err(Problem::new(
                    date.span(),
                    format!("an interval is added to {}", value.of),
                    "It is added to a date: write CAST(… AS DATE) around a text.",
                ));
            }
        };
        let run: Run = Arc::new(move |call: &Call<'_>| shift(call, unit, back));
        Ok(Typed::strict(run, vec![widen(value, &of), widen(count, &Type::Int)], of, true))
    }
}
