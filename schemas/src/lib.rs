//! What a row is: columns with types and units, the DDL for each dialect, the ledger's tables and
//! their migrations. The only crate that builds SQL text.
//!
//! Nothing here reads a file or opens a connection.

pub mod history;
pub mod identity;
pub mod ledger;
pub mod schema;
pub mod sql;
pub mod value_text;

pub use identity::Identity;
pub use schema::{Column, ColumnType, Number, Schema, TableSchema};
