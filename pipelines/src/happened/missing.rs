//! Epochs that are not in a history, because the pipeline did not ask for it then.

use std::{
    fmt::{Display, Formatter},
    ops::RangeInclusive,
};

use serde::Serialize;
use vardelta_engine::{error::RunError, plan::Plan, run};
use vardelta_schemas::ledger::Epoch;

use super::Histories;

/// Epochs of which a table's history says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The table.
    pub table: String,
    /// The first of the epochs.
    pub first_epoch: Epoch,
    /// The last of them.
    pub last_epoch: Epoch,
}

impl Histories {
    /// What of these epochs is not in the histories.
    ///
    /// # Errors
    /// When the sink cannot be read.
    pub fn missing(&self, plan: &Plan, epochs: &RangeInclusive<Epoch>) -> Result<Vec<Missing>, RunError> {
        let gaps = run::history_gaps(plan)?.into_iter();
        let gaps = gaps.filter(|(table, _)| self.tables.iter().any(|(asked, _)| asked.name == *table));
        let within = gaps.map(|(table, gap)| Missing {
            table,
            first_epoch: *gap.start().max(epochs.start()),
            last_epoch: *gap.end().min(epochs.end()),
        });
        Ok(within.filter(|missing| missing.first_epoch <= missing.last_epoch).collect())
    }
}

impl Display for Missing {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        let gap = self.first_epoch..=self.last_epoch;
        write!(formatter, "the history of `{}` was not kept all the time: {}", self.table, run::missing(&gap))
    }
}
