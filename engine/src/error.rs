//! Why a run ended without doing its work, as facts: what happened and where, what is written, what it came from, what to do,
//! and the exit code. They become a text when somebody reads them, and not before.

use std::{
    any::Any,
    error::Error,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use vardelta_schemas::ledger::Epoch;

use crate::{
    cause::Cause,
    contract::{
        emit::StageError,
        sink::{SinkError, SinkErrorKind},
    },
    state::{StateError, StateErrorKind},
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
    /// The kind as programs read it.
    pub fn as_str(self) -> &'static str {
        match self {
            RunErrorKind::Usage => "usage",
            RunErrorKind::Pipeline => "pipeline",
            RunErrorKind::Input => "input",
            RunErrorKind::RejectShare => "reject_share",
            RunErrorKind::Sink => "sink",
            RunErrorKind::Mismatch => "mismatch",
            RunErrorKind::Interrupted => "interrupted",
            RunErrorKind::Internal => "internal",
        }
    }

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

/// What of a run is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Written {
    /// Nothing: tables, ledger and state are as they were before.
    #[default]
    Nothing,
    /// Of a migration, what was added to the tables and filled before its epoch.
    Expanded,
    /// The epoch is committed.
    Committed(Epoch),
    /// The database was asked to commit the epoch, and nobody can say whether it did. The next start asks it.
    Unknown(Epoch),
}

impl Written {
    /// The word that programs read.
    pub fn as_str(self) -> &'static str {
        match self {
            Written::Nothing => "nothing",
            Written::Expanded => "expanded",
            Written::Committed(_) => "committed",
            Written::Unknown(_) => "unknown",
        }
    }

    /// What to do about it, where that follows from what is written alone.
    fn advice(self) -> Option<&'static str> {
        match self {
            Written::Nothing => None,
            Written::Expanded => Some("Give the same command again: it goes on from there."),
            Written::Committed(_) => Some("Nothing has to be loaded again; what is left undone, the next run does."),
            Written::Unknown(_) => Some(
                "Run again when the database can be reached: its ledger says which, and nothing is lost or counted twice.",
            ),
        }
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Written::Nothing => f.write_str("nothing was written"),
            Written::Expanded => f.write_str(
                "what was added to the tables and filled so far stays, and shows in no column that was there",
            ),
            Written::Committed(epoch) => write!(f, "epoch {epoch} is committed"),
            Written::Unknown(epoch) => write!(f, "whether epoch {epoch} was committed is not known"),
        }
    }
}

/// A failed run.
#[derive(Clone, Debug)]
pub struct RunError {
    /// What sort of failure.
    pub kind: RunErrorKind,
    /// What happened and where.
    pub message: String,
    /// What to do, a full sentence.
    pub hint: Option<String>,
    /// What of the run is written; `None` where the request would have written nothing, and until the verb has said it.
    pub written: Option<Written>,
    /// What it came from.
    pub cause: Option<Cause>,
    /// The files without which the run could go on, as far as they are known.
    pub at_fault: Vec<FileAtFault>,
}

/// A file that a run cannot load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileAtFault {
    /// The source stage that it was delivered to.
    pub source: String,
    /// The file, as it was named to the run or found by it.
    pub path: PathBuf,
}

impl FileAtFault {
    /// A file of a source.
    pub(crate) fn new(source: &str, path: &Path) -> FileAtFault {
        FileAtFault { source: source.to_owned(), path: path.to_owned() }
    }
}

impl fmt::Display for RunError {
    /// What happened, and after it what is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.written {
            None => Ok(()),
            Some(written) if self.message.contains('\n') => write!(f, "\n{written}"),
            Some(written) => write!(f, "; {written}"),
        }
    }
}

impl Error for RunError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| cause.as_ref() as &(dyn Error + 'static))
    }
}

impl RunError {
    /// An error without a hint.
    pub fn new(kind: RunErrorKind, message: impl Into<String>) -> RunError {
        RunError { kind, message: message.into(), hint: None, written: None, cause: None, at_fault: Vec::new() }
    }

    /// Adds what to do.
    pub fn with_hint(mut self, hint: impl Into<String>) -> RunError {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what it came from.
    pub fn caused_by(mut self, cause: impl Error + Send + Sync + 'static) -> RunError {
        self.cause = Some(Arc::new(cause));
        self
    }

    /// Adds the files that it is about.
    pub(crate) fn about(mut self, files: impl IntoIterator<Item = FileAtFault>) -> RunError {
        self.at_fault.extend(files);
        self
    }

    /// Adds the file that was being read, where what was read is what is wrong.
    pub(crate) fn while_reading(self, source: &str, path: &Path) -> RunError {
        match self.kind {
            RunErrorKind::Input if self.at_fault.is_empty() => self.about([FileAtFault::new(source, path)]),
            _ => self,
        }
    }

    /// Adds what of the run is written, where that is not said yet. Of a request that makes no sense nobody expects that it
    /// wrote something.
    pub fn or_written(mut self, written: Written) -> RunError {
        let is_refused = matches!(self.kind, RunErrorKind::Usage | RunErrorKind::Pipeline);
        if self.written.is_none() && !(is_refused && written == Written::Nothing) {
            self.written = Some(written);
        }
        self
    }

    /// What to do, as far as it is known: about what happened, and about what is written.
    pub fn advice(&self) -> Option<String> {
        let parts: Vec<&str> = self.hint.as_deref().into_iter().chain(self.written.and_then(Written::advice)).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// Whether what lies on disk of the state is not what was written.
    pub fn is_damaged_state(&self) -> bool {
        let cause = self.cause.as_ref().and_then(|cause| cause.downcast_ref::<StateError>());
        cause.is_some_and(|cause| cause.kind == StateErrorKind::Corrupt)
    }

    /// The user stopped the run.
    pub fn interrupted() -> RunError {
        RunError::new(RunErrorKind::Interrupted, "interrupted")
    }

    /// A panic, caught at the edge of a thread.
    pub fn panic(what: &str, payload: &(dyn Any + Send)) -> RunError {
        let text = payload
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "no message".into());
        RunError::new(RunErrorKind::Internal, format!("internal error in {what}: {text}"))
            .with_hint("This is a defect of vardelta: please report it with the pipeline file and the command.")
    }

    /// An error of a source or transform.
    pub fn stage(stage: &str, error: StageError) -> RunError {
        let message = format!("stage `{stage}`: {}", error.message);
        RunError { message, ..RunError::from(error) }
    }

    /// An error of the engine's own row handling.
    pub fn internal(what: impl fmt::Display) -> RunError {
        RunError::new(RunErrorKind::Internal, format!("internal error: {what}"))
    }

    /// Entries of a stage's state cannot be what was written.
    pub(crate) fn damaged_state(stage: &str, what: &str) -> RunError {
        StateError::new(StateErrorKind::Corrupt, format!("the state of stage `{stage}` {what}"))
            .with_hint("Run `vardelta rebuild` to make it from scratch.")
            .into()
    }
}

impl From<StageError> for RunError {
    fn from(error: StageError) -> RunError {
        RunError { hint: error.hint, cause: error.cause, ..RunError::new(RunErrorKind::Input, error.message) }
    }
}

impl From<SinkError> for RunError {
    fn from(error: SinkError) -> RunError {
        let kind = match error.kind {
            SinkErrorKind::Unreadable => RunErrorKind::Internal,
            _ => RunErrorKind::Sink,
        };
        RunError { hint: error.hint, cause: error.cause, ..RunError::new(kind, error.message) }
    }
}

impl From<StateError> for RunError {
    fn from(error: StateError) -> RunError {
        let (message, hint) = (error.message.clone(), error.hint.clone());
        RunError { hint, ..RunError::new(RunErrorKind::Sink, message).caused_by(error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_said_once_and_follows_from_the_fact() {
        let error = RunError::new(RunErrorKind::Sink, "the disk is full").with_hint("Make room.");
        assert_eq!(error.to_string(), "the disk is full");
        let committed = error.clone().or_written(Written::Committed(Epoch::new(7))).or_written(Written::Nothing);
        assert_eq!(committed.to_string(), "the disk is full; epoch 7 is committed");
        assert_eq!(committed.advice().map(|advice| advice.starts_with("Make room. Nothing has to")), Some(true));
        let unknown = error.or_written(Written::Unknown(Epoch::new(7)));
        assert_eq!(unknown.to_string(), "the disk is full; whether epoch 7 was committed is not known");
        let list = RunError::new(RunErrorKind::Input, "gone:\n  - a").or_written(Written::Nothing);
        assert_eq!(list.to_string(), "gone:\n  - a\nnothing was written");
        let refused = RunError::new(RunErrorKind::Usage, "no drop `x`").or_written(Written::Nothing);
        assert_eq!(refused.to_string(), "no drop `x`");
        assert_eq!(refused.or_written(Written::Unknown(Epoch::FIRST)).written, Some(Written::Unknown(Epoch::FIRST)));
    }

    #[test]
    fn a_cause_keeps_its_sort() {
        let damaged = RunError::damaged_state("genes", "cannot be read");
        assert!(damaged.is_damaged_state() && damaged.source().is_some());
        let locked = RunError::from(StateError::new(StateErrorKind::Locked, "in use"));
        assert!(!locked.is_damaged_state());
        assert_eq!(RunError::from(SinkError::new(SinkErrorKind::Unreadable, "?")).kind, RunErrorKind::Internal);
    }
}
