//! What an `aggregate` is: one row per group.

use vardelta_schemas::{Column, Schema, sql::view::Unsayable};

use super::{
    AggregateCall, Kept,
    aggregate_say::aggregate,
    origins::{Derivation, Influence, Origins},
    relation::{Input, Reads, Relation, Say, Workings},
    spaces,
};
use crate::expression::Expression;

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

impl Relation for AggregateSpec {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn key(&self) -> Option<&[usize]> {
        Some(&self.key)
    }

    fn reads(&self) -> Reads {
        Reads::Rows
    }

    fn changes_later(&self) -> bool {
        true
    }

    /// As the least or greatest of a group, or at a share of it, once the ones before are gone; in a joined text, once it is
    /// short enough.
    fn hides_values(&self) -> bool {
        self.calls.iter().any(|call| matches!(call.function.kept(), Kept::First | Kept::All | Kept::Halves(_)))
    }

    fn spaces(&self, stage: &str) -> Vec<String> {
        vec![spaces::keys(stage), spaces::values(stage)]
    }

    fn workings(&self, inputs: &[Input<'_>]) -> Workings {
        let [input] = inputs else { return Workings::default() };
        let group = input.names(&self.group_by);
        let mut persisted = vec![format!("({group}) -> counts and exact sums")];
        let keeps = |what: &dyn Fn(Kept) -> bool| self.calls.iter().any(|call| what(call.function.kept()));
        if keeps(&|kept| kept == Kept::Distinct) {
            persisted.push(format!("({group}), value -> how often, for DISTINCT"));
        }
        if keeps(&|kept| kept == Kept::First) {
            persisted.push(format!("({group}), value -> how often, in order, for min and max"));
        }
        if keeps(&|kept| kept == Kept::All) {
            persisted.push(format!("({group}), order, text -> how often, for group_concat"));
        }
        if keeps(&|kept| matches!(kept, Kept::Halves(_))) {
            persisted.push(format!("({group}), value -> how often, below and above the place of a percentile"));
        }
        let arranged = vec![format!("the touched groups by ({group})")];
        Workings { exchanged_by: Some(group), arranged, persisted }
    }

    fn origins(&self, inputs: &[(Input<'_>, &Origins)], made: &mut Origins) {
        let [(_, input)] = inputs else { return };
        let (groups, width) = (self.group_by.len(), input.columns.len());
        for (to, from) in self.group_by.iter().enumerate() {
            made.take(to, input, Some(*from), Derivation::Identity);
            made.decides(input, *from, Influence::GroupBy);
        }
        for (at, (_, expression)) in self.columns.iter().enumerate() {
            let to = groups + at;
            for (group, from) in self.group_by.iter().enumerate().filter(|(group, _)| expression.reads(*group)) {
                let is_plain = expression.as_column() == Some(group);
                let how = if is_plain { Derivation::Identity } else { Derivation::Transformation };
                made.take(to, input, Some(*from), how);
            }
            for (_, call) in self.calls.iter().enumerate().filter(|(call, _)| expression.reads(groups + call)) {
                // What a FILTER asks for has a part in the value as well.
                let reads = |column: &usize| call.arguments.iter().chain(&call.filter).any(|part| part.reads(*column));
                for from in (0..width).filter(reads) {
                    made.take(to, input, Some(from), Derivation::Aggregation);
                }
            }
        }
    }

    fn say(&self) -> Option<Say<'_>> {
        Some(Box::new(|inputs, columns| {
            let input = inputs.into_iter().next().ok_or_else(|| Unsayable("an aggregate of nothing".into()))?;
            aggregate(self, Box::new(input), columns)
        }))
    }

    fn as_aggregate(&self) -> Option<&AggregateSpec> {
        Some(self)
    }
}
