//! A Bloom filter cut into lines: a look-up of an absent key costs one read of 64 bytes instead of a descent.
//!
//! A key belongs to one line and has six bits in it. 60 bytes of a line are bits, the last 4 their CRC-32: a flipped bit
//! would otherwise hide a key without a word. About 10 bits a key, about one false "perhaps" in a hundred.

/// Sections with fewer entries have none: their few blocks stay with the reader anyway.
pub(super) const FILTER_ENTRIES: u64 = 2000;

/// Bytes of a line with its checksum.
pub(super) const LINE_BYTES: usize = 64;

const BIT_BYTES: usize = 60;
const BITS: u64 = BIT_BYTES as u64 * 8;
const BITS_PER_KEY: u64 = 10;
const PROBES: u64 = 6;

/// How many lines a filter of this many keys has.
fn lines(keys: u64) -> u64 {
    (keys * BITS_PER_KEY).div_ceil(BITS).max(1)
}

/// The line of a key. All keys of a section have the same six highest bits of their hash (that is its shard), so the
/// line is chosen by those below.
fn line(hash: u64, lines: u64) -> u64 {
    (((hash << 6) >> 32) * lines) >> 32
}

/// The bits of a key in its line.
fn bits(hash: u64) -> impl Iterator<Item = (usize, u8)> {
    let mixed = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (first, stride) = (mixed >> 48, (mixed >> 24) & 0xffff | 1);
    (0..PROBES).map(move |probe| {
        let bit = (first + probe * stride) % BITS;
        ((bit / 8) as usize, 1 << (bit % 8))
    })
}

/// The filter of these key hashes.
pub(super) fn build(hashes: &[u64]) -> Vec<u8> {
    let lines = lines(hashes.len() as u64);
    let mut bytes = vec![0; lines as usize * LINE_BYTES];
    for hash in hashes {
        let start = line(*hash, lines) as usize * LINE_BYTES;
        for (byte, bit) in bits(*hash) {
            bytes[start + byte] |= bit;
        }
    }
    for line in bytes.chunks_exact_mut(LINE_BYTES) {
        let checksum = crc32fast::hash(&line[..BIT_BYTES]);
        line[BIT_BYTES..].copy_from_slice(&checksum.to_le_bytes());
    }
    bytes
}

/// Where in a filter of this many bytes the line of a key starts.
pub(super) fn line_start(hash: u64, filter_bytes: u64) -> u64 {
    line(hash, filter_bytes / LINE_BYTES as u64) * LINE_BYTES as u64
}

/// Whether the key is perhaps there, by its line; `None` where the checksum is wrong.
pub(super) fn may_contain(hash: u64, line: &[u8; LINE_BYTES]) -> Option<bool> {
    let (payload, checksum) = line.split_last_chunk::<4>()?;
    if crc32fast::hash(payload) != u32::from_le_bytes(*checksum) {
        return None;
    }
    Some(bits(hash).all(|(byte, bit)| line[byte] & bit != 0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::state::key_hash;

    #[test]
    fn keeps_what_is_there_and_few_others() {
        let of_one_shard = |salt: u64| {
            (0u64..).map(move |number| key_hash(&(number ^ salt << 40).to_be_bytes())).filter(|hash| hash >> 58 == 7)
        };
        let present: Vec<u64> = of_one_shard(0).take(20_000).collect();
        let filter = build(&present);
        let asks = |hash: u64| {
            let start = line_start(hash, filter.len() as u64) as usize;
            may_contain(hash, filter[start..start + LINE_BYTES].try_into().unwrap()).unwrap()
        };
        assert!(present.iter().all(|hash| asks(*hash)));
        let wrong = of_one_shard(1).take(20_000).filter(|hash| asks(*hash)).count();
        assert!(wrong < 500, "{wrong} of 20000 absent keys pass");
    }

    #[test]
    fn a_flipped_bit_is_seen() {
        let filter = build(&[1, 2, 3]);
        for byte in 0..LINE_BYTES {
            let mut line: [u8; LINE_BYTES] = filter[..].try_into().unwrap();
            line[byte] ^= 1;
            assert_eq!(may_contain(1, &line), None);
        }
    }
}
