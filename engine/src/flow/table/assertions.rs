//! What drops assert of a key, which of it stands, and how it lies in the state.
//!
//! Each assertion is an entry of its own: its key is the row's key, then the drop's number so that the assertion that stands
//! comes first. So a touch costs what it touches, however many drops assert the key: the one that stands is read, and the
//! drop's own.

use crate::{
    relational::{Conflict, spaces},
    rows::Row,
    varint,
};

/// The space that holds assertions by key.
pub(crate) fn assertion_space(stage: &str) -> String {
    spaces::assertions(stage)
}

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

/// An assertion where it lies: place, version, origin, value.
pub(crate) type Parts<'a> = (u64, u64, u64, &'a [u8]);
/// A row that was put aside by a later record of the same content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PutAside {
    /// The origin of its record.
    pub origin: u64,
    /// The later record's origin and the key, where its row says something else.
    pub contradicted: Option<(u64, Row)>,
}

impl Assertion {
    /// Decodes a list of assertions in order of place, as they lay before each had an entry of its own; `None` for other
    /// bytes.
    pub(super) fn decode_list(bytes: &[u8]) -> Option<Vec<Assertion>> {
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

    /// The assertion of an entry.
    pub(super) fn of(parts: Parts<'_>) -> Assertion {
        let (place, version, origin, value) = parts;
        Assertion { place, version, origin, value: value.into() }
    }

    /// The assertion that stands, of a list in order of place.
    pub fn winner(list: &[Assertion], conflict: Conflict) -> Option<&Assertion> {
        match conflict {
            Conflict::LatestDrop => list.last(),
            Conflict::FirstDrop => list.first(),
            // Of equal ranks the last drop's.
            Conflict::Greatest => list.iter().max_by_key(|assertion| conflict.rank(&assertion.value)),
        }
    }

    /// Puts one row in place, in a list in order of place: the last record of a key stands within its drop; an older version
    /// of the drop's content gives way. Returns what this one takes the place of, where they are of the same content.
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

/// Appends to a row's key what makes it the key of a drop's entry: the number of bytes of the drop's number and the number
/// itself, big-endian without leading zeros, all bits turned where the latest drop stands; then how many bytes that was, this
/// one included.
pub(super) fn push_place(key: &mut Vec<u8>, place: u64, conflict: Conflict) {
    let turn = match conflict {
        Conflict::LatestDrop | Conflict::Greatest => 0xFF,
        Conflict::FirstDrop => 0,
    };
    let bytes = place.to_be_bytes();
    let significant = &bytes[(place.leading_zeros() / 8) as usize..];
    key.push(significant.len() as u8 ^ turn);
    key.extend(significant.iter().map(|byte| byte ^ turn));
    key.push(significant.len() as u8 + 2);
}

/// Takes the key of an entry apart: the row's key and the drop's number; `None` for other bytes.
pub(crate) fn split_place(entry: &[u8]) -> Option<(&[u8], u64)> {
    let tail = usize::from(*entry.last()?);
    let (key, tail) = entry.split_at(entry.len().checked_sub(tail)?);
    let (first, bytes) = tail.split_last()?.1.split_first()?;
    let turn = if *first > 8 { 0xFF } else { 0 };
    if bytes.len() > 8 || usize::from(first ^ turn) != bytes.len() {
        return None;
    }
    Some((key, bytes.iter().fold(0, |place, byte| place << 8 | u64::from(byte ^ turn))))
}

/// Appends the value of an entry: version and origin as varints, then the row's columns that are not in its key.
pub(super) fn push_value(bytes: &mut Vec<u8>, version: u64, origin: u64, value: &[u8]) {
    varint::push(bytes, version);
    varint::push(bytes, origin);
    bytes.extend_from_slice(value);
}

/// Takes the value of an entry apart: version, origin, row.
pub(crate) fn split_value(bytes: &[u8]) -> Option<(u64, u64, &[u8])> {
    let mut at = 0;
    let (version, origin) = (varint::read(bytes, &mut at)?, varint::read(bytes, &mut at)?);
    Some((version, origin, &bytes[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_assertion_that_stands_comes_first() {
        let places = [0, 1, 2, 254, 255, 256, 257, 65_535, 65_536, u64::MAX - 1, u64::MAX];
        for conflict in [Conflict::FirstDrop, Conflict::LatestDrop] {
            let mut entries: Vec<(Vec<u8>, u64)> = Vec::new();
            for place in places {
                let mut entry = b"key".to_vec();
                push_place(&mut entry, place, conflict);
                assert_eq!(split_place(&entry), Some((&b"key"[..], place)));
                entries.push((entry, place));
            }
            entries.sort();
            let mut order: Vec<u64> = entries.into_iter().map(|(_, place)| place).collect();
            if conflict == Conflict::LatestDrop {
                order.reverse();
            }
            assert_eq!(order, places);
        }
    }

    #[test]
    fn other_bytes_are_no_entry() {
        for bytes in [&[][..], &[9], &[0], &[1, 1], &[3, 7, 3, 3], &[9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11]] {
            assert_eq!(split_place(bytes), None, "{bytes:?}");
        }
    }
}
