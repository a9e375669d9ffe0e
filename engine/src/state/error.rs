//! What can go wrong with a state directory.

use std::io;
use std::path::Path;
use std::sync::Arc;

/// State trouble.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct StateError {
    /// What sort of trouble.
    pub kind: StateErrorKind,
    /// What happened and where.
    pub message: String,
    /// What to do, a full sentence.
    pub hint: Option<String>,
    /// What the operating system said.
    #[source]
    pub cause: Option<Arc<io::Error>>,
}

/// Sorts of state trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateErrorKind {
    /// Another run holds the state.
    Locked,
    /// What lies on disk is not what was written: a file is missing, too short, or a checksum differs.
    Corrupt,
    /// The state was written in a format this vardelta does not know.
    Version,
    /// The operating system refused: disk full, no permission; or the state was used out of order.
    Io,
}

impl StateError {
    /// An error without a hint.
    pub fn new(kind: StateErrorKind, message: impl Into<String>) -> StateError {
        StateError { kind, message: message.into(), hint: None, cause: None }
    }

    /// Adds what to do.
    pub fn with_hint(mut self, hint: impl Into<String>) -> StateError {
        self.hint = Some(hint.into());
        self
    }

    /// The operating system refused to `action` (a verb phrase such as "write") this path.
    pub(super) fn io(action: &str, path: &Path, error: &io::Error) -> StateError {
        let hint = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                "Free some disk space there, or move the state with `state_dir`, and run again."
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "Make the state directory writable for this user, or move it with `state_dir`."
            }
            _ => "Check the disk that holds the state directory, and run again.",
        };
        // The system's own error cannot be kept, only what it says.
        let cause = Arc::new(io::Error::new(error.kind(), error.to_string()));
        let what = format!("cannot {action} {}: {error}", path.display());
        StateError { cause: Some(cause), ..StateError::new(StateErrorKind::Io, what).with_hint(hint) }
    }

    /// The content of this path is not what was written.
    pub(super) fn corrupt(path: &Path, what: &str) -> StateError {
        StateError::new(StateErrorKind::Corrupt, format!("the state is damaged: {}: {what}", path.display()))
            .with_hint("Run `vardelta rebuild` to make the state from scratch.")
    }

    /// The state is used in a way its protocol forbids: a defect of vardelta, said instead of damaging anything.
    pub(super) fn misuse(what: &str) -> StateError {
        StateError::new(StateErrorKind::Io, format!("the state cannot do that now: {what}"))
            .with_hint("This is a defect of vardelta, please report it.")
    }
}
