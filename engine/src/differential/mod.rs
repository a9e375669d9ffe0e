//! The one room that names differential's traits: its drivers run over batches of ours, which say only when they happened.
//!
//! Differential decides which change meets what was accepted before it; what a batch holds, and how it is read, is the
//! caller's. `Stored` is one batch that stands for all that the state knew before the chunk, `Incoming` one that holds the
//! chunk's changes: nothing is read, sorted or arranged a second time.

mod half_join;
#[cfg(test)]
mod reference;
mod trace;

pub(crate) use half_join::{HalfJoin, Side, join};
pub(crate) use trace::{Body, Gathered, StateTrace, Timed};
