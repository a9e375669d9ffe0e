//! What every answer is made of.

use std::sync::Arc;

use super::{auth::Gate, recent::Pages, written::Written};
use crate::live::Board;

/// What answers are made of.
pub struct Served {
    /// What is known of the pipelines.
    pub board: Arc<Board>,
    /// Who may ask.
    pub gate: Gate,
    /// The pages that were read lately, and whose turn it is to read one.
    pub pages: Pages,
    /// What `/health` was answered last.
    pub health: Written,
    /// What `/readyz` was answered last.
    pub readyz: Written,
    /// What `/livez` was answered last.
    pub livez: Written,
}
