//! Answers in one SQLite file, which any number of processes share.

use std::path::Path;

use crate::sinks::sqlite::answers::SqliteAnswers;

/// The file in its folder.
const FILE: &str = "answers.sqlite";

/// The store in a folder.
pub(super) fn open(folder: &Path) -> SqliteAnswers {
    SqliteAnswers::private(&folder.join(FILE))
}
