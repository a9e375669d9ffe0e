//! Text: columns of it, gathered as bytes, and the encodings that files come in.

use std::{borrow::Cow, sync::Arc};

use arrow_array::{ArrayRef, BinaryArray, StringArray};
use vardelta_engine::contract::stage::StageError;

/// Makes a column of text out of bytes of a file; undecodable ones become U+FFFD. Returns also how many values had some.
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
            let text = value.map(String::from_utf8_lossy);
            undecodable += u64::from(matches!(&text, Some(Cow::Owned(_))));
            text
        })
        .collect();
    (Arc::new(text), undecodable)
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
