//! What sources do in one way: finding files and naming drops after them, taking containers apart, cutting text into chunks,
//! saying where a record was.

mod by_product;
pub(crate) mod container;
pub(crate) mod files;
mod glob;
pub(crate) mod lines;
mod location;
pub(crate) mod naming;
pub(crate) mod place;
pub(crate) mod stretches;
pub(crate) mod tail;
pub(crate) mod tally;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod text;
mod walk;
