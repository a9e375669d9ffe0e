//! How a database would find the rows of a query: asked of the database, which runs nothing.

use serde::Serialize;

use super::SinkError;

/// An index that a sink keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedIndex {
    /// Its table.
    pub table: String,
    /// Its name in the database.
    pub name: String,
    /// Its columns: indexes into the table's columns.
    pub columns: Vec<usize>,
}

/// How rows are found, the dearest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessPath {
    /// In an index alone, which has all that is asked for.
    Covering,
    /// By the value of a key or an index.
    Lookup,
    /// By a stretch of a key or an index.
    Range,
    /// By looking at every row of the table, or of an index.
    Scan,
}

impl AccessPath {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            AccessPath::Covering => "covering",
            AccessPath::Lookup => "lookup",
            AccessPath::Range => "range",
            AccessPath::Scan => "scan",
        }
    }
}

/// What a database says of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryPlan {
    /// How it finds the rows.
    pub access: AccessPath,
    /// The index that it uses, in its own words (`PRIMARY`); `None` where it uses none.
    pub index: Option<String>,
    /// Rows that it expects to look at, where it says.
    pub rows: Option<u64>,
}

/// Asks a database for its plans.
pub trait QueryPlans {
    /// How it would run a query of one table.
    ///
    /// # Errors
    /// When the query is not understood: its table is not there, for instance.
    fn query_plan(&mut self, query: &str) -> Result<QueryPlan, SinkError>;
}
