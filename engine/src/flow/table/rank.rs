//! `conflict = "greatest"`: what decides among the drops that assert a key is kept before the columns that are not in the key.

use crate::{relational::Conflict, varint};

/// Appends a rank and the value that it ranks.
pub(crate) fn put(out: &mut Vec<u8>, rank: &[u8], value: &[u8]) {
    varint::push_bytes(out, rank);
    out.extend_from_slice(value);
}

/// The rank and the value; bytes that [`put`] did not make have no rank.
fn split(ranked: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    match varint::read_bytes(ranked, &mut at) {
        Some(rank) => (rank, &ranked[at..]),
        None => (&[], ranked),
    }
}

impl Conflict {
    /// The columns that are not in the key, of what a drop asserts by this rule.
    pub(crate) fn row(self, asserted: &[u8]) -> &[u8] {
        match self {
            Conflict::LatestDrop | Conflict::FirstDrop => asserted,
            Conflict::Greatest => split(asserted).1,
        }
    }

    /// What decides by this rule beside the order of drops, greatest last.
    pub(super) fn rank(self, asserted: &[u8]) -> &[u8] {
        match self {
            Conflict::LatestDrop | Conflict::FirstDrop => &[],
            Conflict::Greatest => split(asserted).0,
        }
    }
}
