//! Sources: a drop to batches and rejects.

pub mod vcf;
