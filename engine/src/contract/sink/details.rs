//! What a sink's ledger keeps for whoever looks into a run afterwards: rejects, warnings, keys that wait. Read for pages and
//! reports alone; no run needs it.

use vardelta_schemas::ledger::{self, Epoch};

use super::SinkError;

/// How much is read of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DetailLimits {
    /// Rejects of each stage and reason, at the most.
    pub rejects_each: u32,
    /// Rows of warnings, at the most.
    pub warnings: u32,
}

/// Reads what is kept of epochs and look-ups.
pub trait Details {
    /// What was rejected and adapted in an epoch. Of an epoch that there is not, nothing.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn epoch_details(
        &mut self,
        pipeline: &str,
        epoch: Epoch,
        limits: DetailLimits,
    ) -> Result<ledger::EpochDetails, SinkError>;

    /// How many looked-up keys of each stage are in which status. None where the ledger is of before there were look-ups.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn lookup_counts(&mut self, pipeline: &str) -> Result<Vec<ledger::LookupCount>, SinkError>;
}
