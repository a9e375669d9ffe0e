//! The relational operators as data: what to compute. How it is computed is in [`crate::flow`].

pub mod accumulate;
mod aggregate;
mod aggregate_call;
mod aggregate_manual;
pub mod aggregate_reasons;
mod aggregate_say;
mod aggregate_spec;
mod aggregate_stage;
mod distinct_stage;
pub(crate) mod join;
mod join_stage;
mod lookup;
pub(crate) mod origins;
pub(crate) mod relation;
mod resident;
pub(crate) mod spaces;
mod table;
pub(crate) mod table_stage;
mod top;
mod top_stage;
mod union;
pub(crate) mod union_stage;

use std::sync::Arc;

use crate::contract::lookup::Lookup;

pub use self::{
    aggregate::plan_aggregate,
    aggregate_call::{AggregateCall, AggregateFunction, Concat, Kept, Order, Percentile},
    aggregate_manual::{SAMPLE, aggregate_examples},
    aggregate_spec::AggregateSpec,
    aggregate_stage::Aggregate,
    distinct_stage::{DISTINCT, DistinctStage},
    join::{How, JoinSide, JoinSpec},
    join_stage::{JOIN, JoinStage},
    lookup::{LookupSpec, LookupStatus},
    resident::{Annotations, Reach, Resident, ResidentIndex, ResidentSpec},
    table::{Conflict, TableSpec},
    table_stage::{TABLE, TableStage},
    top::TopSpec,
    top_stage::{TOP, TopStage},
    union::UnionSpec,
    union_stage::{UNION, UnionStage},
};
pub(crate) use self::{aggregate_manual::aggregates_manual, aggregate_say::scalars, relation::Relation};

/// A planned relational operator: the kinds that there are. The dataflow puts each together in its own way; everything else
/// asks it as a [`Relation`].
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
    /// The operator, whatever its kind.
    pub(crate) fn relation(&self) -> &dyn Relation {
        match self {
            Relational::Table(spec) => spec,
            Relational::Aggregate(spec) => spec,
            Relational::Union(spec) => spec,
            Relational::Join(spec) => spec,
            Relational::Resident(spec) => spec,
            Relational::Lookup(spec) => spec,
            Relational::Top(spec) => spec,
        }
    }

    /// Has a look-up answered by somebody else, who gets what it would ask.
    pub(crate) fn answer_by(&mut self, by: &dyn Fn(&LookupSpec) -> Arc<dyn Lookup>) {
        if let Relational::Lookup(spec) = self {
            spec.lookup = by(spec);
        }
    }

    /// The joins of a chain that come before this one; they are left out of it.
    pub(crate) fn take_earlier(&mut self) -> Vec<JoinSpec> {
        match self {
            Relational::Join(spec) => std::mem::take(&mut spec.earlier),
            _ => Vec::new(),
        }
    }
}
