//! Answers of look-ups kept beside the ledger, so that whoever shares the database shares them.

use super::SinkError;

/// A place for answers in a sink's database: the table `api_cache`, on a connection of its own that commits by itself, so
/// that what a service said outlives a load that is given up. It knows nothing of what is in an entry.
pub trait AnswerStore: Send {
    /// The entries of these names, in their order; `None` where there is none.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn get(&mut self, names: &[AnswerName]) -> Result<Vec<Option<Vec<u8>>>, SinkError>;

    /// Puts entries in place of what was there under their names.
    ///
    /// # Errors
    /// When the database cannot be written, also because another transaction holds it; nothing is kept then.
    fn put(&mut self, entries: &[KeptAnswer]) -> Result<(), SinkError>;

    /// Takes entries out.
    ///
    /// # Errors
    /// When the database cannot be written.
    fn remove(&mut self, names: &[AnswerName]) -> Result<(), SinkError>;

    /// Takes every entry out, or those that expired before a time in seconds since 1970. Returns how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    fn clear(&mut self, expired_before_s: Option<i64>) -> Result<u64, SinkError>;

    /// How many entries there are, and their bytes.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn size(&mut self) -> Result<(u64, u64), SinkError>;
}

/// What an entry is called: a digest of what was asked.
pub type AnswerName = [u8; 32];

/// An entry to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// What it is called.
    pub name: AnswerName,
    /// When nobody can use it any more, in seconds since 1970.
    pub expires_s: i64,
    /// The entry.
    pub bytes: Vec<u8>,
}
