//! What a sink must be able to do so that its tables can be brought to another definition.

use vardelta_schemas::{TableSchema, ledger};

use super::{ChangeBatch, SinkError};
use crate::contract::migration::{Migration, Scope, Step};

/// Changes tables that hold rows.
pub trait Migrate {
    /// Finds, or carries out, the steps from the tables as they are to those that are planned. A part that was cut short is
    /// completed when it is asked for again.
    ///
    /// # Errors
    /// [`SinkErrorKind::Layout`](super::SinkErrorKind::Layout) where a table can only be rebuilt;
    /// [`SinkErrorKind::Stale`](super::SinkErrorKind::Stale) when the pipeline's epoch is not the expected one; or when a statement fails.
    fn migrate(&mut self, migration: &Migration<'_>, scope: Scope) -> Result<Vec<Step>, SinkError>;

    /// Whether a step of [`migrate`](Migrate::migrate) stays when a later one fails: definitions commit by themselves.
    fn keeps_steps(&self) -> bool {
        false
    }

    /// Updates rows in a transaction of its own, before the epoch that a migration makes: columns that the standing
    /// definition does not have get their values, and `changed_epoch` that epoch. Asked for where
    /// [`Sink::quarantines`](super::Sink::quarantines) does not hold.
    ///
    /// # Errors
    /// [`SinkErrorKind::Stale`](super::SinkErrorKind::Stale) when the pipeline's epoch is not the expected one; or when a statement fails, or touches
    /// another number of rows than there are changes. Nothing of the batch is kept then.
    fn fill(&mut self, fill: &Fill<'_>) -> Result<(), SinkError>;
}

/// A batch of a table's rows that get values in new columns.
#[derive(Clone, Debug)]
pub struct Fill<'a> {
    /// The pipeline.
    pub pipeline: &'a str,
    /// The epoch that the ledger must have, by number and identity; the migration makes the next.
    pub expected: ledger::EpochId,
    /// The table.
    pub table: &'a TableSchema,
    /// Updates alone.
    pub changes: ChangeBatch,
    /// Whether the rows may be so already: the batch was sent before, and what became of it is not known.
    pub may_stand: bool,
}
