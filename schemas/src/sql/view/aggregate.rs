//! Calls of aggregate functions in a dialect's words.

use super::{
    Aggregate, Call, Unsayable,
    express::{Finished, Shift, Writer},
    scalar::{Scalar, scale_of},
};
use crate::{ColumnType, sql::Dialect};

/// The digits of a sum.
const SUM_DIGITS: u32 = 38;
/// A little more than twice the relative error of one operation on doubles, 2^-53.
const TWICE_ROUNDING: &str = "2.3e-16";

/// A call over a group, and by how much a result that is inexact may be off. `writer` writes expressions over the rows, and
/// `is_grouped` says that a group has a row.
pub(super) fn call(writer: &Writer, call: &Call, is_grouped: bool) -> Result<(Finished, Option<String>), Unsayable> {
    let filter = call.filter.as_ref().map(|filter| writer.worked(filter)).transpose()?;
    let filtered = |value: String| match &filter {
        Some(filter) => format!("CASE WHEN {filter} THEN {value} END"),
        None => value,
    };
    let exact = |worked: String| (Finished { worked, never_zero: false, is_inexact: false }, None);
    let Some(argument) = &call.argument else {
        let worked = if filter.is_some() { format!("COUNT({})", filtered("1".into())) } else { "COUNT(*)".into() };
        let never_zero = is_grouped && filter.is_none();
        return Ok((Finished { worked, never_zero, is_inexact: false }, None));
    };
    let is_float = argument.of == ColumnType::Float64;
    let value = match (call.function, &argument.of) {
        (_, ColumnType::Text) => writer.text(argument)?,
        (Aggregate::Count | Aggregate::CountDistinct, _) => writer.stored_or_worked(argument)?,
        _ => writer.worked(argument)?,
    };
    let value = filtered(value);
    let count =
        || -> Result<String, Unsayable> { Ok(format!("COUNT({})", filtered(writer.stored_or_worked(argument)?))) };
    Ok(match call.function {
        Aggregate::Count => exact(format!("COUNT({value})")),
        // 0 has two forms.
        Aggregate::CountDistinct if is_float => return Err(writer.unsayable("a count of distinct doubles")),
        Aggregate::CountDistinct => exact(format!("COUNT(DISTINCT {value})")),
        Aggregate::Min => exact(format!("MIN({value})")),
        Aggregate::Max => exact(format!("MAX({value})")),
        Aggregate::Sum | Aggregate::Average if is_float => inexact(call.function, &value),
        Aggregate::Sum => exact(sum(writer, argument, &value)),
        Aggregate::Average => {
            let ColumnType::Decimal { precision, .. } = call.result else {
                return Err(writer.unsayable("an average that is no exact number"));
            };
            let shift = Shift {
                precision: SUM_DIGITS,
                scale: argument.scale(),
                to_precision: precision.into(),
                to_scale: scale_of(&call.result),
            };
            exact(writer.quotient(&format!("SUM({value})"), &count()?, shift)?)
        }
    })
}

/// The exact sum. Servers make a DECIMAL of a sum of integers.
fn sum(writer: &Writer, argument: &Scalar, value: &str) -> String {
    match (writer.dialect, &argument.of) {
        (Dialect::MySql | Dialect::MariaDb, ColumnType::Int64) => format!("CAST(SUM({value}) AS SIGNED)"),
        _ => format!("SUM({value})"),
    }
}

/// A sum, or average, of doubles. Each of n additions rounds; what is lost is at most n times the rounding of the sum of the
/// absolute values.
fn inexact(function: Aggregate, value: &str) -> (Finished, Option<String>) {
    let (name, per) = match function {
        Aggregate::Average => ("AVG", format!(" / COUNT({value})")),
        _ => ("SUM", String::new()),
    };
    let tolerance = format!("SUM(ABS({value})) * (COUNT({value}) + 2) * {TWICE_ROUNDING}{per}");
    (Finished { worked: format!("{name}({value})"), never_zero: false, is_inexact: true }, Some(tolerance))
}
