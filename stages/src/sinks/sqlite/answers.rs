//! Answers of look-ups in a SQLite file: a sink's, or one that has nothing else.
//!
//! The file is open only while something is read or written, so that it is in nobody's way: a load that ends may still
//! switch its journal, and another process waits for a few milliseconds.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params_from_iter, types::Value};
use vardelta_engine::contract::sink::{AnswerName, AnswerStore, KeptAnswer, SinkError};
use vardelta_schemas::sql::{Dialect, answers as sql};

use crate::sinks::sqlite::error::explain;

/// Names or entries in a statement, at the most.
const STATEMENT: usize = 200;
/// How long to wait for other processes that keep answers.
const SHARED_PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait for a load: it holds the file for much longer than anybody should wait.
const SINK_PATIENCE: Duration = Duration::from_millis(250);

/// The table of answers in a file.
#[derive(Clone, Debug)]
pub(crate) struct SqliteAnswers {
    path: PathBuf,
    patience: Duration,
    /// Whether the file is a sink's, which makes it itself.
    is_sinks: bool,
}

impl SqliteAnswers {
    /// In a file of its own, which is made.
    pub fn private(path: &Path) -> SqliteAnswers {
        SqliteAnswers { path: path.to_owned(), patience: SHARED_PATIENCE, is_sinks: false }
    }

    /// In a sink's file.
    pub fn beside(path: &Path) -> SqliteAnswers {
        SqliteAnswers { path: path.to_owned(), patience: SINK_PATIENCE, is_sinks: true }
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        if !self.is_sinks {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(self.patience)?;
        connection.execute_batch(sql::SQLITE_SESSION)?;
        Ok(connection)
    }

    /// Does something to the table in a transaction; `None` where there is no table yet.
    fn on_table<T>(
        &self,
        doing: &str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, SinkError> {
        let failed = explain(&self.path, doing);
        if !self.path.exists() {
            return Ok(None);
        }
        let connection = self.open().map_err(failed)?;
        let is_there = connection.prepare(sql::SELECT_SQLITE_TABLE).and_then(|mut query| query.exists([]));
        match is_there.map_err(failed)? {
            true => work(&connection).map(Some).map_err(failed),
            false => Ok(None),
        }
    }
}

impl AnswerStore for SqliteAnswers {
    fn get(&mut self, names: &[AnswerName]) -> Result<Vec<Option<Vec<u8>>>, SinkError> {
        let read = |connection: &Connection| {
            let mut found: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
            for names in names.chunks(STATEMENT) {
                let mut query = connection.prepare(&sql::select(names.len()))?;
                let rows = query.query_map(params_from_iter(names.iter().map(|name| &name[..])), |row| {
                    Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))
                })?;
                for row in rows {
                    let (name, entry) = row?;
                    found.insert(name, entry);
                }
            }
            Ok(names.iter().map(|name| found.remove(&name[..])).collect())
        };
        Ok(self.on_table("read answers in", read)?.unwrap_or_else(|| vec![None; names.len()]))
    }

    fn put(&mut self, entries: &[KeptAnswer]) -> Result<(), SinkError> {
        let failed = explain(&self.path, "keep answers in");
        let mut connection = self.open().map_err(failed)?;
        let write = |transaction: &Transaction<'_>| {
            for statement in sql::create(Dialect::Sqlite) {
                transaction.execute(statement, [])?;
            }
            for entries in entries.chunks(STATEMENT) {
                let values = entries.iter().flat_map(|entry| {
                    [
                        Value::Blob(entry.name.to_vec()),
                        Value::Integer(entry.expires_s),
                        Value::Blob(entry.bytes.clone()),
                    ]
                });
                transaction.prepare(&sql::replace(entries.len()))?.execute(params_from_iter(values))?;
            }
            Ok(())
        };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        write(&transaction).map_err(failed)?;
        transaction.commit().map_err(failed)
    }

    fn remove(&mut self, names: &[AnswerName]) -> Result<(), SinkError> {
        let delete = |connection: &Connection| {
            for names in names.chunks(STATEMENT) {
                connection
                    .prepare(&sql::delete(names.len()))?
                    .execute(params_from_iter(names.iter().map(|name| &name[..])))?;
            }
            Ok(())
        };
        self.on_table("take answers out of", delete).map(|_| ())
    }

    fn clear(&mut self, expired_before_s: Option<i64>) -> Result<u64, SinkError> {
        let cleared = self.on_table("take answers out of", |connection| match expired_before_s {
            Some(before_s) => connection.execute(sql::CLEAR_EXPIRED, [before_s]),
            None => connection.execute(sql::CLEAR, []),
        })?;
        Ok(cleared.unwrap_or_default() as u64)
    }

    fn size(&mut self) -> Result<(u64, u64), SinkError> {
        let size = self.on_table("read answers in", |connection| {
            connection.query_row(sql::SELECT_SIZE, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        })?;
        let (entries, bytes) = size.unwrap_or_default();
        Ok((entries.unsigned_abs(), bytes.unsigned_abs()))
    }
}
