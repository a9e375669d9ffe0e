//! Conditions that the database keeps, as the engine can judge them where it asks no database.

use crate::expression::Expression;

/// What must not be false of any row of a table.
#[derive(Clone, Debug)]
pub struct Check {
    /// The table.
    pub table: String,
    /// The condition as the pipeline file has it.
    pub said: String,
    /// The condition over the table's columns, of type bool.
    pub condition: Expression,
}
