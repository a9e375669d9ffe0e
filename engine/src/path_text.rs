//! Paths as text and back. The ledger, reports and drop names are text, but a file's name is bytes, and need not be UTF-8.
//!
//! A byte that is no UTF-8 is written `\xfc` (two hexadecimal digits in lower case); a backslash beside one is written
//! `\\`. A path of valid UTF-8 is its own text, unless it reads like an escape: then its backslashes are doubled too. So
//! different paths are different texts.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
};

/// A path, or a part of one, as text.
pub fn to_text(path: impl AsRef<OsStr>) -> String {
    let bytes = path.as_ref().as_bytes();
    match std::str::from_utf8(bytes) {
        Ok(text) if !reads_as_escaped(text) => text.to_owned(),
        _ => escaped(bytes),
    }
}

/// The path that [`to_text`] wrote as this text.
pub fn from_text(text: &str) -> OsString {
    if !reads_as_escaped(text) {
        return OsString::from(text);
    }
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let (byte, taken) = match (first, after) {
            (b'\\', [b'\\', ..]) => (b'\\', 2),
            (b'\\', [b'x', high, low, ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 4),
                _ => (b'\\', 1),
            },
            _ => (*first, 1),
        };
        bytes.push(byte);
        rest = &rest[taken..];
    }
    OsString::from_vec(bytes)
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// Whether a text holds what stands for a byte.
fn reads_as_escaped(text: &str) -> bool {
    text.as_bytes().windows(4).any(|four| four.starts_with(b"\\x") && hex(four[2]).is_some() && hex(four[3]).is_some())
}

/// The value of a hexadecimal digit as this module writes them.
fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_paths_are_different_texts() {
        // Every name of up to five bytes over an alphabet that holds all that matters.
        let alphabet = [b'\\', b'x', b'f', b'c', 0xfc, 0xf6];
        let mut seen = std::collections::HashMap::new();
        let mut names: Vec<Vec<u8>> = vec![Vec::new()];
        for _ in 0..5 {
            let longer = names.iter().filter(|name| name.len() == names.last().map_or(0, Vec::len));
            let longer: Vec<Vec<u8>> =
                longer.flat_map(|name| alphabet.map(|byte| [&name[..], &[byte]].concat())).collect();
            names.extend(longer);
        }
        for name in names {
            let text = to_text(OsStr::from_bytes(&name));
            assert_eq!(from_text(&text).as_bytes(), name, "{text}");
            assert_eq!(seen.insert(text.clone(), name.clone()), None, "{text} is the text of two names");
        }
    }

    #[test]
    fn common_names_stay_as_they_are() {
        for name in ["a.vcf", "Müller.vcf", r"C:\drops\x.vcf", r"a\xzz", "日本.vcf"] {
            assert_eq!(to_text(name), name);
        }
        assert_eq!(to_text(OsStr::from_bytes(b"M\xfcller\\1")), r"M\xfcller\\1");
    }
}
