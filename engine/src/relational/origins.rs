//! From which columns of the sources the columns of a stage are made.

use std::collections::{BTreeMap, BTreeSet};

use crate::stage_index::StageIndex;

/// A column of a source: the stage's index in the plan, and the column's in its schema.
pub type SourceColumn = (StageIndex, usize);

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

impl Origins {
    /// Nothing yet of so many columns, but what decides about the rows of the inputs.
    pub(crate) fn after(inputs: &[&Origins], width: usize) -> Origins {
        let mut made = Origins { columns: vec![BTreeMap::new(); width], rows: BTreeMap::new() };
        for input in inputs {
            for (source, influences) in &input.rows {
                made.rows.entry(*source).or_default().extend(influences);
            }
        }
        made
    }

    /// A column is made from a column of an input.
    pub(crate) fn take(&mut self, to: usize, input: &Origins, from: Option<usize>, how: Derivation) {
        let Some(found) = from.and_then(|from| input.columns.get(from)) else { return };
        for (source, before) in found {
            let how = how.max(*before);
            let known = self.columns[to].entry(*source).or_insert(how);
            *known = how.max(*known);
        }
    }

    /// Every column is the input's.
    pub(crate) fn all(&mut self, input: &Origins) {
        for column in 0..self.columns.len() {
            self.take(column, input, Some(column), Derivation::Identity);
        }
    }

    /// A column of an input decides which rows there are.
    pub(crate) fn decides(&mut self, input: &Origins, column: usize, how: Influence) {
        for source in input.columns.get(column).into_iter().flat_map(BTreeMap::keys) {
            self.rows.entry(*source).or_default().insert(how);
        }
    }
}
