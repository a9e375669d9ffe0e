//! Rows that stay marked when they go: which tables have such rows, new rows in the place of marked ones, and the views of the
//! rows that live.

use mysql::{Row, prelude::Queryable};
use vardelta_engine::contract::sink::{SinkError, SinkErrorKind};
use vardelta_schemas::{
    TableSchema,
    sql::{
        marks::{Marks, count_marked, create_live, create_probe, drop_view, live_columns, live_name},
        mysql::{self as sql, ledger as owner_sql},
    },
};

use crate::sinks::{
    mysql::{
        apply::{Sent, Writer},
        error::{explain, is_denied, server_words},
        link::{Link, take},
        settings::Settings,
        swap::Settling,
        tables::Tables,
    },
    shared::marks::{OnDelete, lost_marks, taken_name},
};

/// A view that is made and dropped to see whether the user may make views.
const PROBE: &str = "vardelta_ask_view";

/// What a table, as it is under the name `place`, has to do with marked rows.
pub(super) fn found(
    settings: &Settings,
    link: &mut Link,
    table: &TableSchema,
    place: &str,
) -> Result<Marks, SinkError> {
    let columns = columns(&settings.location, link, place)?;
    let columns = || columns.iter().map(String::as_str);
    // A ledger, and the view's place in it, are asked for only where there is such a column.
    let marks = settings.on_delete.found(table, columns(), true);
    if marks != Marks::LeftOver {
        return Ok(marks);
    }
    let owner: Option<Row> = link
        .conn
        .exec_first(owner_sql::SELECT_OWNER, (live_name(&table.name),))
        .map_err(explain(&settings.location, "read the tables of"))?;
    Ok(settings.on_delete.found(table, columns(), owner.is_some()))
}

/// The columns of a table or view, in order.
fn columns(location: &str, link: &mut Link, name: &str) -> Result<Vec<String>, SinkError> {
    let failed = explain(location, "read the tables of");
    let rows: Vec<Row> = link.conn.exec(sql::SELECT_COLUMNS, (name,)).map_err(failed)?;
    rows.into_iter().map(|mut row| take(&mut row, 0).map_err(failed)).collect()
}

impl Writer<'_> {
    /// Writes new rows of which some take the place of marked ones, by statements: LOAD DATA would delete those rows, which
    /// what refers to them may forbid, and could not tell them from rows that live.
    pub(super) fn revive(&mut self, sent: &Sent<'_, '_>) -> Result<(), SinkError> {
        self.revived = 0;
        self.statements(vardelta_engine::contract::sink::Op::Insert, sent)?;
        // Where one slice had none, the next is loaded again.
        self.meets_marks = self.revived > 0;
        Ok(())
    }

    /// The same after LOAD DATA met such rows.
    pub(super) fn revive_instead(&mut self, sent: &Sent<'_, '_>) -> Result<(), SinkError> {
        let failed = explain(self.target.location, "write to");
        self.target.link.conn.query_drop(sql::ROLLBACK_TO_SAVEPOINT).map_err(failed)?;
        self.revive(sent)
    }

    /// Whether the rows of the table may be marked.
    pub(super) fn has_marks(&self) -> bool {
        self.target.layout.marks.may_be_there()
    }
}

impl Tables<'_> {
    /// Whether the ledger has the view of a table's live rows as this pipeline's.
    pub(super) fn owns_live(&mut self, table: &str) -> Result<bool, SinkError> {
        Ok(self.owner(&live_name(table))?.is_some_and(|owner| owner.pipeline == self.pipeline))
    }

    /// Refuses, before anything is made, to take the name of a view from somebody else, and to begin without the right to
    /// make the views that are missing.
    pub(super) fn prepare_live(&mut self, tables: &[TableSchema]) -> Result<(), SinkError> {
        let mut is_missing = false;
        for table in tables {
            self.check_live_name(&table.name)?;
            is_missing |= !self.is_live_there(table)?;
        }
        if is_missing { self.ask_for_views() } else { Ok(()) }
    }

    fn check_live_name(&mut self, table: &str) -> Result<(), SinkError> {
        let live = live_name(table);
        let (owner, found) = (self.owner(&live)?, self.object(&live)?);
        match (owner, found) {
            (Some(owner), _) if owner.pipeline != self.pipeline => Err(self.refuse(
                format!("`{live}` in {} belongs to pipeline `{}`", self.location, owner.pipeline),
                "Give the stage another name, or the sink another database.".into(),
            )),
            (owner, Some(object)) if object.kind != "VIEW" || owner.is_none() => {
                let kind = object.kind.replace("BASE TABLE", "table").to_ascii_lowercase();
                let (message, hint) = taken_name(table, &kind, &object.name, self.location);
                Err(self.refuse(message, hint))
            }
            _ => Ok(()),
        }
    }

    /// Whether the view of a table's live rows is there, with the columns that it should have.
    pub(super) fn is_live_there(&mut self, table: &TableSchema) -> Result<bool, SinkError> {
        let live = live_name(&table.name);
        Ok(self.owns_live(&table.name)? && columns(self.location, self.link, &live)? == live_columns(table))
    }

    fn ask_for_views(&mut self) -> Result<(), SinkError> {
        let dialect = self.link.dialect;
        let failed = explain(self.location, "make views in");
        match self.link.conn.query_drop(create_probe(dialect, PROBE)) {
            Ok(()) => self.link.conn.query_drop(drop_view(dialect, PROBE)).map_err(failed),
            Err(error) if is_denied(&error) => Err(SinkError::new(
                SinkErrorKind::Unavailable,
                format!(
                    "the user may not make views in {}, which on_delete = \"mark\" needs: {}",
                    self.location,
                    server_words(&error)
                ),
            )
            .with_hint("Grant the user CREATE VIEW on this database, beside the rights that the README lists.")),
            Err(error) => Err(failed(error)),
        }
    }

    /// Writes down that the view of a table's live rows is this pipeline's, before it is made: a column `deleted_at` beside
    /// it is then known for what it is.
    pub(super) fn own_live(&mut self, table: &str) -> Result<(), SinkError> {
        if self.owns_live(table)? {
            return Ok(());
        }
        let values = (live_name(table), self.pipeline, self.next_epoch()?, None::<String>);
        self.link.conn.exec_drop(owner_sql::INSERT_OWNED, values).map_err(self.failed())
    }

    /// Makes the view of a table's live rows, or makes it as it should be; says whether there was anything to do.
    pub(super) fn make_live(&mut self, table: &TableSchema) -> Result<bool, SinkError> {
        self.check_live_name(&table.name)?;
        if self.is_live_there(table)? {
            return Ok(false);
        }
        self.own_live(&table.name)?;
        let statement = create_live(self.link.dialect, table);
        self.run(&statement)?;
        Ok(true)
    }

    /// A notice about the marked rows that go with a table that is about to be rebuilt.
    pub(super) fn lost_marks(&mut self, table: &str, marks: Marks) -> Result<Option<String>, SinkError> {
        if !marks.may_be_there() || !self.owns_live(table)? {
            return Ok(None);
        }
        let rows: Option<u64> =
            self.link.conn.query_first(count_marked(self.link.dialect, table)).map_err(self.failed())?;
        Ok(rows.filter(|rows| *rows > 0).map(|rows| lost_marks(table, rows)))
    }
}

impl Settling<'_> {
    /// Makes the view of a table that has just taken its place. Where the pipeline has changed since the table was filled,
    /// that waits until the table is what the pipeline declares.
    pub(super) fn make_live(&mut self, table: &str) -> Result<(), SinkError> {
        let planned = self.tables.iter().find(|planned| planned.name == table);
        let Some(planned) = planned.filter(|_| self.settings.on_delete == OnDelete::Mark) else { return Ok(()) };
        let location = &self.settings.location;
        let there = columns(location, self.link, table)?;
        let layout = self.settings.layout(self.link.dialect, planned);
        let fits = layout.form(planned).columns.iter().all(|column| there.contains(&column.name));
        let is_there = columns(location, self.link, &live_name(table))? == live_columns(planned);
        if fits && !is_there {
            let statement = create_live(self.link.dialect, planned);
            self.run(&statement)?;
        }
        Ok(())
    }
}
