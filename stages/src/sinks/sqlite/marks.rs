//! Rows that stay marked when they go: which tables have such rows, and the views of the rows that live.

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, OptionalExtension as _};
use vardelta_engine::contract::sink::SinkError;
use vardelta_schemas::{
    TableSchema,
    sql::{
        Dialect, ledger as ledger_sql,
        marks::{DELETED_AT, Marks, count_marked, create_live, drop_view, live_name},
        sqlite as sql,
    },
};

use crate::sinks::{
    shared::marks::{OnDelete, is_live_view, lost_marks, taken_name},
    sqlite::{
        error::explain,
        layout::{Added, Layout},
    },
};

/// What the tables of an epoch have to do with marked rows. A table that is not here has none.
pub(super) type TableMarks = BTreeMap<String, Marks>;

/// What a table, as it stands, has to do with marked rows.
pub(super) fn found(
    path: &Path,
    connection: &Connection,
    on_delete: OnDelete,
    table: &TableSchema,
) -> Result<Marks, SinkError> {
    let read = || -> rusqlite::Result<Marks> {
        let mut statement = connection.prepare(sql::SELECT_COLUMNS)?;
        let columns: Vec<String> =
            statement.query_map([&table.name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        if !columns.iter().any(|column| column.eq_ignore_ascii_case(DELETED_AT)) {
            return Ok(Marks::None);
        }
        let owner = connection.query_row(ledger_sql::SELECT_OWNER, [live_name(&table.name)], |_| Ok(())).optional()?;
        Ok(on_delete.found(table, columns.iter().map(String::as_str), owner.is_some()))
    };
    read().map_err(explain(path, "read the tables of"))
}

impl Layout<'_> {
    /// What tables, as they stand, have to do with marked rows.
    pub(super) fn marks_of(&self, tables: &[TableSchema]) -> Result<TableMarks, SinkError> {
        let of =
            |table: &TableSchema| Ok((table.name.clone(), found(self.path, self.connection, self.on_delete, table)?));
        tables.iter().map(of).collect()
    }

    /// Whether the ledger has the view of a table's live rows as this pipeline's.
    pub(super) fn owns_live(&self, table: &str) -> Result<bool, SinkError> {
        Ok(self.owner(&live_name(table))?.as_deref() == Some(self.pipeline))
    }

    /// The statement that made the view of a table's live rows, if it is there and this pipeline's.
    pub(super) fn live_statement(&self, table: &str) -> Result<Option<String>, SinkError> {
        if !self.owns_live(table)? {
            return Ok(None);
        }
        let found = self.connection.query_row(sql::SELECT_VIEW, [live_name(table)], |row| row.get(0));
        found.optional().map_err(self.failed())
    }

    /// Refuses to take the name of the view of a table's live rows from somebody else.
    pub(super) fn check_live_name(&self, table: &str) -> Result<(), SinkError> {
        let live = live_name(table);
        match (self.owner(&live)?.as_deref(), self.object(&live)?) {
            (Some(owner), _) if owner != self.pipeline => Err(self.refuse(
                format!("`{live}` in {} belongs to pipeline `{owner}`", self.path.display()),
                "Give the stage another name, or the sink another `path`.".into(),
            )),
            (owner, Some((kind, found))) if kind != "view" || owner.is_none() => {
                let (message, hint) = taken_name(table, &kind, &found, &self.path.display().to_string());
                Err(self.refuse(message, hint))
            }
            _ => Ok(()),
        }
    }

    /// Makes the view of a table's live rows, or makes it as it should be.
    pub(super) fn make_live(&self, table: &TableSchema) -> Result<(), SinkError> {
        self.check_live_name(&table.name)?;
        let statement = create_live(Dialect::Sqlite, table);
        if self.live_statement(&table.name)?.as_ref() == Some(&statement) {
            return Ok(());
        }
        let added = self.drop_live(&table.name)?;
        if !self.owns_live(&table.name)? {
            self.own(&live_name(&table.name))?;
        }
        self.connection.execute_batch(&statement).map_err(self.failed())?;
        super::layout::restore(self.path, self.connection, &added)
    }

    /// Drops the view of a table's live rows, if it is this pipeline's; returns the triggers that users had added to it.
    pub(super) fn drop_live(&self, table: &str) -> Result<Vec<Added>, SinkError> {
        let live = live_name(table);
        if self.live_statement(table)?.is_none() {
            return Ok(Vec::new());
        }
        let added = self.added_to(&live).map_err(self.failed())?;
        self.connection.execute_batch(&drop_view(Dialect::Sqlite, &live)).map_err(self.failed())?;
        Ok(added)
    }

    /// Drops what the ledger has as this pipeline's: a table, or the view of one. Returns what users had added to it.
    pub(super) fn drop_owned(&self, name: &str, owned: &[String]) -> Result<Vec<Added>, SinkError> {
        let is_view = self.object(name)?.is_some_and(|(kind, _)| kind == "view");
        if !is_view || !is_live_view(name, owned, &[]) {
            return self.drop_table(name);
        }
        let added = self.added_to(name).map_err(self.failed())?;
        self.connection.execute_batch(&drop_view(Dialect::Sqlite, name)).map_err(self.failed())?;
        self.forget(name)?;
        Ok(added)
    }

    /// Notices about the marked rows that go with tables that are about to be rebuilt.
    pub(super) fn lost_marks(&self, tables: &[TableSchema]) -> Result<Vec<String>, SinkError> {
        let mut notices = Vec::new();
        for table in tables {
            let marks = found(self.path, self.connection, self.on_delete, table)?;
            if marks.may_be_there() && self.owns_live(&table.name)? {
                let count = count_marked(Dialect::Sqlite, &table.name);
                let rows: i64 = self.connection.query_row(&count, [], |row| row.get(0)).map_err(self.failed())?;
                notices.extend((rows > 0).then(|| lost_marks(&table.name, rows.unsigned_abs())));
            }
        }
        Ok(notices)
    }

    /// Makes the views that the pipeline wants.
    pub(super) fn make_views(&self, tables: &[TableSchema]) -> Result<(), SinkError> {
        tables.iter().filter(|_| self.on_delete == OnDelete::Mark).try_for_each(|table| self.make_live(table))
    }
}
