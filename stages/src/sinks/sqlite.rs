//! The `sqlite` sink: tables and ledger in one SQLite file, one transaction per epoch.
//!
//! - The file is in write-ahead mode, so that readers never wait for a run nor a run for readers; a first load into a
//!   new file is the exception (see [`connection`]).
//! - Rows are written by prepared statements, one at a time, in key order: measured faster than multi-row statements.
//! - SQLite does not tell -0.0 from 0.0: what was written as the first is read as the second.

pub(crate) mod answers;
mod apply;
mod bind;
mod connection;
mod constraints;
mod erase;
mod error;
mod layout;
mod ledger;
mod marks;
mod migrate;
mod read;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use vardelta_engine::options;
use vardelta_engine::{
    contract::{
        options::Spanned,
        reason::Reason,
        sink::{Access, AnswerStore, Check, NamedIndex, Namespace, Server, Sink, SinkError, SinkStage},
        stage::{Kind, PlanRequest, Planned, StageDoc, StageType},
    },
    diagnostics::Diagnostics,
};
use vardelta_schemas::{
    TableSchema,
    sql::{
        Dialect,
        ledger::RESERVED_PREFIX,
        marks::create_live,
        table::TableStatements,
        view::{Place, Relation, Statement, Unsayable},
    },
};

use self::{connection::SqliteSink, constraints::Kept};
use crate::sinks::shared::{
    constraints::{Checks, OnConstraint, judged_checks},
    index_columns::Indexes,
    marks::{OnDelete, check_marks},
    tables::{Names, check_tables, plan_history},
    unique::{self, PlannedUnique, plan_unique},
};

/// What SQLite says about names.
static SQLITE_NAMES: Names = Names {
    database: "SQLite",
    reserved_prefixes: &[RESERVED_PREFIX, "sqlite_"],
    added_columns: &[TableSchema::CHANGED_EPOCH],
    characters_max: usize::MAX,
    // SQLITE_MAX_COLUMN of the bundled library.
    columns_max: 2_000,
    page_row_bytes_max: None,
};

/// The `sqlite` sink, as the registry lists it.
pub static SQLITE: SqliteStage = SqliteStage;

/// The `sqlite` sink.
pub struct SqliteStage;

options! {
    /// Options of `sqlite`.
    pub struct SqliteOptions {
        /// The database file, relative to the pipeline file. It is made when it is not there; its directory is not.
        "path" => path: PathBuf,
        /// Tables of which a history is kept: `["mutation_summary"]` gives `mutation_summary_history`, with a row for every
        /// row that an epoch inserted, updated or deleted.
        "history" => history: Vec<Spanned<String>> = Vec::new(), "[]",
        /// What becomes of a row that goes: "delete"; or "mark", it stays with its last values, `deleted_at` is the time of the
        /// epoch (UTC, as in the ledger), and the view `<table>_live` shows the rows whose `deleted_at` is NULL.
        "on_delete" => on_delete: OnDelete = OnDelete::Delete, "\"delete\"",
        /// Columns whose values no two rows may share, beside the key: lists of columns, `[["gene_id"]]`, for every table that has
        /// all of them, or by table, `{ genes = [["gene_id"]] }`. NULL is no value: any number of rows may have it.
        "unique" => unique: Indexes = Indexes::default(), "[]",
        /// CHECK constraints: SQL conditions over a table's columns, `{ variants = ["position >= 0"] }`. They may use
        /// comparisons, AND, OR, NOT, + - *, BETWEEN, IN, IS NULL and length(). A NULL passes, as in SQL.
        "checks" => checks: Checks = Checks::default(), "{}",
        /// What happens to a row that the database does not take (a constraint, a value that its column cannot hold): "abort",
        /// nothing is written; "quarantine", the row becomes a reject with SQLite's message, and the rest is written.
        "on_constraint" => on_constraint: OnConstraint = OnConstraint::Abort, "\"abort\"",
    }
}

impl StageType for SqliteStage {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn kind(&self) -> Kind {
        Kind::Sink
    }

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: include_str!("sqlite/manual.md"),
            example: include_str!("sqlite/example.toml"),
            options: SqliteOptions::DOCS,
        }
    }

    fn reasons(&self) -> Vec<&'static Reason> {
        vardelta_engine::contract::sink::REASONS.to_vec()
    }

    fn inert_options(&self) -> &'static [&'static str] {
        &["path"]
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let before = diagnostics.len();
        check_tables(&request.inputs, &SQLITE_NAMES, diagnostics);
        let options = SqliteOptions::read(request.options, diagnostics)?;
        check_marks(options.on_delete, &request.inputs, &SQLITE_NAMES, diagnostics);
        let path = request.pipeline.resolve(&options.path);
        let history = plan_history(&options.history, &request.inputs, &SQLITE_NAMES, diagnostics);
        let constraints = constraints::plan(&options.checks, &request.inputs, diagnostics);
        let (on_delete, on_constraint) = (options.on_delete, options.on_constraint);
        let unique = plan_unique(&options.unique, &request.inputs, (on_delete, true), diagnostics);
        let kept = Kept { constraints, unique };
        let checks = judged_checks(&options.checks, &request.inputs);
        (diagnostics.len() == before)
            .then(|| Planned::Sink(Arc::new(PlannedSqlite { path, history, on_delete, kept, checks, on_constraint })))
    }
}

/// A planned `sqlite` sink.
struct PlannedSqlite {
    path: PathBuf,
    /// The tables of which a history is kept.
    history: Vec<String>,
    on_delete: OnDelete,
    kept: Kept,
    checks: Vec<Check>,
    on_constraint: OnConstraint,
}

impl SinkStage for PlannedSqlite {
    fn default_state_dir(&self) -> Option<PathBuf> {
        Some(self.path.parent().unwrap_or_else(|| Path::new("")).join(".vardelta"))
    }

    fn files(&self) -> Vec<PathBuf> {
        let with = |suffix: &str| {
            let mut path = self.path.clone().into_os_string();
            path.push(suffix);
            PathBuf::from(path)
        };
        ["", "-wal", "-shm", "-journal"].map(with).into()
    }

    fn location(&self) -> String {
        self.path.display().to_string()
    }

    fn namespace(&self) -> Namespace {
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        Namespace { location: format!("sqlite://{}", path.display()), database: None }
    }

    fn connect(&self, access: Access) -> Result<Box<dyn Sink>, SinkError> {
        let sink = SqliteSink::open(&self.path, self.on_delete, access)?;
        Ok(Box::new(sink.constrained(self.kept.clone(), self.on_constraint)))
    }

    fn history(&self) -> &[String] {
        &self.history
    }

    fn checks(&self) -> &[Check] {
        &self.checks
    }

    fn asks_database(&self) -> bool {
        !self.kept.unique.is_empty()
    }

    fn indexes(&self) -> Vec<NamedIndex> {
        self.kept.unique.iter().map(PlannedUnique::named).collect()
    }

    fn open_answers(&self) -> Result<Option<Box<dyn AnswerStore>>, SinkError> {
        Ok(Some(Box::new(answers::SqliteAnswers::beside(&self.path))))
    }

    fn server(&self) -> Server {
        Server { dialect: Dialect::Sqlite, words: Dialect::Sqlite.name().into() }
    }

    fn view(&self, view: &Relation, dialect: Dialect) -> Result<Statement, Unsayable> {
        let marks = self.on_delete.marks();
        view.statement(dialect, &|table| Place { name: table.name.clone(), marks })
    }

    fn statements(&self, tables: &[TableSchema], _: Dialect) -> Vec<String> {
        let of_table = |table: &TableSchema| {
            let marks = self.on_delete.marks();
            let statements =
                TableStatements::constrained(table, marks, &constraints::of(&self.kept.constraints, table));
            let unique = unique::of(&self.kept.unique, table);
            let unique = unique.iter().map(|unique| unique.create(Dialect::Sqlite, &table.name)).collect::<Vec<_>>();
            let changes =
                [Some(statements.insert), statements.revive, Some(statements.update), Some(statements.delete)];
            let changes = changes.into_iter().flatten().map(|statement| statement.text);
            let view = marks.may_be_there().then(|| create_live(Dialect::Sqlite, table));
            [statements.create].into_iter().chain(unique).chain(view).chain(changes).collect::<Vec<_>>()
        };
        tables.iter().flat_map(of_table).collect()
    }
}
