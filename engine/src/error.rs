//! Why a run ended without doing its work: what happened, where, what to do, and the exit code that says so.

use std::any::Any;

use crate::{
    contract::{emit::StageError, sink::SinkError},
    state::StateError,
};

/// Sorts of failure; each has its exit code (DESIGN, section 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunErrorKind {
    /// The request makes no sense: an unknown drop, two sources and no `--into`.
    Usage,
    /// The pipeline file is wrong.
    Pipeline,
    /// A file that cannot be read, or is truncated.
    Input,
    /// More records were rejected than `max_reject_share` allows.
    RejectShare,
    /// Sink or state trouble, another run's lock included.
    Sink,
    /// `verify` found differences.
    Mismatch,
    /// Ctrl-C.
    Interrupted,
    /// A defect of vardelta.
    Internal,
}

impl RunErrorKind {
    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            RunErrorKind::Usage => 2,
            RunErrorKind::Pipeline => 3,
            RunErrorKind::Input => 4,
            RunErrorKind::RejectShare => 5,
            RunErrorKind::Sink => 6,
            RunErrorKind::Mismatch => 7,
            RunErrorKind::Internal => 70,
            RunErrorKind::Interrupted => 130,
        }
    }
}

/// A failed run. Nothing was written unless the message says otherwise.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct RunError {
    /// What sort of failure.
    pub kind: RunErrorKind,
    /// What happened and where.
    pub message: String,
    /// What to do, a full sentence.
    pub hint: Option<String>,
}

impl RunError {
    /// An error without a hint.
    pub fn new(kind: RunErrorKind, message: impl Into<String>) -> RunError {
        RunError { kind, message: message.into(), hint: None }
    }

    /// Adds what to do.
    pub fn with_hint(mut self, hint: impl Into<String>) -> RunError {
        self.hint = Some(hint.into());
        self
    }

    /// The user stopped the run.
    pub fn interrupted() -> RunError {
        RunError::new(RunErrorKind::Interrupted, "interrupted; nothing was written")
    }

    /// A panic, caught at the edge of a thread.
    pub fn panic(what: &str, payload: &(dyn Any + Send)) -> RunError {
        let text = payload
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "no message".into());
        RunError::new(RunErrorKind::Internal, format!("internal error in {what}: {text}; nothing was written"))
            .with_hint("This is a defect of vardelta: please report it with the pipeline file and the command.")
    }

    /// An error of a source or transform.
    pub fn stage(stage: &str, error: StageError) -> RunError {
        RunError { kind: RunErrorKind::Input, message: format!("stage `{stage}`: {}", error.message), hint: error.hint }
    }

    /// An error of the engine's own row handling.
    pub fn internal(what: impl std::fmt::Display) -> RunError {
        RunError::new(RunErrorKind::Internal, format!("internal error: {what}; nothing was written"))
    }
}

impl From<SinkError> for RunError {
    fn from(error: SinkError) -> RunError {
        RunError { kind: RunErrorKind::Sink, message: error.message, hint: error.hint }
    }
}

impl From<StateError> for RunError {
    fn from(error: StateError) -> RunError {
        RunError { kind: RunErrorKind::Sink, message: error.message, hint: error.hint }
    }
}
