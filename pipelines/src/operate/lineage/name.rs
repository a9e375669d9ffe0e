//! How a data set is named.

/// A data set's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Where it is.
    pub namespace: String,
    /// Which one of those there.
    pub name: String,
}
