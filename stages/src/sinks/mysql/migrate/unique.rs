//! Unique indexes that come and go. They come when the table has its new columns, and before these are filled: what a column
//! is filled with is then held to them like any other value.

use mysql::{Row, prelude::Queryable};
use vardelta_engine::contract::sink::SinkError;
use vardelta_schemas::{
    TableSchema,
    sql::{form::TableForm, marks::Marks, migration::Change, mysql::layout::TableLayout, unique::Unique},
};

use super::{Migrating, TableChanges};
use crate::sinks::{
    mysql::{error::explain, link::take},
    shared::unique::{check_no_marks, duplicates_error, undeclared},
};

impl Migrating<'_> {
    /// Adds what the declared unique indexes need. One that vardelta made, and that is not declared any more, goes first: it may
    /// stand in the way of the other changes.
    ///
    /// # Errors
    /// When rows share values that are to become unique: which, by example. Nothing is changed by then.
    pub(super) fn unique_changes(
        &mut self,
        table: &TableSchema,
        (layout, marks): (&TableLayout, Marks),
        form: &TableForm,
        changes: &mut TableChanges,
    ) -> Result<(), SinkError> {
        let found = self.tables().unique_indexes(&table.name)?;
        let gone: Vec<Change> =
            undeclared(&found, &layout.unique).map(|name| Change::DropIndex(name.clone())).collect();
        changes.expand.splice(0..0, gone);
        for unique in layout.unique.iter().filter(|unique| !found.contains(&unique.name)) {
            check_no_marks(&table.name, &self.settings.location, marks)?;
            // Nothing is in columns that are still to come.
            let is_there = |column: &String| form.columns.iter().any(|found| found.name == *column);
            if unique.columns.iter().all(is_there) {
                self.check_values(table, unique)?;
            }
            changes.expand.push(Change::AddUnique(unique.clone()));
        }
        Ok(())
    }

    fn check_values(&mut self, table: &TableSchema, unique: &Unique) -> Result<(), SinkError> {
        let failed = explain(&self.settings.location, "look for rows that share values in");
        let statement = unique.duplicates(self.link.dialect, table, &table.name);
        let rows: Vec<Row> = self.link.conn.query(statement).map_err(failed)?;
        let texts =
            |mut row: Row| (0..row.len()).map(|at| take::<Option<String>>(&mut row, at)).collect::<Result<Vec<_>, _>>();
        let rows = rows.into_iter().map(texts).collect::<Result<Vec<_>, _>>().map_err(failed)?;
        match rows.is_empty() {
            true => Ok(()),
            false => Err(duplicates_error(table, unique, &self.settings.location, &rows)),
        }
    }
}
