//! The sink's tables before an epoch: made where missing, refused where they are not the planned ones.
//!
//! Definitions commit by themselves, so they come before the transaction, in an order in which a run that is killed in
//! between leaves nothing wrong: a table's owner is written down first, with the epoch that is to make it. A table whose
//! epoch was never committed holds nothing, and is made again where it is not the planned one.

use mysql::{Row, prelude::Queryable};
use vardelta_engine::contract::sink::{SinkError, SinkErrorKind};
use vardelta_schemas::{
    TableSchema,
    ledger::Epoch,
    sql::{
        form::{ColumnForm, TableForm},
        ledger::DELETE_OWNED,
        mysql::{
            self as sql,
            constraint::{self as constraint_sql, Letter, Rule},
            layout::TableLayout,
            ledger::{self as owner_sql, Pending},
            partition::{PartitionRow, Partitioning, SELECT_PARTITIONS},
            table::MySqlTable,
        },
    },
};

use crate::sinks::{
    mysql::{
        error::explain,
        ledger::{integer, lax},
        link::{Link, take},
        swap::{check_triggers, new_name},
    },
    shared::{
        tables::{OTHER_CONSTRAINT_HINT, OTHER_HISTORY_HINT},
        unique::{OTHER_UNIQUE_HINT, difference as unique_difference},
    },
};

/// The engine that every table must have: the others have no transactions.
const ENGINE: &str = "InnoDB";

/// Looks at a pipeline's tables.
pub(super) struct Tables<'a> {
    pub(super) location: &'a str,
    pub(super) link: &'a mut Link,
    pub(super) pipeline: &'a str,
    pub(super) expected_epoch: Epoch,
}

/// Whose a table is.
pub(super) struct Owner {
    pub(super) pipeline: String,
    created_epoch: Epoch,
}

/// A table, view or sequence as the database lists it.
pub(super) struct Object {
    pub(super) kind: String,
    pub(super) name: String,
    engine: String,
}

impl Tables<'_> {
    /// Checks a history, or makes it. Whoever moves one away starts a new one.
    pub(super) fn check_or_create_history(
        &mut self,
        table: &TableSchema,
        layout: &TableLayout,
    ) -> Result<(), SinkError> {
        if self.object(&table.name)?.is_none()
            && self.owner(&table.name)?.is_some_and(|it| it.pipeline == self.pipeline)
        {
            self.link.conn.exec_drop(DELETE_OWNED, (&table.name,)).map_err(self.failed())?;
        }
        self.check_or_create(table, layout, OTHER_HISTORY_HINT, OTHER_HISTORY_HINT)
    }

    /// Checks a table, or makes it. What to do when it is gone or another one is said by `if_missing` and `if_other`.
    pub(super) fn check_or_create(
        &mut self,
        table: &TableSchema,
        layout: &TableLayout,
        if_missing: &str,
        if_other: &str,
    ) -> Result<(), SinkError> {
        let name = table.name.as_str();
        self.check_problem(table, layout)?;
        let owner = self.owner(name)?;
        let found = self.object(name)?;
        match (owner, found) {
            (Some(owner), _) if owner.pipeline != self.pipeline => Err(self.refuse(
                format!("table `{name}` in {} belongs to pipeline `{}`", self.location, owner.pipeline),
                "Give the stage another name, or the sink another database.".into(),
            )),
            (Some(_), Some(object)) if object.kind == "BASE TABLE" && object.engine != ENGINE => Err(self.refuse(
                format!(
                    "table `{name}` in {} is kept by the engine {}, which has no transactions",
                    self.location, object.engine
                ),
                format!("Give it the engine {ENGINE} again."),
            )),
            (Some(owner), Some(object)) if object.kind == "BASE TABLE" => {
                let lax = lax(self.location, self.link, name)?;
                let mut difference = self.form(name, &object.engine)?.difference(&layout.form(table), &lax);
                let mut hint = if_other;
                if difference.is_none() {
                    (difference, hint) = (self.constraint_difference(name, layout)?, OTHER_CONSTRAINT_HINT);
                }
                if difference.is_none() {
                    difference = unique_difference(&self.unique_indexes(name)?, &layout.unique);
                    hint = OTHER_UNIQUE_HINT;
                }
                match difference {
                    None => Ok(()),
                    Some(_) if self.was_never_committed(&owner) => {
                        self.run(&sql::drop_table(self.link.dialect, name))?;
                        self.create(table, layout)
                    }
                    Some(difference) => Err(self.refuse(
                        format!(
                            "table `{name}` in {} is not the one the pipeline declares: {difference}",
                            self.location
                        ),
                        hint.into(),
                    )),
                }
            }
            (Some(owner), None) if self.was_never_committed(&owner) => self.create(table, layout),
            (Some(_), _) => Err(self.refuse(
                format!("table `{name}` is missing from {}, though earlier epochs made it", self.location),
                if_missing.into(),
            )),
            (None, None) => {
                let epoch = self.next_epoch()?;
                let values = (name, self.pipeline, epoch, Pending::Indexes.as_str());
                self.link.conn.exec_drop(owner_sql::INSERT_OWNED, values).map_err(self.failed())?;
                self.create(table, layout)
            }
            (None, Some(Object { kind, name: found, .. })) => {
                let kind = if kind == "BASE TABLE" { "table".to_owned() } else { kind.to_ascii_lowercase() };
                Err(self.refuse(
                    format!("there is a {kind} `{found}` in {} that vardelta did not make", self.location),
                    format!("Rename or drop it, or give the stage `{name}` another name; vardelta leaves it alone."),
                ))
            }
        }
    }

    /// The form of one of the pipeline's tables; `None` where it is still to be made.
    ///
    /// # Errors
    /// When what has the name is not the pipeline's.
    pub(super) fn own_form(&mut self, name: &str) -> Result<Option<TableForm>, SinkError> {
        let owner = self.owner(name)?;
        match (owner, self.object(name)?) {
            (Some(owner), _) if owner.pipeline == self.pipeline && self.was_never_committed(&owner) => Ok(None),
            (None, None) => Ok(None),
            (Some(owner), Some(object)) if owner.pipeline == self.pipeline && object.kind == "BASE TABLE" => {
                self.form(name, &object.engine).map(Some)
            }
            _ => Err(self.refuse(
                format!("`{name}` in {} is no table of this pipeline", self.location),
                "See what made it; `vardelta rebuild` makes the pipeline's own tables from scratch.".into(),
            )),
        }
    }

    /// Whether the epoch that was to make a table never was.
    fn was_never_committed(&self, owner: &Owner) -> bool {
        owner.created_epoch > self.expected_epoch
    }

    pub(super) fn next_epoch(&self) -> Result<i64, SinkError> {
        integer(self.expected_epoch.next().number()).map_err(self.failed())
    }

    fn create(&mut self, table: &TableSchema, layout: &TableLayout) -> Result<(), SinkError> {
        self.check_parents(table, layout)?;
        self.run(&MySqlTable::new(table, layout).create())
    }

    /// Refuses a table that refers to one that is not there: MariaDB would say "errno 150".
    fn check_parents(&mut self, table: &TableSchema, layout: &TableLayout) -> Result<(), SinkError> {
        for constraint in &layout.constraints {
            if let Rule::Reference { columns, table: parent, .. } = &constraint.rule
                && self.object(parent)?.is_none()
            {
                return Err(self.refuse(
                    format!(
                        "`{}` ({}) refers to `{parent}`, and {} has no such table",
                        table.name,
                        columns.join(", "),
                        self.location
                    ),
                    "Make it first, with a primary key of the columns that are referred to; or name a table of this sink.".into(),
                ));
            }
        }
        Ok(())
    }

    /// Makes the table that is to take the place of one of the pipeline's. What a killed run left of it goes.
    pub(super) fn create_anew(&mut self, table: &TableSchema, layout: &TableLayout) -> Result<(), SinkError> {
        if let Some(object) = self.object(&table.name)?
            && object.kind != "BASE TABLE"
        {
            return Err(self.refuse(
                format!("`{}` in {} is a {} that vardelta did not make", object.name, self.location, object.kind),
                "Rename or drop it, then run `vardelta rebuild` again.".into(),
            ));
        }
        self.check_problem(table, layout)?;
        check_triggers(self.location, self.link, &table.name)?;
        self.run(&MySqlTable::new(table, layout).named(&new_name(&table.name)).create())
    }

    /// Drops what a killed run left of the table that is to take another's place. Refuses a table to which one refers that
    /// is not rebuilt too: the reference would go to the old rows, and keep them.
    pub(super) fn make_room(&mut self, table: &TableSchema, replaced: &[String]) -> Result<(), SinkError> {
        let referring: Vec<String> =
            self.link.conn.exec(constraint_sql::SELECT_REFERRING, (&table.name,)).map_err(self.failed())?;
        if let Some(other) = referring.iter().find(|other| !replaced.contains(other)) {
            return Err(self.refuse(
                format!(
                    "table `{other}` in {} has a foreign key to `{}`, which would be lost",
                    self.location, table.name
                ),
                "Drop that foreign key, rebuild, and add it again.".into(),
            ));
        }
        self.run(&sql::drop_table(self.link.dialect, &new_name(&table.name)))
    }

    /// The letter that the names of a table's constraints do not end with.
    pub(super) fn other_letter(&mut self, name: &str) -> Result<Letter, SinkError> {
        let letters = self.constraints(name)?;
        let has_a = letters.iter().any(|name| constraint_sql::letter_of(name) == Some(Letter::A));
        Ok(if has_a { Letter::B } else { Letter::A })
    }

    /// The names of a table's CHECK and FOREIGN KEY constraints.
    fn constraints(&mut self, name: &str) -> Result<Vec<String>, SinkError> {
        self.link.conn.exec(constraint_sql::SELECT_CONSTRAINTS, (name,)).map_err(self.failed())
    }

    /// How a table's constraints differ from the planned ones, in words. Those that users have added are left alone.
    pub(super) fn constraint_difference(
        &mut self,
        name: &str,
        layout: &TableLayout,
    ) -> Result<Option<String>, SinkError> {
        let found = self.constraints(name)?;
        let missing = layout.constraints.iter().find(|planned| !found.iter().any(|name| planned.is_named(name)));
        if let Some(missing) = missing {
            return Ok(Some(format!("it has no constraint `{}`", missing.said)));
        }
        let planned = |name: &String| layout.constraints.iter().any(|planned| planned.is_named(name));
        let extra = found.iter().find(|name| constraint_sql::letter_of(name).is_some() && !planned(name));
        Ok(extra.map(|extra| format!("it has the constraint `{extra}`, which the pipeline no longer declares")))
    }

    /// The names of a table's unique indexes, the primary key apart.
    pub(super) fn unique_indexes(&mut self, name: &str) -> Result<Vec<String>, SinkError> {
        let failed = explain(self.location, "read the indexes of");
        let rows: Vec<Row> = self.link.conn.exec(sql::SELECT_INDEXES, (name,)).map_err(failed)?;
        let mut names = Vec::new();
        for mut row in rows {
            let (name, non_unique): (String, i64) =
                (take(&mut row, 0).map_err(failed)?, take(&mut row, 1).map_err(failed)?);
            if non_unique == 0 && name != "PRIMARY" && names.last() != Some(&name) {
                names.push(name);
            }
        }
        Ok(names)
    }

    pub(super) fn check_problem(&self, table: &TableSchema, layout: &TableLayout) -> Result<(), SinkError> {
        match layout.problem(table) {
            None => Ok(()),
            Some(problem) => Err(self.refuse(
                format!("table `{}` cannot be made in {}: {problem}", table.name, self.location),
                "Bound the text columns with `text_characters`, or cast the column to another type.".into(),
            )),
        }
    }

    pub(super) fn run(&mut self, statement: &str) -> Result<(), SinkError> {
        self.link.conn.query_drop(statement).map_err(self.failed())
    }

    pub(super) fn owner(&mut self, table: &str) -> Result<Option<Owner>, SinkError> {
        let found: Option<(String, u64, Option<String>)> =
            self.link.conn.exec_first(owner_sql::SELECT_OWNER, (table,)).map_err(self.failed())?;
        Ok(found.map(|(pipeline, created_epoch, _)| Owner { pipeline, created_epoch: Epoch::new(created_epoch) }))
    }

    pub(super) fn object(&mut self, name: &str) -> Result<Option<Object>, SinkError> {
        let found: Option<(String, String, Option<String>)> =
            self.link.conn.exec_first(sql::SELECT_OBJECT, (name,)).map_err(self.failed())?;
        Ok(found.map(|(kind, name, engine)| Object { kind, name, engine: engine.unwrap_or_default() }))
    }

    fn form(&mut self, name: &str, engine: &str) -> Result<TableForm, SinkError> {
        let failed = explain(self.location, "prepare the tables of");
        let indexes: Vec<Row> = self.link.conn.exec(sql::SELECT_INDEXES, (name,)).map_err(failed)?;
        let mut primary_key = Vec::new();
        for mut row in indexes {
            let index: String = take(&mut row, 0).map_err(failed)?;
            if index == "PRIMARY" {
                primary_key.push(take::<String>(&mut row, 2).map_err(failed)?);
            }
        }
        let rows: Vec<(String, String, Option<String>, String)> =
            self.link.conn.exec(sql::SELECT_COLUMNS, (name,)).map_err(failed)?;
        let columns = rows.into_iter().map(|(name, declared, collation, nullable)| {
            let collation = collation.map(|name| format!(" COLLATE {name}")).unwrap_or_default();
            ColumnForm {
                declared_type: format!("{}{collation}", sql::normalise_type(&declared)),
                not_null: nullable == "NO",
                key_place: (1..).zip(&primary_key).find(|(_, key)| **key == name).map_or(0, |(place, _)| place),
                name,
            }
        });
        let columns = columns.collect();
        let partitions: Vec<PartitionRow> = self.link.conn.exec(SELECT_PARTITIONS, (name,)).map_err(failed)?;
        Ok(TableForm { kind: format!("of the engine {engine}"), columns, partitioning: Partitioning::read(partitions) })
    }

    pub(super) fn refuse(&self, message: String, hint: String) -> SinkError {
        SinkError::new(SinkErrorKind::Layout, message).with_hint(hint)
    }

    pub(super) fn failed(&self) -> impl Fn(mysql::Error) -> SinkError + Copy + '_ {
        explain(self.location, "prepare the tables of")
    }
}
