//! Hashes as text that every database takes as part of a name.

/// Letters of 128 bits.
const CHARACTERS: usize = 22;

/// 128 bits as 22 letters, digits, `-` and `_` (RFC 4648, section 5, without padding).
pub(crate) fn base64(value: u128) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // 22 digits have 132 bits; the last four are zeros.
    (0..CHARACTERS)
        .map(|digit| {
            let shift = 122 - 6 * digit as i32;
            let bits = if shift >= 0 { value >> shift } else { value << -shift };
            char::from(DIGITS[(bits & 63) as usize])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_base_64() {
        assert_eq!(base64(0), "A".repeat(22));
        assert_eq!(base64(u128::MAX), format!("{}w", "_".repeat(21)));
        assert_eq!(base64(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10), "AQIDBAUGBwgJCgsMDQ4PEA");
    }
}
