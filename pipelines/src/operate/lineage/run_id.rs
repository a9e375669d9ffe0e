//! Names of runs: UUIDs of version 7 (RFC 9562), which sort by time.

use crate::operate::clock;

/// A new one.
pub fn new() -> String {
    let mut random = [0; 10];
    // Where the system gives no random bytes, the time alone tells runs apart.
    let _ = getrandom::fill(&mut random);
    let since = clock::since_1970();
    of(u64::try_from(since.as_millis()).unwrap_or(u64::MAX), random)
}

fn of(milliseconds: u64, random: [u8; 10]) -> String {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&milliseconds.to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&random);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn the_example_of_the_rfc() {
        // RFC 9562, A.6.
        let random = [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f];
        assert_eq!(of(0x017f_22e2_79b0, random), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    }
}
