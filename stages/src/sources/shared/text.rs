//! Text: columns of it, gathered as bytes, and the encodings that files come in.

use std::{borrow::Cow, fmt::Write as _, sync::Arc};

use arrow_array::{ArrayRef, BinaryArray, StringArray};
use vardelta_engine::contract::stage::StageError;

/// Makes a column of text out of bytes of a file, undecodable ones as [`decode`] shows them. Returns also how many values had
/// some.
///
/// Columns are found to be UTF-8 as a whole: of many short values one by one that would be the dearest check of all.
pub(crate) fn text_column(bytes: BinaryArray) -> (ArrayRef, u64) {
    // Shares the bytes; nothing is copied.
    let (offsets, values, nulls) = bytes.clone().into_parts();
    if let Ok(text) = StringArray::try_new(offsets, values, nulls) {
        return (Arc::new(text), 0);
    }
    let mut undecodable = 0;
    let text: StringArray = bytes
        .iter()
        .map(|value| {
            let text = value.map(decode);
            undecodable += u64::from(matches!(&text, Some(Cow::Owned(_))));
            text
        })
        .collect();
    (Arc::new(text), undecodable)
}

/// Bytes of a file as text. One that is not UTF-8 becomes U+FFFD and its two hexadecimal digits: any value may be a name or a
/// part of a key, and what differs in such bytes alone must not become one.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a text does not fail.
            let _ = write!(text, "{}{byte:02x}", char::REPLACEMENT_CHARACTER);
        }
    }
    Cow::Owned(text)
}

/// What some editors put before UTF-8 text.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Refuses text that begins with the byte order mark of UTF-16.
///
/// # Errors
/// When it does.
pub(crate) fn refuse_utf16(text: &[u8], file: &str) -> Result<(), StageError> {
    match text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        true => Err(utf16(file)),
        false => Ok(()),
    }
}

/// Says that a file is UTF-16.
pub(crate) fn utf16(file: &str) -> StageError {
    StageError::new(format!("{file} is UTF-16 text, or no text at all")).with_hint(
        "Save it as UTF-8: a spreadsheet's \"Unicode text\" is UTF-16; `iconv -f UTF-16 -t UTF-8` converts it.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_undecodable_bytes_stays_apart() {
        for (bytes, expected) in [
            (&b"caf\xc3\xa9"[..], "caf\u{e9}"),
            (b"", ""),
            (b"M\xfcller", "M\u{fffd}fcller"),
            (b"M\xf6ller", "M\u{fffd}f6ller"),
            (b"\xe2\x82", "\u{fffd}e2\u{fffd}82"),
            (b"\xff", "\u{fffd}ff"),
        ] {
            assert_eq!(decode(bytes), expected);
        }
    }
}
