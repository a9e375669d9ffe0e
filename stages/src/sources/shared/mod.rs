//! What sources do in one way: finding files and naming drops after them.

pub(crate) mod by_product;
pub(crate) mod files;
pub(crate) mod glob;
mod location;
pub(crate) mod naming;
mod walk;
