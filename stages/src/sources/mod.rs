//! Sources: a drop to batches and rejects.

pub(crate) mod shared;
pub mod vcf;
