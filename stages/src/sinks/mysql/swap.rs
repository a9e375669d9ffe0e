//! Tables that are refilled, and what is done after a commit.
//!
//! A rebuild cannot drop a table inside the transaction, so it fills another one (`vardelta_new_…`) and writes into the
//! ledger, in the transaction, that the two are to be swapped. Until the swap is done readers see the table as it was before
//! the epoch, whole; a run that was killed in between is finished by the next one.

use mysql::{Row, prelude::Queryable};
use vardelta_engine::contract::sink::{SinkError, SinkErrorKind};
use vardelta_schemas::{
    TableSchema,
    sql::{
        marks::drop_view,
        migration as migration_sql,
        mysql::{
            self as sql, constraint,
            ledger::{self as owner_sql, Pending},
            table::MySqlTable,
        },
    },
};

use crate::sinks::{
    mysql::{
        error::{explain, is_referred_to},
        link::{Link, take},
        settings::Settings,
        values::base64,
    },
    shared::marks::is_live_view,
};

/// The table that is filled to take the place of another.
pub(super) fn new_name(table: &str) -> String {
    format!("vardelta_new_{}", base64(xxhash_rust::xxh3::xxh3_128(table.as_bytes())))
}

/// What a table is called while it waits to be dropped.
fn old_name(table: &str) -> String {
    format!("vardelta_old_{}", base64(xxhash_rust::xxh3::xxh3_128(table.as_bytes())))
}

/// An index of a table: its name, whether its keys are unique, and its columns (`None` for what is no whole column).
pub(super) struct Index {
    pub(super) name: String,
    pub(super) unique: bool,
    pub(super) columns: Vec<Option<String>>,
    pub(super) kind: String,
}

/// Does what is pending with a pipeline's tables. Every step can be run again.
pub(super) struct Settling<'a> {
    pub(super) settings: &'a Settings,
    pub(super) link: &'a mut Link,
    pub(super) pipeline: &'a str,
    /// The tables as they are planned.
    pub(super) tables: &'a [TableSchema],
}

impl Settling<'_> {
    /// The pipeline's tables with which something is pending.
    pub(super) fn pending(&mut self) -> Result<Vec<(String, Pending)>, SinkError> {
        let owned: Vec<(String, Option<String>)> =
            self.link.conn.exec(owner_sql::SELECT_OWNED, (self.pipeline,)).map_err(self.failed())?;
        let pending = owned.into_iter().filter_map(|(name, word)| Some((name, Pending::parse(word.as_deref()?)?)));
        Ok(pending.collect())
    }

    /// The pipeline's tables.
    pub(super) fn owned(&mut self) -> Result<Vec<String>, SinkError> {
        let owned: Vec<(String, Option<String>)> =
            self.link.conn.exec(owner_sql::SELECT_OWNED, (self.pipeline,)).map_err(self.failed())?;
        Ok(owned.into_iter().map(|(name, _)| name).collect())
    }

    /// Does everything that is pending.
    pub(super) fn settle(&mut self) -> Result<(), SinkError> {
        self.swap_and_drop()?;
        for (name, pending) in self.pending()? {
            if pending == Pending::Indexes && self.exists(&name)? {
                self.build_indexes(&name, &name)?;
                self.done(&name)?;
            }
        }
        Ok(())
    }

    /// Makes the tables those that the ledger means.
    pub(super) fn swap_and_drop(&mut self) -> Result<(), SinkError> {
        let pending = self.pending()?;
        let of = |kind| pending.iter().filter(move |(_, pending)| *pending == kind).map(|(name, _)| name.as_str());
        let swapped: Vec<&str> = of(Pending::Swap).collect();
        self.swap(&swapped)?;
        let dropped: Vec<String> = of(Pending::Drop).map(str::to_owned).collect();
        self.drop_tables(&dropped)?;
        for name in &dropped {
            self.link.conn.exec_drop(migration_sql::DELETE_LAX, (name,)).map_err(self.failed())?;
            self.link.conn.exec_drop(vardelta_schemas::sql::ledger::DELETE_OWNED, (name,)).map_err(self.failed())?;
        }
        Ok(())
    }

    fn swap(&mut self, tables: &[&str]) -> Result<(), SinkError> {
        let mut moves = Vec::new();
        let old: Vec<String> = tables.iter().map(|table| old_name(table)).collect();
        self.drop_tables(&old)?;
        for table in tables {
            let (new, old) = (new_name(table), old_name(table));
            if !self.exists(&new)? {
                continue;
            }
            self.build_indexes(table, &new)?;
            if self.exists(table)? {
                self.copy_indexes(table, &new)?;
                moves.push(((*table).to_owned(), old));
            }
            moves.push((new, (*table).to_owned()));
        }
        if !moves.is_empty() {
            self.run(&sql::rename_tables(self.link.dialect, &moves))?;
        }
        tables.iter().try_for_each(|table| self.make_live(table))?;
        self.drop_tables(&old)?;
        for table in tables {
            self.link.conn.exec_drop(migration_sql::DELETE_LAX, (table,)).map_err(self.failed())?;
            self.done(table)?;
        }
        Ok(())
    }

    /// Drops tables, and views of their live rows, that may refer to each other, in whatever order the server permits.
    fn drop_tables(&mut self, names: &[String]) -> Result<(), SinkError> {
        let owned = self.owned()?;
        let (views, tables): (Vec<&String>, Vec<&String>) =
            names.iter().partition(|name| is_live_view(name, &owned, &[]));
        let mut left = tables;
        for name in views {
            match self.kind(name)?.as_deref() {
                Some("BASE TABLE") => left.push(name),
                _ => self.run(&drop_view(self.link.dialect, name))?,
            }
        }
        while !left.is_empty() {
            let (before, mut refused) = (left.len(), None);
            let mut kept = Vec::new();
            for name in left {
                match self.link.conn.query_drop(sql::drop_table(self.link.dialect, name)) {
                    Ok(()) => {}
                    Err(error) if is_referred_to(&error) => {
                        kept.push(name);
                        refused = Some(error);
                    }
                    Err(error) => return Err(self.failed()(error)),
                }
            }
            if let Some(error) = refused.filter(|_| kept.len() == before) {
                return Err(self.failed()(error));
            }
            left = kept;
        }
        Ok(())
    }

    /// Builds the declared indexes of a table that are missing, in the table of the second name.
    fn build_indexes(&mut self, table: &str, place: &str) -> Result<(), SinkError> {
        let Some(planned) = self.tables.iter().find(|planned| planned.name == table) else { return Ok(()) };
        let layout = self.settings.layout(self.link.dialect, planned);
        let there = self.indexes(place)?;
        for index in self.settings.indexes.iter().filter(|index| index.table == table) {
            if !there.iter().any(|there| there.name == index.name) {
                let statement =
                    MySqlTable::new(planned, &layout).named(place).create_index(&index.name, &index.columns);
                self.run(&statement)?;
            }
        }
        Ok(())
    }

    /// Adds the indexes that users had added to a table to the one that takes its place, as far as its columns allow.
    fn copy_indexes(&mut self, table: &str, new: &str) -> Result<(), SinkError> {
        let Some(planned) = self.tables.iter().find(|planned| planned.name == table) else { return Ok(()) };
        let layout = self.settings.layout(self.link.dialect, planned);
        let there = self.indexes(new)?;
        for index in self.indexes(table)? {
            // The server names the index of a foreign key after it.
            let of_constraint = constraint::letter_of(&index.name).is_some();
            if index.name == "PRIMARY" || of_constraint || there.iter().any(|there| there.name == index.name) {
                continue;
            }
            let column = |name: &Option<String>| planned.schema.index_of(name.as_deref()?);
            let columns: Option<Vec<usize>> = index.columns.iter().map(column).collect();
            let Some(columns) = columns.filter(|_| index.kind == "BTREE" && !index.unique) else { continue };
            if layout.index_bytes(planned, &columns).is_none() {
                continue;
            }
            let statement = MySqlTable::new(planned, &layout).named(new).create_index(&index.name, &columns);
            self.run(&statement)?;
        }
        Ok(())
    }

    pub(super) fn indexes(&mut self, table: &str) -> Result<Vec<Index>, SinkError> {
        let failed = explain(&self.settings.location, "read the indexes of");
        let rows: Vec<Row> = self.link.conn.exec(sql::SELECT_INDEXES, (table,)).map_err(failed)?;
        let mut indexes: Vec<Index> = Vec::new();
        for mut row in rows {
            let name: String = take(&mut row, 0).map_err(failed)?;
            let non_unique: i64 = take(&mut row, 1).map_err(failed)?;
            let column: Option<String> = take(&mut row, 2).map_err(failed)?;
            let prefix: Option<u64> = take(&mut row, 3).map_err(failed)?;
            let kind: String = take(&mut row, 4).map_err(failed)?;
            let column = column.filter(|_| prefix.is_none());
            match indexes.last_mut().filter(|index| index.name == name) {
                Some(index) => index.columns.push(column),
                None => indexes.push(Index { name, unique: non_unique == 0, columns: vec![column], kind }),
            }
        }
        Ok(indexes)
    }

    fn done(&mut self, table: &str) -> Result<(), SinkError> {
        self.link.conn.exec_drop(owner_sql::UPDATE_PENDING, (None::<String>, table)).map_err(self.failed())
    }

    fn exists(&mut self, name: &str) -> Result<bool, SinkError> {
        Ok(self.kind(name)?.is_some())
    }

    /// What has this name: `BASE TABLE`, `VIEW`, ….
    fn kind(&mut self, name: &str) -> Result<Option<String>, SinkError> {
        let found: Option<(String, String, Option<String>)> =
            self.link.conn.exec_first(sql::SELECT_OBJECT, (name,)).map_err(self.failed())?;
        Ok(found.map(|(kind, _, _)| kind))
    }

    pub(super) fn run(&mut self, statement: &str) -> Result<(), SinkError> {
        self.link.conn.query_drop(statement).map_err(self.failed())
    }

    fn failed(&self) -> impl Fn(mysql::Error) -> SinkError + Copy + '_ {
        explain(&self.settings.location, "settle the tables of")
    }
}

/// The name under which a table's rows are: another one between a commit and its swap.
pub(super) fn current_name(location: &str, link: &mut Link, table: &str) -> Result<String, SinkError> {
    let failed = explain(location, "read the tables of");
    if super::ledger::ledger(location, link).version()?.is_some() {
        let owner: Option<(String, u64, Option<String>)> =
            link.conn.exec_first(owner_sql::SELECT_OWNER, (table,)).map_err(failed)?;
        let is_pending = owner.is_some_and(|(_, _, pending)| pending.as_deref() == Some(Pending::Swap.as_str()));
        let new = new_name(table);
        if is_pending && link.conn.exec_first::<Row, _, _>(sql::SELECT_OBJECT, (&new,)).map_err(failed)?.is_some() {
            return Ok(new);
        }
    }
    Ok(table.to_owned())
}

/// Refuses to rebuild a table that has triggers: they would go with it.
pub(super) fn check_triggers(location: &str, link: &mut Link, table: &str) -> Result<(), SinkError> {
    let triggers: Vec<String> =
        link.conn.exec(sql::SELECT_TRIGGERS, (table,)).map_err(explain(location, "read the triggers of"))?;
    match triggers.first() {
        None => Ok(()),
        Some(trigger) => Err(SinkError::new(
            SinkErrorKind::Layout,
            format!("table `{table}` in {location} has the trigger `{trigger}`, which would be lost"),
        )
        .with_hint("Drop the trigger, rebuild, and add it again.")),
    }
}
