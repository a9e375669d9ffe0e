//! What is asked of a relational operator, whatever its kind: by the planner, the printers of the plan, and the verbs.
//!
//! Every kind answers in its own file, so that a further kind is a file, a variant of [`Relational`] and the
//! code that puts it into a dataflow.

use std::fmt::Debug;

use vardelta_schemas::{
    Schema,
    sql::view::{self, Unsayable},
};

use super::{
    AggregateSpec, JoinSpec, LookupSpec, Relational, ResidentSpec, TableSpec, TopSpec, UnionSpec, origins::Origins,
};

/// What an operator reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    /// Records of drops: it comes before every table.
    Records,
    /// Rows of tables, and what is computed from them.
    Rows,
    /// Either, but not both.
    Either,
}

/// An input as the plan has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    /// The stage's name.
    pub name: &'a str,
    /// Its columns.
    pub schema: &'a Schema,
}

impl Input<'_> {
    /// The names of columns of the input, as they are reported.
    pub fn names(&self, columns: &[usize]) -> String {
        names(self.schema, columns)
    }
}

/// The names of columns, as they are reported.
pub(crate) fn names(schema: &Schema, columns: &[usize]) -> String {
    if columns.is_empty() {
        return "none, one row".into();
    }
    columns.iter().map(|column| schema.columns()[*column].name.as_str()).collect::<Vec<_>>().join(", ")
}

/// How an operator goes about it, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Workings {
    /// By which columns rows are sent to the worker that owns them; `None` where they stay where they are.
    pub exchanged_by: Option<String>,
    /// What it keeps in memory while a chunk is worked on.
    pub arranged: Vec<String>,
    /// What it keeps in the state on disk.
    pub persisted: Vec<String>,
}

/// What makes a relation of what the inputs say, in their order, and of the first input's columns.
pub(crate) type Say<'a> = Box<dyn FnOnce(Vec<view::Relation>, &Schema) -> Result<view::Relation, Unsayable> + 'a>;

/// A planned relational operator.
pub(crate) trait Relation: Debug + Send + Sync {
    /// The columns it yields.
    fn schema(&self) -> &Schema;

    /// The key of what it yields, if it is keyed: indexes into the schema's columns.
    fn key(&self) -> Option<&[usize]>;

    /// By which columns its rows are encoded: what tells one row from another, also where it is no key. `None` where all
    /// columns do.
    fn identity(&self) -> Option<&[usize]> {
        self.key()
    }

    /// What it reads.
    fn reads(&self) -> Reads;

    /// Whether it passes rows on as they come, and keeps nothing.
    fn is_stateless(&self) -> bool {
        false
    }

    /// Whether the inputs after the first are there to be joined to its rows.
    fn has_right_side(&self) -> bool {
        false
    }

    /// Whether it looks at a column of its input.
    fn needs(&self, column: usize) -> bool {
        let _ = column;
        true
    }

    /// Where its rows have what a column of its inputs holds, for an operator whose rows are those of its inputs.
    fn carries(&self, column: usize) -> Option<usize> {
        let _ = column;
        None
    }

    /// Whether, in a run that only adds drops, every key gets a row at most once.
    fn adds_once(&self) -> bool {
        false
    }

    /// Whether a row of its input, unchanged itself, may change in a later epoch what comes out.
    fn changes_later(&self) -> bool;

    /// Whether a value that came in may be kept unseen and come out in a later epoch.
    fn hides_values(&self) -> bool;

    /// The spaces that it keeps under this stage name from epoch to epoch.
    fn spaces(&self, stage: &str) -> Vec<String>;

    /// The spaces that it keeps only while tables are replayed: those of sides that lie in a table's state otherwise.
    fn replayed_spaces(&self, stage: &str) -> Vec<String> {
        let _ = stage;
        Vec::new()
    }

    /// What beside the options decides what it computes.
    fn settings(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// How it goes about it.
    fn workings(&self, inputs: &[Input<'_>]) -> Workings;

    /// Adds what its columns and rows are made from.
    fn origins(&self, inputs: &[(Input<'_>, &Origins)], made: &mut Origins);

    /// What it computes, as a relation. `None` where databases know nothing like it.
    fn say(&self) -> Option<Say<'_>> {
        None
    }

    /// What to do where it yields no key, if the reason lies with it rather than before it.
    fn key_advice(&self) -> Option<&'static str> {
        None
    }

    /// The table that it is: what keeps which drop asserts which row.
    fn as_table(&self) -> Option<&TableSpec> {
        None
    }

    /// The aggregate that it is: what computes columns from all rows of a group.
    fn as_aggregate(&self) -> Option<&AggregateSpec> {
        None
    }

    /// The look-up that it is: what asks a service.
    fn as_lookup(&self) -> Option<&LookupSpec> {
        None
    }
}

macro_rules! kinds {
    ($($kind:ident($spec:ty)),*) => {
        $(impl From<$spec> for Relational {
            fn from(spec: $spec) -> Relational {
                Relational::$kind(spec)
            }
        })*
    };
}

kinds!(
    Table(TableSpec),
    Aggregate(AggregateSpec),
    Union(UnionSpec),
    Join(JoinSpec),
    Resident(ResidentSpec),
    Lookup(LookupSpec),
    Top(TopSpec)
);
