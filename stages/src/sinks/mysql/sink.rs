//! The life of one epoch's transaction, and of the connection around it.

mod beside;
mod details;
mod lookups;
mod query_plan;
mod set_aside;
#[cfg(test)]
mod test_support;

use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use mysql::prelude::Queryable;
use vardelta_engine::contract::sink::{
    Access, ChangeBatch, EpochStart, Offender, Part, Sink, SinkError, SinkErrorKind, Trigger,
};
use vardelta_schemas::{
    TableSchema,
    ledger::{self, DropId, Epoch},
    sql::{
        marks::{Marks, server_time},
        mysql::{
            self as sql,
            constraint::Letter,
            ledger::{self as owner_sql, Pending},
            table::MySqlTable,
        },
        view::{Relation, Statement, Unsayable},
    },
};

use crate::sinks::{
    mysql::{
        apply::{self, Target, Untouched},
        begun::{Begun, Prepared},
        constraints::{parents_first, write_order},
        error::explain,
        ledger::{self as records, integer, ledger as ledger_in},
        link::Link,
        lock, marks, read,
        settings::Settings,
        swap::{self, Settling},
        tables::Tables,
        view,
    },
    shared::{
        constraints::OnConstraint,
        marks::{OnDelete, is_live_view},
        tables::{MISSING_TABLE_HINT, OTHER_TABLE_HINT},
        unique::leaving_first,
    },
};

/// How long to wait between two attempts to reach a server again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(250);

/// A connection to a MySQL or MariaDB database.
pub(super) struct MySqlSink {
    settings: Settings,
    access: Access,
    /// `None` after it was lost.
    link: Option<Link>,
    /// The number of the connection that was lost.
    lost: Option<u64>,
    /// The pipeline whose lock the connection has.
    locked: Option<String>,
    begun: Option<Begun>,
    local_infile: bool,
    notices: Vec<String>,
    /// New rows that the database did not take.
    offenders: Vec<Offender>,
}

impl MySqlSink {
    pub(super) fn open(settings: &Settings, access: Access) -> Result<MySqlSink, SinkError> {
        let link = Link::connect(settings, access)?;
        let mut notices = Vec::new();
        let local_infile = settings.local_infile && link.local_infile;
        if settings.local_infile && !link.local_infile && access == Access::Write {
            notices.push(format!(
                "{} has local_infile = OFF, so new rows go by INSERT, which is slower than LOAD DATA",
                link.server
            ));
        }
        if link.fell_back && access == Access::Write && !settings.is_local() {
            notices.push(format!(
                "{} offers no TLS, so rows and the summary of the password went in plain text (`tls = \"off\"` if that is meant)",
                link.server
            ));
        }
        Ok(MySqlSink {
            settings: settings.clone(),
            access,
            link: Some(link),
            lost: None,
            locked: None,
            begun: None,
            local_infile,
            notices,
            offenders: Vec::new(),
        })
    }

    /// Runs something on the connection; one that turns out to be gone is let go.
    fn with<T>(&mut self, work: impl FnOnce(&Settings, &mut Link) -> Result<T, SinkError>) -> Result<T, SinkError> {
        let Some(link) = &mut self.link else {
            return Err(SinkError::new(
                SinkErrorKind::ConnectionLost,
                format!("the connection to {} was lost", self.settings.location),
            ));
        };
        let result = work(&self.settings, link);
        self.let_go_if_lost(&result);
        result
    }

    fn let_go_if_lost<T>(&mut self, result: &Result<T, SinkError>) {
        if let Err(error) = result
            && error.kind == SinkErrorKind::ConnectionLost
        {
            self.lost = self.link.take().map(|link| link.id).or(self.lost);
            (self.locked, self.begun) = (None, None);
        }
    }

    fn begun(&self) -> Result<&Begun, SinkError> {
        self.begun.as_ref().ok_or_else(|| {
            SinkError::new(SinkErrorKind::Unavailable, format!("no transaction is open on {}", self.settings.location))
        })
    }

    fn lock(&mut self, pipeline: &str) -> Result<(), SinkError> {
        if self.locked.as_deref() != Some(pipeline) {
            self.with(|settings, link| lock::take(settings, link, pipeline))?;
            self.locked = Some(pipeline.to_owned());
        }
        Ok(())
    }

    /// Runs something on one snapshot of the database.
    fn on_snapshot<T>(
        &mut self,
        doing: &str,
        read: impl FnOnce(&str, &mut Link) -> Result<T, SinkError>,
    ) -> Result<T, SinkError> {
        let in_transaction = self.begun.is_some();
        self.with(|settings, link| {
            if in_transaction {
                return read(&settings.location, link);
            }
            let failed = explain(&settings.location, doing);
            link.conn.query_drop(sql::SNAPSHOT_NEXT).map_err(failed)?;
            link.conn.query_drop(sql::BEGIN_READ).map_err(failed)?;
            let result = read(&settings.location, link);
            // Where reading failed, that is the error to report.
            let ended = link.conn.query_drop(sql::ROLLBACK).map_err(failed);
            let value = result?;
            ended.map(|()| value)
        })
    }

    /// Makes and checks tables before the transaction.
    fn prepare(&mut self, start: &EpochStart<'_>) -> Result<Prepared, SinkError> {
        let EpochStart { pipeline, expected, tables, history, replace_tables, .. } = *start;
        let expected_epoch = expected.number;
        self.with(|settings, link| {
            lock::with_definitions(settings, link, |link| {
                records::migrate(&settings.location, link)?;
                // A swap that was cut short comes first: the tables are then what the ledger says they are.
                Settling { settings, link, pipeline, tables }.swap_and_drop()?;
                let marks_rows = settings.on_delete == OnDelete::Mark;
                if marks_rows {
                    Tables { location: &settings.location, link, pipeline, expected_epoch }.prepare_live(tables)?;
                }
                let mut prepared = Prepared::default();
                let mut owned = Vec::new();
                if replace_tables {
                    owned = Settling { settings, link, pipeline, tables }.owned()?;
                    let is_kept = |name: &&String| tables.iter().chain(history).any(|table| table.name == **name);
                    let is_view = |name: &&String| marks_rows && is_live_view(name, &owned, tables);
                    let gone = owned.iter().filter(|name| !is_kept(name) && !is_view(name));
                    prepared.dropped = gone.cloned().collect();
                }
                let order = parents_first(tables, &settings.constraints);
                let replaced = |table: &TableSchema| owned.contains(&table.name);
                for table in order.iter().rev().map(|at| &tables[*at]).filter(|table| replaced(table)) {
                    Tables { location: &settings.location, link, pipeline, expected_epoch }.make_room(table, &owned)?;
                }
                for table in order.iter().map(|at| &tables[*at]) {
                    // What is refilled refers to what is refilled.
                    let layout = settings.layout(link.dialect, table);
                    let renamed = |name: &str| owned.iter().any(|owned| owned == name).then(|| swap::new_name(name));
                    let found = marks::found(settings, link, table, &table.name)?;
                    let mut looking = Tables { location: &settings.location, link, pipeline, expected_epoch };
                    if replaced(table) {
                        prepared.notices.extend(looking.lost_marks(&table.name, found)?);
                        if marks_rows {
                            // The view is made when the table is in its place.
                            looking.own_live(&table.name)?;
                        }
                        let letter = looking.other_letter(&table.name)?;
                        looking.create_anew(table, &layout.beside(letter, renamed))?;
                        prepared.replaced.push(table.name.clone());
                    } else {
                        let layout = layout.beside(Letter::A, renamed);
                        looking.check_or_create(table, &layout, MISSING_TABLE_HINT, OTHER_TABLE_HINT)?;
                        if marks_rows {
                            looking.make_live(table)?;
                        }
                        prepared.left_over.extend((found == Marks::LeftOver).then(|| table.name.clone()));
                    }
                }
                for table in history {
                    let layout = settings.layout(link.dialect, table);
                    let mut looking = Tables { location: &settings.location, link, pipeline, expected_epoch };
                    looking.check_or_create_history(table, &layout)?;
                }
                Ok(prepared)
            })
        })
    }

    fn give_up(&mut self) -> Result<(), SinkError> {
        self.begun = None;
        if self.link.is_none() {
            return Ok(());
        }
        self.with(|settings, link| {
            link.conn.query_drop(sql::ROLLBACK).map_err(explain(&settings.location, "roll back"))
        })
    }

    fn write_commit(&mut self, record: &ledger::EpochRecord) -> Result<(), SinkError> {
        let begun = self.begun()?;
        let (pipeline, expected) = (begun.pipeline.clone(), begun.expected);
        let (replaced, dropped) = (begun.replaced.clone(), begun.dropped.clone());
        if record.pipeline != pipeline || record.epoch != expected.number.next() {
            let message = format!(
                "the transaction on {} is for the epoch after {} of pipeline `{pipeline}`, not for epoch {} of `{}`",
                self.settings.location, expected.number, record.epoch, record.pipeline
            );
            return Err(SinkError::new(SinkErrorKind::Stale, message));
        }
        self.with(|settings, link| {
            let location = settings.location.as_str();
            let failed = explain(location, "commit to");
            ledger_in(location, link).check_epoch(&pipeline, &expected)?;
            let epoch = integer(record.epoch.number()).map_err(failed)?;
            for table in &replaced {
                let values = (epoch, Pending::Swap.as_str(), table);
                link.conn.exec_drop(owner_sql::UPDATE_OWNED, values).map_err(failed)?;
            }
            for table in &dropped {
                let values = (Pending::Drop.as_str(), table);
                link.conn.exec_drop(owner_sql::UPDATE_PENDING, values).map_err(failed)?;
            }
            ledger_in(location, link).write(&expected, record)?;
            link.conn.query_drop(sql::COMMIT).map_err(failed)
        })
    }
}

impl Sink for MySqlSink {
    fn ledger(&mut self, pipeline: &str) -> Result<ledger::Snapshot, SinkError> {
        self.on_snapshot("read the ledger of", |location, link| ledger_in(location, link).snapshot(pipeline))
    }

    fn history(&mut self, pipeline: &str) -> Result<Vec<ledger::Event>, SinkError> {
        self.on_snapshot("read the ledger of", |location, link| ledger_in(location, link).history(pipeline))
    }

    fn accounts(&mut self, pipeline: &str) -> Result<ledger::Accounts, SinkError> {
        self.on_snapshot("read the ledger of", |location, link| ledger_in(location, link).accounts(pipeline))
    }

    fn begin(&mut self, start: &EpochStart<'_>) -> Result<(), SinkError> {
        let EpochStart { pipeline, expected, committed_at, .. } = *start;
        if self.begun.is_some() {
            let message = format!("a transaction is already open on {}", self.settings.location);
            return Err(SinkError::new(SinkErrorKind::Unavailable, message));
        }
        self.lock(pipeline)?;
        // Before anything is made: a run that comes late makes nothing.
        let snapshot = self.ledger(pipeline)?;
        if snapshot.id() != expected {
            self.with(|settings, link| ledger_in(&settings.location, link).check_epoch(pipeline, &expected))?;
        }
        let Prepared { replaced, dropped, left_over, notices } = self.prepare(start)?;
        let begun = self.with(|settings, link| {
            link.conn.query_drop(sql::BEGIN_WRITE).map_err(explain(&settings.location, "write to"))?;
            ledger_in(&settings.location, link).check_epoch(pipeline, &expected)
        });
        match begun {
            Ok(()) => {
                self.offenders.clear();
                // A transaction may be begun again.
                let is_new = |notice: &String| !self.notices.contains(notice);
                let notices: Vec<String> = notices.into_iter().filter(is_new).collect();
                self.notices.extend(notices);
                let (pipeline, epoch_time) = (pipeline.to_owned(), server_time(committed_at));
                self.begun = Some(Begun { pipeline, expected, replaced, dropped, left_over, epoch_time });
                Ok(())
            }
            Err(error) => {
                // The first error says what happened.
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
        let begun = self.begun()?;
        let name = match begun.replaced.contains(&table.name) {
            true => swap::new_name(&table.name),
            false => table.name.clone(),
        };
        let (is_left_over, epoch_time) = (begun.left_over.contains(&table.name), begun.epoch_time.clone());
        let (mut local_infile, mut notices) = (self.local_infile, Vec::new());
        let mut offenders = std::mem::take(&mut self.offenders);
        let applied = self.with(|settings, link| {
            let mut layout = settings.layout(link.dialect, table);
            if is_left_over {
                layout = layout.marking(Marks::LeftOver);
            }
            let target = Target {
                location: &settings.location,
                link,
                table,
                layout: &layout,
                epoch_time: &epoch_time,
                sql: MySqlTable::new(table, &layout).named(&name),
                local_infile: &mut local_infile,
                notices: &mut notices,
                untouched: Untouched::SameToServer,
                offenders: (settings.on_constraint == OnConstraint::Quarantine).then_some(&mut offenders),
            };
            apply::apply(target, epoch, changes)
        });
        self.local_infile = local_infile;
        self.offenders = offenders;
        self.notices.append(&mut notices);
        applied
    }

    fn quarantines(&self) -> bool {
        self.settings.on_constraint == OnConstraint::Quarantine
    }

    fn take_offenders(&mut self) -> Vec<Offender> {
        std::mem::take(&mut self.offenders)
    }

    fn order(&self, tables: &[TableSchema]) -> Vec<(usize, Part)> {
        leaving_first(tables, &self.settings.unique, write_order(tables, &self.settings.constraints))
    }

    fn rejects(&mut self, pipeline: &str, epoch: Epoch, rejects: &[ledger::RejectRow]) -> Result<(), SinkError> {
        self.begun()?;
        self.with(|settings, link| ledger_in(&settings.location, link).rejects(pipeline, epoch, rejects))
    }

    fn commit(&mut self, record: &ledger::EpochRecord) -> Result<(), SinkError> {
        let committed = self.write_commit(record);
        // After a failed commit the transaction may still be open; leaving it so would keep its locks.
        match &committed {
            Ok(()) => self.begun = None,
            Err(_) => drop(self.give_up()),
        }
        committed
    }

    fn rollback(&mut self) -> Result<(), SinkError> {
        self.give_up()
    }

    fn recover(&mut self, pipeline: &str) -> Result<ledger::Snapshot, SinkError> {
        let deadline = Instant::now() + self.settings.reconnect_timeout;
        (self.locked, self.begun) = (None, None);
        loop {
            if self.link.is_none() {
                match Link::connect(&self.settings, self.access) {
                    Ok(link) => self.link = Some(link),
                    Err(error) if Instant::now() >= deadline => return Err(error),
                    Err(_) => {
                        std::thread::sleep(RECONNECT_PAUSE);
                        continue;
                    }
                }
            }
            let lost = self.lost.unwrap_or(0);
            let read = self
                .with(|settings, link| lock::take_over(settings, link, pipeline, lost, deadline))
                .and_then(|()| self.ledger(pipeline));
            match read {
                Ok(snapshot) => {
                    (self.locked, self.lost) = (Some(pipeline.to_owned()), None);
                    return Ok(snapshot);
                }
                Err(error) if error.kind == SinkErrorKind::ConnectionLost && Instant::now() < deadline => {
                    std::thread::sleep(RECONNECT_PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn retries(&self) -> u32 {
        self.settings.retries
    }

    fn settle(&mut self, pipeline: &str, tables: &[TableSchema]) -> Result<(), SinkError> {
        let undone = self.with(|settings, link| match ledger_in(&settings.location, link).version()? {
            Some(_) => Settling { settings, link, pipeline, tables }.pending().map(|pending| !pending.is_empty()),
            None => Ok(false),
        })?;
        if undone {
            self.lock(pipeline)?;
            self.with(|settings, link| Settling { settings, link, pipeline, tables }.settle())?;
        }
        Ok(())
    }

    fn triggers(&mut self) -> Result<Vec<Trigger>, SinkError> {
        self.with(|settings, link| {
            let found: Result<Vec<(String, String)>, _> = link.conn.query(sql::SELECT_ALL_TRIGGERS);
            let found = found.map_err(explain(&settings.location, "read the triggers of"))?;
            Ok(found.into_iter().map(|(name, table)| Trigger { name, table }).collect())
        })
    }

    fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    fn scan(
        &mut self,
        table: &TableSchema,
        each: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
    ) -> Result<(), SinkError> {
        let settings = self.settings.clone();
        self.on_snapshot("read", |location, link| {
            let name = swap::current_name(location, link, &table.name)?;
            let marks = marks::found(&settings, link, table, &name)?;
            let layout = settings.layout(link.dialect, table).marking(marks);
            let select = MySqlTable::new(table, &layout).named(&name).select();
            read::scan(location, link, table, &select, each)
        })
    }

    fn statement(&mut self, view: &Relation) -> Result<Result<Statement, Unsayable>, SinkError> {
        self.with(|settings, link| view::statement(settings, link, view))
    }

    fn query(
        &mut self,
        statement: &str,
        table: &TableSchema,
        each: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
    ) -> Result<(), SinkError> {
        self.on_snapshot("read", |location, link| view::query(location, link, statement, table, each))
    }

    fn refresh_delivery(
        &mut self,
        pipeline: &str,
        drop_id: DropId,
        bytes_digest: &str,
        path: &str,
    ) -> Result<(), SinkError> {
        self.with(|settings, link| {
            ledger_in(&settings.location, link).refresh_delivery(pipeline, drop_id, bytes_digest, path)
        })
    }
}
