//! From which columns of the sources each column of a stage is made, as far as the plan tells: what lineage says.
//!
//! Where a stage does not say what it reads, nothing is claimed: a column without origins is one of which nobody knows.

use std::collections::{BTreeMap, BTreeSet};

use super::{Plan, PlannedStage};
use crate::{
    contract::{
        algebra::Algebra,
        stage::{Planned, Transform},
    },
    relational::{AggregateSpec, JoinSpec, Relational, TopSpec},
};

/// A column of a source: the stage's index in the plan, and the column's in its schema.
pub type SourceColumn = (usize, usize);

/// How a value is made from another; the later ones outweigh the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Derivation {
    /// It is the same value.
    Identity,
    /// It is computed from it.
    Transformation,
    /// It is computed from it and those of other rows.
    Aggregation,
}

/// How a value decides which rows there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Influence {
    /// A condition asks for it.
    Filter,
    /// Rows are brought together by it.
    Join,
    /// Rows are grouped by it.
    GroupBy,
    /// Rows are ordered by it.
    Sort,
}

/// What the columns and rows of a stage are made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// For each column of the stage the columns of sources that its values are made from.
    pub columns: Vec<BTreeMap<SourceColumn, Derivation>>,
    /// The columns of sources that decide which rows there are.
    pub rows: BTreeMap<SourceColumn, BTreeSet<Influence>>,
}

impl Plan {
    /// What every stage's columns and rows are made from, by the stage's index.
    pub fn origins(&self) -> Vec<Origins> {
        let mut all: Vec<Origins> = Vec::with_capacity(self.stages.len());
        for (at, stage) in self.stages.iter().enumerate() {
            let inputs: Vec<&Origins> = stage.inputs.iter().map(|input| &all[*input]).collect();
            let origins = of_stage(at, stage, &inputs, self);
            all.push(origins);
        }
        all
    }
}

fn of_stage(at: usize, stage: &PlannedStage, inputs: &[&Origins], plan: &Plan) -> Origins {
    let width = stage.schema.columns().len();
    let mut made = Made { columns: vec![BTreeMap::new(); width], rows: BTreeMap::new() };
    for input in inputs {
        for (source, influences) in &input.rows {
            made.rows.entry(*source).or_default().extend(influences);
        }
    }
    match (&stage.planned, inputs) {
        (Planned::Source(_), _) => {
            for column in 0..width {
                made.columns[column].insert((at, column), Derivation::Identity);
            }
        }
        (Planned::Transform(transform), [input]) => made.transform(transform.as_ref(), input),
        (Planned::Relational(Relational::Table(_)), [input]) => made.all(input),
        (Planned::Relational(Relational::Top(spec)), [input]) => made.top(spec, input),
        (Planned::Relational(Relational::Aggregate(spec)), [input]) => made.aggregate(spec, input),
        (Planned::Relational(Relational::Union(spec)), inputs) => {
            // Columns are found by their names, behind the tag.
            let tag = usize::from(spec.tags.is_some());
            for (input, origins) in stage.inputs.iter().zip(inputs) {
                for (to, column) in spec.schema.columns().iter().enumerate().skip(tag) {
                    let from = plan.stages[*input].schema.index_of(&column.name);
                    made.take(to, origins, from, Derivation::Identity);
                }
            }
        }
        (Planned::Relational(Relational::Join(spec)), [left, right]) => made.join(spec, left, right),
        (Planned::Relational(Relational::Resident(spec)), [left, ..]) => {
            for column in 0..width - spec.added {
                made.take(column, left, Some(column), Derivation::Identity);
            }
            spec.place.iter().for_each(|column| made.decides(left, *column, Influence::Join));
        }
        (Planned::Relational(Relational::Lookup(spec)), [input]) => {
            made.take(0, input, Some(spec.input_key), Derivation::Identity);
        }
        _ => {}
    }
    Origins { columns: made.columns, rows: made.rows }
}

/// Origins in the making.
struct Made {
    columns: Vec<BTreeMap<SourceColumn, Derivation>>,
    rows: BTreeMap<SourceColumn, BTreeSet<Influence>>,
}

impl Made {
    /// A column is made from a column of an input.
    fn take(&mut self, to: usize, input: &Origins, from: Option<usize>, how: Derivation) {
        let Some(found) = from.and_then(|from| input.columns.get(from)) else { return };
        for (source, before) in found {
            let how = how.max(*before);
            let known = self.columns[to].entry(*source).or_insert(how);
            *known = how.max(*known);
        }
    }

    /// Every column is the input's.
    fn all(&mut self, input: &Origins) {
        for column in 0..self.columns.len() {
            self.take(column, input, Some(column), Derivation::Identity);
        }
    }

    /// A column of an input decides which rows there are.
    fn decides(&mut self, input: &Origins, column: usize, how: Influence) {
        for source in input.columns.get(column).into_iter().flat_map(BTreeMap::keys) {
            self.rows.entry(*source).or_default().insert(how);
        }
    }

    fn transform(&mut self, transform: &dyn Transform, input: &Origins) {
        let width = input.columns.len();
        match transform.algebra() {
            Some(Algebra::Filter(condition)) => {
                self.all(input);
                (0..width)
                    .filter(|column| condition.reads(*column))
                    .for_each(|column| self.decides(input, column, Influence::Filter));
            }
            Some(Algebra::Select(selected)) => {
                for (to, (_, expression)) in selected.iter().enumerate() {
                    let how = if expression.as_column().is_some() {
                        Derivation::Identity
                    } else {
                        Derivation::Transformation
                    };
                    for from in (0..width).filter(|column| expression.reads(*column)) {
                        self.take(to, input, Some(from), how);
                    }
                }
            }
            None => self.opaque(transform, input),
        }
    }

    /// A transform that says no more than which columns it carries and reads.
    fn opaque(&mut self, transform: &dyn Transform, input: &Origins) {
        let (width, own) = (input.columns.len(), self.columns.len());
        let mut carried = vec![false; own];
        for from in 0..width {
            let same = transform.passes_through(from);
            for to in transform.carries(from).into_iter().filter(|to| *to < own) {
                carried[to] = true;
                let how = if same == Some(to) { Derivation::Identity } else { Derivation::Transformation };
                self.take(to, input, Some(from), how);
            }
        }
        // One that reads everything has not said what it reads.
        let read: Vec<usize> = (0..width).filter(|column| transform.reads(*column)).collect();
        if read.len() < width {
            for to in (0..carried.len()).filter(|to| !carried[*to]) {
                read.iter().for_each(|from| self.take(to, input, Some(*from), Derivation::Transformation));
            }
        }
    }

    fn top(&mut self, spec: &TopSpec, input: &Origins) {
        self.all(input);
        spec.by.iter().for_each(|column| self.decides(input, *column, Influence::GroupBy));
        for (expression, _) in &spec.order {
            (0..input.columns.len())
                .filter(|column| expression.reads(*column))
                .for_each(|column| self.decides(input, column, Influence::Sort));
        }
    }

    fn aggregate(&mut self, spec: &AggregateSpec, input: &Origins) {
        let (groups, width) = (spec.group_by.len(), input.columns.len());
        for (to, from) in spec.group_by.iter().enumerate() {
            self.take(to, input, Some(*from), Derivation::Identity);
            self.decides(input, *from, Influence::GroupBy);
        }
        for (at, (_, expression)) in spec.columns.iter().enumerate() {
            let to = groups + at;
            for (group, from) in spec.group_by.iter().enumerate().filter(|(group, _)| expression.reads(*group)) {
                let is_plain = expression.as_column() == Some(group);
                let how = if is_plain { Derivation::Identity } else { Derivation::Transformation };
                self.take(to, input, Some(*from), how);
            }
            for (_, call) in spec.calls.iter().enumerate().filter(|(call, _)| expression.reads(groups + call)) {
                // What a FILTER asks for has a part in the value as well.
                let reads = |column: &usize| call.arguments.iter().chain(&call.filter).any(|part| part.reads(*column));
                for from in (0..width).filter(reads) {
                    self.take(to, input, Some(from), Derivation::Aggregation);
                }
            }
        }
    }

    fn join(&mut self, spec: &JoinSpec, left: &Origins, right: &Origins) {
        let left_width = left.columns.len();
        for column in 0..left_width {
            self.take(column, left, Some(column), Derivation::Identity);
        }
        // The right side's columns without those that rows are brought together by.
        let kept = (0..right.columns.len()).filter(|column| !spec.right.on.contains(column));
        for (at, from) in kept.enumerate() {
            self.take(left_width + at, right, Some(from), Derivation::Identity);
        }
        spec.left.on.iter().for_each(|column| self.decides(left, *column, Influence::Join));
        spec.right.on.iter().for_each(|column| self.decides(right, *column, Influence::Join));
    }
}
