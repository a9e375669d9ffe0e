//! Expressions in a dialect's words.
//!
//! A value has two forms. *Stored* is how a table keeps it, and how statements hand it on; *worked* is how it is computed with. They
//! differ where SQLite keeps an exact number as a double or a text: there it is worked as an integer (see
//! [`numbers`]).

mod convert;
mod functions;
mod numbers;

use std::collections::BTreeMap;

use super::{
    Unsayable,
    scalar::{Comparison, Form, LikePart, Literal, Operation, Scalar},
};
use crate::{
    ColumnType,
    sql::{Dialect, mysql::text_collation},
    value_text::{write_date, write_decimal},
};

pub(super) use self::numbers::Shift;

type Said = Result<String, Unsayable>;

/// The result of an aggregate's call.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    /// In the form in which it is worked.
    pub(super) worked: String,
    /// Whether it can never be 0.
    pub(super) never_zero: bool,
    /// Whether the database computes it inexactly.
    pub(super) is_inexact: bool,
}

/// Writes expressions.
pub(super) struct Writer {
    pub(super) dialect: Dialect,
    calls: BTreeMap<String, Finished>,
}

impl Writer {
    /// For expressions over the columns of rows.
    pub(super) fn new(dialect: Dialect) -> Writer {
        Writer { dialect, calls: BTreeMap::new() }
    }

    /// For expressions over a group: its columns, and these calls by the names of their results.
    pub(super) fn over_calls(dialect: Dialect, calls: BTreeMap<String, Finished>) -> Writer {
        Writer { dialect, calls }
    }

    pub(super) fn call(&self, name: &str) -> Option<&Finished> {
        self.calls.get(name)
    }

    fn is_sqlite(&self) -> bool {
        self.dialect == Dialect::Sqlite
    }

    pub(super) fn unsayable(&self, what: impl std::fmt::Display) -> Unsayable {
        Unsayable::of(self.dialect, what)
    }

    /// The value as a table keeps it.
    pub(super) fn stored(&self, scalar: &Scalar) -> Said {
        let plain = matches!(&scalar.form, Form::Column(name) if self.call(name).is_none());
        match (&scalar.of, &scalar.form) {
            (_, Form::Column(name)) if plain => Ok(self.dialect.identifier(name)),
            (_, Form::Literal(Literal::Null)) => Ok("NULL".into()),
            (ColumnType::Text, _) => self.text(scalar),
            (ColumnType::Decimal { .. }, _) if self.is_sqlite() => self.to_stored(scalar),
            // The result of a call has its type.
            (_, Form::Column(_)) => self.worked(scalar),
            (ColumnType::Decimal { precision, scale }, _) => {
                Ok(format!("CAST({} AS DECIMAL({precision}, {scale}))", self.worked(scalar)?))
            }
            _ => self.worked(scalar),
        }
    }

    /// The value as it is computed with.
    pub(super) fn worked(&self, scalar: &Scalar) -> Said {
        match &scalar.form {
            Form::Column(name) => match self.call(name) {
                Some(call) if call.is_inexact => Err(Unsayable("something is computed from a sum of doubles".into())),
                Some(call) => Ok(call.worked.clone()),
                None if self.is_sqlite() => self.of_stored(name, &scalar.of),
                None => Ok(self.dialect.identifier(name)),
            },
            Form::Literal(literal) => self.literal(literal, scalar),
            Form::Call(operation, arguments) => self.operation(operation, arguments, scalar),
            Form::Logic { or, sides } => {
                let word = if *or { "OR" } else { "AND" };
                Ok(format!("({} {word} {})", self.worked(&sides[0])?, self.worked(&sides[1])?))
            }
            Form::Case { branches, otherwise } => {
                let mut text = String::from("CASE");
                for (condition, value) in branches {
                    text += &format!(" WHEN {} THEN {}", self.worked(condition)?, self.worked(value)?);
                }
                if let Some(otherwise) = otherwise {
                    text += &format!(" ELSE {}", self.worked(otherwise)?);
                }
                Ok(text + " END")
            }
            Form::Coalesce(values) => Ok(format!("COALESCE({})", self.list(values)?)),
        }
    }

    /// Values with commas between them, as they are computed with.
    fn list(&self, values: &[Scalar]) -> Said {
        let values: Result<Vec<String>, Unsayable> = values.iter().map(|value| self.worked(value)).collect();
        Ok(values?.join(", "))
    }

    /// A text that compares byte by byte. A column's collation sees to that; that of a literal, or of a number's text, is the
    /// connection's.
    pub(super) fn text(&self, scalar: &Scalar) -> Said {
        let worked = self.worked(scalar)?;
        let is_null = scalar.literal() == Some(&Literal::Null);
        match scalar.is_column() || is_null || self.is_sqlite() {
            true => Ok(worked),
            false => Ok(format!("({worked} COLLATE {})", text_collation(self.dialect))),
        }
    }

    fn literal(&self, literal: &Literal, scalar: &Scalar) -> Said {
        let signed = |text: String| if text.starts_with('-') { format!("({text})") } else { text };
        Ok(match literal {
            Literal::Null => "NULL".into(),
            Literal::Bool(true) => "TRUE".into(),
            Literal::Bool(false) => "FALSE".into(),
            Literal::Int(value) => signed(value.to_string()),
            // With an exponent it is a double everywhere.
            Literal::Float(value) => signed(format!("{value:e}")),
            Literal::Decimal(value) if self.is_sqlite() => match i64::try_from(*value) {
                Ok(value) => signed(value.to_string()),
                Err(_) => return Err(self.unsayable("an exact number of more than 18 digits")),
            },
            Literal::Decimal(value) => {
                let mut text = String::new();
                write_decimal(*value, i8::try_from(scalar.scale()).unwrap_or(0), &mut text);
                signed(text)
            }
            Literal::Text(text) if text.contains('\0') => return Err(self.unsayable("a text with a NUL in it")),
            Literal::Text(text) => self.dialect.text(text),
            Literal::Date(days) => {
                let mut text = String::new();
                if !write_date(*days, &mut text) {
                    return Err(self.unsayable("a date outside of the years 0 to 9999"));
                }
                if self.is_sqlite() { format!("'{text}'") } else { format!("DATE '{text}'") }
            }
        })
    }

    fn operation(&self, operation: &Operation, arguments: &[Scalar], scalar: &Scalar) -> Said {
        let not = |negated: bool, text: String| if negated { format!("(NOT {text})") } else { text };
        match (operation, arguments) {
            (Operation::Compare(comparison), [left, right]) => self.compare(*comparison, left, right),
            (Operation::NullSafe { negated }, [left, right]) => {
                let symbol = if self.is_sqlite() { "IS" } else { "<=>" };
                Ok(not(*negated, self.compared(symbol, left, right)?))
            }
            (Operation::In { items, negated }, [value]) => {
                let item = |item: &Literal| self.literal(item, value);
                let items: Result<Vec<String>, Unsayable> = items.iter().map(item).collect();
                let value = if value.of == ColumnType::Text { self.text(value)? } else { self.worked(value)? };
                Ok(not(*negated, format!("({value} IN ({}))", items?.join(", "))))
            }
            (Operation::IsNull { negated }, [value]) => {
                let word = if *negated { "IS NOT NULL" } else { "IS NULL" };
                Ok(format!("({} {word})", self.stored_or_worked(value)?))
            }
            (Operation::IsTruth { truth, negated }, [value]) => {
                let (not, truth) = (if *negated { " NOT" } else { "" }, if *truth { "TRUE" } else { "FALSE" });
                Ok(format!("({} IS{not} {truth})", self.worked(value)?))
            }
            (Operation::Not, [value]) => Ok(format!("(NOT {})", self.worked(value)?)),
            (Operation::Xor, [left, right]) => {
                // Truth values are 0 and 1.
                Ok(format!("({} <> {})", self.worked(left)?, self.worked(right)?))
            }
            (Operation::Plus | Operation::Minus | Operation::Times | Operation::Divide, [left, right]) => {
                self.arithmetic(operation, left, right, scalar)
            }
            (Operation::Negate, [value]) => self.ranged(format!("(- {})", self.worked(value)?), &scalar.of),
            (Operation::Like { parts, negated }, [value]) => Ok(not(*negated, self.like(value, parts)?)),
            (Operation::Convert, [value]) => self.convert(value, scalar),
            (Operation::Function(name), arguments) => self.function(name, arguments, scalar),
            _ => Err(self.unsayable("a part of it")),
        }
    }

    fn compare(&self, comparison: Comparison, left: &Scalar, right: &Scalar) -> Said {
        self.compared(comparison.symbol(), left, right)
    }

    fn compared(&self, symbol: &str, left: &Scalar, right: &Scalar) -> Said {
        if matches!((&left.of, &right.of), (ColumnType::Decimal { .. }, _) | (_, ColumnType::Decimal { .. })) {
            let (left, right) = self.aligned(left, right)?;
            return Ok(format!("({left} {symbol} {right})"));
        }
        // One column's collation decides for both sides.
        let has_collation = left.is_column() || right.is_column();
        let left = if left.of == ColumnType::Text && !has_collation { self.text(left)? } else { self.worked(left)? };
        Ok(format!("({left} {symbol} {})", self.worked(right)?))
    }

    /// The value in either form: for questions to which the form does not matter.
    pub(super) fn stored_or_worked(&self, scalar: &Scalar) -> Said {
        if scalar.is_column() { self.stored(scalar) } else { self.worked(scalar) }
    }

    fn like(&self, value: &Scalar, parts: &[LikePart]) -> Said {
        let (value, mut pattern) = (self.text(value)?, String::new());
        // SQLite's LIKE takes ASCII letters in upper and lower case for the same, GLOB does not.
        for part in parts {
            match (part, self.is_sqlite()) {
                (LikePart::One('\0'), _) => return Err(self.unsayable("a text with a NUL in it")),
                (LikePart::One(letter @ ('*' | '?' | '[')), true) => pattern += &format!("[{letter}]"),
                (LikePart::One(letter @ ('%' | '_' | '!')), false) => pattern.extend(['!', *letter]),
                (LikePart::One(letter), _) => pattern.push(*letter),
                (LikePart::AnyOne, is_sqlite) => pattern.push(if is_sqlite { '?' } else { '_' }),
                (LikePart::Any, is_sqlite) => pattern.push(if is_sqlite { '*' } else { '%' }),
            }
        }
        let pattern = self.dialect.text(&pattern);
        match self.is_sqlite() {
            true => Ok(format!("({value} GLOB {pattern})")),
            false => Ok(format!("({value} LIKE {pattern} ESCAPE '!')")),
        }
    }
}
