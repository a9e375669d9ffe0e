//! SQL text: the statements that make, change and read the sink's tables and the ledger.
//!
//! Identifiers are always quoted and values always bound, so no name or value of a pipeline can change the structure
//! of a statement. What differs between databases is a `match` on [`Dialect`]; what only one of them has (inspection,
//! session settings) has a module of its own.

pub mod answers;
pub mod condition;
pub mod constraint;
pub mod details;
pub mod erase;
pub mod form;
pub mod ledger;
pub mod ledger_migration;
pub mod marks;
pub mod migration;
pub mod mysql;
pub mod sqlite;
pub mod table;
pub mod typical;
pub mod unique;
pub mod view;

/// A database whose SQL is written here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite 3.37 (November 2021) or later: the first with `STRICT` tables.
    Sqlite,
    /// MySQL 8.0.19 (January 2020) or later: the first that names the row of an upsert.
    MySql,
    /// MariaDB 10.6 (July 2021) or later.
    MariaDb,
}

/// What is bound to one parameter of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// The row's value of this column: an index into the table's columns.
    Column(usize),
    /// The epoch that changes the row.
    Epoch,
    /// The time of that epoch.
    EpochTime,
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
    /// The database's name.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Sqlite => "SQLite",
            Dialect::MySql => "MySQL",
            Dialect::MariaDb => "MariaDB",
        }
    }

    /// A name as an identifier: quoted, with the quotes in it doubled.
    pub fn identifier(self, name: &str) -> String {
        match self {
            Dialect::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
            Dialect::MySql | Dialect::MariaDb => format!("`{}`", name.replace('`', "``")),
        }
    }

    /// A text as a literal, with what would end it doubled. A backslash means something in MySQL and MariaDB unless the
    /// connection says otherwise, which vardelta's does not.
    fn text(self, text: &str) -> String {
        let doubled = text.replace('\'', "''");
        match self {
            Dialect::Sqlite => format!("'{doubled}'"),
            Dialect::MySql | Dialect::MariaDb => format!("'{}'", doubled.replace('\\', "\\\\")),
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
        assert_eq!(Dialect::MySql.identifier("a`; DROP TABLE x; --"), "`a``; DROP TABLE x; --`");
        assert_eq!(Dialect::MariaDb.identifier("pos"), "`pos`");
    }
}
