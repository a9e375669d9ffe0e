//! What a `join` computes: which columns must be equal, what each side keeps, and how an output row is put together.
//!
//! A join has two inputs; a chain of more is planned as several joins, each of which reads the one before it. An output row
//! is laid out so that nothing has to be decoded for it: its key is the left row's key followed by what the right row's key
//! has beyond the `on` columns, its value the left row's value followed by the right row's.

mod columns;
mod plan;

use vardelta_schemas::Schema;

pub use columns::{On, OneOrEach};
pub(crate) use plan::{NOT_UNIQUE_ADVICE, plan_joins};

use crate::choices;

choices! {
    /// What becomes of a left row that nothing on the right equals.
    pub enum How {
        /// It yields no row.
        Inner = "inner",
        /// It yields one row, with NULL in the right side's columns.
        Left = "left",
    }
}

/// A planned `join` of two inputs.
#[derive(Clone, Debug)]
pub struct JoinSpec {
    /// What becomes of a left row without a partner.
    pub how: How,
    /// The columns: the left side's, then the right side's without its `on` columns.
    pub schema: Schema,
    /// What tells one output row from every other: the left key, then the right key without the `on` columns. Indexes into
    /// the schema's columns.
    pub identity: Vec<usize>,
    /// The key of the output: the identity, where no column of it may be NULL for want of a partner.
    pub key: Option<Vec<usize>>,
    /// The first input.
    pub left: JoinSide,
    /// The second input.
    pub right: JoinSide,
    /// The joins of a chain that come before this one, in order. The planner makes stages of their own of them.
    pub earlier: Vec<JoinSpec>,
}

/// What a join takes of the rows of one input. All indexes are into the input's columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinSide {
    /// The columns that must equal those of the other side, in the order in which they are encoded.
    pub on: Vec<usize>,
    /// What tells rows of equal `on` columns apart and becomes part of the output's key.
    pub own_key: Vec<usize>,
    /// The other columns that the output has, in order.
    pub value: Vec<usize>,
    /// Whether the input is a table whose key is `on`: then the table's own state holds the side, and the join keeps none.
    pub is_shared: bool,
}

impl JoinSpec {
    /// A side by its place among the inputs.
    pub fn side(&self, port: usize) -> &JoinSide {
        if port == 0 { &self.left } else { &self.right }
    }
}

#[cfg(test)]
mod tests;
