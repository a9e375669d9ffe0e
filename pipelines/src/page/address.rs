//! Where links lead: to other addresses of a server, or to places of the same file.

use std::collections::BTreeSet;

use vardelta_schemas::ledger::Epoch;
use vardelta_stages::address::encoded;

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

/// What the parameters of an address begin with that are columns of a key.
pub const KEY_PREFIX: &str = "key.";

/// Parameters of an address.
pub fn query(pairs: impl IntoIterator<Item = (String, String)>) -> String {
    let pairs = pairs.into_iter().map(|(name, value)| format!("{}={}", encoded(&name), encoded(&value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Where links lead.
#[derive(Clone, Debug)]
pub enum Address {
    /// To addresses of a server that begin so: nothing, or `/p/NAME`.
    Served {
        /// What comes before `/runs`.
        base: String,
    },
    /// To a file's own places.
    File {
        /// The epochs whose runs have a place.
        runs: BTreeSet<Epoch>,
        /// The rows that are explained, in order.
        rows: Vec<RowKey>,
    },
}

impl Address {
    /// The place of a view.
    pub fn view(&self, view: View) -> String {
        match self {
            Address::Served { base } => format!("{base}/{}", view.name()),
            Address::File { .. } => format!("#{}", view.name()),
        }
    }

    /// The place of a run; `None` where it has none.
    pub fn run(&self, epoch: Epoch) -> Option<String> {
        match self {
            Address::Served { base } => Some(format!("{base}/runs/{epoch}")),
            Address::File { runs, .. } => runs.contains(&epoch).then(|| format!("#run-{epoch}")),
        }
    }

    /// The place of a row's explanation; `None` where it has none.
    pub fn why(&self, row: &RowKey) -> Option<String> {
        match self {
            Address::Served { base } => {
                let pairs = row.1.iter().map(|(column, value)| (format!("{KEY_PREFIX}{column}"), value.clone()));
                let pairs = std::iter::once(("table".to_owned(), row.0.clone())).chain(pairs);
                Some(format!("{base}/why?{}", query(pairs)))
            }
            Address::File { rows, .. } => rows.iter().position(|known| known == row).map(|at| format!("#why-{at}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_addresses_whatever_they_hold() {
        let address = Address::Served { base: "/p/x".into() };
        let row = ("t".to_owned(), vec![("a".to_owned(), "<&=é \"".to_owned())]);
        assert_eq!(address.why(&row).as_deref(), Some("/p/x/why?table=t&key.a=%3C%26%3D%C3%A9%20%22"));
        assert_eq!(address.run(Epoch::new(3)).as_deref(), Some("/p/x/runs/3"));
        let file = Address::File { runs: BTreeSet::from([Epoch::new(3)]), rows: vec![row.clone()] };
        assert_eq!(
            (file.run(Epoch::new(3)).as_deref(), file.run(Epoch::new(4)), file.why(&row).as_deref()),
            (Some("#run-3"), None, Some("#why-0"))
        );
    }
}
