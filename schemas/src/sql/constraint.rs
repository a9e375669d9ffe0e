//! Constraints of a sink table: what must hold, in the line of CREATE TABLE that says so.

use super::{Dialect, condition::Condition};

/// What the name of every constraint that vardelta makes begins with.
pub const PREFIX: &str = "vardelta_";

/// A constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// Stands for what it says and for its table: two constraints that differ in either have different ones. At most 32
    /// characters.
    pub tag: String,
    /// It as the pipeline file has it, for messages.
    pub said: String,
    /// What must hold.
    pub rule: Rule,
}

/// What must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A condition is not false.
    Check(Condition),
    /// The values of these columns, where none is NULL, are those of a row of another table.
    Reference {
        /// The columns, by name.
        columns: Vec<String>,
        /// The other table.
        table: String,
        /// Its columns.
        to: Vec<String>,
    },
}

impl Constraint {
    /// The line of CREATE TABLE, under this name.
    pub(super) fn declared(&self, dialect: Dialect, name: &str) -> String {
        let list = |names: &[String]| names.iter().map(|name| dialect.identifier(name)).collect::<Vec<_>>().join(", ");
        let name = dialect.identifier(name);
        match &self.rule {
            Rule::Check(condition) => format!("CONSTRAINT {name} CHECK ({})", condition.sql(dialect)),
            Rule::Reference { columns, table, to } => format!(
                "CONSTRAINT {name} FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE RESTRICT ON UPDATE RESTRICT",
                list(columns),
                dialect.identifier(table),
                list(to)
            ),
        }
    }
}
