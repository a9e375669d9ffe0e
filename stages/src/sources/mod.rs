//! Sources: a drop to batches and rejects.

pub mod bgzf;
pub mod delimited;
pub mod gff3;
pub(crate) mod shared;
pub mod vcf;
