//! A connection: how the file is opened, and the life of one epoch's transaction.
//!
//! A new file is loaded before it is switched to write-ahead mode: with a rollback journal pages that are new are
//! written once, into their place, where the write-ahead log would write all of them twice. From the first commit on
//! the file is in write-ahead mode.

mod details;
mod lookups;
mod opening;
mod query_plan;
mod set_aside;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use arrow_array::RecordBatch;
use rusqlite::{Connection, OpenFlags};
use vardelta_engine::contract::{
    erasure::{Erasure, Removed, Search},
    migration::{Migration, Scope, Step},
    sink::{
        Access, ChangeBatch, EpochStart, Erase, Fill, Migrate, Offender, Part, Sink, SinkError, SinkErrorKind, Trigger,
    },
};
use vardelta_schemas::{
    TableSchema,
    ledger::{self, DropId, Epoch, EpochId},
    sql::{
        Dialect, sqlite as sql,
        view::{Place, Relation, Statement, Unsayable},
    },
};

use self::opening::{check_directory, open_to_read, open_with, page_count};
use crate::sinks::{
    shared::{
        constraints::OnConstraint,
        marks::OnDelete,
        unique::{self, leaving_first},
    },
    sqlite::{
        apply,
        constraints::{self, Kept, Refusals},
        erase,
        error::explain,
        layout,
        ledger::{self as records, ledger as ledger_in},
        marks::{self, TableMarks},
        migrate, read,
    },
};

/// A connection to a SQLite file.
pub(super) struct SqliteSink {
    path: PathBuf,
    on_delete: OnDelete,
    connection: Connection,
    /// Whether the file is new, and so not yet in write-ahead mode.
    fresh: bool,
    begun: Option<Begun>,
    notices: Vec<String>,
    kept: Kept,
    on_constraint: OnConstraint,
    /// New rows that SQLite did not take.
    offenders: Vec<Offender>,
}

/// The transaction that is open.
struct Begun {
    pipeline: String,
    expected: EpochId,
    /// The time of the epoch, as the ledger will have it.
    committed_at: String,
    marks: TableMarks,
    /// Statements that put back what users had added to tables that were dropped.
    restore: Vec<layout::Added>,
    /// What is to be said once it is committed.
    notices: Vec<String>,
}

impl SqliteSink {
    /// Opens the file; with [`Access::Read`] a missing one reads as an empty database.
    pub(super) fn open(path: &Path, on_delete: OnDelete, access: Access) -> Result<SqliteSink, SinkError> {
        let failed = explain(path, "open");
        let (connection, fresh) = match access {
            Access::Read => (open_to_read(path)?, false),
            Access::Write => {
                check_directory(path)?;
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
                let connection = open_with(path, flags).map_err(failed)?;
                let fresh = page_count(&connection).map_err(failed)? == 0;
                (connection, fresh)
            }
        };
        let sink = SqliteSink {
            path: path.to_owned(),
            on_delete,
            connection,
            fresh,
            begun: None,
            notices: Vec::new(),
            kept: Kept::default(),
            on_constraint: OnConstraint::Abort,
            offenders: Vec::new(),
        };
        if access == Access::Write && !fresh {
            sink.write_ahead().map_err(failed)?;
        }
        Ok(sink)
    }

    /// The same with these constraints.
    pub(super) fn constrained(self, kept: Kept, on_constraint: OnConstraint) -> SqliteSink {
        SqliteSink { kept, on_constraint, ..self }
    }

    /// Switches to write-ahead mode, if nobody else has the file open; a file of another mode works as well, so the
    /// next run may try again.
    fn write_ahead(&self) -> rusqlite::Result<()> {
        match self.connection.query_row(sql::WRITE_AHEAD, [], |_| Ok(())) {
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => Ok(()),
            result => result,
        }
    }

    fn begun(&self) -> Result<&Begun, SinkError> {
        self.begun.as_ref().ok_or_else(|| {
            SinkError::new(SinkErrorKind::Unavailable, format!("no transaction is open on {}", self.path.display()))
        })
    }

    /// Runs something on one snapshot of the database.
    fn on_snapshot<T>(
        &mut self,
        doing: &str,
        read: impl FnOnce(&Path, &Connection) -> Result<T, SinkError>,
    ) -> Result<T, SinkError> {
        if !self.connection.is_autocommit() {
            return read(&self.path, &self.connection);
        }
        let failed = explain(&self.path, doing);
        self.connection.execute_batch(sql::BEGIN_READ).map_err(failed)?;
        let result = read(&self.path, &self.connection);
        self.connection.execute_batch(sql::ROLLBACK).map_err(failed)?;
        result
    }

    /// Does something while this process does not have the file open.
    fn while_closed<T>(&mut self, work: impl FnOnce(&Path) -> Result<T, SinkError>) -> Result<T, SinkError> {
        let failed = explain(&self.path, "open");
        let nothing = Connection::open_in_memory().map_err(failed)?;
        let closing = std::mem::replace(&mut self.connection, nothing);
        let done = match closing.close() {
            Ok(()) => work(&self.path),
            Err((_, error)) => Err(explain(&self.path, "close")(error)),
        };
        self.connection = open_with(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
        done
    }

    /// Gives the transaction up, if there is one: SQLite itself has rolled back after some errors.
    fn give_up(&mut self) -> rusqlite::Result<()> {
        self.begun = None;
        if self.connection.is_autocommit() { Ok(()) } else { self.connection.execute_batch(sql::ROLLBACK) }
    }
}

#[cfg(test)]
impl SqliteSink {
    /// Makes the disk end there: a page more is refused as if there were no space.
    pub(super) fn limit_pages(&self, pages: u32) {
        let limited =
            self.connection.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, u32>(0));
        assert_eq!(limited, Ok(pages));
    }
}

impl Sink for SqliteSink {
    fn ledger(&mut self, pipeline: &str) -> Result<ledger::Snapshot, SinkError> {
        self.on_snapshot("read the ledger of", |path, connection| ledger_in(path, connection).snapshot(pipeline))
    }

    fn history(&mut self, pipeline: &str) -> Result<Vec<ledger::Event>, SinkError> {
        self.on_snapshot("read the ledger of", |path, connection| ledger_in(path, connection).history(pipeline))
    }

    fn accounts(&mut self, pipeline: &str) -> Result<ledger::Accounts, SinkError> {
        self.on_snapshot("read the ledger of", |path, connection| ledger_in(path, connection).accounts(pipeline))
    }

    fn begin(&mut self, start: &EpochStart<'_>) -> Result<(), SinkError> {
        let EpochStart { pipeline, expected, committed_at, .. } = *start;
        if !self.connection.is_autocommit() {
            let message = format!("a transaction is already open on {}", self.path.display());
            return Err(SinkError::new(SinkErrorKind::Unavailable, message));
        }
        self.connection.execute_batch(sql::BEGIN_WRITE).map_err(explain(&self.path, "write to"))?;
        let prepared = records::prepare(&self.path, &self.connection, pipeline, &expected).and_then(|()| {
            let (path, connection) = (&self.path, &self.connection);
            let (on_delete, kept) = (self.on_delete, &self.kept);
            let expected_epoch = expected.number;
            let layout = layout::Layout { path, connection, pipeline, expected_epoch, on_delete, kept };
            let notices = if start.replace_tables { layout.lost_marks(start.tables)? } else { Vec::new() };
            let restore = layout.prepare(start)?;
            layout.make_views(start.tables)?;
            Ok((restore, layout.marks_of(start.tables)?, notices))
        });
        match prepared {
            Ok((restore, marks, notices)) => {
                self.offenders.clear();
                let (pipeline, committed_at) = (pipeline.to_owned(), committed_at.to_owned());
                self.begun = Some(Begun { pipeline, expected, committed_at, marks, restore, notices });
                Ok(())
            }
            Err(error) => {
                // The first error says what happened; a rollback that fails as well is done by the next opening.
                let _ = self.give_up();
                Err(error)
            }
        }
    }

    fn apply(
        &mut self,
        table: &TableSchema,
        epoch: Epoch,
        changes: &mut dyn Iterator<Item = Result<ChangeBatch, SinkError>>,
    ) -> Result<(), SinkError> {
        let mut offenders = std::mem::take(&mut self.offenders);
        let begun = self.begun()?;
        let marks = begun.marks.get(&table.name).copied().unwrap_or_default();
        let epoch = apply::ByEpoch { number: epoch, time: &begun.committed_at };
        let refusals = Refusals {
            constraints: constraints::of(&self.kept.constraints, table),
            unique: unique::of(&self.kept.unique, table),
            offenders: (self.on_constraint == OnConstraint::Quarantine).then_some(&mut offenders),
        };
        let applied = apply::apply(&self.path, &self.connection, (table, marks), refusals, epoch, changes);
        self.offenders = offenders;
        applied
    }

    fn order(&self, tables: &[TableSchema]) -> Vec<(usize, Part)> {
        leaving_first(tables, &self.kept.unique, (0..tables.len()).map(|table| (table, Part::All)).collect())
    }

    fn quarantines(&self) -> bool {
        self.on_constraint == OnConstraint::Quarantine
    }

    fn take_offenders(&mut self) -> Vec<Offender> {
        std::mem::take(&mut self.offenders)
    }

    fn rejects(&mut self, pipeline: &str, epoch: Epoch, rejects: &[ledger::RejectRow]) -> Result<(), SinkError> {
        self.begun()?;
        ledger_in(&self.path, &self.connection).rejects(pipeline, epoch, rejects)
    }

    fn commit(&mut self, record: &ledger::EpochRecord) -> Result<(), SinkError> {
        let begun = self.begun()?;
        let (pipeline, expected) = (begun.pipeline.as_str(), begun.expected);
        if record.pipeline != pipeline || record.epoch != expected.number.next() {
            let message = format!(
                "the transaction on {} is for the epoch after {} of pipeline `{pipeline}`, not for epoch {} of `{}`",
                self.path.display(),
                expected.number,
                record.epoch,
                record.pipeline
            );
            return Err(SinkError::new(SinkErrorKind::Stale, message));
        }
        let failed = explain(&self.path, "commit to");
        let committed = ledger_in(&self.path, &self.connection)
            .check_epoch(pipeline, &expected)
            .and_then(|()| layout::restore(&self.path, &self.connection, &begun.restore))
            .and_then(|()| ledger_in(&self.path, &self.connection).write(&expected, record))
            .and_then(|()| self.connection.execute_batch(sql::COMMIT).map_err(failed));
        // After a failed commit the transaction may still be open; leaving it so would keep the lock.
        let notices = self.begun.take().map(|begun| begun.notices).unwrap_or_default();
        let _ = self.give_up();
        committed?;
        self.notices.extend(notices);
        if std::mem::take(&mut self.fresh) {
            // The epoch is committed; that the file stays in its older mode for now is no error of this run.
            let _ = self.write_ahead();
        }
        Ok(())
    }

    fn rollback(&mut self) -> Result<(), SinkError> {
        self.give_up().map_err(explain(&self.path, "roll back"))
    }

    fn scan(
        &mut self,
        table: &TableSchema,
        each: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
    ) -> Result<(), SinkError> {
        let on_delete = self.on_delete;
        self.on_snapshot("read", |path, connection| {
            let marks = marks::found(path, connection, on_delete, table)?;
            read::scan(path, connection, table, marks, each)
        })
    }

    fn statement(&mut self, view: &Relation) -> Result<Result<Statement, Unsayable>, SinkError> {
        let mut places = BTreeMap::new();
        for table in view.tables() {
            let marks = marks::found(&self.path, &self.connection, self.on_delete, table)?;
            places.insert(table.name.as_str(), marks);
        }
        let place = |table: &TableSchema| Place {
            name: table.name.clone(),
            marks: places.get(table.name.as_str()).copied().unwrap_or_default(),
        };
        Ok(view.statement(Dialect::Sqlite, &place))
    }

    fn query(
        &mut self,
        statement: &str,
        table: &TableSchema,
        each: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
    ) -> Result<(), SinkError> {
        let doing = format!("compute `{}` in", table.name);
        self.on_snapshot("read", |path, connection| read::query(path, connection, table, statement, &doing, each))
    }

    fn triggers(&mut self) -> Result<Vec<Trigger>, SinkError> {
        let read = || -> rusqlite::Result<Vec<Trigger>> {
            let mut statement = self.connection.prepare(sql::SELECT_ALL_TRIGGERS)?;
            let triggers = statement.query_map([], |row| Ok(Trigger { name: row.get(0)?, table: row.get(1)? }))?;
            triggers.collect()
        };
        read().map_err(explain(&self.path, "read the triggers of"))
    }

    fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    fn refresh_delivery(
        &mut self,
        pipeline: &str,
        drop_id: DropId,
        bytes_digest: &str,
        path: &str,
    ) -> Result<(), SinkError> {
        ledger_in(&self.path, &self.connection).refresh_delivery(pipeline, drop_id, bytes_digest, path)
    }

    /// What the file says is final: a process that is gone has no transaction.
    fn recover(&mut self, pipeline: &str) -> Result<ledger::Snapshot, SinkError> {
        self.ledger(pipeline)
    }

    /// All of an epoch is in its transaction.
    fn settle(&mut self, _: &str, _: &[TableSchema]) -> Result<(), SinkError> {
        Ok(())
    }
}

impl Migrate for SqliteSink {
    fn migrate(&mut self, migration: &Migration<'_>, scope: Scope) -> Result<Vec<Step>, SinkError> {
        migrate::migrate(&self.path, &self.connection, (self.on_delete, &self.kept), migration, scope)
    }

    fn fill(&mut self, fill: &Fill<'_>) -> Result<(), SinkError> {
        let failed = explain(&self.path, "fill columns in");
        self.connection.execute_batch(sql::BEGIN_WRITE).map_err(failed)?;
        let changes = &mut std::iter::once(Ok(fill.changes.clone()));
        let refusals = || Refusals {
            constraints: constraints::of(&self.kept.constraints, fill.table),
            unique: unique::of(&self.kept.unique, fill.table),
            offenders: None,
        };
        // Updates alone: nothing is marked.
        let epoch = apply::ByEpoch { number: fill.expected.number.next(), time: "" };
        let filled = ledger_in(&self.path, &self.connection)
            .check_epoch(fill.pipeline, &fill.expected)
            .and_then(|()| marks::found(&self.path, &self.connection, self.on_delete, fill.table))
            .and_then(|marks| {
                apply::apply(&self.path, &self.connection, (fill.table, marks), refusals(), epoch, changes)
            })
            .and_then(|()| self.connection.execute_batch(sql::COMMIT).map_err(failed));
        if filled.is_err() {
            // The first error says what happened.
            let _ = self.give_up();
        }
        filled
    }
}

impl Erase for SqliteSink {
    fn erase(&mut self, erasure: &Erasure) -> Result<Removed, SinkError> {
        self.begun()?;
        let mut removed = erase::erase(&self.path, &self.connection, self.on_delete, erasure)?;
        removed.ledger += ledger_in(&self.path, &self.connection).erase_set_aside(erasure)?;
        Ok(removed)
    }

    fn is_erasing(&mut self, pipeline: &str) -> Result<bool, SinkError> {
        self.on_snapshot("read the ledger of", |path, connection| match ledger_in(path, connection).version()? {
            Some(_) => erase::is_erasing(connection, pipeline).map_err(explain(path, "read the ledger of")),
            None => Ok(false),
        })
    }

    fn scrub(&mut self) -> Result<(), SinkError> {
        erase::scrub(&self.path, &self.connection)
    }

    fn search(&mut self, erasure: &Erasure) -> Result<Search, SinkError> {
        let on_delete = self.on_delete;
        let mut search = self.on_snapshot("search", |path, connection| {
            let mut search = erase::search(connection, erasure).map_err(explain(path, "search"))?;
            erase::search_marked(path, connection, on_delete, erasure, &mut search)?;
            ledger_in(path, connection).search_set_aside(erasure, &mut search)?;
            Ok(search)
        })?;
        let texts = erasure.searched_texts();
        let found = self.while_closed(|path| erase::texts_in_files(path, &texts))?;
        let texts: Vec<String> =
            texts.into_iter().zip(found).filter(|(_, found)| *found).map(|(text, _)| text).collect();
        self.on_snapshot("search", |path, connection| {
            erase::judge(path, connection, &texts, &mut search).map_err(explain(path, "search"))
        })?;
        search.notices.push(format!(
            "copies and backups of {}, lists written with --rejects, and the blocks that its file system has freed are out of \
             reach",
            self.path.display()
        ));
        Ok(search)
    }

    fn has_value(&mut self, erasure: &Erasure, text: &str) -> Result<bool, SinkError> {
        self.on_snapshot("search", |path, connection| {
            erase::has_value(connection, erasure, text).map_err(explain(path, "search"))
        })
    }

    fn finish_erasure(&mut self, erasure: &Erasure) -> Result<(), SinkError> {
        erase::finish(&self.path, &self.connection, erasure)
    }
}
