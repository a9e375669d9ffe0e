//! Why a message did not get there.

use std::time::Duration;

/// Why a message did not get there.
#[derive(Debug)]
pub struct Undelivered {
    /// What happened, in words.
    pub why: String,
    /// Whether another attempt may help.
    pub is_passing: bool,
    /// How long the other side wants to be left alone.
    pub wait: Option<Duration>,
}
