//! Where records begin and end: a line, unless a quoted field holds line ends.
//!
//! One scan serves the reader thread, which cuts chunks by it and must be able to go on where it ran out of bytes, and the
//! parser, so that both see the same records.

use std::sync::Arc;

use vardelta_engine::contract::stage::StageError;

use super::dialect::Dialect;
use crate::sources::shared::lines::Boundaries;

/// Where in a record a scan is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// At its first byte.
    #[default]
    Start,
    /// In a comment line.
    Comment,
    /// In a line that has had no quote so far.
    Plain,
    /// At a field's first byte.
    Field,
    /// In a field without quotes.
    Unquoted,
    /// In a quoted field.
    Quoted,
    /// After a quote in a quoted field: it ends the field, or is the first of two.
    Closed,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A record.
    Record,
    /// A record whose quotes do not keep to the rules: text follows a closing quote, or one is not closed.
    Misquoted,
    /// A comment line.
    Comment,
    /// A line of nothing but white space.
    Blank,
}

/// A record, or a line that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Its first byte.
    pub start: usize,
    /// After its last byte, the line end left out.
    pub end: usize,
    /// Where the next one begins.
    pub next: usize,
    /// What it is.
    pub kind: Kind,
}

/// A scan for records. The bytes may grow between two calls, and must otherwise stay the same.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scan {
    at: At,
    /// Where the record begins.
    start: usize,
    /// The next byte to look at.
    position: usize,
    /// Whether text followed a closing quote.
    misquoted: bool,
}

impl Scan {
    /// The next record that ends within these bytes; at the end of the file (`ended`) a last one need not have a line end.
    pub fn next(&mut self, bytes: &[u8], dialect: &Dialect, ended: bool) -> Option<Found> {
        // Where nothing quotes, no byte is one: line ends are looked for twice at no cost worth a second loop.
        let quote = dialect.quote.unwrap_or(b'\n');
        loop {
            let rest = bytes.get(self.position..).unwrap_or_default();
            match self.at {
                At::Start => {
                    (self.start, self.misquoted) = (self.position, false);
                    if rest.is_empty() {
                        return None;
                    }
                    let comment = dialect.comment.as_slice();
                    if !comment.is_empty() && !ended && rest.len() < comment.len() && comment.starts_with(rest) {
                        return None;
                    }
                    self.at = match !comment.is_empty() && rest.starts_with(comment) {
                        true => At::Comment,
                        false => At::Plain,
                    };
                }
                At::Comment => match memchr::memchr(b'\n', rest) {
                    Some(length) => return Some(self.found(bytes, dialect, self.position + length)),
                    None => return self.last(bytes, dialect, ended),
                },
                At::Plain => match memchr::memchr2(quote, b'\n', rest) {
                    Some(length) if rest[length] == b'\n' => {
                        return Some(self.found(bytes, dialect, self.position + length));
                    }
                    Some(_) => (self.at, self.position) = (At::Field, self.start),
                    None => return self.last(bytes, dialect, ended),
                },
                At::Field => match rest.first() {
                    Some(first) if *first == quote => (self.at, self.position) = (At::Quoted, self.position + 1),
                    Some(_) => self.at = At::Unquoted,
                    None => return self.last(bytes, dialect, ended),
                },
                At::Unquoted => match memchr::memchr2(dialect.separator, b'\n', rest) {
                    Some(length) if rest[length] == b'\n' => {
                        return Some(self.found(bytes, dialect, self.position + length));
                    }
                    Some(length) => (self.at, self.position) = (At::Field, self.position + length + 1),
                    None => return self.last(bytes, dialect, ended),
                },
                At::Quoted => match memchr::memchr(quote, rest) {
                    Some(length) => (self.at, self.position) = (At::Closed, self.position + length + 1),
                    None => {
                        self.misquoted |= ended;
                        return self.last(bytes, dialect, ended);
                    }
                },
                At::Closed => match rest.first() {
                    None => return self.last(bytes, dialect, ended),
                    Some(b'\n') => return Some(self.found(bytes, dialect, self.position)),
                    Some(byte) if *byte == dialect.separator => {
                        (self.at, self.position) = (At::Field, self.position + 1);
                    }
                    Some(byte) if *byte == quote => (self.at, self.position) = (At::Quoted, self.position + 1),
                    // The first half of a line end, or else text: then the next byte is looked at again.
                    Some(b'\r') if rest.get(1).is_none_or(|next| *next == b'\n') => {
                        if rest.len() == 1 && !ended {
                            return None;
                        }
                        self.position += 1;
                    }
                    Some(_) => (self.at, self.misquoted) = (At::Unquoted, true),
                },
            }
        }
    }

    /// The record that the file ends with, without a line end; before that, more bytes are needed.
    fn last(&mut self, bytes: &[u8], dialect: &Dialect, ended: bool) -> Option<Found> {
        if !ended {
            self.position = bytes.len();
            return None;
        }
        Some(Found { next: bytes.len(), ..self.found(bytes, dialect, bytes.len()) })
    }

    /// The record that ends here, at a line feed; the next one follows.
    fn found(&mut self, bytes: &[u8], dialect: &Dialect, end: usize) -> Found {
        let line = &bytes[self.start..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let kind = match self.at {
            At::Comment => Kind::Comment,
            _ if self.misquoted => Kind::Misquoted,
            At::Plain if line.iter().all(|byte| *byte == b' ' && *byte != dialect.separator) => Kind::Blank,
            _ => Kind::Record,
        };
        let found = Found { start: self.start, end: self.start + line.len(), next: end + 1, kind };
        (self.at, self.position) = (At::Start, end + 1);
        found
    }
}

/// The records of a whole chunk, each with its lines: the first, counted from 0, and how many.
pub(super) fn records<'a>(bytes: &'a [u8], dialect: &'a Dialect) -> impl Iterator<Item = (Found, u64, u64)> + 'a {
    let (mut scan, mut line) = (Scan::default(), 0);
    std::iter::from_fn(move || {
        let found = scan.next(bytes, dialect, true)?;
        let text = &bytes[found.start..found.end];
        let lines = 1 + match memchr::memchr(b'\n', text) {
            Some(_) => memchr::memchr_iter(b'\n', text).count() as u64,
            None => 0,
        };
        line += lines;
        Some((found, line - lines, lines))
    })
}

/// Cuts chunks where records end.
pub(super) struct RecordEnds {
    dialect: Arc<Dialect>,
    scan: Scan,
    end: Option<usize>,
}

impl RecordEnds {
    /// Ends of records of this dialect.
    pub fn new(dialect: Arc<Dialect>) -> RecordEnds {
        RecordEnds { dialect, scan: Scan::default(), end: None }
    }
}

impl Boundaries for RecordEnds {
    fn last_end(&mut self, bytes: &[u8], _: bool) -> Option<usize> {
        while let Some(found) = self.scan.next(bytes, &self.dialect, false) {
            self.end = Some(found.next);
        }
        self.end
    }

    fn cut(&mut self, end: usize) {
        self.end = None;
        match self.scan.start.checked_sub(end) {
            Some(start) => (self.scan.start, self.scan.position) = (start, self.scan.position.saturating_sub(end)),
            None => self.scan = Scan::default(),
        }
    }

    fn check_end(&self, _: &[u8], file: &str, first_line: u64) -> Result<(), StageError> {
        match self.scan.at {
            At::Quoted => Err(StageError::new(format!(
                "{file}: the record that begins in line {first_line} opens a quote that is never closed"
            ))
            .with_hint(
                "Close it, or write `quote = \"none\"` if quotes are characters like any other in these files.",
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect() -> Dialect {
        Dialect { separator: b',', quote: Some(b'"'), comment: b"##".to_vec() }
    }

    fn texts(text: &str, dialect: &Dialect) -> Vec<String> {
        let letter = |kind| match kind {
            Kind::Record => 'r',
            Kind::Misquoted => 'm',
            Kind::Comment => 'c',
            Kind::Blank => 'b',
        };
        records(text.as_bytes(), dialect)
            .map(|(found, line, lines)| {
                format!("{}{line}+{lines} {}", letter(found.kind), text[found.start..found.end].escape_debug())
            })
            .collect()
    }

    #[test]
    fn records_end_with_lines_outside_quotes() {
        for (text, expected) in [
            ("a,b\nc,d\n", vec!["r0+1 a,b", "r1+1 c,d"]),
            ("a,b\r\nc,d", vec!["r0+1 a,b", "r1+1 c,d"]),
            ("a,\"x\ny\"\nc", vec![r#"r0+2 a,\"x\ny\""#, "r2+1 c"]),
            ("\"x\r\ny\"\r\nc\r\n", vec![r#"r0+2 \"x\r\ny\""#, "r2+1 c"]),
            ("\"a\"\"\n\"\"b\",c\nd\n", vec![r#"r0+2 \"a\"\"\n\"\"b\",c"#, "r2+1 d"]),
            // A quote within a field is a character.
            ("5\" end,b\nc,\"d\n\"\n", vec![r#"r0+1 5\" end,b"#, r#"r1+2 c,\"d\n\""#]),
            ("\"a\"b,c\nd\n", vec![r#"m0+1 \"a\"b,c"#, "r1+1 d"]),
            ("\"a\" ,c\nd\n", vec![r#"m0+1 \"a\" ,c"#, "r1+1 d"]),
            ("\"a\"\rb\nd\n", vec![r#"m0+1 \"a\"\rb"#, "r1+1 d"]),
            ("a,\"b\nc", vec![r#"m0+2 a,\"b\nc"#]),
            ("##\"c\n#d\n\n  \r\n,\n", vec![r#"c0+1 ##\"c"#, "r1+1 #d", "b2+1 ", "b3+1   ", "r4+1 ,"]),
            ("\"\"", vec![r#"r0+1 \"\""#]),
            ("\"", vec![r#"m0+1 \""#]),
            ("", vec![]),
        ] {
            assert_eq!(texts(text, &dialect()), expected, "{text:?}");
        }
        let without = Dialect { quote: None, ..dialect() };
        assert_eq!(texts("\"a\nb\"\n", &without), [r#"r0+1 \"a"#, r#"r1+1 b\""#]);
        let blanks = Dialect { separator: b' ', ..dialect() };
        assert_eq!(texts(" \n\n", &blanks), ["r0+1  ", "b1+1 "]);
    }

    #[test]
    fn a_scan_goes_on_wherever_it_ran_out_of_bytes() {
        let text = "##c\na,\"x\n\"\"y\"\r\n5\"b,\n\"q\"z,\"n\"\n#,\n\n\"last\n\"";
        let whole: Vec<usize> = {
            let mut scan = Scan::default();
            std::iter::from_fn(|| scan.next(text.as_bytes(), &dialect(), false)).map(|found| found.next).collect()
        };
        for step in 1..text.len() {
            let (mut scan, mut ends) = (Scan::default(), Vec::new());
            for length in (step..text.len()).step_by(step).chain([text.len()]) {
                while let Some(found) = scan.next(&text.as_bytes()[..length], &dialect(), false) {
                    ends.push(found.next);
                }
            }
            assert_eq!(ends, whole, "step {step}");
        }
    }
}
