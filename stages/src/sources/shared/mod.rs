//! What sources do in one way: finding files, taking containers apart, cutting text into chunks, telling where a record
//! stood.

pub(crate) mod container;
pub(crate) mod files;
pub(crate) mod lines;
pub(crate) mod place;
pub(crate) mod stretches;
pub(crate) mod tail;
pub(crate) mod tally;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod text;
