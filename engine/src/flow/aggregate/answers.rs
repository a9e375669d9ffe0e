//! The results of one call over many groups, as a column.

use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef, StringArray,
    cast::AsArray as _,
    types::{Decimal128Type, Float64Type, Int64Type},
};
use arrow_schema::DataType;
use vardelta_schemas::ColumnType;

use super::{Encoding, concat::text_of, hydration::GroupRow};
use crate::{
    contract::reason::Reason,
    error::RunError,
    expression::OVERFLOW,
    relational::{
        AggregateCall, AggregateFunction, Concat, Kept, Percentile,
        accumulate::{Layout, Scalar, scalar_array},
        aggregate_reasons::CONCAT_TOO_LONG,
    },
};

/// A group without a result: its place, why, and what exactly was wrong.
type Failures = Vec<(usize, &'static Reason, String)>;

/// How the results of a call are made of its groups' cells and of what its values say.
pub(crate) struct Answers {
    call: usize,
    result: ColumnType,
    from: From,
}

enum From {
    Cells,
    /// The last column of a value.
    Value(Encoding),
    /// Two values, encoded in equally many bytes, as numbers are.
    Between(Encoding, Percentile),
    Text(Concat),
}

impl Answers {
    /// Those of a call, which is the `at`-th of its aggregate.
    pub fn new(at: usize, call: &AggregateCall) -> Result<Answers, RunError> {
        let encoding =
            || Encoding::of(call)?.ok_or_else(|| RunError::internal("a call that keeps values encodes none"));
        let from = match (call.function.kept(), &call.function) {
            (Kept::Nothing | Kept::Distinct, _) => From::Cells,
            (_, AggregateFunction::GroupConcat(concat)) => From::Text(concat.clone()),
            (Kept::Halves(percentile), _) if percentile.interpolates => From::Between(encoding()?, percentile),
            (Kept::First | Kept::All | Kept::Halves(_), _) => From::Value(encoding()?),
        };
        Ok(Answers { call: at, result: call.result.clone(), from })
    }

    /// The results over these groups.
    pub fn column(&self, layout: &Layout, groups: &[GroupRow]) -> Result<(ArrayRef, Failures), RunError> {
        let answers = || groups.iter().map(|group| group.known.answer(self.call));
        match &self.from {
            From::Cells => {
                let result = |group: &GroupRow| {
                    layout.finish(self.call, group.known.cells.values()).map(Option::unwrap_or_default)
                };
                Ok(self.scalars(groups.iter().map(result)))
            }
            From::Value(encoding) => {
                let columns = encoding.decode(answers())?;
                let column = columns.into_iter().next_back();
                Ok((column.ok_or_else(|| RunError::internal("a value without a column"))?, Vec::new()))
            }
            From::Between(encoding, percentile) => {
                let halves = |answer: &[u8]| answer.len() / 2;
                let low = answers().map(|answer| answer.map(|answer| &answer[..halves(answer)]));
                let high = answers().map(|answer| answer.map(|answer| &answer[halves(answer)..]));
                let (low, high) = (encoding.decode(low)?, encoding.decode(high)?);
                let (Some(low), Some(high)) = (low.first(), high.first()) else {
                    return Err(RunError::internal("a value without a column"));
                };
                let result = |row: usize| {
                    let (low, high) = (scalar(low, row), scalar(high, row));
                    layout.interpolate((self.call, *percentile), groups[row].known.cells.values(), low, high)
                };
                Ok(self.scalars((0..groups.len()).map(result)))
            }
            From::Text(concat) => {
                let mut failures = Failures::new();
                let texts = answers().enumerate().map(|(row, answer)| {
                    let text = text_of(answer?);
                    if text.is_none() {
                        let detail = format!("its text has more than {} bytes", concat.max_bytes);
                        failures.push((row, CONCAT_TOO_LONG, detail));
                    }
                    text
                });
                let column: StringArray = texts.collect();
                Ok((Arc::new(column), failures))
            }
        }
    }

    fn scalars(
        &self,
        results: impl Iterator<Item = Result<Scalar, crate::relational::accumulate::ResultTooLarge>>,
    ) -> (ArrayRef, Failures) {
        let mut failures = Failures::new();
        let values: Vec<Scalar> = results
            .enumerate()
            .map(|(row, result)| {
                result.unwrap_or_else(|error| {
                    failures.push((row, OVERFLOW, error.to_string()));
                    Scalar::Null
                })
            })
            .collect();
        (scalar_array(&values, &self.result), failures)
    }
}

/// A number of a column.
fn scalar(column: &ArrayRef, row: usize) -> Scalar {
    if column.is_null(row) {
        return Scalar::Null;
    }
    match column.data_type() {
        DataType::Int64 => Scalar::Int(column.as_primitive::<Int64Type>().value(row)),
        DataType::Decimal128(..) => Scalar::Decimal(column.as_primitive::<Decimal128Type>().value(row)),
        DataType::Float64 => Scalar::Float(column.as_primitive::<Float64Type>().value(row)),
        _ => Scalar::Null,
    }
}
