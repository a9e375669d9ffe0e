//! One file per source, transform and sink; the registry.

pub mod reasons;
pub mod vcf;
