//! The `sqlite` sink: tables and ledger in one SQLite file, one transaction per epoch.
//!
//! - The file is in write-ahead mode, so that readers never wait for a run nor a run for readers; a first load into a
//!   new file is the exception (see [`connection`](self::connection)).
//! - Rows are written by prepared statements, one at a time, in key order: measured faster than multi-row statements.
//! - SQLite does not tell -0.0 from 0.0: what was written as the first is read as the second.

mod apply;
mod bind;
mod connection;
mod error;
mod layout;
mod ledger;
mod read;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use vardelta_engine::{
    diagnostics::Diagnostics,
    options,
    options::OptionDoc,
    sink::{Access, Sink, SinkError, SinkStage},
    stage::{Kind, PlanRequest, Planned, PlannedInput, StageType},
};
use vardelta_schemas::{
    TableSchema,
    sql::{Dialect, ledger::RESERVED_PREFIX, table::TableStatements},
};

use self::connection::SqliteSink;

/// The `sqlite` sink, as the registry lists it.
pub static SQLITE: SqliteStage = SqliteStage;

/// The `sqlite` sink.
pub struct SqliteStage;

options! {
    /// Options of `sqlite`.
    pub struct SqliteOptions {
        /// The database file, relative to the pipeline file. It is made when it is not there; its directory is not.
        "path" => path: PathBuf,
    }
}

impl StageType for SqliteStage {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn kind(&self) -> Kind {
        Kind::Sink
    }

    fn manual(&self) -> &'static str {
        include_str!("sqlite/manual.md")
    }

    fn example(&self) -> &'static str {
        include_str!("sqlite/example.toml")
    }

    fn options(&self) -> &'static [OptionDoc] {
        SqliteOptions::DOCS
    }

    fn inert_options(&self) -> &'static [&'static str] {
        &["path"]
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let before = diagnostics.len();
        check_tables(&request.inputs, diagnostics);
        let options = SqliteOptions::read(request.options, diagnostics)?;
        let path = request.pipeline.resolve(&options.path);
        (diagnostics.len() == before).then(|| Planned::Sink(Arc::new(PlannedSqlite { path })))
    }
}

/// Reports what SQLite cannot keep as tables: names it does not tell apart, names that are taken, lists, and inputs
/// without a key (whose rows could not be found again).
fn check_tables(inputs: &[PlannedInput<'_>], diagnostics: &mut Diagnostics) {
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for input in inputs {
        let folded = input.name.to_ascii_lowercase();
        if let Some(prefix) = [RESERVED_PREFIX, "sqlite_"].into_iter().find(|prefix| folded.starts_with(prefix)) {
            diagnostics
                .error(input.span.clone(), format!("a table cannot be called `{}`", input.name))
                .label(format!("names in `{prefix}` are taken"))
                .hint("Give the stage another name.");
        }
        if let Some(earlier) = names.insert(folded, input.name)
            && earlier != input.name
        {
            diagnostics
                .error(input.span.clone(), format!("SQLite does not tell `{}` from `{earlier}`", input.name))
                .label("differs in letter case only")
                .hint("Give one of the stages another name.");
        }
        if input.key.is_none() {
            diagnostics
                .error(
                    input.span.clone(),
                    format!("`{}` has no key, so its rows cannot be kept as a table", input.name),
                )
                .label("has no key")
                .hint("Put a `table` stage behind it, with the columns that name a row as its `key`.");
        }
        check_columns(input, diagnostics);
    }
}

fn check_columns(input: &PlannedInput<'_>, diagnostics: &mut Diagnostics) {
    let mut names = BTreeMap::from([(TableSchema::CHANGED_EPOCH.to_string(), TableSchema::CHANGED_EPOCH)]);
    for column in input.schema.columns() {
        if !column.column_type.is_scalar() {
            diagnostics
                .error(
                    input.span.clone(),
                    format!("column `{}` of `{}` is {}", column.name, input.name, column.column_type),
                )
                .label("a table cannot keep a list")
                .hint("Leave the column out with a `select`, or make one row per item with `explode`.");
        }
        if let Some(earlier) = names.insert(column.name.to_ascii_lowercase(), &column.name) {
            let problem = diagnostics.error(
                input.span.clone(),
                format!("SQLite does not tell column `{}` of `{}` from `{earlier}`", column.name, input.name),
            );
            if earlier == TableSchema::CHANGED_EPOCH {
                problem.label("every table gets a column of this name");
            } else {
                problem.label("differ in letter case only");
            }
            problem.hint("Give the column another name with a `select`.");
        }
    }
}

/// A planned `sqlite` sink.
struct PlannedSqlite {
    path: PathBuf,
}

impl SinkStage for PlannedSqlite {
    fn default_state_dir(&self) -> Option<PathBuf> {
        Some(self.path.parent().unwrap_or_else(|| Path::new("")).join(".vardelta"))
    }

    fn location(&self) -> String {
        self.path.display().to_string()
    }

    fn connect(&self, access: Access) -> Result<Box<dyn Sink>, SinkError> {
        Ok(Box::new(SqliteSink::open(&self.path, access)?))
    }

    fn statements(&self, tables: &[TableSchema]) -> Vec<String> {
        let of_table = |table: &TableSchema| {
            let statements = TableStatements::new(Dialect::Sqlite, table);
            [statements.create, statements.insert.text, statements.update.text, statements.delete.text]
        };
        tables.iter().flat_map(of_table).collect()
    }
}
