//! What a `table` is: drops become a keyed collection.

use vardelta_schemas::Schema;

use super::{
    origins::Origins,
    relation::{Input, Reads, Relation, Workings, names},
    spaces,
};
use crate::choices;

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

impl Relation for TableSpec {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn key(&self) -> Option<&[usize]> {
        Some(&self.key)
    }

    fn reads(&self) -> Reads {
        Reads::Records
    }

    fn carries(&self, column: usize) -> Option<usize> {
        Some(column)
    }

    fn adds_once(&self) -> bool {
        true
    }

    fn changes_later(&self) -> bool {
        false
    }

    fn hides_values(&self) -> bool {
        false
    }

    fn spaces(&self, stage: &str) -> Vec<String> {
        vec![spaces::keys(stage), spaces::assertions(stage), spaces::drops(stage)]
    }

    fn workings(&self, _: &[Input<'_>]) -> Workings {
        let key = names(&self.schema, &self.key);
        Workings {
            arranged: vec![format!("the chunk's rows by ({key}), with their drops")],
            persisted: vec![
                format!("({key}), drop, ordinal -> row"),
                format!("drop, ({key}), so that a drop can be taken back"),
            ],
            exchanged_by: Some(key),
        }
    }

    fn origins(&self, inputs: &[(Input<'_>, &Origins)], made: &mut Origins) {
        let [(_, input)] = inputs else { return };
        made.all(input);
    }

    fn as_table(&self) -> Option<&TableSpec> {
        Some(self)
    }
}
