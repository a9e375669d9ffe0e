//! SQL text: the statements that make, change and read the sink's tables and the ledger.
//!
//! Identifiers are always quoted and values always bound, so no name or value of a pipeline can change the structure
//! of a statement. What differs between databases is a `match` on [`Dialect`]; what only one of them has (inspection,
//! session settings) has a module of its own.

pub mod ledger;
pub mod sqlite;
pub mod table;

use crate::ColumnType;

/// A database whose SQL is written here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite 3.37 (November 2021) or later: the first with `STRICT` tables.
    Sqlite,
}

/// What is bound to one parameter of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// The row's value of this column: an index into the table's columns.
    Column(usize),
    /// The epoch that changes the row.
    Epoch,
}

/// A statement that is prepared once and run row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowStatement {
    /// The text, with one `?` per parameter.
    pub text: String,
    /// What is bound to each `?`, in order.
    pub parameters: Vec<Parameter>,
}

impl Dialect {
    /// A name as an identifier: quoted, with the quotes in it doubled.
    pub fn identifier(self, name: &str) -> String {
        match self {
            Dialect::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    /// The declared type in which a column's values are kept.
    ///
    /// SQLite: its tables are `STRICT`, so the declared type is the type of every value, and only the five names that
    /// every driver and BI tool maps alike are declared (`DATE`, `BOOLEAN` and `DECIMAL(p,s)` are accepted outside
    /// `STRICT`, but mean nothing to SQLite, and drivers disagree on how to read such columns). Booleans are 0 and 1.
    /// A decimal of at most 15 digits is the nearest double, which reads back exactly and can be computed with; a wider
    /// one is text with all its places, which orders as text. Dates are ISO text, which orders by time.
    ///
    /// # Panics
    /// For a list, which never reaches a table.
    pub fn column_type(self, column_type: &ColumnType) -> &'static str {
        match self {
            Dialect::Sqlite => match column_type {
                ColumnType::Bool | ColumnType::Int64 => "INTEGER",
                ColumnType::Float64 => "REAL",
                ColumnType::Decimal { precision, .. } if *precision <= crate::value_text::DOUBLE_DECIMAL_DIGITS => {
                    "REAL"
                }
                ColumnType::Decimal { .. } | ColumnType::Text | ColumnType::Date => "TEXT",
                ColumnType::List(_) => unreachable!("the planner lets no list reach a table"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_cannot_end_their_quotes() {
        assert_eq!(Dialect::Sqlite.identifier("pos"), r#""pos""#);
        assert_eq!(Dialect::Sqlite.identifier(r#"a"; DROP TABLE x; --"#), r#""a""; DROP TABLE x; --""#);
        assert_eq!(Dialect::Sqlite.identifier(""), r#""""#);
    }

    #[test]
    fn types_of_sqlite() {
        let decimal = |precision| ColumnType::Decimal { precision, scale: 2 };
        for (column_type, expected) in [
            (ColumnType::Bool, "INTEGER"),
            (ColumnType::Int64, "INTEGER"),
            (ColumnType::Float64, "REAL"),
            (decimal(15), "REAL"),
            (decimal(16), "TEXT"),
            (ColumnType::Text, "TEXT"),
            (ColumnType::Date, "TEXT"),
        ] {
            assert_eq!(Dialect::Sqlite.column_type(&column_type), expected, "{column_type}");
        }
    }
}
