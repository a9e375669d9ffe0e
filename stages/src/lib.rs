//! Placeholder.

pub mod sqlite;
