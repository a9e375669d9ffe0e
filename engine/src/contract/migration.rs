//! What changes about a sink's tables when a pipeline's definition changes, step by step.

use serde::Serialize;
use vardelta_schemas::{TableSchema, ledger::EpochId};

/// A column that gets another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rename {
    /// The table.
    pub table: String,
    /// The column in the database.
    pub from: String,
    /// The column in the pipeline.
    pub to: String,
}

/// What a sink is asked to bring its tables to.
#[derive(Clone, Copy, Debug)]
pub struct Migration<'a> {
    /// The pipeline.
    pub pipeline: &'a str,
    /// The epoch that its ledger must be at, by number and identity.
    pub expected: EpochId,
    /// The tables as they are planned.
    pub tables: &'a [TableSchema],
    /// The histories that go with them. One that is missing is made by the next epoch.
    pub histories: &'a [TableSchema],
    /// Columns that keep their values under another name.
    pub renames: &'a [Rename],
}

impl Migration<'_> {
    /// The tables and the histories.
    pub fn kept(&self) -> impl Iterator<Item = &TableSchema> + Clone {
        self.tables.iter().chain(self.histories)
    }

    /// Whether this is one of the histories.
    pub fn is_history(&self, table: &str) -> bool {
        self.histories.iter().any(|history| history.name == table)
    }

    /// The renames of one table, as pairs of the old and the new name.
    pub fn renames_of(&self, table: &str) -> Vec<(String, String)> {
        let renames = self.renames.iter().filter(|rename| rename.table == table);
        renames.map(|rename| (rename.from.clone(), rename.to.clone())).collect()
    }
}

/// What of a migration is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All steps, without any of them being done.
    Plan,
    /// Those that add and rename, and let what is no longer declared be.
    Expand,
    /// Those that take away what nothing needs any more.
    Contract,
}

/// When a step is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Before the rows are brought to the new definition.
    Expand,
    /// After it, and only with `--contract`.
    Contract,
}

/// How a database carries a step out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// By writing down the definition alone, however large the table is.
    Instant,
    /// In place, without rebuilding the clustered index (MariaDB's `NOCOPY`).
    Nocopy,
    /// In place; other clients go on reading and writing. It may rebuild the table's pages.
    Inplace,
    /// By copying the table; nobody else writes to it meanwhile.
    Copy,
}

impl Algorithm {
    /// The word that reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Instant => "instant",
            Algorithm::Nocopy => "in place, without copying",
            Algorithm::Inplace => "in place",
            Algorithm::Copy => "copying",
        }
    }

    /// Reads the word of an `ALGORITHM` clause.
    pub fn of_clause(word: &str) -> Algorithm {
        match word {
            "INSTANT" => Algorithm::Instant,
            "NOCOPY" => Algorithm::Nocopy,
            "INPLACE" => Algorithm::Inplace,
            _ => Algorithm::Copy,
        }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The table.
    pub table: String,
    /// When it is done.
    pub phase: Phase,
    /// The statement, or several after each other.
    pub statement: String,
    /// How the database carries it out.
    pub algorithm: Algorithm,
    /// Whether it makes the table.
    pub makes_table: bool,
}
