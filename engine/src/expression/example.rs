//! An example of the manual, which tests run.

use super::functions::Database;

/// An example of the manual.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// What it is an example of.
    pub of: &'static str,
    /// The expression.
    pub sql: &'static str,
    /// Its result, as [`answer`](super::manual::answer) writes it.
    pub result: &'static str,
    /// What differs in a database. Others answer alike.
    pub elsewhere: &'static [(Database, &'static str)],
}
