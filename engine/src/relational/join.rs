//! What a `join` computes: which columns must be equal, what each side keeps, and how an output row is put together.
//!
//! A join has two inputs; a chain of more is planned as several joins, each of which reads the one before it. An output row
//! is laid out so that nothing has to be decoded for it: its key is the left row's key followed by what the right row's key
//! has beyond the `on` columns, its value the left row's value followed by the right row's.

mod columns;
mod plan;

use vardelta_schemas::{
    Schema,
    sql::view::{self, Unsayable},
};

pub use columns::{On, OneOrEach};
pub(crate) use plan::plan_joins;

use self::plan::NOT_UNIQUE_ADVICE;

use super::{
    origins::{Derivation, Influence, Origins},
    relation::{Input, Reads, Relation, Say, Workings},
    spaces,
};
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

impl JoinSide {
    /// Where the join finds the rows of this side, in words.
    fn stored(&self, input: &Input<'_>, which: &str) -> String {
        let (name, on) = (input.name, input.names(&self.on));
        let unique = match self.own_key.is_empty() {
            true => "one row at the most for each",
            false => "any number of rows for each",
        };
        match self.is_shared {
            true => {
                format!("{which}: nothing of its own, shared with table `{name}`, which has it by ({on}), {unique}")
            }
            false => format!("{which}: its own copy of `{name}` by ({on}), {unique}"),
        }
    }
}

impl Relation for JoinSpec {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn key(&self) -> Option<&[usize]> {
        self.key.as_deref()
    }

    fn identity(&self) -> Option<&[usize]> {
        Some(&self.identity)
    }

    fn reads(&self) -> Reads {
        Reads::Rows
    }

    fn has_right_side(&self) -> bool {
        true
    }

    fn changes_later(&self) -> bool {
        true
    }

    /// A row that nothing on the other side equals, until something does.
    fn hides_values(&self) -> bool {
        true
    }

    fn spaces(&self, stage: &str) -> Vec<String> {
        (0..2).filter(|port| !self.side(*port).is_shared).map(|port| spaces::side(stage, port)).collect()
    }

    fn replayed_spaces(&self, stage: &str) -> Vec<String> {
        (0..2).filter(|port| self.side(*port).is_shared).map(|port| spaces::side(stage, port)).collect()
    }

    fn workings(&self, inputs: &[Input<'_>]) -> Workings {
        let [left, right] = inputs else { return Workings::default() };
        Workings {
            arranged: vec!["the chunk's changes of both sides, the right side's first".into()],
            persisted: vec![self.left.stored(left, "left"), self.right.stored(right, "right")],
            exchanged_by: Some(format!("{} = {}", left.names(&self.left.on), right.names(&self.right.on))),
        }
    }

    fn origins(&self, inputs: &[(Input<'_>, &Origins)], made: &mut Origins) {
        let [(_, left), (_, right)] = inputs else { return };
        let left_width = left.columns.len();
        for column in 0..left_width {
            made.take(column, left, Some(column), Derivation::Identity);
        }
        // The right side's columns without those that rows are brought together by.
        let kept = (0..right.columns.len()).filter(|column| !self.right.on.contains(column));
        for (at, from) in kept.enumerate() {
            made.take(left_width + at, right, Some(from), Derivation::Identity);
        }
        self.left.on.iter().for_each(|column| made.decides(left, *column, Influence::Join));
        self.right.on.iter().for_each(|column| made.decides(right, *column, Influence::Join));
    }

    fn say(&self) -> Option<Say<'_>> {
        Some(Box::new(|inputs, _| {
            let sides: Result<[view::Relation; 2], _> = inputs.try_into();
            Ok(view::Relation::Join {
                sides: Box::new(sides.map_err(|_| Unsayable("a join of other than two inputs".into()))?),
                is_left: self.how == How::Left,
                on: self.left.on.iter().copied().zip(self.right.on.iter().copied()).collect(),
                schema: self.schema.clone(),
            })
        }))
    }

    fn key_advice(&self) -> Option<&'static str> {
        Some(NOT_UNIQUE_ADVICE)
    }
}

#[cfg(test)]
mod tests;
