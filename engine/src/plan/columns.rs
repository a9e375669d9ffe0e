//! From which columns of the sources each column of a stage is made, as far as the plan shows it: what lineage says.
//!
//! Where a stage does not say what it reads, nothing is claimed: a column without origins is one of which nobody knows.

use super::{PerStage, Plan, PlannedStage, StageIndex};
use crate::{
    contract::{
        algebra::Algebra,
        stage::{Planned, Transform},
    },
    relational::relation::Input,
};

pub use crate::relational::origins::{Derivation, Influence, Origins, SourceColumn};

impl Plan {
    /// What every stage's columns and rows are made from, by the stage's index.
    pub fn origins(&self) -> PerStage<Origins> {
        let mut all: PerStage<Origins> = PerStage::default();
        for (at, stage) in self.stages.indexed() {
            let inputs: Vec<&Origins> = stage.inputs.iter().map(|input| &all[*input]).collect();
            let origins = of_stage(at, stage, &inputs, self);
            all.push(origins);
        }
        all
    }
}

fn of_stage(at: StageIndex, stage: &PlannedStage, inputs: &[&Origins], plan: &Plan) -> Origins {
    let width = stage.schema.columns().len();
    let mut made = Origins::after(inputs, width);
    match (&stage.planned, inputs) {
        (Planned::Source(_), _) => {
            for column in 0..width {
                made.columns[column].insert((at, column), Derivation::Identity);
            }
        }
        (Planned::Transform(step), [input]) => transform(step.as_ref(), input, &mut made),
        (Planned::Relational(relational), _) => {
            let as_input =
                |input: &StageIndex| Input { name: &plan.stages[*input].name, schema: &plan.stages[*input].schema };
            let inputs: Vec<_> = stage.inputs.iter().map(as_input).zip(inputs.iter().copied()).collect();
            relational.relation().origins(&inputs, &mut made);
        }
        _ => {}
    }
    made
}

fn transform(transform: &dyn Transform, input: &Origins, made: &mut Origins) {
    let width = input.columns.len();
    match transform.algebra() {
        Some(Algebra::Filter(condition)) => {
            made.all(input);
            (0..width)
                .filter(|column| condition.reads(*column))
                .for_each(|column| made.decides(input, column, Influence::Filter));
        }
        Some(Algebra::Select(selected)) => {
            for (to, (_, expression)) in selected.iter().enumerate() {
                let how =
                    if expression.as_column().is_some() { Derivation::Identity } else { Derivation::Transformation };
                for from in (0..width).filter(|column| expression.reads(*column)) {
                    made.take(to, input, Some(from), how);
                }
            }
        }
        None => opaque(transform, input, made),
    }
}

/// A transform that says no more than which columns it carries and reads.
fn opaque(transform: &dyn Transform, input: &Origins, made: &mut Origins) {
    let (width, own) = (input.columns.len(), made.columns.len());
    let mut carried = vec![false; own];
    for from in 0..width {
        let same = transform.passes_through(from);
        for to in transform.carries(from).into_iter().filter(|to| *to < own) {
            carried[to] = true;
            let how = if same == Some(to) { Derivation::Identity } else { Derivation::Transformation };
            made.take(to, input, Some(from), how);
        }
    }
    // One that reads everything has not said what it reads.
    let read: Vec<usize> = (0..width).filter(|column| transform.reads(*column)).collect();
    if read.len() < width {
        for to in (0..carried.len()).filter(|to| !carried[*to]) {
            read.iter().for_each(|from| made.take(to, input, Some(*from), Derivation::Transformation));
        }
    }
}
