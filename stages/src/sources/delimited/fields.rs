//! The fields of one record.

use std::ops::Range;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

use super::dialect::Dialect;

/// Splits records into fields. Its buffers are reused from record to record.
pub(super) struct Splitter {
    separator: u8,
    quote: Option<u8>,
    reader: Reader,
    /// Fields without their quotes; unused where a record has none.
    decoded: Vec<u8>,
    ends: Vec<usize>,
    fields: Vec<Range<usize>>,
    is_decoded: bool,
}

impl Splitter {
    /// A splitter for files of this dialect.
    pub fn new(dialect: &Dialect) -> Splitter {
        let reader = ReaderBuilder::new()
            .delimiter(dialect.separator)
            .quote(dialect.quote.unwrap_or(b'"'))
            .quoting(dialect.quote.is_some())
            .terminator(Terminator::Any(b'\n'))
            .build();
        Splitter {
            separator: dialect.separator,
            quote: dialect.quote,
            reader,
            decoded: Vec::new(),
            ends: Vec::new(),
            fields: Vec::new(),
            is_decoded: false,
        }
    }

    /// Splits a record, given without its line end. Returns how many fields it has.
    pub fn split(&mut self, record: &[u8]) -> usize {
        self.fields.clear();
        self.is_decoded = self.quote.is_some_and(|quote| memchr::memchr(quote, record).is_some());
        match self.is_decoded {
            true => self.decode(record),
            false => {
                let mut start = 0;
                for end in memchr::memchr_iter(self.separator, record).chain([record.len()]) {
                    self.fields.push(start..end);
                    start = end + 1;
                }
            }
        }
        self.fields.len()
    }

    /// A field of the record that was split last; empty where it has no such field.
    pub fn field<'a>(&'a self, record: &'a [u8], at: usize) -> &'a [u8] {
        let bytes = if self.is_decoded { &self.decoded } else { record };
        self.fields.get(at).and_then(|range| bytes.get(range.clone())).unwrap_or_default()
    }

    fn decode(&mut self, record: &[u8]) {
        self.reader.reset();
        // Decoding never makes a record longer, and no field needs less than a byte, but for the last one.
        self.decoded.resize(record.len() + 1, 0);
        self.ends.resize(record.len() + 2, 0);
        let (mut input, mut written, mut fields) = (record, 0, 0);
        loop {
            let (result, read, more, ended) =
                self.reader.read_record(input, &mut self.decoded[written..], &mut self.ends[fields..]);
            (input, written, fields) = (&input[read..], written + more, fields + ended);
            match result {
                // With nothing left to read, the reader learns it from an empty input.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record | ReadRecordResult::End => break,
                // What was reserved suffices for any record; should it not, its fields do not match the header.
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => break,
            }
        }
        let mut start = 0;
        for end in &self.ends[..fields] {
            self.fields.push(start..*end);
            start = *end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(record: &str, quote: Option<u8>) -> Vec<String> {
        let mut splitter = Splitter::new(&Dialect { separator: b',', quote, comment: Vec::new() });
        let count = splitter.split(record.as_bytes());
        let text = |at| String::from_utf8_lossy(splitter.field(record.as_bytes(), at)).into_owned();
        (0..count).map(text).collect()
    }

    #[test]
    fn quotes_are_taken_off() {
        for (record, expected) in [
            ("a,b", &["a", "b"][..]),
            ("a,", &["a", ""]),
            (",", &["", ""]),
            ("", &[""]),
            ("\"a,b\",c", &["a,b", "c"]),
            ("\"a\"\"b\",\"\"", &["a\"b", ""]),
            ("\"a\nb\",c", &["a\nb", "c"]),
            ("5\" end,\"x\"", &["5\" end", "x"]),
            ("\"\"", &[""]),
            ("\"a\",", &["a", ""]),
            ("\"\r\n\",b", &["\r\n", "b"]),
        ] {
            assert_eq!(fields(record, Some(b'"')), expected, "{record:?}");
        }
        assert_eq!(fields("\"a,b\"", None), ["\"a", "b\""]);
    }
}
