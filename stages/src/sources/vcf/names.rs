//! Names that are not UTF-8. Values are decoded leniently, and what cannot be decoded is counted; a name must not be: two
//! samples, contigs or filters that differ in such bytes alone would become one.

/// What to do about such a name.
pub(super) const HINT: &str = "Convert the file to UTF-8, for example with `iconv -f latin1 -t utf8`.";

/// What is wrong with a name that begins `at` bytes into its line; `None` where it is UTF-8. Bytes are shown escaped and
/// counted from 1.
pub(super) fn undecodable(what: &str, name: &[u8], at: usize) -> Option<String> {
    let place = std::str::from_utf8(name).err()?.valid_up_to();
    let byte = name[place];
    // Latin-1 has control characters where Windows has letters and quotes.
    let encoding = if (0x80..0xa0).contains(&byte) { "Windows-1252" } else { "Latin-1 (ISO 8859-1)" };
    let shown = name[..name.len().min(60)].escape_ascii();
    Some(format!(
        "{what} `{shown}` is not UTF-8: {byte:#04x}, byte {} of the line, looks like {encoding}",
        at + place + 1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_which_byte_and_what_it_may_be() {
        assert_eq!(undecodable("the sample", "Müller".as_bytes(), 5), None);
        assert_eq!(
            undecodable("the sample", b"M\xfcller", 5).as_deref(),
            Some("the sample `M\\xfcller` is not UTF-8: 0xfc, byte 7 of the line, looks like Latin-1 (ISO 8859-1)")
        );
        assert!(undecodable("CHROM", b"a\x92b", 0).is_some_and(|text| text.contains("Windows-1252")));
        // A character that is cut off.
        assert!(undecodable("CHROM", b"a\xc3", 0).is_some_and(|text| text.contains("byte 2 of the line")));
    }
}
