//! What `migrate` found and did.

use serde::Serialize;
use vardelta_schemas::ledger::Epoch;

use crate::{contract::migration::Step, report::RunReport};

/// What a migration is, or was.
#[derive(Clone, Debug, Serialize)]
pub struct MigrationReport {
    /// The pipeline's name.
    pub pipeline: String,
    /// The epoch the sink is at now.
    pub epoch: Epoch,
    /// Whether definition and tables are what they should be.
    pub nothing_to_do: bool,
    /// Whether anything was done.
    pub executed: bool,
    /// What changed about the definition, a line for each stage.
    pub changes: Vec<String>,
    /// The steps of the tables: all that there are, or those that were done.
    pub steps: Vec<Step>,
    /// What happens to the rows.
    pub backfill: Backfill,
    /// What the epoch did, once there is one.
    pub run: Option<RunReport>,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// What happens to the rows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Backfill {
    /// Where the values come from.
    pub from: Origin,
    /// The stages that are recomputed.
    pub stages: Vec<String>,
    /// The files that are read again.
    pub files: Vec<String>,
    /// The tables, with the rows that stand and are compared. Only rows that differ are written.
    pub tables: Vec<ComparedTable>,
    /// Rows of one batch, where new columns are filled.
    pub batch_rows: u64,
}

/// Where the values of a backfill come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Nowhere: no row changes.
    #[default]
    Nothing,
    /// From the state.
    State,
    /// From the drops' files.
    Files,
}

/// A table whose rows are compared.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ComparedTable {
    /// The table.
    pub name: String,
    /// Its rows, as of the last epoch.
    pub rows: u64,
    /// The columns that the standing definition does not have.
    pub new_columns: Vec<String>,
    /// Batches in which rows that get values in these columns alone are written, at the most.
    pub batches_max: u64,
    /// Such rows that were written before the epoch.
    pub filled: u64,
    /// The batches that they were written in.
    pub batches: u64,
    /// How often a batch was written again after a deadlock, a long wait for a lock or a lost connection.
    pub retries: u64,
}
