//! `bench`: how fast a pipeline is, stage by stage, on the user's machine and data.
//!
//! Every measurement is a process of its own ([`request`], [`child`], [`spawn`]) that loads into a scratch place ([`place`]): a SQLite
//! file, or a database that is made on the sink's server and dropped again. docs/bench.md is the user's side.

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
