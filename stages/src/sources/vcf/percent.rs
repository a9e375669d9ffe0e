//! Percent-encoding in INFO and FORMAT values (VCF 4.3, section 1.2): since 4.3 and never before, and only the eight
//! characters that the specification lists.

use std::borrow::Cow;

/// Replaces `%3A %3B %3D %25 %2C %0D %0A %09` (either case) by what they stand for; every other `%` is itself.
pub(crate) fn decode(text: Cow<'_, str>) -> Cow<'_, str> {
    if memchr::memchr(b'%', text.as_bytes()).is_none() {
        return text;
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find('%') {
        decoded.push_str(&rest[..at]);
        match rest.get(at..at + 3).and_then(escaped) {
            Some(character) => {
                decoded.push(character);
                rest = &rest[at + 3..];
            }
            None => {
                decoded.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

fn escaped(sequence: &str) -> Option<char> {
    Some(match sequence.to_ascii_uppercase().as_str() {
        "%3A" => ':',
        "%3B" => ';',
        "%3D" => '=',
        "%25" => '%',
        "%2C" => ',',
        "%0D" => '\r',
        "%0A" => '\n',
        "%09" => '\t',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn decodes_the_listed_escapes_once() {
        let cases = [
            ("p.(Ser12%3D)", "p.(Ser12=)"),
            ("a%3Bb%2cc", "a;b,c"),
            ("%253B", "%3B"),
            ("50%", "50%"),
            ("%4", "%4"),
            ("%20%zz", "%20%zz"),
            ("%é3A", "%é3A"),
            ("%%3A", "%:"),
            ("plain", "plain"),
        ];
        for (input, expected) in cases {
            assert_eq!(decode(input.into()), expected, "{input}");
        }
    }
}
