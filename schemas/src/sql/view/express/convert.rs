//! Conversions that mean the same in the dialect.

use super::{Said, Writer};
use crate::{ColumnType, sql::view::scalar::Scalar};

/// Digits before the point for which an integer has room, also where rounding adds one, must be fewer than these.
const WHOLE_DIGITS_MAX: u32 = 18;

impl Writer {
    /// `value` as one of `scalar`'s type.
    pub(super) fn convert(&self, value: &Scalar, scalar: &Scalar) -> Said {
        use ColumnType as T;
        let is_sqlite = self.is_sqlite();
        let worked = || self.worked(value);
        let refused = || self.unsayable(format!("a conversion of {} to {}", value.of, scalar.of));
        match (&value.of, &scalar.of) {
            (from, to) if from == to => Err(refused()),
            // Truth values are 0 and 1 everywhere.
            (T::Bool, T::Int64) => worked(),
            (T::Int64, T::Bool) => Ok(format!("({} <> 0)", worked()?)),
            (T::Int64, T::Float64) if is_sqlite => Ok(format!("CAST({} AS REAL)", worked()?)),
            (T::Int64 | T::Decimal { .. }, T::Float64) if !is_sqlite => Ok(format!("CAST({} AS DOUBLE)", worked()?)),
            (T::Decimal { precision: ..=15, .. }, T::Float64) if value.is_column() => self.stored(value),
            (T::Int64 | T::Bool | T::Date, T::Text) => {
                let to = if is_sqlite { "TEXT" } else { "CHAR" };
                Ok(format!("CAST({} AS {to})", worked()?))
            }
            // A zero that was computed may have a sign in MariaDB.
            (T::Decimal { .. }, T::Text) if !is_sqlite && value.is_column() => {
                Ok(format!("CAST({} AS CHAR)", worked()?))
            }
            (T::Int64 | T::Decimal { .. }, T::Decimal { precision, .. }) => {
                let (from, to) = (value.scale(), scalar.scale());
                let whole = value.digits().saturating_sub(from);
                if to < from || whole + to > u32::from(*precision) {
                    return Err(refused());
                }
                self.with_places(value, to)
            }
            (T::Decimal { precision, .. }, T::Int64) if u32::from(*precision) - value.scale() < WHOLE_DIGITS_MAX => {
                match is_sqlite {
                    true => self.rounded(value, 0),
                    false => Ok(format!("CAST({} AS SIGNED)", worked()?)),
                }
            }
            _ => Err(refused()),
        }
    }
}
