//! What a sink must be able to do so that drops can be forgotten, and that proven. Nothing here has a default: a sink that
//! cannot search must not be able to prove an erasure.

use super::SinkError;
use crate::contract::erasure::{Erasure, Removed, Search};

/// Forgets drops.
pub trait Erase {
    /// Inside the transaction, after all rows: takes drops out of histories, rejects and ledger. The events of the epoch
    /// itself are written by `commit`.
    ///
    /// # Errors
    /// When the database has tables or columns of the pipeline that nothing keeps up any more, so that nobody can tell what
    /// they hold of the drops; or when a statement fails.
    fn erase(&mut self, erasure: &Erasure) -> Result<Removed, SinkError>;

    /// Whether an erasure of this pipeline is committed and not yet proven.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn is_erasing(&mut self, pipeline: &str) -> Result<bool, SinkError>;

    /// After the commit of an erasure: overwrites what the database itself keeps of rows that are gone, as far as a client
    /// can. May be called again.
    ///
    /// # Errors
    /// When other connections keep it from that, or there is no room.
    fn scrub(&mut self) -> Result<(), SinkError>;

    /// Looks for what an erasure should have taken out of histories, rejects and ledger, and in the database's files where
    /// it has some.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn search(&mut self, erasure: &Erasure) -> Result<Search, SinkError>;

    /// Whether a text is a value of a row of the tables that an erasure is about or of their histories, marked rows included.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn has_value(&mut self, erasure: &Erasure, text: &str) -> Result<bool, SinkError>;

    /// Writes down that an erasure is proven.
    ///
    /// # Errors
    /// When the statement fails.
    fn finish_erasure(&mut self, erasure: &Erasure) -> Result<(), SinkError>;
}
