//! How much a state holds, for reports.

use super::catalog::Catalog;

/// How much one space holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpaceStatistics {
    /// Its name.
    pub space: String,
    /// Runs of all shards together.
    pub runs: u64,
    /// Runs of the shard that has most: what a look-up has to ask at worst.
    pub most_runs: u64,
    /// Entries of all runs: keys that are in several runs count several times, tombstones count too.
    pub entries: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

impl SpaceStatistics {
    /// The statistics of each space, by name.
    pub(super) fn of(catalog: &Catalog) -> Vec<SpaceStatistics> {
        let of_space = |(space, shards): (&str, &[super::catalog::Runs])| {
            let sections = || shards.iter().flatten();
            SpaceStatistics {
                space: space.to_owned(),
                runs: sections().count() as u64,
                most_runs: shards.iter().map(Vec::len).max().unwrap_or_default() as u64,
                entries: sections().map(|section| section.entries).sum(),
                bytes: sections().map(|section| section.bytes).sum(),
            }
        };
        catalog.spaces().map(of_space).collect()
    }
}
