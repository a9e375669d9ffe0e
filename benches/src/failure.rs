//! Why a benchmark ends early.

use std::{error::Error, fmt};

/// What a benchmark returns; any error ends it, with its message.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Refuses a figure that is not the one the generated data must lead to: speed of a wrong result is worth nothing.
///
/// # Errors
/// When the two differ.
pub fn expect_equal<T: PartialEq + fmt::Debug>(what: &str, expected: T, found: T) -> Result<()> {
    if expected == found { Ok(()) } else { Err(format!("{what}: expected {expected:?}, found {found:?}").into()) }
}
