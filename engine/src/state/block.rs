//! A block: sorted entries of about 4 KiB, the unit of reading.
//!
//! An entry is: varint shared key bytes with the entry before, varint further key bytes, varint 0 for a tombstone or
//! value bytes + 1, the further key bytes, the value. The first entry shares nothing. Index blocks are the same: the
//! key is the last key of a child block, the value its [`Pointer`]. The CRC-32 of a block lies after it.

use crate::varint;

/// A block is closed when it has this many bytes. Small, because a look-up of one key reads one block.
pub(super) const BLOCK_BYTES: usize = 4096;

/// Bytes of the checksum after each block.
pub(super) const CHECKSUM_BYTES: usize = 4;

/// Where a block lies in its data file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    /// Bytes from the start of the file.
    pub(super) offset: u64,
    /// Bytes with the checksum.
    pub(super) length: u32,
}

impl Pointer {
    /// The pointer as the value of an index entry.
    pub(super) fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..].copy_from_slice(&self.length.to_le_bytes());
        bytes
    }

    /// The pointer in the value of an index entry.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Pointer> {
        let (offset, length) = bytes.split_first_chunk::<8>()?;
        Some(Pointer { offset: u64::from_le_bytes(*offset), length: u32::from_le_bytes(length.try_into().ok()?) })
    }
}

/// The keys pushed do not ascend.
#[derive(Debug)]
pub(super) struct Unordered;

/// A block being written.
#[derive(Default)]
pub(super) struct BlockBuilder {
    bytes: Vec<u8>,
    entries: usize,
    last_key: Vec<u8>,
    any: bool,
}

impl BlockBuilder {
    /// Appends an entry; its key must be greater than every key pushed so far, in earlier blocks too.
    pub(super) fn push(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), Unordered> {
        let mut shared = shared_bytes(&self.last_key, key);
        if self.any && key.get(shared) <= self.last_key.get(shared) {
            return Err(Unordered);
        }
        self.last_key.truncate(shared);
        self.last_key.extend_from_slice(&key[shared..]);
        if self.entries == 0 {
            shared = 0;
        }
        varint::push(&mut self.bytes, shared as u64);
        varint::push(&mut self.bytes, (key.len() - shared) as u64);
        varint::push(&mut self.bytes, value.map_or(0, |value| value.len() as u64 + 1));
        self.bytes.extend_from_slice(&key[shared..]);
        self.bytes.extend_from_slice(value.unwrap_or_default());
        self.entries += 1;
        self.any = true;
        Ok(())
    }

    /// Goes on after a block of these keys that was written elsewhere. Between two blocks only.
    pub(super) fn skip(&mut self, first_key: &[u8], last_key: &[u8]) -> Result<(), Unordered> {
        if self.entries > 0 || (self.any && first_key <= self.last_key.as_slice()) {
            return Err(Unordered);
        }
        self.last_key.clear();
        self.last_key.extend_from_slice(last_key);
        self.any = true;
        Ok(())
    }

    /// Entries in the block so far.
    pub(super) fn entries(&self) -> usize {
        self.entries
    }

    /// Whether the block has its size.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= BLOCK_BYTES
    }

    /// The last key pushed.
    pub(super) fn last_key(&self) -> &[u8] {
        &self.last_key
    }

    /// Appends the block with its checksum to `out`, says how many bytes that were, and starts the next block.
    pub(super) fn cut(&mut self, out: &mut Vec<u8>) -> usize {
        out.extend_from_slice(&self.bytes);
        out.extend_from_slice(&crc32fast::hash(&self.bytes).to_le_bytes());
        let length = self.bytes.len() + CHECKSUM_BYTES;
        self.bytes.clear();
        self.entries = 0;
        length
    }
}

/// How many bytes two keys have in common at their start. Eight at a time, since this runs for every entry written.
fn shared_bytes(one: &[u8], other: &[u8]) -> usize {
    let (one_words, _) = one.as_chunks::<8>();
    let (other_words, _) = other.as_chunks::<8>();
    let words = one_words.iter().zip(other_words).take_while(|(one, other)| one == other).count();
    let rest = one[words * 8..].iter().zip(&other[words * 8..]);
    words * 8 + rest.take_while(|(one, other)| one == other).count()
}

/// Checks and takes off the checksum of a block as read; false where it does not match.
pub(super) fn verify(bytes: &mut Vec<u8>) -> bool {
    let Some((payload, checksum)) = bytes.split_last_chunk::<CHECKSUM_BYTES>() else { return false };
    let matches = crc32fast::hash(payload) == u32::from_le_bytes(*checksum);
    bytes.truncate(bytes.len() - CHECKSUM_BYTES);
    matches
}

/// The bytes of a block are not entries although the checksum was right.
#[derive(Debug)]
pub(super) struct Malformed;

/// A place in a block.
#[derive(Default)]
pub(super) struct BlockCursor {
    bytes: Vec<u8>,
    /// Where the entry after the current one starts.
    next: usize,
    key: Vec<u8>,
    /// Where the value of the current entry starts; the value ends at `next`. `None` for a tombstone.
    value_start: Option<usize>,
    /// Whether there is a current entry.
    valid: bool,
    /// What the last seek found.
    found: Option<Found>,
    /// Buffers of what earlier seeks found, for the next one.
    spare: Option<Found>,
}

/// What a seek found: where the next one may go on from, also after the cursor has walked on.
#[derive(Default)]
struct Found {
    /// What was looked for: every entry before the one found is less.
    target: Vec<u8>,
    /// The key of the entry found, where its value starts, and where the entry after it starts.
    key: Vec<u8>,
    value_start: Option<usize>,
    next: usize,
}

impl BlockCursor {
    /// The buffer to read another block into; the cursor is before its first entry then.
    pub(super) fn load(&mut self) -> &mut Vec<u8> {
        self.rewind();
        self.bytes.clear();
        &mut self.bytes
    }

    fn rewind(&mut self) {
        self.next = 0;
        self.key.clear();
        self.value_start = None;
        self.valid = false;
        self.spare = self.found.take().or(self.spare.take());
    }

    /// Moves to the next entry; false at the end.
    #[inline]
    pub(super) fn advance(&mut self) -> Result<bool, Malformed> {
        if self.next >= self.bytes.len() {
            self.valid = false;
            return Ok(false);
        }
        self.step().ok_or(Malformed)?;
        self.valid = true;
        Ok(true)
    }

    #[inline]
    fn step(&mut self) -> Option<()> {
        let mut position = self.next;
        let shared = usize::try_from(varint::read(&self.bytes, &mut position)?).ok()?;
        let further = usize::try_from(varint::read(&self.bytes, &mut position)?).ok()?;
        let value_bytes = usize::try_from(varint::read(&self.bytes, &mut position)?).ok()?;
        let key_end = position.checked_add(further)?;
        let end = key_end.checked_add(value_bytes.saturating_sub(1))?;
        if shared > self.key.len() || end > self.bytes.len() {
            return None;
        }
        self.key.truncate(shared);
        self.key.extend_from_slice(&self.bytes[position..key_end]);
        self.value_start = (value_bytes > 0).then_some(key_end);
        self.next = end;
        Some(())
    }

    /// Moves to the first entry whose key is `target` or greater; false where there is none. Targets that ascend make
    /// it go on from where it is, or from what it found last where it has walked past the target.
    pub(super) fn seek(&mut self, target: &[u8]) -> Result<bool, Malformed> {
        if self.valid && target == self.key.as_slice() {
            return Ok(true);
        }
        let is_behind = target > self.key.as_slice();
        if !self.valid {
            let at_end = self.next > 0 && self.next >= self.bytes.len();
            if at_end && is_behind {
                return Ok(false);
            }
        }
        if !(self.valid && is_behind) {
            match self.found.take() {
                Some(found) if *target >= *found.target => {
                    self.go_back(&found);
                    let is_it = *target <= *found.key;
                    self.found = Some(found);
                    if is_it {
                        return Ok(true);
                    }
                }
                found => {
                    self.found = found;
                    self.rewind();
                }
            }
        }
        while self.advance()? {
            if self.key.as_slice() >= target {
                self.remember(target);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn go_back(&mut self, found: &Found) {
        self.key.clear();
        self.key.extend_from_slice(&found.key);
        (self.value_start, self.next, self.valid) = (found.value_start, found.next, true);
    }

    fn remember(&mut self, target: &[u8]) {
        let mut found = self.found.take().or(self.spare.take()).unwrap_or_default();
        found.target.clear();
        found.target.extend_from_slice(target);
        found.key.clear();
        found.key.extend_from_slice(&self.key);
        (found.value_start, found.next) = (self.value_start, self.next);
        self.found = Some(found);
    }

    /// The current key.
    #[inline]
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The current value; `None` for a tombstone.
    #[inline]
    pub(super) fn value(&self) -> Option<&[u8]> {
        self.value_start.map(|start| &self.bytes[start..self.next])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn block(entries: &[(&str, Option<&str>)]) -> BlockCursor {
        let mut builder = BlockBuilder::default();
        for (key, value) in entries {
            builder.push(key.as_bytes(), value.map(str::as_bytes)).unwrap();
        }
        let mut cursor = BlockCursor::default();
        let bytes = cursor.load();
        builder.cut(bytes);
        assert!(verify(bytes));
        cursor
    }

    #[test]
    fn entries_come_back() {
        let entries = [("", Some("empty")), ("a", None), ("ab", Some("")), ("abc", Some("x")), ("b", Some("y"))];
        let mut cursor = block(&entries);
        for (key, value) in entries {
            assert!(cursor.advance().unwrap());
            assert_eq!((cursor.key(), cursor.value()), (key.as_bytes(), value.map(str::as_bytes)));
        }
        assert!(!cursor.advance().unwrap());
    }

    #[test]
    fn seeks_forth_and_back() {
        let mut cursor = block(&[("b", Some("1")), ("d", Some("2")), ("f", None)]);
        for (target, found) in
            [("a", "b"), ("b", "b"), ("c", "d"), ("cc", "d"), ("b", "b"), ("e", "f"), ("c", "d"), ("f", "f")]
        {
            assert!(cursor.seek(target.as_bytes()).unwrap());
            assert_eq!(cursor.key(), found.as_bytes(), "{target}");
        }
        assert!(!cursor.seek(b"g").unwrap());
        assert!(!cursor.seek(b"h").unwrap());
        assert!(cursor.seek(b"f").unwrap());
        assert!(!cursor.seek(b"g").unwrap());
        assert!(cursor.seek(b"a").unwrap());
        assert_eq!(cursor.key(), b"b");
    }

    #[test]
    fn seeks_and_steps_in_any_order_find_what_a_list_has() {
        let seed = vardelta_testrandom::seed(17);
        let mut random = vardelta_testrandom::Random::new(seed);
        for _ in 0..300 {
            let mut keys: Vec<String> = (0..random.below(40)).map(|_| format!("k{:02}", random.below(60))).collect();
            keys.sort();
            keys.dedup();
            let entries: Vec<(&str, Option<&str>)> =
                keys.iter().map(|key| (key.as_str(), Some(key.as_str()))).collect();
            let mut cursor = block(&entries);
            let mut at = None;
            for _ in 0..60 {
                if random.below(3) == 0 && at.is_some_and(|at| at < keys.len()) {
                    at = at.map(|at: usize| at + 1);
                    assert_eq!(cursor.advance().unwrap(), at.is_some_and(|at| at < keys.len()), "seed {seed}");
                } else {
                    let target = format!("k{:02}", random.below(60));
                    at = Some(keys.partition_point(|key| *key < target));
                    assert_eq!(
                        cursor.seek(target.as_bytes()).unwrap(),
                        at.is_some_and(|at| at < keys.len()),
                        "seed {seed}"
                    );
                }
                if let Some(key) = at.and_then(|at| keys.get(at)) {
                    let found = (cursor.key(), cursor.value());
                    assert_eq!(found, (key.as_bytes(), Some(key.as_bytes())), "seed {seed}");
                }
            }
        }
    }

    #[test]
    fn keys_must_ascend() {
        for (first, second) in [("b", "a"), ("b", "b"), ("bb", "b"), ("", "")] {
            let mut builder = BlockBuilder::default();
            builder.push(first.as_bytes(), None).unwrap();
            builder.cut(&mut Vec::new());
            assert!(builder.push(second.as_bytes(), None).is_err(), "{first} {second}");
        }
    }

    #[test]
    fn nonsense_is_malformed_and_no_panic() {
        for bytes in [&[1, 0, 0][..], &[0, 200], &[0, 5, 0, 1], &[0, 0, 9], &[0xff; 12]] {
            let mut cursor = BlockCursor::default();
            cursor.load().extend_from_slice(bytes);
            assert!(cursor.advance().is_err(), "{bytes:?}");
        }
    }
}
