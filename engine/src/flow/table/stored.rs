//! Reading what drops assert.

use super::{
    Assertion, assertion_space,
    assertions::{Parts, push_place, split_place, split_value},
    corrupt, list_space,
};
use crate::{
    error::RunError,
    relational::Conflict,
    rows::Row,
    state::{Reader, Snapshot, key_hash, shard_of_hash},
};

/// What the state knows of one shard of a table.
pub(crate) struct Stored {
    stage: String,
    conflict: Conflict,
    entries: Reader,
    /// Lists that an older vardelta wrote; a key's list gives way to entries when the key is touched.
    lists: Option<Reader>,
    from: Vec<u8>,
}

/// What is known of one key.
#[derive(Default)]
pub(crate) struct OfKey {
    /// In order of place: all that was asked for, and at least the one that would stand without them.
    pub list: Vec<Assertion>,
    /// Whether they lie in a list, which is all of them then.
    pub is_list: bool,
}

impl Stored {
    /// What a snapshot has of a shard.
    ///
    /// # Errors
    /// When a data file cannot be opened.
    pub fn open(before: &Snapshot, stage: &str, shard: u32, conflict: Conflict) -> Result<Stored, RunError> {
        let lists = list_space(stage);
        let lists = if before.has(&lists, shard) { Some(before.reader(&lists, shard)?) } else { None };
        let entries = before.reader(&assertion_space(stage), shard)?;
        Ok(Stored { stage: stage.to_owned(), conflict, entries, lists, from: Vec::new() })
    }

    /// What these drops assert of a key, and what would stand without them. Reads as many entries, not as many as there are.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn read(&mut self, hash: u64, key: &[u8], places: &[u64]) -> Result<OfKey, RunError> {
        if let Some(list) = self.list(hash, key)? {
            return Ok(OfKey { list, is_list: true });
        }
        if self.conflict == Conflict::Greatest {
            // What stands is not the first: the values decide.
            return Ok(OfKey { list: self.read_all(hash, key)?, is_list: false });
        }
        let (mut list, mut is_complete) = (Vec::new(), true);
        let damaged = || corrupt(&self.stage);
        let Some(mut scan) = self.entries.scan_group(hash, key)? else { return Ok(OfKey::default()) };
        while let Some((entry, value)) = scan.next_borrowed()? {
            let (rest, place) = split_place(&entry[key.len()..]).ok_or_else(damaged)?;
            if !rest.is_empty() {
                break;
            }
            let (version, origin, value) = split_value(value).ok_or_else(damaged)?;
            list.push(Assertion::of((place, version, origin, value)));
            if !places.contains(&place) {
                is_complete = false;
                break;
            }
        }
        if !is_complete {
            for place in places {
                if list.iter().any(|known: &Assertion| known.place == *place) {
                    continue;
                }
                self.from.clear();
                self.from.extend_from_slice(key);
                push_place(&mut self.from, *place, self.conflict);
                if let Some(value) = self.entries.get_hashed(hash, &self.from)? {
                    let (version, origin, value) = split_value(&value).ok_or_else(|| corrupt(&self.stage))?;
                    list.push(Assertion::of((*place, version, origin, value)));
                }
            }
        }
        list.sort_unstable_by_key(|assertion| assertion.place);
        Ok(OfKey { list, is_list: false })
    }

    /// The row that stands for a key: its columns that are not in the key.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn standing(&mut self, key: &[u8]) -> Result<Option<Row>, RunError> {
        let OfKey { list, .. } = self.read(key_hash(key), key, &[])?;
        Ok(Assertion::winner(&list, self.conflict).map(|winner| self.conflict.row(&winner.value).into()))
    }

    /// Adds the rows that stand, key and value in order, from one key up to another, which is left out; all that follow where
    /// there is none. So many at the most: the key to go on from, where there may be more.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn standing_rows(
        &mut self,
        (from, before): (&[u8], Option<&[u8]>),
        limit: usize,
        rows: &mut Vec<(Row, Row)>,
    ) -> Result<Option<Vec<u8>>, RunError> {
        let (conflict, damaged) = (self.conflict, || corrupt(&self.stage));
        let mut found: Vec<(Row, Row)> = Vec::new();
        let mut last: Option<(Vec<u8>, Assertion)> = None;
        let standing = |(key, winner): (Vec<u8>, Assertion)| (key.into(), conflict.row(&winner.value).into());
        let mut scan = self.entries.scan_range(from, before)?;
        while let Some((entry, value)) = scan.next_borrowed()? {
            let (key, place) = split_place(entry).ok_or_else(damaged)?;
            let (version, origin, value) = split_value(value).ok_or_else(damaged)?;
            match &mut last {
                Some((known, winner)) if known == key => {
                    // By place the first of a key stands; by value the greatest, of equal ones the last drop's.
                    let other = (conflict.rank(value), place);
                    if conflict == Conflict::Greatest && other > (conflict.rank(&winner.value), winner.place) {
                        *winner = Assertion::of((place, version, origin, value));
                    }
                }
                _ => {
                    found.extend(last.take().map(standing));
                    if found.len() > limit {
                        break;
                    }
                    last = Some((key.to_vec(), Assertion::of((place, version, origin, value))));
                }
            }
        }
        found.extend(last.map(standing));
        if let Some(lists) = &mut self.lists {
            let (mut scan, mut taken) = (lists.scan_range(from, before)?, 0);
            while taken <= limit
                && let Some((key, bytes)) = scan.next_borrowed()?
            {
                let list = Assertion::decode_list(bytes).ok_or_else(damaged)?;
                found.extend(
                    Assertion::winner(&list, conflict).map(|winner| (key.into(), conflict.row(&winner.value).into())),
                );
                taken += 1;
            }
            found.sort_unstable();
        }
        let more = found.get(limit).map(|(key, _)| key.to_vec());
        found.truncate(limit);
        rows.append(&mut found);
        Ok(more)
    }

    /// All that drops assert of a key, in order of place.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn read_all(&mut self, hash: u64, key: &[u8]) -> Result<Vec<Assertion>, RunError> {
        if let Some(list) = self.list(hash, key)? {
            return Ok(list);
        }
        let mut list = Vec::new();
        let Some(mut scan) = self.entries.scan_group(hash, key)? else { return Ok(list) };
        while let Some((entry, value)) = scan.next_borrowed()? {
            let Some((&[], place)) = split_place(&entry[key.len()..]) else { break };
            let (version, origin, value) = split_value(value).ok_or_else(|| corrupt(&self.stage))?;
            list.push(Assertion::of((place, version, origin, value)));
        }
        list.sort_unstable_by_key(|assertion| assertion.place);
        Ok(list)
    }

    fn list(&mut self, hash: u64, key: &[u8]) -> Result<Option<Vec<Assertion>>, RunError> {
        let Some(lists) = &mut self.lists else { return Ok(None) };
        let Some(bytes) = lists.get_hashed(hash, key)? else { return Ok(None) };
        Assertion::decode_list(&bytes).map(Some).ok_or_else(|| corrupt(&self.stage))
    }
}

/// Everything that drops assert of one key of a table, in ledger order, and of each whether it is the one that stands.
///
/// # Errors
/// When the state cannot be read.
pub(crate) fn assertions_of(
    before: &Snapshot,
    stage: &str,
    conflict: Conflict,
    key: &[u8],
) -> Result<Vec<(Assertion, bool)>, RunError> {
    let hash = key_hash(key);
    let mut stored = Stored::open(before, stage, shard_of_hash(hash), conflict)?;
    let list = match stored.list(hash, key)? {
        Some(list) => list,
        None => stored.read_all(hash, key)?,
    };
    let winner = Assertion::winner(&list, conflict).map(|winner| winner.place);
    let marked = list.into_iter().map(|assertion| {
        let stands = Some(assertion.place) == winner;
        (assertion, stands)
    });
    Ok(marked.collect())
}

/// Reads every assertion of one shard of a table: `each` gets key, place, version, origin, value and whether it is the one that
/// stands; until it says no.
///
/// # Errors
/// When the state cannot be read.
pub(crate) fn scan_assertions(
    before: &Snapshot,
    stage: &str,
    shard: u32,
    conflict: Conflict,
    each: &mut dyn FnMut(&[u8], Parts<'_>, bool) -> bool,
) -> Result<(), RunError> {
    let mut reader = before.reader(&assertion_space(stage), shard)?;
    let mut scan = reader.scan(&[])?;
    let (mut key, mut list): (Vec<u8>, Vec<Assertion>) = (Vec::new(), Vec::new());
    while let Some((entry, value)) = scan.next_borrowed()? {
        let (next, place) = split_place(entry).ok_or_else(|| corrupt(stage))?;
        let (version, origin, value) = split_value(value).ok_or_else(|| corrupt(stage))?;
        if next != key {
            if !each_of(&key, &mut list, conflict, each) {
                return Ok(());
            }
            key.clear();
            key.extend_from_slice(next);
        }
        list.push(Assertion::of((place, version, origin, value)));
    }
    if !each_of(&key, &mut list, conflict, each) {
        return Ok(());
    }
    let mut reader = before.reader(&list_space(stage), shard)?;
    let mut scan = reader.scan(&[])?;
    while let Some((key, bytes)) = scan.next_borrowed()? {
        let mut list = Assertion::decode_list(bytes).ok_or_else(|| corrupt(stage))?;
        if !each_of(key, &mut list, conflict, each) {
            return Ok(());
        }
    }
    Ok(())
}

/// Hands over the assertions of one key, and forgets them.
fn each_of(
    key: &[u8],
    list: &mut Vec<Assertion>,
    conflict: Conflict,
    each: &mut dyn FnMut(&[u8], Parts<'_>, bool) -> bool,
) -> bool {
    list.sort_unstable_by_key(|assertion| assertion.place);
    let winner = Assertion::winner(list, conflict).map(|winner| winner.place);
    list.drain(..).all(|Assertion { place, version, origin, value }| {
        each(key, (place, version, origin, &value), Some(place) == winner)
    })
}
