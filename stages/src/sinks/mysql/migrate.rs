//! Changing the tables of a database, column by column. Every definition commits by itself, so each step leaves tables that
//! loads of the earlier definition still fill, and all of it can be asked for again.
//!
//! How a server carries a step out depends on its version, the row format and what is around the column. So it is asked: the
//! step is issued with `ALGORITHM=INSTANT`, which a server that cannot refuses, then with the next cheapest. For a plan that
//! happens on an empty table that is like the one meant; nothing is promised that was not tried.

mod unique;

use mysql::prelude::Queryable;
use vardelta_engine::{
    contract::{
        migration::{Algorithm, Migration, Phase, Scope, Step},
        sink::{SinkError, SinkErrorKind},
    },
    failpoint,
};
use vardelta_schemas::{
    TableSchema,
    sql::{
        ledger as ledger_sql,
        marks::{DELETED_AT, Marks, create_live, delete_marked, drop_view, live_name},
        migration::{self as sql, Change, TableChanges},
        mysql::{self as mysql_sql, table::MySqlTable},
    },
};

use crate::sinks::{
    mysql::{
        error::{code, explain},
        indexes::index_name,
        ledger::{self as records, lax},
        link::Link,
        marks,
        settings::Settings,
        swap::{Index, Settling},
        tables::Tables,
        values::base64,
    },
    shared::marks::{OnDelete, is_live_view, keep_lax, taken_column},
};

/// The server cannot do it so (`ER_ALTER_OPERATION_NOT_SUPPORTED`, …`_REASON`), or a table has too many columns that were
/// added instantly (`ER_INNODB_MAX_ROW_VERSION`).
const NOT_SO: [u16; 3] = [1845, 1846, 4092];

/// Changes the tables of one pipeline.
pub(super) struct Migrating<'a> {
    pub(super) settings: &'a Settings,
    pub(super) link: &'a mut Link,
    pub(super) migration: &'a Migration<'a>,
    pub(super) scope: Scope,
}

impl Migrating<'_> {
    /// Finds or does what is asked for.
    pub(super) fn migrate(&mut self) -> Result<Vec<Step>, SinkError> {
        let location = self.settings.location.as_str();
        if self.scope != Scope::Plan {
            records::migrate(location, self.link)?;
            let (settings, migration) = (self.settings, self.migration);
            let Migration { pipeline, tables, .. } = *migration;
            Settling { settings, link: self.link, pipeline, tables }.swap_and_drop()?;
        }
        // Its FOR UPDATE is over with the statement: no transaction is open.
        records::ledger(location, self.link).check_epoch(self.migration.pipeline, &self.migration.expected)?;
        if self.settings.on_delete == OnDelete::Mark && self.scope != Scope::Contract {
            let tables = self.migration.tables;
            self.tables().prepare_live(tables)?;
        }
        let mut steps = Vec::new();
        let migration = self.migration;
        for table in migration.kept() {
            self.table(table, &mut steps)?;
        }
        if self.scope != Scope::Expand {
            self.drop_tables(&mut steps)?;
        }
        Ok(steps)
    }

    fn tables(&mut self) -> Tables<'_> {
        let Migration { pipeline, expected, .. } = *self.migration;
        let expected_epoch = expected.number;
        Tables { location: &self.settings.location, link: self.link, pipeline, expected_epoch }
    }

    fn table(&mut self, table: &TableSchema, steps: &mut Vec<Step>) -> Result<(), SinkError> {
        let layout = self.settings.layout(self.link.dialect, table);
        self.tables().check_problem(table, &layout)?;
        let Some(found) = self.tables().own_form(&table.name)? else {
            // The epoch makes it.
            if self.scope == Scope::Plan && !self.migration.is_history(&table.name) {
                steps.push(Step {
                    table: table.name.clone(),
                    phase: Phase::Expand,
                    statement: MySqlTable::new(table, &layout).create(),
                    algorithm: Algorithm::Instant,
                    makes_table: true,
                });
            }
            return Ok(());
        };
        if let Some(why) = self.tables().constraint_difference(&table.name, &layout)? {
            return Err(self.refuse(&table.name, &why));
        }
        let renames = self.migration.renames_of(&table.name);
        let has_view = self.tables().owns_live(&table.name)?;
        if let Some(why) = taken_column(&found, layout.marks, has_view) {
            return Err(self.refuse(&table.name, &why));
        }
        let marks = marks::found(self.settings, self.link, table, &table.name)?;
        let mut changes = TableChanges::between(&found, &layout.form(table), &renames)
            .map_err(|why| self.refuse(&table.name, &why))?;
        self.index_changes(table, &renames, &mut changes)?;
        self.unique_changes(table, (&layout, marks), &found, &mut changes)?;
        let stays_lax = keep_lax(&mut changes, layout.marks);
        let is_marking = layout.marks == Marks::Kept;
        let goes = marks == Marks::LeftOver && changes.contract.contains(&Change::DropColumn(DELETED_AT.into()));
        let stays = match goes && !lax(&self.settings.location, self.link, &table.name)?.contains(&DELETED_AT.into()) {
            true => Some(Step {
                table: table.name.clone(),
                phase: Phase::Expand,
                statement: sql::insert_lax(self.link.dialect, &table.name, DELETED_AT),
                algorithm: Algorithm::Instant,
                makes_table: false,
            }),
            false => None,
        };
        match self.scope {
            Scope::Plan => {
                self.delete_marked(table, goes, steps)?;
                steps.extend(stays);
                self.ask(&table.name, &changes, steps)?;
                if is_marking && !self.tables().is_live_there(table)? {
                    steps.push(self.view_step(table));
                }
                Ok(())
            }
            Scope::Expand => {
                if is_marking {
                    self.tables().own_live(&table.name)?;
                }
                self.remember(&table.name, &found, &changes)?;
                steps.extend(stays);
                self.alter(&table.name, &table.name, Phase::Expand, &changes.expand, steps)?;
                // The view stays as long as there may be marked rows.
                let is_made = (is_marking || marks.may_be_there()) && self.tables().make_live(table)?;
                if is_made && is_marking {
                    steps.push(self.view_step(table));
                }
                Ok(())
            }
            Scope::Contract if !changes.expand.is_empty() => Err(self.refuse(&table.name, "it is not expanded yet")),
            Scope::Contract => {
                self.delete_marked(table, goes, steps)?;
                self.alter(&table.name, &table.name, Phase::Contract, &changes.contract, steps)?;
                self.forget(&table.name)?;
                self.write_lax(&table.name, stays_lax.iter())
            }
        }
    }

    fn view_step(&self, table: &TableSchema) -> Step {
        Step {
            table: table.name.clone(),
            phase: Phase::Expand,
            statement: create_live(self.link.dialect, table),
            algorithm: Algorithm::Instant,
            makes_table: false,
        }
    }

    /// Deletes the marked rows of a table that no longer marks any.
    fn delete_marked(&mut self, table: &TableSchema, goes: bool, steps: &mut Vec<Step>) -> Result<(), SinkError> {
        if !goes {
            return Ok(());
        }
        let statement = delete_marked(self.link.dialect, &table.name);
        if self.scope == Scope::Contract {
            self.run(&statement)?;
            failpoint::hit("migrate:step");
        }
        let (phase, algorithm) = (Phase::Contract, Algorithm::Inplace);
        steps.push(Step { table: table.name.clone(), phase, statement, algorithm, makes_table: false });
        Ok(())
    }

    /// Adds what the declared indexes need. An index that vardelta named after its columns, and that is not declared any
    /// more, goes; one of any other name is somebody else's.
    fn index_changes(
        &mut self,
        table: &TableSchema,
        renames: &[(String, String)],
        changes: &mut TableChanges,
    ) -> Result<(), SinkError> {
        let (settings, migration) = (self.settings, self.migration);
        let Migration { pipeline, tables, .. } = *migration;
        let found = Settling { settings, link: self.link, pipeline, tables }.indexes(&table.name)?;
        let columns_of = |index: &Index| -> Option<Vec<String>> {
            let is_plain = index.name != "PRIMARY" && !index.unique && index.kind == "BTREE";
            is_plain.then(|| index.columns.iter().cloned().collect::<Option<Vec<String>>>()).flatten()
        };
        let is_ours = |index: &Index| {
            let columns = columns_of(index).unwrap_or_default();
            index.name == index_name(&columns.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let renamed = |name: String| {
            let to = renames.iter().find(|(from, _)| *from == name);
            to.map_or(name, |(_, to)| to.clone())
        };
        let mut kept: Vec<&str> = Vec::new();
        for planned in self.settings.indexes.iter().filter(|index| index.table == table.name) {
            let columns: Vec<String> =
                planned.columns.iter().map(|index| table.schema.columns()[*index].name.clone()).collect();
            kept.push(&planned.name);
            if found.iter().any(|index| index.name == planned.name) {
                continue;
            }
            let same = |index: &&Index| {
                let old = columns_of(index).map(|columns| columns.into_iter().map(renamed).collect::<Vec<_>>());
                old.as_ref() == Some(&columns) && index.name.starts_with("by_")
            };
            changes.expand.push(match found.iter().find(same) {
                Some(old) => {
                    kept.push(&old.name);
                    Change::RenameIndex { from: old.name.clone(), to: planned.name.clone() }
                }
                None => Change::AddIndex { name: planned.name.clone(), columns },
            });
        }
        let gone = found.iter().filter(|index| is_ours(index) && !kept.contains(&index.name.as_str()));
        let (mut first, mut last) = (Vec::new(), Vec::new());
        for index in gone {
            // Text of any length cannot stay in an index.
            let is_resized = |change: &Change| matches!(change, Change::ResizeText(column) if columns_of(index).is_some_and(|columns| columns.contains(&column.name)));
            let phase = if changes.expand.iter().any(is_resized) { &mut first } else { &mut last };
            phase.push(Change::DropIndex(index.name.clone()));
        }
        changes.expand.splice(0..0, first);
        changes.contract.splice(0..0, last);
        Ok(())
    }

    /// Asks the server how it would do the steps, on an empty table like the one meant.
    fn ask(&mut self, table: &str, changes: &TableChanges, steps: &mut Vec<Step>) -> Result<(), SinkError> {
        if changes.expand.is_empty() && changes.contract.is_empty() {
            return Ok(());
        }
        let scratch = format!("vardelta_ask_{}", base64(xxhash_rust::xxh3::xxh3_128(table.as_bytes())));
        let dialect = self.link.dialect;
        self.run(&mysql_sql::drop_table(dialect, &scratch))?;
        self.run(&sql::create_like(dialect, &scratch, table))?;
        let asked = self
            .alter(&scratch, table, Phase::Expand, &changes.expand, steps)
            .and_then(|()| self.alter(&scratch, table, Phase::Contract, &changes.contract, steps));
        let dropped = self.run(&mysql_sql::drop_table(dialect, &scratch));
        asked.and(dropped)
    }

    /// Does the steps on a table; they are reported as those of `table`.
    fn alter(
        &mut self,
        place: &str,
        table: &str,
        phase: Phase,
        changes: &[Change],
        steps: &mut Vec<Step>,
    ) -> Result<(), SinkError> {
        for change in changes {
            let algorithm = self.alter_once(place, change)?;
            steps.push(Step {
                table: table.to_owned(),
                phase,
                statement: sql::alter(self.link.dialect, table, change, algorithm),
                algorithm: Algorithm::of_clause(algorithm),
                makes_table: false,
            });
            if self.scope != Scope::Plan {
                failpoint::hit("migrate:step");
            }
        }
        Ok(())
    }

    /// Does one step in the cheapest way that the server has for it.
    fn alter_once(&mut self, place: &str, change: &Change) -> Result<&'static str, SinkError> {
        let failed = explain(&self.settings.location, "change the tables of");
        let mut refused = None;
        for algorithm in sql::algorithms(self.link.dialect, change) {
            match self.link.conn.query_drop(sql::alter(self.link.dialect, place, change, algorithm)) {
                Ok(()) => return Ok(algorithm),
                Err(error) if code(&error).is_some_and(|code| NOT_SO.contains(&code)) => refused = Some(error),
                Err(error) => return Err(failed(error)),
            }
        }
        Err(refused.map_or_else(|| self.refuse("?", "no way is known"), failed))
    }

    /// Writes down in which columns a table is about to be laxer than its pipeline. Before it becomes so: what is written
    /// down is allowed, not demanded.
    fn remember(
        &mut self,
        table: &str,
        found: &vardelta_schemas::sql::form::TableForm,
        changes: &TableChanges,
    ) -> Result<(), SinkError> {
        let known = lax(&self.settings.location, self.link, table)?;
        let stays = known.iter().filter(|name| found.columns.iter().any(|column| column.name == **name));
        let mut names: Vec<&String> = stays.chain(&changes.lax).collect();
        names.retain(|name| self.settings.on_delete == OnDelete::Delete || *name != DELETED_AT);
        names.sort();
        names.dedup();
        self.forget(table)?;
        self.write_lax(table, names.into_iter())
    }

    fn write_lax<'n>(&mut self, table: &str, names: impl Iterator<Item = &'n String>) -> Result<(), SinkError> {
        for name in names {
            self.link.conn.exec_drop(sql::INSERT_LAX, (table, name)).map_err(self.ledger_failed())?;
        }
        Ok(())
    }

    fn forget(&mut self, table: &str) -> Result<(), SinkError> {
        self.link.conn.exec_drop(sql::DELETE_LAX, (table,)).map_err(self.ledger_failed())
    }

    fn drop_tables(&mut self, steps: &mut Vec<Step>) -> Result<(), SinkError> {
        let (settings, migration) = (self.settings, self.migration);
        let Migration { pipeline, tables, .. } = *migration;
        let owned = Settling { settings, link: self.link, pipeline, tables }.owned()?;
        for name in owned.iter().cloned() {
            let is_planned_view =
                |table: &TableSchema| settings.on_delete == OnDelete::Mark && live_name(&table.name) == name;
            if migration.kept().any(|table| table.name == name) || tables.iter().any(is_planned_view) {
                continue;
            }
            let statement = match is_live_view(&name, &owned, tables) {
                true => drop_view(self.link.dialect, &name),
                false => mysql_sql::drop_table(self.link.dialect, &name),
            };
            if self.scope == Scope::Contract {
                self.run(&statement)?;
                self.forget(&name)?;
                self.link.conn.exec_drop(ledger_sql::DELETE_OWNED, (&name,)).map_err(self.ledger_failed())?;
                failpoint::hit("migrate:step");
            }
            let (phase, algorithm) = (Phase::Contract, Algorithm::Instant);
            steps.push(Step { table: name, phase, statement, algorithm, makes_table: false });
        }
        Ok(())
    }

    fn run(&mut self, statement: &str) -> Result<(), SinkError> {
        let failed = explain(&self.settings.location, "change the tables of");
        self.link.conn.query_drop(statement).map_err(failed)
    }

    fn ledger_failed(&self) -> impl Fn(mysql::Error) -> SinkError + Copy + '_ {
        explain(&self.settings.location, "write to the ledger of")
    }

    fn refuse(&self, table: &str, why: &str) -> SinkError {
        let location = &self.settings.location;
        let message = format!("table `{table}` in {location} cannot be changed into what the pipeline declares: {why}");
        SinkError::new(SinkErrorKind::Layout, message)
            .with_hint("Run `vardelta rebuild` to make the table from scratch.")
    }
}
