//! The pipeline that the benchmarks run, as a file for the binary and as a plan for the figures of single stages.

use std::path::Path;

use vardelta_engine::{diagnostics::Diagnostics, plan::Plan, spec::SpecFile};

use crate::failure::Result;

/// The pipeline file's text.
pub const TEXT: &str = include_str!("pipeline.toml");
/// The table of variants.
pub const VARIANTS: &str = "variants";
/// The summary by gene.
pub const BY_GENE: &str = "by_gene";
/// The summary by chromosome.
pub const BY_CHROMOSOME: &str = "by_chromosome";
/// The source and the transforms, in the order in which rows pass them.
pub const BEFORE_TABLES: [&str; 5] = ["calls", "alleles", "consequences", "passing", "annotated"];

/// The plan; its paths start at this directory.
///
/// # Errors
/// When the pipeline is not valid.
pub fn plan(directory: &Path) -> Result<Plan> {
    let mut diagnostics = Diagnostics::default();
    let path = directory.join("pipeline.toml");
    let spec = SpecFile::parse(path, TEXT.to_owned(), &[], &|_| None, &mut diagnostics);
    let plan = Plan::resolve(&spec, vardelta_stages::REGISTRY, &mut diagnostics);
    match (plan, diagnostics.into_sorted().first()) {
        (Some(plan), None) => Ok(plan),
        (_, problem) => Err(format!("the benchmarks' pipeline is not valid: {problem:?}").into()),
    }
}
