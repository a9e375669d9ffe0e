//! The place of a table among those that the sink keeps, told apart from a stage's place in the plan.

use super::Plan;
use crate::plan::StageIndex;

/// Which of the tables that the sink keeps, in the order in which it lists them: [`Plan::tables`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableIndex(usize);

impl TableIndex {
    /// The table in this place.
    pub const fn new(place: usize) -> TableIndex {
        TableIndex(place)
    }

    /// Its place, to find what is kept in a list by table.
    pub const fn place(self) -> usize {
        self.0
    }

    /// The tables of a list, in order.
    pub fn all(count: usize) -> impl DoubleEndedIterator<Item = TableIndex> + ExactSizeIterator {
        (0..count).map(TableIndex)
    }
}

impl Plan {
    /// The stage whose rows a table of the sink holds: an index into [`Plan::stages`].
    pub fn stage_of(&self, table: TableIndex) -> StageIndex {
        self.stages[self.sink].inputs[table.0]
    }

    /// The table of the sink that holds a stage's rows.
    pub fn table_of(&self, stage: StageIndex) -> Option<TableIndex> {
        self.stages[self.sink].inputs.iter().position(|input| *input == stage).map(TableIndex)
    }
}
