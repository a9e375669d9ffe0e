//! What drops assert of a key, and which of it stands.

use crate::{relational::Conflict, rows::Row, varint};

/// What one drop asserts for one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assertion {
    /// The drop's number.
    pub place: u64,
    /// The epoch in which the drop's present content was loaded.
    pub version: u64,
    /// The record's origin in the drop.
    pub origin: u64,
    /// The columns that are not in the key, as [`Conflict::row`] finds them.
    pub value: Row,
}

/// A row that was put aside by a later record of the same content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PutAside {
    /// The origin of its record.
    pub origin: u64,
    /// The later record's origin and the key, where its row says something else.
    pub contradicted: Option<(u64, Row)>,
}

impl Assertion {
    /// Encodes the assertions of one key, in order of place.
    pub fn encode(list: &[Assertion]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for Assertion { place, version, origin, value } in list {
            Assertion::encode_one(&mut bytes, *place, *version, *origin, value);
        }
        bytes
    }

    /// Appends one assertion.
    pub(super) fn encode_one(bytes: &mut Vec<u8>, place: u64, version: u64, origin: u64, value: &[u8]) {
        varint::push(bytes, place);
        varint::push(bytes, version);
        varint::push(bytes, origin);
        varint::push_bytes(bytes, value);
    }

    /// Decodes what [`Assertion::encode`] made; `None` for other bytes.
    pub fn decode(bytes: &[u8]) -> Option<Vec<Assertion>> {
        let (mut list, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            let place = varint::read(bytes, &mut at)?;
            let version = varint::read(bytes, &mut at)?;
            let origin = varint::read(bytes, &mut at)?;
            let value = varint::read_bytes(bytes, &mut at)?.into();
            list.push(Assertion { place, version, origin, value });
        }
        Some(list)
    }

    /// The assertion that stands.
    pub fn winner(list: &[Assertion], conflict: Conflict) -> Option<&Assertion> {
        match conflict {
            Conflict::LatestDrop => list.last(),
            Conflict::FirstDrop => list.first(),
            // Of equal ranks the last drop's.
            Conflict::Greatest => list.iter().max_by_key(|assertion| conflict.rank(&assertion.value)),
        }
    }

    /// Puts one row in place: the last record of a key stands within its drop; an older version of the drop's content gives
    /// way. Returns what this one takes the place of, where they are of the same content.
    pub(super) fn put(list: &mut Vec<Assertion>, new: Assertion) -> Option<Assertion> {
        match list.binary_search_by_key(&new.place, |assertion| assertion.place) {
            Err(at) => list.insert(at, new),
            Ok(at) if list[at].version != new.version => list[at] = new,
            // Rows come in the order of their records, also over chunks, since one reader reads a drop from the start.
            Ok(at) => return Some(std::mem::replace(&mut list[at], new)),
        }
        None
    }
}
