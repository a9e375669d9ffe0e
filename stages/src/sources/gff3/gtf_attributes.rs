//! The ninth column of GTF: `gene_id "A"; tag "basic"; level 2;`.
//!
//! Read here and not by noodles-gtf, which takes the next words for the key where an attribute is empty (`;;`), has no value
//! (`partial;`) or two blanks before its value: the line would be lost, or its attributes wrong in silence.

use crate::sources::shared::text::decode;

/// The attributes of a line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct GtfAttributes {
    /// Key and value, in the order of the line; a key may come several times.
    pub pairs: Vec<(String, String)>,
    /// Words that are no attributes.
    pub odd: bool,
}

/// Reads the column. An attribute that is empty is none; a key without a value is odd. Neither semicolons nor blanks inside
/// quotes end a value, `\"` and `\\` in quotes stand for the second character. `None` where a quote is not closed.
pub(super) fn read(column: &[u8]) -> Option<GtfAttributes> {
    let mut read = GtfAttributes::default();
    let mut rest = column.trim_ascii();
    while let Some(first) = rest.first() {
        if *first == b';' {
            rest = rest[1..].trim_ascii_start();
            continue;
        }
        let key = until(rest, |byte| byte == b';' || byte.is_ascii_whitespace());
        rest = rest[key.len()..].trim_ascii_start();
        let value = match rest.first() {
            None | Some(b';') => {
                read.odd = true;
                continue;
            }
            Some(b'"') => {
                let (value, length) = quoted(&rest[1..])?;
                rest = rest[1 + length..].trim_ascii_start();
                value
            }
            Some(_) => {
                let value = until(rest, |byte| byte == b';');
                rest = &rest[value.len()..];
                value.trim_ascii_end().to_vec()
            }
        };
        read.pairs.push((decode(key).into_owned(), decode(&value).into_owned()));
    }
    Some(read)
}

fn until(bytes: &[u8], ends: impl Fn(u8) -> bool) -> &[u8] {
    &bytes[..bytes.iter().position(|byte| ends(*byte)).unwrap_or(bytes.len())]
}

/// The text up to the closing quote, and how many bytes it took with that quote.
fn quoted(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut value, mut at) = (Vec::new(), 0);
    loop {
        match (bytes.get(at)?, bytes.get(at + 1)) {
            (b'"', _) => return Some((value, at + 1)),
            (b'\\', Some(escaped @ (b'"' | b'\\'))) => {
                value.push(*escaped);
                at += 2;
            }
            (byte, _) => {
                value.push(*byte);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(column: &str) -> (Vec<String>, bool) {
        let read = read(column.as_bytes()).expect("closed quotes");
        (read.pairs.into_iter().map(|(key, value)| format!("{key}={value}")).collect(), read.odd)
    }

    #[test]
    fn what_files_write_is_read() {
        let cases: &[(&str, &[&str], bool)] = &[
            ("", &[], false),
            (" ; ;", &[], false),
            (r#"gene_id "A"; level 2;"#, &["gene_id=A", "level=2"], false),
            (r#"gene_id "A";; tag "b";;"#, &["gene_id=A", "tag=b"], false),
            (r#"gene_id  "A" ;tag	"b""#, &["gene_id=A", "tag=b"], false),
            (r#"gene_id "A" tag "b""#, &["gene_id=A", "tag=b"], false),
            (r#"note "a; b"; note "";"#, &["note=a; b", "note="], false),
            (r#"note "a \"b\" \\ \c";"#, &[r#"note=a "b" \ \c"#], false),
            (r#"gene_id "A"; partial; tag "b"; pseudo"#, &["gene_id=A", "tag=b"], true),
            ("level 2 3 ; x 1", &["level=2 3", "x=1"], false),
        ];
        for (column, expected, odd) in cases {
            assert_eq!(pairs(column), (expected.iter().map(ToString::to_string).collect(), *odd), "{column}");
        }
    }

    #[test]
    fn a_quote_that_is_not_closed_is_no_value() {
        for column in [r#"gene_id "A"#, r#"gene_id ""#, r#"gene_id "A\"#, r#"gene_id "A\""#] {
            assert_eq!(read(column.as_bytes()), None, "{column}");
        }
    }
}
