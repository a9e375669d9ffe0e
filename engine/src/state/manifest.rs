//! The manifest: which sections make up the state of one epoch. Small, written whole, never changed.
//!
//! An identity is kept among the notes, under a name that the engine does not use: a state of before there were identities
//! has the same layout without them.
//!
//! Layout: magic, format version (4 bytes), body, CRC-32 of everything before it. The body is varints and
//! length-prefixed bytes, in the order of the fields below.

use std::collections::BTreeMap;

use vardelta_schemas::{
    Identity,
    ledger::{Epoch, EpochId},
};

use super::SHARD_BITS;
use super::block::Pointer;
use crate::varint;

const MAGIC: &[u8; 8] = b"VDSTATE\n";

/// The format this vardelta writes. A change of any layout in this directory raises it, also one of what spaces hold: an older
/// vardelta must not take entries for something else.
const FORMAT: u32 = 2;

/// The oldest format that is read: it has no shard bits, and tables' assertions lie in lists.
const FORMAT_OLDEST: u32 = 1;

/// The notes that hold the identities of the epoch and of the pipeline.
const EPOCH_IDENTITY: &str = "epoch_identity";
const PIPELINE_IDENTITY: &str = "pipeline_identity";

/// What a manifest says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    /// The epoch whose state this is.
    pub(super) id: EpochId,
    /// Bytes of merging that were allowed and not yet used, see `compaction`.
    pub(super) credit_bytes: u64,
    /// The engine's own notes.
    pub(super) metadata: BTreeMap<String, String>,
    /// Serial number and length in bytes of each data file.
    pub(super) files: Vec<(u64, u64)>,
    /// The sections of each space, by shard, oldest first.
    pub(super) spaces: BTreeMap<String, Vec<SectionRecord>>,
}

/// One section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SectionRecord {
    pub(super) shard: u32,
    /// Index into the files of the manifest.
    pub(super) file: usize,
    pub(super) root: Pointer,
    pub(super) levels: u32,
    pub(super) entries: u64,
    pub(super) bytes: u64,
    pub(super) filter: Option<(u64, u64)>,
}

/// Why bytes are not a manifest.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Written in this other format.
    Format(u32),
    /// Not what was written.
    Damaged,
}

impl Manifest {
    /// The manifest as bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&FORMAT.to_le_bytes());
        let EpochId { number, identity, pipeline } = self.id;
        varint::push(&mut out, SHARD_BITS);
        varint::push(&mut out, number.number());
        varint::push(&mut out, self.credit_bytes);
        let identities = [(EPOCH_IDENTITY, identity), (PIPELINE_IDENTITY, pipeline)];
        let mut notes = self.metadata.clone();
        notes
            .extend(identities.into_iter().filter_map(|(key, identity)| Some((key.to_owned(), identity?.to_string()))));
        varint::push(&mut out, notes.len() as u64);
        for (key, value) in &notes {
            varint::push_bytes(&mut out, key.as_bytes());
            varint::push_bytes(&mut out, value.as_bytes());
        }
        varint::push(&mut out, self.files.len() as u64);
        for (serial, length) in &self.files {
            varint::push(&mut out, *serial);
            varint::push(&mut out, *length);
        }
        varint::push(&mut out, self.spaces.len() as u64);
        for (name, sections) in &self.spaces {
            varint::push_bytes(&mut out, name.as_bytes());
            varint::push(&mut out, sections.len() as u64);
            for section in sections {
                section.encode(&mut out);
            }
        }
        let checksum = crc32fast::hash(&out);
        out.extend_from_slice(&checksum.to_le_bytes());
        out
    }

    /// Reads a manifest.
    pub(super) fn decode(bytes: &[u8]) -> Result<Manifest, Unreadable> {
        let (magic, rest) = bytes.split_first_chunk::<8>().ok_or(Unreadable::Damaged)?;
        let (format, rest) = rest.split_first_chunk::<4>().ok_or(Unreadable::Damaged)?;
        if magic != MAGIC {
            return Err(Unreadable::Damaged);
        }
        // Before the checksum: another format may have another one.
        let format = u32::from_le_bytes(*format);
        if !(FORMAT_OLDEST..=FORMAT).contains(&format) {
            return Err(Unreadable::Format(format));
        }
        let (body, checksum) = rest.split_last_chunk::<4>().ok_or(Unreadable::Damaged)?;
        if crc32fast::hash(&bytes[..bytes.len() - checksum.len()]) != u32::from_le_bytes(*checksum) {
            return Err(Unreadable::Damaged);
        }
        let mut position = 0;
        // Written since format 2. Entries of other shards could not be found.
        if format > FORMAT_OLDEST && varint::read(body, &mut position) != Some(SHARD_BITS) {
            return Err(Unreadable::Damaged);
        }
        match Manifest::decode_body(body, &mut position) {
            Some(manifest) if position == body.len() => Ok(manifest),
            _ => Err(Unreadable::Damaged),
        }
    }

    fn decode_body(body: &[u8], position: &mut usize) -> Option<Manifest> {
        let mut manifest = Manifest {
            id: EpochId::numbered(Epoch::new(varint::read(body, position)?)),
            credit_bytes: varint::read(body, position)?,
            ..Manifest::default()
        };
        for _ in 0..varint::read(body, position)? {
            let key = read_text(body, position)?;
            manifest.metadata.insert(key, read_text(body, position)?);
        }
        manifest.id.identity = take_identity(&mut manifest.metadata, EPOCH_IDENTITY)?;
        manifest.id.pipeline = take_identity(&mut manifest.metadata, PIPELINE_IDENTITY)?;
        for _ in 0..varint::read(body, position)? {
            manifest.files.push((varint::read(body, position)?, varint::read(body, position)?));
        }
        for _ in 0..varint::read(body, position)? {
            let name = read_text(body, position)?;
            let mut sections = Vec::new();
            for _ in 0..varint::read(body, position)? {
                sections.push(SectionRecord::decode(body, position).filter(|it| it.file < manifest.files.len())?);
            }
            manifest.spaces.insert(name, sections);
        }
        Some(manifest)
    }
}

impl SectionRecord {
    fn encode(&self, out: &mut Vec<u8>) {
        let (filter_offset, filter_bytes) = self.filter.unwrap_or_default();
        for number in [
            u64::from(self.shard),
            self.file as u64,
            self.root.offset,
            u64::from(self.root.length),
            u64::from(self.levels),
            self.entries,
            self.bytes,
            filter_bytes,
            filter_offset,
        ] {
            varint::push(out, number);
        }
    }

    fn decode(body: &[u8], position: &mut usize) -> Option<SectionRecord> {
        let mut number = || varint::read(body, position);
        let shard = u32::try_from(number()?).ok().filter(|shard| *shard < super::SHARDS)?;
        let file = usize::try_from(number()?).ok()?;
        let root = Pointer { offset: number()?, length: u32::try_from(number()?).ok()? };
        let levels = u32::try_from(number()?).ok()?;
        let (entries, bytes) = (number()?, number()?);
        let (filter_bytes, filter_offset) = (number()?, number()?);
        let filter = (filter_bytes > 0).then_some((filter_offset, filter_bytes));
        Some(SectionRecord { shard, file, root, levels, entries, bytes, filter })
    }
}

/// The identity under a note; `None` where the note is none.
fn take_identity(notes: &mut BTreeMap<String, String>, key: &str) -> Option<Option<Identity>> {
    match notes.remove(key) {
        Some(text) => text.parse().ok().map(Some),
        None => Some(None),
    }
}

fn read_text(body: &[u8], position: &mut usize) -> Option<String> {
    String::from_utf8(varint::read_bytes(body, position)?.to_vec()).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn example() -> Manifest {
        let section = SectionRecord {
            shard: 63,
            file: 1,
            root: Pointer { offset: 1 << 40, length: 4100 },
            levels: 2,
            entries: 9,
            bytes: 12_345,
            filter: Some((77, 640)),
        };
        let small = SectionRecord { shard: 0, file: 0, filter: None, ..section.clone() };
        Manifest {
            id: EpochId {
                number: Epoch::new(300),
                identity: Some(Identity::from_bytes([7; 16])),
                pipeline: Some(Identity::from_bytes([255; 16])),
            },
            credit_bytes: 5,
            metadata: BTreeMap::from([("fingerprint".into(), "äöü".into())]),
            files: vec![(4, 1000), (9, 1 << 33)],
            spaces: BTreeMap::from([("empty".into(), vec![]), ("table".into(), vec![small, section])]),
        }
    }

    #[test]
    fn comes_back() {
        let without = Manifest { id: EpochId::numbered(Epoch::new(3)), ..example() };
        for manifest in [Manifest::default(), example(), without] {
            assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest));
        }
    }

    #[test]
    fn the_oldest_format_is_read() {
        let manifest = example();
        let mut bytes = manifest.encode();
        bytes[8..12].copy_from_slice(&1_u32.to_le_bytes());
        assert_eq!(bytes.remove(12), SHARD_BITS as u8);
        bytes.truncate(bytes.len() - 4);
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        assert_eq!(Manifest::decode(&bytes), Ok(manifest));
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let bytes = example().encode();
        for position in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[position] ^= 0x10;
            let expected = if (8..12).contains(&position) {
                matches!(Manifest::decode(&changed), Err(Unreadable::Format(_)))
            } else {
                Manifest::decode(&changed) == Err(Unreadable::Damaged)
            };
            assert!(expected, "byte {position}");
            assert_eq!(Manifest::decode(&bytes[..position]), Err(Unreadable::Damaged), "cut at {position}");
        }
    }
}
