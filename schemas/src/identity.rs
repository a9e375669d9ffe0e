//! Random names: they tell two things apart that bear the same number.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

/// 128 random bits, written as 32 hexadecimal digits. Two of them are the same only where one was copied from the other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity([u8; 16]);

/// The text is not 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no identity: it should be 32 hexadecimal digits")]
pub struct NoIdentity(String);

impl Identity {
    /// The identity with these bits. Whoever makes a new one takes them from the operating system's random numbers.
    pub const fn from_bytes(bytes: [u8; 16]) -> Identity {
        Identity(bytes)
    }

    /// Its bits.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Identity {
    type Err = NoIdentity;

    fn from_str(text: &str) -> Result<Identity, NoIdentity> {
        let is_plain = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match u128::from_str_radix(text, 16) {
            Ok(bits) if is_plain => Ok(Identity(bits.to_be_bytes())),
            _ => Err(NoIdentity(text.to_owned())),
        }
    }
}

impl Serialize for Identity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_read_as_it_is_written_and_nothing_else_is() {
        let identity = Identity::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(identity.to_string(), "000102030405060708090a0b0c0d0eff");
        assert_eq!(identity.to_string().parse(), Ok(identity));
        for text in ["", "0", "+00102030405060708090a0b0c0d0eff", "000102030405060708090A0B0C0D0EFF", &"0".repeat(33)] {
            assert!(text.parse::<Identity>().is_err(), "{text}");
        }
    }
}
