//! The relational operators as data: what to compute. How it is computed stands in [`crate::flow`].

use vardelta_schemas::{Column, Schema};

use crate::{choices, expression::Expression};

pub mod accumulate;
mod aggregate;
mod aggregate_call;
mod aggregate_manual;
pub mod aggregate_reasons;
mod aggregate_stage;
mod distinct_stage;
pub(crate) mod join;
mod join_stage;
mod lookup;
mod resident;
pub(crate) mod spaces;
pub(crate) mod table_stage;
mod top_stage;
pub(crate) mod union_stage;

pub(crate) use self::aggregate_manual::aggregates_manual;
pub use self::{
    aggregate::plan_aggregate,
    aggregate_call::{AggregateCall, AggregateFunction, Concat, Kept, Order, Percentile},
    aggregate_manual::{SAMPLE, aggregate_examples},
    aggregate_stage::Aggregate,
    distinct_stage::{DISTINCT, DistinctStage},
    join::{How, JoinSide, JoinSpec},
    join_stage::{JOIN, JoinStage},
    lookup::{LookupSpec, LookupStatus},
    resident::{Annotations, Reach, Resident, ResidentIndex, ResidentSpec},
    table_stage::{TABLE, TableStage},
    top_stage::{TOP, TopStage},
    union_stage::{UNION, UnionStage},
};

/// A planned relational operator.
#[derive(Clone, Debug)]
pub enum Relational {
    /// Drops become a keyed collection.
    Table(TableSpec),
    /// One row per group.
    Aggregate(AggregateSpec),
    /// All rows of all inputs.
    Union(UnionSpec),
    /// Rows of two inputs side by side where columns are equal.
    Join(JoinSpec),
    /// Rows annotated by a model that is held whole.
    Resident(ResidentSpec),
    /// One row for each distinct key that the input holds, with what a service answers for it.
    Lookup(LookupSpec),
    /// The first rows of each group.
    Top(TopSpec),
}

impl Relational {
    /// The columns it yields.
    pub fn schema(&self) -> &Schema {
        match self {
            Relational::Table(spec) => &spec.schema,
            Relational::Aggregate(spec) => &spec.schema,
            Relational::Union(spec) => &spec.schema,
            Relational::Join(spec) => &spec.schema,
            Relational::Resident(spec) => &spec.schema,
            Relational::Lookup(spec) => &spec.schema,
            Relational::Top(spec) => &spec.schema,
        }
    }

    /// The key of what it yields, if it is keyed: indexes into the schema's columns.
    pub fn key(&self) -> Option<&[usize]> {
        match self {
            Relational::Table(spec) => Some(&spec.key),
            Relational::Aggregate(spec) => Some(&spec.key),
            Relational::Union(spec) => spec.key.as_deref(),
            Relational::Join(spec) => spec.key.as_deref(),
            Relational::Resident(spec) => Some(&spec.key),
            Relational::Lookup(spec) => Some(&spec.key),
            Relational::Top(spec) => Some(&spec.key),
        }
    }

    /// By which columns its rows are encoded: what tells one row from another, also where it is no key. `None` where all
    /// columns do.
    pub fn identity(&self) -> Option<&[usize]> {
        match self {
            Relational::Join(spec) => Some(&spec.identity),
            _ => self.key(),
        }
    }

    /// Whether it passes rows on as they come, and keeps nothing.
    pub fn is_stateless(&self) -> bool {
        matches!(self, Relational::Union(_))
    }
}

choices! {
    /// Which drop's row wins when several drops assert a key.
    pub enum Conflict {
        /// The drop that comes last in ledger order.
        LatestDrop = "latest_drop",
        /// The drop that comes first in ledger order.
        FirstDrop = "first_drop",
        /// The one with the greatest value in the column that `conflict_by` names.
        Greatest = "greatest",
    }
}

/// A planned `table`.
#[derive(Clone, Debug)]
pub struct TableSpec {
    /// The columns: those of its input.
    pub schema: Schema,
    /// The key columns, in key order: indexes into the schema's columns. Never nullable.
    pub key: Vec<usize>,
    /// Which drop's row stands.
    pub conflict: Conflict,
    /// With [`Conflict::Greatest`] the column that decides, an index into the schema's columns.
    pub conflict_by: Option<usize>,
}

/// A planned `union`.
#[derive(Clone, Debug)]
pub struct UnionSpec {
    /// The columns: the tag, if there is one, then those that are the same in every input.
    pub schema: Schema,
    /// The tag and the key of the inputs, where there is a tag and they have the same key.
    pub key: Option<Vec<usize>>,
    /// With a tag: what its column says for each input.
    pub tags: Option<Vec<String>>,
}

/// A planned `top`.
#[derive(Clone, Debug)]
pub struct TopSpec {
    /// The columns: those of its input.
    pub schema: Schema,
    /// The key: that of its input.
    pub key: Vec<usize>,
    /// The columns whose equal values make a group: indexes into the schema's columns.
    pub by: Vec<usize>,
    /// What the rows of a group are ordered by; then by the key.
    pub order: Vec<(Expression, Order)>,
    /// Rows of a group that are kept, at the most.
    pub n: u64,
}

/// A planned `aggregate`.
#[derive(Clone, Debug)]
pub struct AggregateSpec {
    /// The columns it yields: the group, then the named ones.
    pub schema: Schema,
    /// The group's columns among the columns it yields: 0, 1, ….
    pub key: Vec<usize>,
    /// The group's columns in the input.
    pub group_by: Vec<usize>,
    /// The aggregate calls, each once, however often the columns name it.
    pub calls: Vec<AggregateCall>,
    /// The columns after the group: expressions over the group's columns followed by the calls' results, named
    /// [`AggregateSpec::call_column`].
    pub columns: Vec<(Column, Expression)>,
}

impl AggregateSpec {
    /// The column name under which the result of a call is visible to the expressions over it.
    pub fn call_column(call: usize) -> String {
        format!("__call_{call}")
    }

    /// Whether a column of the input is looked at.
    pub fn reads(&self, column: usize) -> bool {
        let in_call = |call: &AggregateCall| call.arguments.iter().chain(&call.filter).any(|part| part.reads(column));
        self.group_by.contains(&column) || self.calls.iter().any(in_call)
    }
}
