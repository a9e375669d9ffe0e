//! What a sink's ledger keeps of files that could not be loaded while others went on: `vardelta_set_aside`.

use vardelta_schemas::ledger;

use super::SinkError;

/// Reads and notes files that are set aside. None of it is part of an epoch.
pub trait SetAside {
    /// The files of a pipeline that are set aside. None where the ledger is of before there were any.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn set_aside(&mut self, pipeline: &str) -> Result<Vec<ledger::SetAsideRow>, SinkError>;

    /// Puts rows in place, or in the place of the one with the same source and path, and takes those of other files out (source
    /// and path), all at once. Makes the ledger's tables where they are missing.
    ///
    /// # Errors
    /// When a statement fails; nothing is changed then.
    fn note_set_aside(
        &mut self,
        pipeline: &str,
        put: &[ledger::SetAsideRow],
        gone: &[(String, String)],
    ) -> Result<(), SinkError>;
}
