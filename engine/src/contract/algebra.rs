//! What a transform does as algebra, where it is one.

use vardelta_schemas::Column;

use crate::expression::Expression;

/// A transform whose output for a row a database can compute from that row.
#[derive(Clone, Debug)]
pub enum Algebra<'a> {
    /// The rows of which the condition is true.
    Filter(&'a Expression),
    /// These columns, each computed from the row.
    Select(Vec<(&'a Column, &'a Expression)>),
}
