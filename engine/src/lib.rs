//! The engine: spec (as written, with spans) -> plan (resolved, typed, inert, printable) -> dataflow.
//! Batches, expressions, relational operators, state, epochs, commit, metrics. Knows no genomics.
//!
//! Invariants:
//! - Only this crate names timely, and only its `differential` differential dataflow.
//! - No stage does I/O except sources and sinks; no stage sees an epoch.
//! - A bad row is a row: it reaches the rejects with its place, never a panic, never a silent drop.
//! - An epoch is in the database wholly or not at all; after a failed commit nothing further is written.
//! - Same input, same output bytes, for any number of workers; so no unordered map reaches a row.

pub mod abort;
pub(crate) mod accounting;
pub mod cause;
pub(crate) mod changes;
pub mod clock;
pub mod contract;
pub mod diagnostics;
pub(crate) mod differential;
pub mod display;
pub mod edge;
pub(crate) mod epoch;
pub mod error;
pub mod event;
pub mod expression;
pub mod failpoint;
pub(crate) mod flow;
pub mod locks;
mod member_mark;
pub(crate) mod natural;
pub mod observer;
pub mod path_text;
pub mod plan;
pub mod relational;
pub mod report;
pub(crate) mod rows;
pub mod run;
pub mod spec;
pub(crate) mod stage_index;
pub mod state;
pub mod suggest;
pub mod trace;
pub(crate) mod varint;
