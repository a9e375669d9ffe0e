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
    state::{Reader, Snapshot, key_hash},
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
            // Which one stands follows from what they say, not from where they lie.
            return Ok(OfKey { list: self.entries(hash, key)?, is_list: false });
        }
        let (mut list, mut is_complete) = (Vec::new(), true);
        let stage = self.stage.clone();
        let damaged = || corrupt(&stage);
        let Some(mut scan) = self.entries.scan_group(hash, key)? else { return Ok(OfKey::default()) };
        while let Some((entry, value)) = scan.next_borrowed()? {
            let Some(tail) = entry.strip_prefix(key) else { break };
            let (rest, place) = split_place(tail).ok_or_else(damaged)?;
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

    /// The value of the row that stands for a key.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn standing(&mut self, key: &[u8]) -> Result<Option<Row>, RunError> {
        let known = self.read(key_hash(key), key, &[])?;
        Ok(Assertion::winner(&known.list, self.conflict).map(|winner| self.conflict.row(&winner.value).into()))
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
        let mut found = self.standing_entries((from, before), limit + 1)?;
        found.extend(self.standing_lists((from, before), limit + 1)?);
        found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let more = found.get(limit).map(|(key, _)| key.to_vec());
        rows.extend(found.into_iter().take(limit));
        Ok(more)
    }

    /// The rows that stand of keys whose assertions are entries of their own.
    fn standing_entries(
        &mut self,
        (from, before): (&[u8], Option<&[u8]>),
        limit: usize,
    ) -> Result<Vec<(Row, Row)>, RunError> {
        let (mut rows, mut of_key): (Vec<(Row, Row)>, Vec<Assertion>) = (Vec::new(), Vec::new());
        let (mut last, conflict, stage) = (Vec::new(), self.conflict, &self.stage);
        let standing = |key: &[u8], of_key: &mut Vec<Assertion>, rows: &mut Vec<(Row, Row)>| {
            of_key.sort_unstable_by_key(|assertion| assertion.place);
            let value = Assertion::winner(of_key, conflict).map(|winner| conflict.row(&winner.value).into());
            rows.extend(value.map(|value| (key.into(), value)));
            of_key.clear();
        };
        let mut scan = self.entries.scan(from)?;
        while let Some((entry, value)) = scan.next_borrowed()? {
            let (key, place) = split_place(entry).ok_or_else(|| corrupt(stage))?;
            if before.is_some_and(|before| key >= before) {
                break;
            }
            let is_first = of_key.is_empty() || last != key;
            if is_first {
                standing(&last, &mut of_key, &mut rows);
                if rows.len() == limit {
                    return Ok(rows);
                }
                last.clear();
                last.extend_from_slice(key);
            }
            // Of the others of a key only ranks matter.
            if is_first || conflict == Conflict::Greatest {
                let (version, origin, value) = split_value(value).ok_or_else(|| corrupt(stage))?;
                of_key.push(Assertion::of((place, version, origin, value)));
            }
        }
        standing(&last, &mut of_key, &mut rows);
        Ok(rows)
    }

    /// The rows that stand of keys whose assertions an older vardelta wrote in a list.
    fn standing_lists(
        &mut self,
        (from, before): (&[u8], Option<&[u8]>),
        limit: usize,
    ) -> Result<Vec<(Row, Row)>, RunError> {
        let mut rows = Vec::new();
        let Some(lists) = &mut self.lists else { return Ok(rows) };
        let mut scan = lists.scan(from)?;
        while let Some((key, bytes)) = scan.next_borrowed()? {
            if rows.len() == limit || before.is_some_and(|before| key >= before) {
                break;
            }
            let list = Assertion::decode_list(bytes).ok_or_else(|| corrupt(&self.stage))?;
            let winner = Assertion::winner(&list, self.conflict);
            rows.extend(winner.map(|winner| (key.into(), self.conflict.row(&winner.value).into())));
        }
        Ok(rows)
    }

    /// All that drops assert of a key, in order of place.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn read_all(&mut self, hash: u64, key: &[u8]) -> Result<Vec<Assertion>, RunError> {
        match self.list(hash, key)? {
            Some(list) => Ok(list),
            None => self.entries(hash, key),
        }
    }

    /// All entries of a key, in order of place.
    fn entries(&mut self, hash: u64, key: &[u8]) -> Result<Vec<Assertion>, RunError> {
        let mut list = Vec::new();
        let Some(mut scan) = self.entries.scan_group(hash, key)? else { return Ok(list) };
        while let Some((entry, value)) = scan.next_borrowed()? {
            let Some((&[], place)) = entry.strip_prefix(key).and_then(split_place) else { break };
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
    let mut last: Option<Vec<u8>> = None;
    // By rank, the one that stands is known when all of a key are.
    let mut ranked = Vec::new();
    while let Some((entry, value)) = scan.next_borrowed()? {
        let (key, place) = split_place(entry).ok_or_else(|| corrupt(stage))?;
        let (version, origin, value) = split_value(value).ok_or_else(|| corrupt(stage))?;
        let is_first = last.as_deref() != Some(key);
        if is_first {
            if let Some(last) = &last
                && !each_of(last, &mut ranked, conflict, each)
            {
                return Ok(());
            }
            let last = last.get_or_insert_default();
            last.clear();
            last.extend_from_slice(key);
        }
        if conflict == Conflict::Greatest {
            ranked.push(Assertion::of((place, version, origin, value)));
        } else if !each(key, (place, version, origin, value), is_first) {
            return Ok(());
        }
    }
    if let Some(last) = &last
        && !each_of(last, &mut ranked, conflict, each)
    {
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

/// Hands over all assertions of a key, and says whether more are wanted.
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
