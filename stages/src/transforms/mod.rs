//! Transforms: batch in, batch and rejects out, no memory of earlier batches.

pub mod annotations;
pub mod explode;
pub mod filter;
pub mod normalize;
pub mod select;
