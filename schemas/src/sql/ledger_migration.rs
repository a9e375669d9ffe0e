//! What a migration of the ledger's tables is.

/// One step from one version of the ledger's tables to the next.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The version it leads to.
    pub version: u32,
    /// What to run, in order, inside one transaction where the dialect can.
    pub statements: &'static [&'static str],
}
