//! What a sink's ledger keeps of the keys that look-ups ask for: `vardelta_lookups`. An epoch's changes of it come with the
//! epoch ([`EpochRecord::lookups`](ledger::EpochRecord)).

use vardelta_schemas::ledger;

use super::SinkError;

/// Which rows of `vardelta_lookups` are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptLookups {
    /// All of a pipeline.
    All,
    /// Those of keys that were asked for in vain since their last answer.
    Tried,
}

/// Reads and notes looked-up keys.
pub trait Lookups {
    /// The rows of a pipeline, by stage. None where the ledger is of before there were look-ups.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn lookups(&mut self, pipeline: &str, which: KeptLookups) -> Result<Vec<ledger::LookupRow>, SinkError>;

    /// Notes what became of keys that were asked for in vain where nothing else changed, outside of any epoch.
    ///
    /// # Errors
    /// When a statement fails.
    fn note_lookups(&mut self, pipeline: &str, rows: &[ledger::LookupRow]) -> Result<(), SinkError>;
}
