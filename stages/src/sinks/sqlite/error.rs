//! What SQLite reports, as errors that name the file and say what to do.

use std::path::Path;

use rusqlite::{Error, ErrorCode, ffi};
use vardelta_engine::contract::sink::{SinkError, SinkErrorKind};

/// Turns an error of SQLite into one of the sink. `doing` completes "cannot … FILE": "read the ledger of".
pub(super) fn explain<'a>(path: &'a Path, doing: &'a str) -> impl Fn(Error) -> SinkError + Copy + 'a {
    move |error| {
        let file = path.display();
        let (kind, why, hint) = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
                SinkErrorKind::Locked,
                "another run or program is writing to it".into(),
                "Wait until that is done, then run again.",
            ),
            Some(ErrorCode::DiskFull) => {
                (SinkErrorKind::Unavailable, "there is no space left for it".into(), "Make room and run again.")
            }
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => (
                SinkErrorKind::Unavailable,
                "the file or its directory is read-only".into(),
                "Make both writable for this user, or set another `path` in the sink's stage.",
            ),
            Some(ErrorCode::CannotOpen) => (
                SinkErrorKind::Unavailable,
                "it cannot be opened or made there".into(),
                "See that it is a file and that this user may write to it and to its directory.",
            ),
            Some(ErrorCode::NotADatabase) => (
                SinkErrorKind::Unavailable,
                "it is not a SQLite database".into(),
                "See that `path` in the sink's stage names the right file; vardelta changes no other kind of file.",
            ),
            Some(ErrorCode::DatabaseCorrupt) => (
                SinkErrorKind::Unavailable,
                format!("the database is damaged ({error})"),
                "Put a sound copy back, or remove the file together with the pipeline's state and load again.",
            ),
            Some(ErrorCode::SystemIoFailure) => (
                SinkErrorKind::Unavailable,
                format!("the disk reported an error ({error})"),
                "See to the disk and run again.",
            ),
            Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig) => {
                (SinkErrorKind::Value, error.to_string(), "Run `vardelta verify` to see which rows differ.")
            }
            _ => {
                let message = format!("cannot {doing} {file}: {error}");
                return SinkError::new(SinkErrorKind::Unavailable, message).caused_by(error);
            }
        };
        SinkError::new(kind, format!("cannot {doing} {file}: {why}")).with_hint(hint).caused_by(error)
    }
}

/// Whether a row was refused because its key is there already.
pub(super) fn is_duplicate_key(error: &Error) -> bool {
    let duplicate = [ffi::SQLITE_CONSTRAINT_PRIMARYKEY, ffi::SQLITE_CONSTRAINT_UNIQUE];
    error.sqlite_error().is_some_and(|error| duplicate.contains(&error.extended_code))
}

/// Whether a file could not be opened for want of a right to write (in write-ahead mode even reading needs it).
pub(super) fn is_read_only(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied))
}
