//! The sink's tables before an epoch: made where missing, refused where they are not the planned ones.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};
use vardelta_engine::contract::sink::{EpochStart, SinkError, SinkErrorKind};
use vardelta_schemas::{
    TableSchema,
    ledger::Epoch,
    sql::{
        Dialect,
        form::{ColumnForm, TableForm},
        ledger as ledger_sql,
        marks::Marks,
        migration as migration_sql,
        sqlite::{self as sql, constraint_name, constraint_names, planned_form, table_kind},
        table::{TableStatements, drop_table},
        unique::{PREFIX as UNIQUE_PREFIX, SELECT_SQLITE},
    },
};

use crate::sinks::{
    shared::{
        marks::OnDelete,
        tables::{MISSING_TABLE_HINT, OTHER_CONSTRAINT_HINT, OTHER_HISTORY_HINT, OTHER_TABLE_HINT},
        unique::{self, OTHER_UNIQUE_HINT},
    },
    sqlite::{
        constraints::{self, Kept},
        error::explain,
        ledger::{integer, lax},
    },
};

/// An index or a trigger that somebody added to a sink's table.
pub(super) struct Added {
    name: String,
    statement: String,
}

/// Looks at a pipeline's tables, inside its transaction.
pub(super) struct Layout<'a> {
    pub(super) path: &'a Path,
    pub(super) connection: &'a Connection,
    pub(super) pipeline: &'a str,
    pub(super) expected_epoch: Epoch,
    pub(super) on_delete: OnDelete,
    pub(super) kept: &'a Kept,
}

impl Layout<'_> {
    /// Checks and makes the tables. With `replace_tables` all tables of the pipeline but its histories are dropped first,
    /// those that it no longer declares too; what users had added to the others is returned, to be put back once they are
    /// filled.
    pub(super) fn prepare(&self, start: &EpochStart<'_>) -> Result<Vec<Added>, SinkError> {
        let mut added = Vec::new();
        if start.replace_tables {
            let owned = self.owned()?;
            for name in &owned {
                let is_among = |tables: &[TableSchema]| tables.iter().any(|it| it.name.eq_ignore_ascii_case(name));
                if !is_among(start.history) {
                    let kept = is_among(start.tables);
                    added.extend(self.drop_owned(name, &owned)?.into_iter().filter(|_| kept));
                }
            }
        }
        for table in start.tables {
            self.check_or_create(table, self.on_delete.marks(), MISSING_TABLE_HINT, OTHER_TABLE_HINT)?;
        }
        for table in start.history {
            // Whoever moves a history away starts a new one.
            if self.object(&table.name)?.is_none() && self.owner(&table.name)?.as_deref() == Some(self.pipeline) {
                self.forget(&table.name)?;
            }
            self.check_or_create(table, Marks::None, OTHER_HISTORY_HINT, OTHER_HISTORY_HINT)?;
        }
        Ok(added)
    }

    fn check_or_create(
        &self,
        table: &TableSchema,
        marks: Marks,
        if_missing: &str,
        if_other: &str,
    ) -> Result<(), SinkError> {
        let name = table.name.as_str();
        let owner = self.owner(name)?;
        let found = self.object(name)?;
        match (owner.as_deref(), found) {
            (Some(owner), _) if owner != self.pipeline => Err(self.refuse(
                format!("table `{name}` in {} belongs to pipeline `{owner}`", self.path.display()),
                "Give the stage another name, or the sink another `path`.".into(),
            )),
            (Some(_), Some((kind, _))) if kind == "table" => self.check_form(table, marks, if_other),
            (None, None) => self.create(table, marks),
            (Some(_), _) => Err(self.refuse(
                format!("table `{name}` is missing from {}, though earlier epochs made it", self.path.display()),
                if_missing.into(),
            )),
            (None, Some((kind, found))) => Err(self.refuse(
                format!("there is a {kind} `{found}` in {} that vardelta did not make", self.path.display()),
                format!("Rename or drop it, or give the stage `{name}` another name; vardelta leaves it alone."),
            )),
        }
    }

    fn check_form(&self, table: &TableSchema, marks: Marks, if_other: &str) -> Result<(), SinkError> {
        let lax = lax(self.connection, &table.name).map_err(self.failed())?;
        let mut difference = self.form(&table.name)?.difference(&planned_form(table, marks), &lax);
        let mut hint = if_other;
        if difference.is_none() {
            (difference, hint) = (self.constraint_difference(table)?, OTHER_CONSTRAINT_HINT);
        }
        if difference.is_none() {
            let found = self.unique_indexes(&table.name)?;
            (difference, hint) = (unique::difference(&found, &unique::of(&self.kept.unique, table)), OTHER_UNIQUE_HINT);
        }
        match difference {
            None => Ok(()),
            Some(difference) => Err(self.refuse(
                format!(
                    "table `{}` in {} is not the one the pipeline declares: {difference}",
                    table.name,
                    self.path.display()
                ),
                hint.into(),
            )),
        }
    }

    /// Whether a table is there and is the pipeline's.
    ///
    /// # Errors
    /// When it is another's.
    pub(super) fn has_own(&self, name: &str) -> Result<bool, SinkError> {
        // A database that is only read may have no ledger yet, and one of a former version has this table.
        let owner: Option<String> = self
            .connection
            .query_row(ledger_sql::SELECT_OWNER, [name], |row| row.get(0))
            .optional()
            .map_err(self.failed())?;
        let found = self.object(name)?;
        match (owner, found) {
            (Some(owner), Some((kind, _))) if owner == self.pipeline && kind == "table" => Ok(true),
            (None, None) => Ok(false),
            _ => Err(self.refuse(
                format!("`{name}` in {} is no table of this pipeline", self.path.display()),
                "See what made it; `vardelta rebuild` makes the pipeline's own tables from scratch.".into(),
            )),
        }
    }

    fn create(&self, table: &TableSchema, marks: Marks) -> Result<(), SinkError> {
        let statements = TableStatements::constrained(table, marks, &constraints::of(&self.kept.constraints, table));
        self.connection.execute_batch(&statements.create).map_err(self.failed())?;
        for unique in unique::of(&self.kept.unique, table) {
            let statement = unique.create(Dialect::Sqlite, &table.name);
            self.connection.execute_batch(&statement).map_err(self.failed())?;
        }
        self.own(&table.name)
    }

    /// Writes down that the pipeline makes what has this name, in the epoch that starts.
    pub(super) fn own(&self, name: &str) -> Result<(), SinkError> {
        let write = || {
            let epoch = integer(self.expected_epoch.next().number())?;
            self.connection.execute(ledger_sql::INSERT_OWNED, (name, self.pipeline, epoch))
        };
        write().map(|_| ()).map_err(self.failed())
    }

    /// Drops a table of the pipeline, if it is there, and returns what users had added to it.
    pub(super) fn drop_table(&self, name: &str) -> Result<Vec<Added>, SinkError> {
        let mut added = Vec::new();
        if let Some((kind, exact)) = self.object(name)? {
            if kind != "table" {
                return Err(self.refuse(
                    format!("`{exact}` in {} is a {kind} that vardelta did not make", self.path.display()),
                    "Rename or drop it, then run `vardelta rebuild` again.".into(),
                ));
            }
            added = self.added_to(&exact).map_err(self.failed())?;
            // Those of vardelta's are made with the table.
            added.retain(|added| !added.name.starts_with(UNIQUE_PREFIX));
            self.connection.execute_batch(&drop_table(Dialect::Sqlite, &exact)).map_err(self.failed())?;
        }
        self.forget(name)?;
        self.connection.execute(migration_sql::DELETE_LAX, [name]).map_err(self.failed())?;
        Ok(added)
    }

    /// The pipeline whose table this is.
    pub(super) fn owner(&self, name: &str) -> Result<Option<String>, SinkError> {
        let owner = self.connection.query_row(ledger_sql::SELECT_OWNER, [name], |row| row.get(0));
        owner.optional().map_err(self.failed())
    }

    /// Strikes a table out of the list of the pipelines' tables.
    pub(super) fn forget(&self, name: &str) -> Result<(), SinkError> {
        self.connection.execute(ledger_sql::DELETE_OWNED, [name]).map(|_| ()).map_err(self.failed())
    }

    pub(super) fn added_to(&self, table: &str) -> rusqlite::Result<Vec<Added>> {
        let mut statement = self.connection.prepare(sql::SELECT_ADDED_TO_TABLE)?;
        let rows = statement.query_map([table], |row| Ok(Added { name: row.get(0)?, statement: row.get(1)? }))?;
        rows.collect()
    }

    pub(super) fn owned(&self) -> Result<Vec<String>, SinkError> {
        let read = || {
            let mut statement = self.connection.prepare(ledger_sql::SELECT_OWNED)?;
            statement.query_map([self.pipeline], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
        };
        read().map_err(self.failed())
    }

    /// Kind and exact name of what has this name.
    pub(super) fn object(&self, name: &str) -> Result<Option<(String, String)>, SinkError> {
        self.connection
            .query_row(sql::SELECT_OBJECT, [name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(self.failed())
    }

    pub(super) fn form(&self, name: &str) -> Result<TableForm, SinkError> {
        let read = || {
            let (without_rowid, strict) =
                self.connection.query_row(sql::SELECT_TABLE_FORM, [name], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut statement = self.connection.prepare(sql::SELECT_COLUMNS)?;
            let columns = statement.query_map([name], |row| {
                Ok(ColumnForm {
                    name: row.get(0)?,
                    declared_type: row.get(1)?,
                    not_null: row.get(2)?,
                    key_place: row.get(3)?,
                })
            })?;
            let kind = table_kind(strict, without_rowid).into();
            Ok(TableForm { kind, columns: columns.collect::<rusqlite::Result<_>>()?, partitioning: None })
        };
        read().map_err(self.failed())
    }

    /// How a table's constraints differ from the planned ones, in words. Those that users have added are left alone.
    pub(super) fn constraint_difference(&self, table: &TableSchema) -> Result<Option<String>, SinkError> {
        let statement: Option<String> = self
            .connection
            .query_row(sql::SELECT_STATEMENT, [&table.name], |row| row.get(0))
            .optional()
            .map_err(explain(self.path, "read the tables of"))?;
        let statement = statement.unwrap_or_default();
        let (found, planned) = (constraint_names(&statement), constraints::of(&self.kept.constraints, table));
        let missing = planned.iter().find(|planned| !found.contains(&constraint_name(planned).as_str()));
        if let Some(missing) = missing {
            return Ok(Some(format!("it has no constraint `{}`", missing.said)));
        }
        let extra = found.iter().find(|name| !planned.iter().any(|planned| constraint_name(planned) == **name));
        Ok(extra.map(|extra| format!("it has the constraint `{extra}`, which the pipeline no longer declares")))
    }

    /// The names of a table's unique indexes, those of its key apart.
    pub(super) fn unique_indexes(&self, table: &str) -> Result<Vec<String>, SinkError> {
        let read = || {
            let mut statement = self.connection.prepare(SELECT_SQLITE)?;
            statement.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
        };
        read().map_err(explain(self.path, "read the indexes of"))
    }

    pub(super) fn refuse(&self, message: String, hint: String) -> SinkError {
        SinkError::new(SinkErrorKind::Layout, message).with_hint(hint)
    }

    pub(super) fn failed(&self) -> impl Fn(rusqlite::Error) -> SinkError + Copy + '_ {
        explain(self.path, "prepare the tables of")
    }
}

/// Puts back what users had added to tables that were rebuilt. After the rows, because an index is built faster
/// than it is kept up, and because a trigger was not meant for a rebuild.
pub(super) fn restore(path: &Path, connection: &Connection, added: &[Added]) -> Result<(), SinkError> {
    for Added { name, statement } in added {
        connection.execute_batch(statement).map_err(|cause| {
            SinkError::new(
                SinkErrorKind::Layout,
                format!("cannot put `{name}`, which somebody added, back into {}: {cause}", path.display()),
            )
            .with_hint(format!("Drop `{name}`, rebuild, and add what then fits the new table."))
        })?;
    }
    Ok(())
}
