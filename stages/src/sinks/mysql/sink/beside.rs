//! What a connection does beside loading drops: migrations and erasures.

use mysql::prelude::Queryable as _;
use vardelta_engine::contract::{
    erasure::{Erasure, Removed, Search},
    migration::{Migration, Scope, Step},
    sink::{Erase, Fill, Migrate, SinkError},
};
use vardelta_schemas::sql::mysql::{self as sql, table::MySqlTable};

use super::MySqlSink;
use crate::sinks::mysql::{
    apply::{self, Target, Untouched},
    erase,
    error::explain,
    ledger::ledger as ledger_in,
    lock, marks,
    migrate::Migrating,
};

impl Migrate for MySqlSink {
    fn keeps_steps(&self) -> bool {
        true
    }

    fn migrate(&mut self, migration: &Migration<'_>, scope: Scope) -> Result<Vec<Step>, SinkError> {
        self.lock(migration.pipeline)?;
        self.with(|settings, link| {
            lock::with_definitions(settings, link, |link| Migrating { settings, link, migration, scope }.migrate())
        })
    }

    fn fill(&mut self, fill: &Fill<'_>) -> Result<(), SinkError> {
        self.lock(fill.pipeline)?;
        let mut notices = Vec::new();
        let filled = self.with(|settings, link| {
            let location = settings.location.as_str();
            let failed = explain(location, "fill columns in");
            link.conn.query_drop(sql::BEGIN_WRITE).map_err(failed)?;
            ledger_in(location, link).check_epoch(fill.pipeline, &fill.expected)?;
            let marks = marks::found(settings, link, fill.table, &fill.table.name)?;
            let layout = settings.layout(link.dialect, fill.table).marking(marks);
            let target = Target {
                location,
                // Updates alone: nothing is marked.
                epoch_time: "",
                link: &mut *link,
                table: fill.table,
                layout: &layout,
                sql: MySqlTable::new(fill.table, &layout),
                local_infile: &mut false,
                notices: &mut notices,
                untouched: if fill.may_stand { Untouched::Written } else { Untouched::Wrong },
                offenders: None,
            };
            apply::apply(target, fill.expected.number.next(), &mut std::iter::once(Ok(fill.changes.clone())))?;
            link.conn.query_drop(sql::COMMIT).map_err(failed)
        });
        if filled.is_err() {
            // The first error says what happened.
            let _ = self.give_up();
        }
        filled
    }
}

impl Erase for MySqlSink {
    fn erase(&mut self, erasure: &Erasure) -> Result<Removed, SinkError> {
        self.begun()?;
        self.with(|settings, link| {
            let mut removed = erase::erase(settings, link, erasure)?;
            removed.ledger += ledger_in(&settings.location, link).erase_set_aside(erasure)?;
            Ok(removed)
        })
    }

    fn is_erasing(&mut self, pipeline: &str) -> Result<bool, SinkError> {
        self.with(|settings, link| match ledger_in(&settings.location, link).version()? {
            Some(_) => erase::is_erasing(link, pipeline).map_err(explain(&settings.location, "read the ledger of")),
            None => Ok(false),
        })
    }

    fn search(&mut self, erasure: &Erasure) -> Result<Search, SinkError> {
        let settings = self.settings.clone();
        self.on_snapshot("search", |location, link| {
            let mut search = erase::search(location, link, erasure).map_err(explain(location, "search"))?;
            erase::search_marked(&settings, link, erasure, &mut search)?;
            ledger_in(location, link).search_set_aside(erasure, &mut search)?;
            Ok(search)
        })
    }

    fn has_value(&mut self, erasure: &Erasure, text: &str) -> Result<bool, SinkError> {
        self.on_snapshot("search", |location, link| {
            erase::has_value(link, erasure, text).map_err(explain(location, "search"))
        })
    }

    fn finish_erasure(&mut self, erasure: &Erasure) -> Result<(), SinkError> {
        self.with(|settings, link| {
            erase::finish(link, erasure).map_err(explain(&settings.location, "write to the ledger of"))
        })
    }

    /// What a server keeps of rows that are gone is out of a client's reach; docs/erasure.md says so.
    fn scrub(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}
