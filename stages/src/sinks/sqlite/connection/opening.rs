//! How a file is opened: to write, to read, and to read where nothing may be written.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};
use vardelta_engine::contract::sink::{SinkError, SinkErrorKind};
use vardelta_schemas::sql::sqlite as sql;

use crate::sinks::sqlite::error::{self, explain};

/// How long to wait for another writer: long enough for one that is just finishing, short enough to hear of it soon.
const LOCK_TIMEOUT: Duration = Duration::from_millis(2000);

pub(super) fn open_with(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(LOCK_TIMEOUT)?;
    // A quoted name that is no column would otherwise be read as a text.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.execute_batch(sql::SESSION)?;
    Ok(connection)
}

/// Opens for reading alone. The file is opened with the right to write where there is one, so that what belongs to it
/// (`-wal`, `-shm`) is tidied up on closing; nothing is written otherwise.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, SinkError> {
    let failed = explain(path, "read");
    let exists = path.try_exists().map_err(|cause| {
        SinkError::new(SinkErrorKind::Unavailable, format!("cannot read {}: {cause}", path.display()))
    })?;
    if !exists {
        return Connection::open_in_memory().map_err(failed);
    }
    let opened = open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(|connection| {
        connection.execute_batch(sql::READ_ONLY)?;
        page_count(&connection)?;
        Ok(connection)
    });
    match (opened, immutable_uri(path)) {
        (Err(error), Some(uri)) if error::is_read_only(&error) => {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            open_with(Path::new(&uri), flags).map_err(failed)
        }
        (opened, _) => opened.map_err(failed),
    }
}

/// A file in write-ahead mode cannot be read as it is where nothing may be written (an archive, a mount). It can as a
/// file that nobody changes; that is true as long as no log lies beside it.
fn immutable_uri(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    let log = PathBuf::from(format!("{text}-wal"));
    if log.exists() {
        return None;
    }
    let escaped = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Some(format!("file:{escaped}?immutable=1"))
}

pub(super) fn page_count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row(sql::PAGE_COUNT, [], |row| row.get(0))
}

/// SQLite says only "unable to open"; which part of the path is missing helps more.
pub(super) fn check_directory(path: &Path) -> Result<(), SinkError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    match directory {
        Some(directory) if !directory.is_dir() => {
            let message = format!("cannot open {}: there is no directory {}", path.display(), directory.display());
            Err(SinkError::new(SinkErrorKind::Unavailable, message)
                .with_hint("Make the directory, or set another `path` in the sink's stage."))
        }
        _ => Ok(()),
    }
}
