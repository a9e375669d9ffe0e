//! What `verify` found.

use serde::Serialize;
use vardelta_schemas::ledger::Epoch;

/// Differences reported in full; beyond this number they are only counted.
const DIFFERENCES_TOLD: usize = 100;

/// What `verify` found.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyReport {
    /// The pipeline's name.
    pub pipeline: String,
    /// The epoch that was verified.
    pub epoch: Epoch,
    /// Rows compared, by table; a view that was compared in two ways is there twice.
    pub tables: Vec<VerifiedTable>,
    /// The differing rows, the first 100.
    pub differences: Vec<Difference>,
    /// How many rows differ.
    pub difference_count: u64,
    /// Things worth saying.
    pub notices: Vec<String>,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// By what a table was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Means {
    /// A SELECT that the database computed over its own tables.
    Sql,
    /// The pipeline's own operators, over rows read back.
    Replay,
    /// What the state says.
    State,
    /// What the ledger says.
    Ledger,
}

/// One table's result.
#[derive(Clone, Debug, Serialize)]
pub struct VerifiedTable {
    /// The table.
    pub name: String,
    /// By what it was verified.
    pub by: Means,
    /// What it was compared with, in words.
    pub against: String,
    /// Rows that the sink holds.
    pub rows: u64,
    /// Rows that differ.
    pub differences: u64,
    /// Columns whose values may be off by what the database's own arithmetic loses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tolerant: Vec<String>,
    /// Why the database did not compute it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_sql: Option<String>,
}

impl VerifiedTable {
    /// A table of which nothing is counted yet.
    pub(super) fn new(name: &str, by: Means, against: impl Into<String>) -> VerifiedTable {
        let (name, against) = (name.to_owned(), against.into());
        VerifiedTable { name, by, against, rows: 0, differences: 0, tolerant: Vec::new(), not_sql: None }
    }
}

/// A row that is not what it should be.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// The key, in words.
    pub key: String,
    /// The row as it should be; `None` where there should be none.
    pub expected: Option<String>,
    /// The row in the sink; `None` where there is none.
    pub found: Option<String>,
}

impl VerifyReport {
    /// Counts a difference, and keeps it if there are not too many: the key, what is expected and what was found.
    pub(super) fn differ(
        &mut self,
        table: &str,
        difference: impl FnOnce() -> (String, Option<String>, Option<String>),
    ) {
        self.difference_count += 1;
        if self.differences.len() < DIFFERENCES_TOLD {
            let (key, expected, found) = difference();
            self.differences.push(Difference { table: table.to_owned(), key, expected, found });
        }
    }
}
