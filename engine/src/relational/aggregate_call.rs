//! The aggregate functions as data: what a call computes, of what, and what of a group's values it has to know.

use arrow_schema::SortOptions;
use vardelta_schemas::ColumnType;

use crate::expression::Expression;

/// An aggregate function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AggregateFunction {
    /// Rows, or rows where the argument is not NULL.
    Count,
    /// Distinct values that are not NULL; with several arguments distinct combinations of which none is NULL.
    CountDistinct,
    /// Rows on which a condition is true.
    CountIf,
    /// The exact sum, of booleans how many are true; NULL of nothing.
    Sum,
    /// The exact sum of the distinct values; NULL of nothing.
    SumDistinct,
    /// The exact sum over the count; NULL of nothing.
    Avg,
    /// The exact sum of the distinct values over their number; NULL of nothing.
    AvgDistinct,
    /// The mean of the squared distances from the mean; NULL of nothing.
    VarPop,
    /// Their sum by one less than the count; NULL of one value and of nothing.
    VarSamp,
    /// The root of `VarPop`.
    StddevPop,
    /// The root of `VarSamp`.
    StddevSamp,
    /// The least value; NULL of nothing.
    Min,
    /// The greatest value; NULL of nothing.
    Max,
    /// The value of the row with the least other value: arguments are that one and the value.
    MinBy,
    /// The value of the row with the greatest other value: arguments are that one and the value.
    MaxBy,
    /// Whether all are true; NULL of nothing.
    BoolAnd,
    /// Whether one is true; NULL of nothing.
    BoolOr,
    /// The texts one after the other: arguments are what they are ordered by, and the text.
    GroupConcat(Concat),
    /// The value at a share of the way through the group's values; NULL of nothing.
    Percentile(Percentile),
}

/// How the texts of a group are put together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Concat {
    /// Whether a text that comes again is left out.
    pub distinct: bool,
    /// The directions of what the texts are ordered by.
    pub order: Vec<Order>,
    /// What is between two texts.
    pub separator: String,
    /// Bytes of the whole, beyond which the group is rejected.
    pub max_bytes: u64,
}

/// Which place among a group's values in order is meant: a share, which is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Percentile {
    /// Whether a place between two values is interpolated; otherwise it is always a value of the group.
    pub interpolates: bool,
    /// Whether the values are in descending order.
    pub descending: bool,
    /// The share is this by [`Percentile::denominator`], 0 to 1.
    pub numerator: u64,
    /// A power of ten up to 10^18, or 2.
    pub denominator: u64,
}

/// A direction of order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Order {
    /// Whether the greatest comes first.
    pub descending: bool,
    /// Whether NULL comes before every value.
    pub nulls_first: bool,
}

impl Order {
    /// From the least on, NULL last.
    const ASCENDING: Order = Order { descending: false, nulls_first: false };
    /// From the greatest on, NULL last.
    const DESCENDING: Order = Order { descending: true, nulls_first: false };

    /// The same for `arrow-row`.
    pub(crate) fn sort_options(self) -> SortOptions {
        SortOptions { descending: self.descending, nulls_first: self.nulls_first }
    }
}

/// What of a group's values a call has to know, beside sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nothing: sums are all.
    Nothing,
    /// How often each is there, so that the sums take each once.
    Distinct,
    /// The first in order.
    First,
    /// All, in order.
    All,
    /// The last of the lower part and the first of the upper one.
    Halves(Percentile),
}

/// One aggregate call.
#[derive(Clone, Debug)]
pub struct AggregateCall {
    /// The function.
    pub function: AggregateFunction,
    /// What it is applied to; none for `count(*)`.
    pub arguments: Vec<Expression>,
    /// `FILTER (WHERE …)`.
    pub filter: Option<Expression>,
    /// The type of the result.
    pub result: ColumnType,
}

impl AggregateFunction {
    /// What of a group's values the function has to know.
    pub fn kept(&self) -> Kept {
        use AggregateFunction as F;
        match self {
            F::Count | F::CountIf | F::Sum | F::Avg => Kept::Nothing,
            F::VarPop | F::VarSamp | F::StddevPop | F::StddevSamp => Kept::Nothing,
            F::BoolAnd | F::BoolOr => Kept::Nothing,
            F::CountDistinct | F::SumDistinct | F::AvgDistinct => Kept::Distinct,
            F::Min | F::Max | F::MinBy | F::MaxBy => Kept::First,
            F::GroupConcat(_) => Kept::All,
            F::Percentile(percentile) => Kept::Halves(*percentile),
        }
    }

    /// Whether it counts: its result is never NULL.
    pub fn counts(&self) -> bool {
        matches!(self, AggregateFunction::Count | AggregateFunction::CountDistinct | AggregateFunction::CountIf)
    }
}

impl AggregateCall {
    /// The first argument.
    pub fn argument(&self) -> Option<&Expression> {
        self.arguments.first()
    }

    /// In which direction each argument orders the values that the call keeps: the wanted one comes first.
    pub fn orders(&self) -> Vec<Order> {
        match &self.function {
            AggregateFunction::Max => vec![Order::DESCENDING],
            AggregateFunction::MaxBy => vec![Order::DESCENDING, Order::ASCENDING],
            AggregateFunction::GroupConcat(concat) => concat.order.iter().copied().chain([Order::ASCENDING]).collect(),
            _ => vec![Order::ASCENDING; self.arguments.len()],
        }
    }

    /// Whether a row on which this argument is NULL is left out.
    pub fn leaves_out(&self, argument: usize) -> bool {
        match &self.function {
            AggregateFunction::MinBy | AggregateFunction::MaxBy => argument == 0,
            AggregateFunction::GroupConcat(_) => argument + 1 == self.arguments.len(),
            _ => true,
        }
    }
}

impl Percentile {
    /// How many of `count` values, the least first, belong to the lower part: the last of them is the value at the place, or
    /// the one below it.
    pub(crate) fn lower(self, count: u64) -> u64 {
        let Some(last) = count.checked_sub(1) else { return 0 };
        let (numerator, denominator) = (u128::from(self.numerator), u128::from(self.denominator));
        if self.interpolates {
            return (numerator * u128::from(last) / denominator) as u64 + 1;
        }
        let place = ((numerator * u128::from(count)).div_ceil(denominator) as u64).max(1);
        if self.descending { count - place + 1 } else { place }
    }

    /// How far the place of an interpolated percentile lies from the value below it to the one above: in parts of
    /// [`Percentile::denominator`].
    pub(crate) fn between(self, count: u64) -> u64 {
        let last = u128::from(count.saturating_sub(1));
        (u128::from(self.numerator) * last % u128::from(self.denominator)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_standard() {
        let disc = |numerator, descending| Percentile { interpolates: false, descending, numerator, denominator: 100 };
        // The first value whose share of the values up to it is not below the share that is asked for.
        let places = |percentile: Percentile| (0..=5).map(|count| percentile.lower(count)).collect::<Vec<_>>();
        assert_eq!(places(disc(0, false)), [0, 1, 1, 1, 1, 1]);
        assert_eq!(places(disc(50, false)), [0, 1, 1, 2, 2, 3]);
        assert_eq!(places(disc(51, false)), [0, 1, 2, 2, 3, 3]);
        assert_eq!(places(disc(100, false)), [0, 1, 2, 3, 4, 5]);
        assert_eq!(places(disc(0, true)), [0, 1, 2, 3, 4, 5]);
        assert_eq!(places(disc(50, true)), [0, 1, 2, 2, 3, 3]);
        let median = Percentile { interpolates: true, descending: false, numerator: 1, denominator: 2 };
        assert_eq!(places(median), [0, 1, 1, 2, 2, 3]);
        assert_eq!([1, 2, 3, 4].map(|count| median.between(count)), [0, 1, 0, 1]);
        let tail = Percentile { numerator: 999_999_999_999_999_999, denominator: 10_u64.pow(18), ..median };
        assert_eq!(tail.lower(u64::MAX), 18_446_744_073_709_551_596);
    }
}
