//! What a `top` is: the first rows of each group.

use vardelta_schemas::Schema;

use super::{
    Order,
    origins::{Influence, Origins},
    relation::{Input, Reads, Relation, Workings},
    spaces,
};
use crate::expression::Expression;

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

impl Relation for TopSpec {
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

    /// A row after the first ones, until one of them goes.
    fn hides_values(&self) -> bool {
        true
    }

    fn spaces(&self, stage: &str) -> Vec<String> {
        vec![spaces::values(stage)]
    }

    fn workings(&self, inputs: &[Input<'_>]) -> Workings {
        let [input] = inputs else { return Workings::default() };
        let group = input.names(&self.by);
        Workings {
            arranged: vec![format!("the touched groups by ({group})")],
            persisted: vec![format!("({group}), order, key -> row, of which the first {} are put out", self.n)],
            exchanged_by: Some(group),
        }
    }

    fn origins(&self, inputs: &[(Input<'_>, &Origins)], made: &mut Origins) {
        let [(_, input)] = inputs else { return };
        made.all(input);
        self.by.iter().for_each(|column| made.decides(input, *column, Influence::GroupBy));
        for (expression, _) in &self.order {
            (0..input.columns.len())
                .filter(|column| expression.reads(*column))
                .for_each(|column| made.decides(input, column, Influence::Sort));
        }
    }
}
