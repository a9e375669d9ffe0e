//! The one room that names differential dataflow.
//!
//! Differential's drivers decide which change meets what: they hold times, frontiers and capabilities. What they are given to
//! read is the state itself: a [`trace::StateTrace`] is a trace whose stored part is a snapshot of the state, read by key when
//! an operator asks for it, and whose incoming part is what a chunk brings, gathered and sorted. So nothing that is stored is
//! arranged a second time in memory, and nothing is exchanged twice.
//!
//! Two times: [`STORED`] is when all was that the state knows, [`INCOMING`] is when the chunk happens. Every stateful operator
//! is key-local, so what it puts out at `INCOMING` is exactly the change.

mod half_join;
mod passing;
mod reduce;
#[cfg(test)]
pub(crate) mod reference;
mod trace;

pub(crate) use self::{
    half_join::{HalfJoin, Side, join},
    reduce::{KeyLocal, reduce},
    trace::{Gather, arrange, arrange_after, arrange_finished},
};

/// What the state knew.
pub(crate) const STORED: u64 = 0;
/// What the chunk changes.
pub(crate) const INCOMING: u64 = 1;
