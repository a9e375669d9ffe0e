//! What both sinks do in one way: declared constraints, marked rows, the layout and the values of tables, reading them
//! back, the ledger with the looked-up keys and the files set aside in it.

pub(crate) mod constraints;
#[cfg(test)]
pub(crate) mod fixtures;
pub(crate) mod index_columns;
pub(crate) mod ledger;
mod lookups;
pub(crate) mod marks;
pub(crate) mod read;
mod set_aside;
pub(crate) mod tables;
pub(crate) mod unique;
pub(crate) mod values;
