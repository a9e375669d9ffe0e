//! The keys that each drop asserts, by drop: what a withdrawal reads.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    relational::spaces,
    state::{Session, StateError},
};

/// The space that holds keys by drop.
pub(crate) fn drop_space(stage: &str) -> String {
    spaces::drops(stage)
}

/// Bytes of a drop's number and its content's version before a key.
const PREFIX_BYTES: usize = 16;

/// Where the keys of a drop start.
pub(super) fn start_of(place: u64) -> Vec<u8> {
    place.to_be_bytes().to_vec()
}

/// Where the keys of a drop's content of this version start.
pub(super) fn start_of_content(place: u64, version: u64) -> Vec<u8> {
    [place.to_be_bytes(), version.to_be_bytes()].concat()
}

/// Takes an entry of the space apart: drop, version, key; `None` where it is none.
pub(crate) fn parts(entry: &[u8]) -> Option<(u64, u64, &[u8])> {
    let (place, rest) = entry.split_first_chunk::<8>()?;
    let (version, key) = rest.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*place), u64::from_be_bytes(*version), key))
}

/// What a chunk changes in one shard of the space. Keys come in ascending order, so each drop's are in order already.
#[derive(Default)]
pub(super) struct DropChanges {
    drops: BTreeMap<(u64, u64), Keys>,
}

/// Keys one after the other: where each ends, and whether the drop asserts it now.
#[derive(Default)]
struct Keys {
    bytes: Vec<u8>,
    ends: Vec<(usize, bool)>,
}

impl DropChanges {
    /// The drop's content of this version asserts the key, or does so no longer.
    pub fn push(&mut self, place: u64, version: u64, key: &[u8], asserts: bool) {
        let keys = self.drops.entry((place, version)).or_default();
        keys.bytes.extend_from_slice(key);
        keys.ends.push((keys.bytes.len(), asserts));
    }

    /// Writes the changes as a run.
    pub fn write(self, session: &Arc<Session>, stage: &str, shard: u32) -> Result<(), StateError> {
        let mut writer = session.run_writer(&drop_space(stage), shard);
        let mut entry = Vec::new();
        for ((place, version), keys) in &self.drops {
            entry.clear();
            entry.extend_from_slice(&place.to_be_bytes());
            entry.extend_from_slice(&version.to_be_bytes());
            let mut from = 0;
            for (end, asserts) in &keys.ends {
                entry.truncate(PREFIX_BYTES);
                entry.extend_from_slice(&keys.bytes[from..*end]);
                from = *end;
                writer.push(&entry, asserts.then_some(&[][..]))?;
            }
        }
        writer.finish()
    }
}
