//! The state: the persistent, sharded memory of the stateful stages. The spine of a differential arrangement, on disk.
//!
//! A *space* is one ordered map of byte keys to byte values, named by the engine, cut into [`SHARDS`] shards by key hash.
//! A shard is a list of immutable sorted runs; a newer run overrides an older one, a tombstone hides a key. A change
//! writes a new run, so it costs what it changes, whatever the size of the state. Runs are merged geometrically, so
//! that few need to be read. Nothing is ever overwritten: an epoch is a manifest that names its runs, and the step from
//! one to the next is a rename.
//!
//! - `MANIFEST` names the runs of the finalised epoch, `PREPARED` those of the one that waits for the sink's word.
//! - `data-*.seg` hold the runs of a session, many in one file; read by offset, with a checksum on every block.
//! - `LOCK` is locked, not written: exclusively by a [`State`] that writes, shared by those that read.
//!
//! **Space on disk.** Merging leaves the runs of a shard geometric: each has more than twice the bytes and the entries of
//! all newer ones together, so they take at most half as much again as the oldest run, of which at least half still counts.
//! Data files that are mostly unused are rewritten as soon as the unused bytes of all exceed the used ones by 8 MiB. So
//! the bound is six times the content, the usual case under twice; on top of it comes what merging still owes (see
//! `compaction`) and, while an epoch is written, what its session wrote, replaced runs included.
//!
//! **Memory.** A reader holds about one block of 4 KiB per run and index level, a writer about a megabyte and 8 bytes a
//! key. Nothing that grows with the state is held, but the manifest: about 30 bytes per run. A session remembers up to 32 MiB of
//! what it wrote.

mod block;
mod catalog;
mod compaction;
mod cursor;
mod directory;
mod erase;
mod error;
mod file;
mod filter;
mod join;
mod manifest;
mod merge;
mod reader;
mod remembered;
mod section;
mod session;
mod snapshot;
mod statistics;
mod store;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod traffic;
mod writer;

pub use error::{StateError, StateErrorKind};
pub use reader::{Entry, Reader, Scan};
pub use session::Session;
pub use snapshot::Snapshot;
pub use statistics::SpaceStatistics;
pub use store::State;
pub use traffic::Traffic;
pub use vardelta_schemas::ledger::{Epoch, EpochId};
pub use writer::RunWriter;

/// How many of the highest bits of a key's hash number its shard; every manifest says so.
const SHARD_BITS: u64 = 6;

/// Shards per space. Fixed, so the number of workers may change from run to run.
pub const SHARDS: u32 = 1 << SHARD_BITS;

/// How the name of a space ends whose keys belong to groups: the last byte of a key says how many bytes at its end, itself
/// included, are not part of the group's key. All entries of a group lie in the same shard, and filters know groups, so that
/// looking for a group that is not there costs no block.
pub const GROUPED: &str = "/by-key";

/// The part of a key that its shard and the filters follow.
fn group_of<'a>(space: &str, key: &'a [u8]) -> &'a [u8] {
    if !space.ends_with(GROUPED) {
        return key;
    }
    let tail = key.last().map_or(0, |tail| usize::from(*tail));
    &key[..key.len().saturating_sub(tail)]
}

/// The hash that decides which shard a key belongs to.
pub fn key_hash(key: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(key)
}

/// The shard of a key: the six highest bits of its [`key_hash`].
pub fn shard_of(key: &[u8]) -> u32 {
    shard_of_hash(key_hash(key))
}

/// The shard of a key with this [`key_hash`].
pub fn shard_of_hash(hash: u64) -> u32 {
    (hash >> (64 - SHARD_BITS)) as u32
}
