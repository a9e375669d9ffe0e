//! Sinks: one epoch's changes and the ledger row in one transaction.

pub mod mysql;
mod shared;
pub mod sqlite;
#[cfg(test)]
pub(crate) mod tests;
