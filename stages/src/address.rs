//! Texts in addresses.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What is escaped in an address: all but letters, digits and the marks of RFC 3986, section 2.3.
const ESCAPED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as it is written in an address.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, &ESCAPED).to_string()
}
