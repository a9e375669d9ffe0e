//! A relational operator with a resident right side: a model small enough to be held whole, by which every left row is
//! annotated.
//!
//! What the model says is a stage's business ([`Resident`]); that the result is exact under changes of either side is the
//! engine's: a changed left row is annotated by the model before and after, and a changed model's *reaches* say which left rows
//! have to be looked at again.

use std::{fmt::Debug, sync::Arc};

use arrow_array::{ArrayRef, BooleanArray, RecordBatch};
use vardelta_schemas::Schema;

use super::{
    origins::{Derivation, Influence, Origins},
    relation::{Input, Reads, Relation, Workings},
    spaces,
};
use crate::contract::stage::StageError;

/// What a planned stage knows of its model.
pub trait Resident: Debug + Send + Sync {
    /// Makes the model of all rows of the right side, in whatever order they come.
    ///
    /// # Errors
    /// When the rows make no model at all; a row that cannot be used is left out.
    fn index(&self, rows: &RecordBatch) -> Result<Arc<dyn ResidentIndex>, StageError>;

    /// Which left rows span more than [`Resident::long_bp`]. They are found by name where the model changes, the others by
    /// their place.
    fn is_long(&self, left: &RecordBatch) -> Result<BooleanArray, StageError>;

    /// The longest span in base pairs of a left row that is not long.
    fn long_bp(&self) -> i64;

    /// Which left rows lie in one of these stretches with any part of theirs: the others need not be looked at again where the model
    /// changed in these. The stretches are in order, and apart from each other.
    ///
    /// # Errors
    /// When the rows are not laid out as planned.
    fn touches(&self, left: &RecordBatch, reaches: &[Reach]) -> Result<BooleanArray, StageError>;
}

/// A model, ready to be asked.
pub trait ResidentIndex: Send + Sync {
    /// The annotations of left rows.
    ///
    /// # Errors
    /// When the rows are not laid out as planned.
    fn annotate(&self, left: &RecordBatch) -> Result<Annotations, StageError>;

    /// Where left rows lie whose annotation any of these right rows may have a part in. To be asked of the model before and
    /// after the rows changed.
    ///
    /// # Errors
    /// When the rows are not laid out as planned.
    fn reaches(&self, changed: &RecordBatch) -> Result<Vec<Reach>, StageError>;
}

/// What a model says of left rows.
pub struct Annotations {
    /// The left row of each annotation, ascending. With a key of its own an annotation may come several times for a row,
    /// otherwise exactly once.
    pub rows: Vec<usize>,
    /// The columns that are added.
    pub columns: Vec<ArrayRef>,
}

/// A stretch in which left rows may change: of the first key column this value, of the second these, both included.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reach {
    /// The contig.
    pub contig: String,
    /// The first position.
    pub from: i64,
    /// The last position.
    pub to: i64,
}

/// A planned operator with a resident right side.
#[derive(Clone, Debug)]
pub struct ResidentSpec {
    /// The columns: the left side's, then the added ones.
    pub schema: Schema,
    /// The key: the left key, and the first added column where a left row may have several annotations. Indexes into the
    /// schema's columns.
    pub key: Vec<usize>,
    /// The left side's contig and position.
    pub place: [usize; 2],
    /// How many columns are added.
    pub added: usize,
    /// Whether the first added column is part of the key.
    pub adds_to_key: bool,
    /// Whether the left side is a table whose key begins with contig and position: its own state is searched then.
    pub is_left_shared: bool,
    /// Whether the right side is a table: its own state holds the model then.
    pub is_right_shared: bool,
    /// The model.
    pub resident: Arc<dyn Resident>,
}

impl ResidentSpec {
    /// Whether the rows of an input lie in the state of the table that it is.
    pub fn is_shared(&self, port: usize) -> bool {
        if port == 0 { self.is_left_shared } else { self.is_right_shared }
    }
}

impl Relation for ResidentSpec {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn key(&self) -> Option<&[usize]> {
        Some(&self.key)
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

    /// A row of the model that reaches no left row, until one comes.
    fn hides_values(&self) -> bool {
        true
    }

    fn spaces(&self, stage: &str) -> Vec<String> {
        let own = (0..2).filter(|port| !self.is_shared(*port)).map(|port| spaces::side(stage, port));
        own.chain([spaces::long(stage)]).collect()
    }

    fn replayed_spaces(&self, stage: &str) -> Vec<String> {
        (0..2).filter(|port| self.is_shared(*port)).map(|port| spaces::side(stage, port)).collect()
    }

    fn workings(&self, inputs: &[Input<'_>]) -> Workings {
        let [left, right] = inputs else { return Workings::default() };
        let stored = |which: &str, input: &Input<'_>, is_shared: bool| match is_shared {
            true => format!("{which}: nothing of its own, shared with table `{}`", input.name),
            false => format!("{which}: its own copy of `{}`", input.name),
        };
        Workings {
            arranged: vec![format!(
                "the model of `{}`, whole, before and after the chunk; the chunk's changes",
                right.name
            )],
            persisted: vec![
                format!("{}, by ({})", stored("left", left, self.is_left_shared), left.names(&self.place)),
                stored("right", right, self.is_right_shared),
                "the keys of long left rows".into(),
            ],
            exchanged_by: Some(format!("key of `{}`; `{}` goes to every worker", left.name, right.name)),
        }
    }

    fn origins(&self, inputs: &[(Input<'_>, &Origins)], made: &mut Origins) {
        let [(_, left), ..] = inputs else { return };
        for column in 0..self.schema.columns().len() - self.added {
            made.take(column, left, Some(column), Derivation::Identity);
        }
        self.place.iter().for_each(|column| made.decides(left, *column, Influence::Join));
    }
}
