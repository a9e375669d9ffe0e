//! Numbers. Servers end a statement where one leaves its range; SQLite goes on with a double, so that a statement there asks.
//!
//! Exact numbers in SQLite are the integers that stand for them, of at most 18 digits.

use super::{Said, Writer};
use crate::{
    ColumnType,
    sql::{
        Dialect,
        view::scalar::{Literal, Operation, Scalar},
    },
    value_text::DOUBLE_DECIMAL_DIGITS,
};

/// The digits that always fit into 64 bits.
const INTEGER_DIGITS: u32 = 18;
/// The digits of an exact number of ours.
const DIGITS_MAX: u32 = 38;
/// The places that a server has after the point.
const SERVER_SCALE_MAX: u32 = 30;
/// The digits of an exact number of a server.
const SERVER_DIGITS_MAX: u32 = 65;
/// Places by which a dividend is longer than need be: the servers cut a quotient after a multiple of nine places, and what is
/// cut must lie after the place that decides about rounding.
const GUARD_PLACES: u32 = 9;

/// How a quotient of integers is brought to its places.
#[derive(Clone, Copy, Debug)]
pub(in crate::sql::view) struct Shift {
    /// Digits before the shift.
    pub(in crate::sql::view) precision: u32,
    /// Places before it.
    pub(in crate::sql::view) scale: u32,
    /// Digits after it.
    pub(in crate::sql::view) to_precision: u32,
    /// Places after it.
    pub(in crate::sql::view) to_scale: u32,
}

/// What ends a statement in SQLite: there is no positive counterpart.
const SQLITE_ERROR: &str = "abs(-9223372036854775808)";

fn power(digits: u32) -> String {
    format!("1{}", "0".repeat(digits as usize))
}

impl Writer {
    /// A number that SQLite would let leave its range.
    pub(super) fn ranged(&self, text: String, of: &ColumnType) -> Said {
        if !self.is_sqlite() {
            return Ok(text);
        }
        Ok(match of {
            ColumnType::Float64 => {
                format!("CASE WHEN abs({text}) > 1.7976931348623157e308 THEN {SQLITE_ERROR} ELSE {text} END")
            }
            _ => format!("CASE WHEN typeof({text}) = 'real' THEN {SQLITE_ERROR} ELSE {text} END"),
        })
    }

    pub(super) fn arithmetic(&self, operation: &Operation, left: &Scalar, right: &Scalar, scalar: &Scalar) -> Said {
        let symbol = match operation {
            Operation::Plus => "+",
            Operation::Minus => "-",
            Operation::Times => "*",
            _ => return self.divide(left, right, scalar),
        };
        let is_decimal = matches!(scalar.of, ColumnType::Decimal { .. });
        if !is_decimal {
            let (left, right) = (self.worked(left)?, self.worked(right)?);
            let text = match (self.dialect, operation, &scalar.of) {
                // MariaDB does not see that 0 less the least integer is none.
                (Dialect::MariaDb, Operation::Minus, ColumnType::Int64) => format!("({left} + (- {right}))"),
                _ => format!("({left} {symbol} {right})"),
            };
            return self.ranged(text, &scalar.of);
        }
        let whole = |side: &Scalar| side.digits().saturating_sub(side.scale());
        let (whole, scale) = match operation {
            Operation::Times => (whole(left) + whole(right), left.scale() + right.scale()),
            _ => (whole(left).max(whole(right)) + 1, left.scale().max(right.scale())),
        };
        let digits_max = if self.is_sqlite() { INTEGER_DIGITS } else { DIGITS_MAX };
        if whole + scale > digits_max || scale > SERVER_SCALE_MAX || scale != scalar.scale() {
            return Err(self.unsayable(format!("an exact number of {} digits", whole + scale)));
        }
        let (left, right) = match operation {
            Operation::Times => (self.worked(left)?, self.worked(right)?),
            _ => self.aligned(left, right)?,
        };
        Ok(format!("({left} {symbol} {right})"))
    }

    /// Two numbers of which one is exact, as values that compare: in SQLite with as many places.
    pub(super) fn aligned(&self, left: &Scalar, right: &Scalar) -> Result<(String, String), super::Unsayable> {
        let scale = left.scale().max(right.scale());
        Ok((self.with_places(left, scale)?, self.with_places(right, scale)?))
    }

    /// An exact number or an integer with so many places, not fewer than it has.
    pub(super) fn with_places(&self, scalar: &Scalar, scale: u32) -> Said {
        let (worked, more) = (self.worked(scalar)?, scale - scalar.scale());
        if !self.is_sqlite() || more == 0 {
            return Ok(worked);
        }
        if scalar.digits() + more > INTEGER_DIGITS {
            return Err(self.unsayable(format!("an exact number of {} digits", scalar.digits() + more)));
        }
        Ok(format!("({worked} * {})", power(more)))
    }

    /// Whether it is 0 in no row.
    fn is_never_zero(&self, scalar: &Scalar) -> bool {
        use crate::sql::view::scalar::Form;
        match &scalar.form {
            Form::Literal(Literal::Int(value)) => *value != 0,
            Form::Literal(Literal::Decimal(value)) => *value != 0,
            Form::Literal(Literal::Float(value)) => *value != 0.0,
            Form::Column(name) => self.call(name).is_some_and(|call| call.never_zero),
            Form::Call(Operation::Convert, arguments) => arguments.iter().all(|value| self.is_never_zero(value)),
            _ => false,
        }
    }

    fn divide(&self, left: &Scalar, right: &Scalar, scalar: &Scalar) -> Said {
        if !self.is_never_zero(right) {
            return Err(self.unsayable("a division by what may be 0"));
        }
        let (a, b) = (self.worked(left)?, self.worked(right)?);
        let ColumnType::Decimal { precision, .. } = scalar.of else {
            return self.ranged(format!("({a} / {b})"), &scalar.of);
        };
        let small = |literal: &Literal| {
            matches!(literal, Literal::Int(1..=1_000_000_000) | Literal::Decimal(1..=1_000_000_000))
        };
        if self.is_sqlite() && (right.scale() > 0 || right.literal().is_some_and(|literal| !small(literal))) {
            return Err(self.unsayable("a quotient by a number with a point, or one that is not from 1 to 10^9"));
        }
        let shift = Shift {
            precision: left.digits(),
            scale: left.scale(),
            to_precision: precision.into(),
            to_scale: scalar.scale(),
        };
        self.quotient(&a, &b, shift)
    }

    /// An exact quotient, rounded half away from zero. In SQLite both are integers, and the divisor is positive.
    pub(in crate::sql::view) fn quotient(&self, a: &str, b: &str, shift: Shift) -> Said {
        let Shift { precision, scale, to_precision, to_scale } = shift;
        if self.is_sqlite() {
            let (k, twice) = (power(to_scale - scale), power(to_scale - scale).replacen('1', "2", 1));
            // The whole part, and what is left, so that neither leaves 64 bits where the quotient does not.
            let text = format!(
                "(({a} / {b}) * {k} + (({a} % {b}) * {twice} + CASE WHEN {a} < 0 THEN - {b} ELSE {b} END) / (2 * {b}))"
            );
            return match to_precision <= INTEGER_DIGITS {
                true => Ok(text),
                false => self.ranged(text, &ColumnType::Int64),
            };
        }
        let (long_precision, long_scale) = (precision + GUARD_PLACES, scale + GUARD_PLACES);
        if long_precision > SERVER_DIGITS_MAX || long_scale > SERVER_SCALE_MAX || to_scale > SERVER_SCALE_MAX {
            return Err(self.unsayable(format!("a quotient of {to_scale} places")));
        }
        Ok(format!(
            "CAST(CAST({a} AS DECIMAL({long_precision}, {long_scale})) / {b} AS DECIMAL({to_precision}, {to_scale}))"
        ))
    }

    /// An exact number rounded half away from zero to so many places, not more than it has.
    pub(super) fn rounded(&self, value: &Scalar, places: u32) -> Said {
        let (text, less) = (self.worked(value)?, value.scale() - places);
        if !self.is_sqlite() {
            return Ok(format!("ROUND({text}, {places})"));
        }
        if less == 0 {
            return Ok(text);
        }
        let half = power(less - 1).replacen('1', "5", 1);
        self.ranged(
            format!("(({text} + CASE WHEN {text} < 0 THEN -{half} ELSE {half} END) / {})", power(less)),
            &ColumnType::Int64,
        )
    }

    /// A column of a table in SQLite, as it is computed with.
    pub(super) fn of_stored(&self, name: &str, of: &ColumnType) -> Said {
        let column = self.dialect.identifier(name);
        let ColumnType::Decimal { precision, scale } = of else { return Ok(column) };
        let scale = u32::from(scale.unsigned_abs());
        match (*precision <= DOUBLE_DECIMAL_DIGITS, scale) {
            (true, 0) => Ok(format!("CAST({column} AS INTEGER)")),
            (true, _) => Ok(format!("CAST(round({column} * {}.0) AS INTEGER)", power(scale))),
            (false, _) if u32::from(*precision) > INTEGER_DIGITS => {
                Err(self.unsayable(format!("an exact number of {precision} digits")))
            }
            (false, _) => Ok(format!("CAST(replace({column}, '.', '') AS INTEGER)")),
        }
    }

    /// An exact number in SQLite, as a table keeps it: a double. One that is kept as a text is for
    /// [`Writer::wide_text`].
    pub(super) fn to_stored(&self, scalar: &Scalar) -> Said {
        if self.is_wide(scalar) {
            return Err(self.unsayable("an exact number of more than 15 digits"));
        }
        let worked = self.worked(scalar)?;
        Ok(match scalar.scale() {
            0 => format!("CAST({worked} AS REAL)"),
            scale => format!("({worked} / {}.0)", power(scale)),
        })
    }

    /// Whether it is an exact number that SQLite keeps as a text, and not a column that holds one already.
    pub(in crate::sql::view) fn is_wide(&self, scalar: &Scalar) -> bool {
        let is_stored = matches!(&scalar.form, super::Form::Column(name) if self.call(name).is_none());
        let is_null = scalar.literal() == Some(&Literal::Null);
        let is_wide = matches!(scalar.of, ColumnType::Decimal { precision, .. } if precision > DOUBLE_DECIMAL_DIGITS);
        self.is_sqlite() && is_wide && !is_stored && !is_null
    }

    /// The text by which SQLite keeps an exact number that is in a column as an integer.
    pub(in crate::sql::view) fn wide_text(&self, name: &str, scale: u32) -> String {
        let (column, k) = (self.dialect.identifier(name), power(scale));
        if scale == 0 {
            return format!("CAST({column} AS TEXT)");
        }
        format!(
            "CASE WHEN {column} IS NOT NULL THEN printf('%s%d.%0{scale}d', CASE WHEN {column} < 0 THEN '-' ELSE '' END, \
             abs({column} / {k}), abs({column} % {k})) END"
        )
    }
}
