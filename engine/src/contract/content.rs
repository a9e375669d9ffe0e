//! The content digest: what makes a delivery the same as an earlier one, however it is compressed.

/// By what a record's hash is multiplied for each record that follows it. Odd, so that nothing is lost, and 3 modulo 8, so
/// that powers of it differ in as low a bit as they can.
const STEP: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c833;

/// A digest of records that does not depend on their compression: the sum of a 128-bit hash per record, which does not
/// depend on their order either, and beside it one that does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContentDigest {
    /// How many records.
    pub records: u64,
    /// The wrapping sum of their hashes.
    pub sum: u128,
    /// The hashes as the digits of a number in base [`STEP`], the first record's leading.
    order: u128,
}

impl ContentDigest {
    /// Adds one record, as its bytes are in the file (without line end).
    pub fn add(&mut self, record: &[u8]) {
        let hash = xxhash_rust::xxh3::xxh3_128(record);
        self.records += 1;
        self.sum = self.sum.wrapping_add(hash);
        self.order = self.order.wrapping_mul(STEP).wrapping_add(hash);
    }

    /// Adds the records of the part that follows this one.
    pub fn append(&mut self, next: ContentDigest) {
        self.records += next.records;
        self.sum = self.sum.wrapping_add(next.sum);
        self.order = self.order.wrapping_mul(power(next.records)).wrapping_add(next.order);
    }

    /// The digest of records and header together, 32 hexadecimal digits. The order of the records is part of it where
    /// `is_ordered`: where several of them assert one key, it decides which of them stands.
    pub fn text(&self, header: u128, is_ordered: bool) -> String {
        let mut bytes = Vec::with_capacity(56);
        bytes.extend_from_slice(&self.records.to_le_bytes());
        bytes.extend_from_slice(&self.sum.to_le_bytes());
        bytes.extend_from_slice(&header.to_le_bytes());
        if is_ordered {
            bytes.extend_from_slice(&self.order.to_le_bytes());
        }
        format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&bytes))
    }
}

/// [`STEP`] to this power, by squaring.
fn power(mut exponent: u64) -> u128 {
    let (mut result, mut square) = (1_u128, STEP);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result.wrapping_mul(square);
        }
        square = square.wrapping_mul(square);
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(records: &[&str]) -> ContentDigest {
        let mut digest = ContentDigest::default();
        records.iter().for_each(|record| digest.add(record.as_bytes()));
        digest
    }

    #[test]
    fn order_counts_where_it_is_asked_for() {
        let (there, back) = (digest(&["a", "b", "c"]), digest(&["b", "a", "c"]));
        assert_eq!(there.text(7, false), back.text(7, false));
        assert_ne!(there.text(7, true), back.text(7, true));
        assert_ne!(there.text(7, false), there.text(7, true));
        assert_ne!(there.text(7, false), there.text(8, false));
        assert_ne!(digest(&["a"]).text(7, false), digest(&["a", "a"]).text(7, false));
        assert_eq!(STEP % 8, 3);
    }

    #[test]
    fn where_a_file_is_cut_does_not_count() {
        let records = ["a", "b", "a", "c", "d", "e", "f"];
        for first in 0..records.len() {
            for second in first..records.len() {
                let mut parts = digest(&records[..first]);
                parts.append(digest(&records[first..second]));
                parts.append(digest(&records[second..]));
                assert_eq!(parts, digest(&records), "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn records_that_change_places_are_told_however_far_apart() {
        for distance in [1_usize, 2, 64, 1 << 12, 1 << 16] {
            let mut records: Vec<String> = (0..=distance).map(|at| at.to_string()).collect();
            let there = digest(&records.iter().map(String::as_str).collect::<Vec<_>>());
            records.swap(0, distance);
            let back = digest(&records.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!((there.records, there.sum), (back.records, back.sum));
            assert_ne!(there.order, back.order, "{distance}");
        }
    }
}
