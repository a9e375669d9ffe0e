//! What is known of a transaction before and while it is open.

use vardelta_schemas::ledger::EpochId;

/// The transaction that is open.
pub(super) struct Begun {
    pub(super) pipeline: String,
    pub(super) expected: EpochId,
    /// The tables that are refilled, under other names.
    pub(super) replaced: Vec<String>,
    /// The tables that are no longer declared.
    pub(super) dropped: Vec<String>,
    /// The tables in which another definition has marked rows.
    pub(super) left_over: Vec<String>,
    /// The time of the epoch, as the server takes it.
    pub(super) epoch_time: String,
}

/// What is found and made before a transaction.
#[derive(Default)]
pub(super) struct Prepared {
    pub(super) replaced: Vec<String>,
    pub(super) dropped: Vec<String>,
    pub(super) left_over: Vec<String>,
    pub(super) notices: Vec<String>,
}
