//! Where links lead: to other addresses of a server, or to places of the same file.

use std::collections::BTreeSet;

/// The views, in the order in which they are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// What was run.
    Runs,
    /// The stages.
    Graph,
    /// The tables.
    Tables,
    /// The drops.
    Drops,
    /// The look-ups.
    Lookups,
    /// What an epoch changed.
    Changes,
    /// Where a row comes from.
    Why,
}

impl View {
    /// All of them.
    pub const ALL: [View; 7] =
        [View::Runs, View::Graph, View::Tables, View::Drops, View::Lookups, View::Changes, View::Why];

    /// Its name in addresses.
    pub fn name(self) -> &'static str {
        match self {
            View::Runs => "runs",
            View::Graph => "graph",
            View::Tables => "tables",
            View::Drops => "drops",
            View::Lookups => "lookups",
            View::Changes => "changes",
            View::Why => "why",
        }
    }

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            View::Runs => "Runs",
            View::Graph => "Graph",
            View::Tables => "Tables",
            View::Drops => "Drops",
            View::Lookups => "Look-ups",
            View::Changes => "Changes",
            View::Why => "Why",
        }
    }
}

/// A row: its table and its key, each column with its value as people write it.
pub type RowKey = (String, Vec<(String, String)>);

/// Where links lead.
#[derive(Clone, Debug)]
pub enum Address {
    /// To a file's own places.
    File {
        /// The epochs whose runs have a place.
        runs: BTreeSet<u64>,
        /// The rows that are explained, in order.
        rows: Vec<RowKey>,
    },
}

impl Address {
    /// The place of a view.
    pub fn view(&self, view: View) -> String {
        match self {
            Address::File { .. } => format!("#{}", view.name()),
        }
    }

    /// The place of a run; `None` where it has none.
    pub fn run(&self, epoch: u64) -> Option<String> {
        match self {
            Address::File { runs, .. } => runs.contains(&epoch).then(|| format!("#run-{epoch}")),
        }
    }

    /// The place of a row's explanation; `None` where it has none.
    pub fn why(&self, row: &RowKey) -> Option<String> {
        match self {
            Address::File { rows, .. } => rows.iter().position(|known| known == row).map(|at| format!("#why-{at}")),
        }
    }
}
