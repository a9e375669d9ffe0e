//! `bench`: how fast a pipeline is, stage by stage, on the user's machine and data.
//!
//! Every measurement is a process of its own ([`request`], [`child`], [`spawn`]) that loads into a scratch place ([`place`]): a SQLite
//! file, or a database that is made on the sink's server and dropped again. docs/bench.md is the user's side.

mod allocations;
mod alone;
mod bottleneck;
mod child;
mod compare;
mod cost;
mod cut;
mod fields;
mod histogram;
mod input;
mod measure;
mod place;
mod print;
mod process;
mod request;
mod result;
mod spawn;
mod svg;
mod text;

pub use self::{
    child::measure as measure_here,
    compare::{Comparison, compare},
    histogram::Batches,
    measure::{Settings, bench},
    print::{comparison_text, text as bench_text},
    request::Request,
    result::Bench,
    spawn::VERB as MEASURE_VERB,
    svg::{START as SVG_START, draw},
};

/// A shipped pipeline, and how it is written.
#[cfg(test)]
fn shipped(name: &str) -> (vardelta_engine::plan::Plan, vardelta_engine::spec::SpecFile) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let text = std::fs::read_to_string(&path).expect("it is shipped");
    let mut problems = vardelta_engine::diagnostics::Diagnostics::default();
    let spec = vardelta_engine::spec::SpecFile::parse(path, text, &[], &|_| None, &mut problems);
    let plan = vardelta_engine::plan::Plan::resolve(&spec, vardelta_stages::REGISTRY, &mut problems);
    (plan.expect("it is valid"), spec)
}
