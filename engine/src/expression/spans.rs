//! Where inside the pipeline file a piece of an expression is.

use std::ops::Range;

use sqlparser::tokenizer::{Location, Span};

use crate::contract::options::Spanned;

/// The text of an expression and its place in the pipeline file.
pub(crate) struct Source<'a> {
    text: &'a str,
    span: Range<usize>,
    /// Bytes between the start of the TOML value and the start of its text; `None` where the two do not map 1:1.
    lead_bytes: Option<usize>,
}

impl<'a> Source<'a> {
    /// The text of a TOML value.
    ///
    /// Only the lengths are known here, and they show the quoting: 2 bytes more than the text are a pair of quotes, 6 are
    /// a pair of triple quotes, 7 and 8 are those with the line end that TOML drops after the opening ones. Any other
    /// difference means that escapes or `${NAME}` were replaced, and then only the whole value can be pointed at; and so it
    /// is where a few escapes could add up to triple quotes.
    pub(crate) fn new(text: &'a Spanned<String>) -> Source<'a> {
        let escapes = text.value.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count();
        let no_escapes = text.value.is_ascii() && escapes < 4;
        let lead_bytes = match text.span.len().checked_sub(text.value.len()) {
            Some(2) => Some(1),
            Some(6) if no_escapes => Some(3),
            Some(7) if no_escapes => Some(4),
            Some(8) if no_escapes => Some(5),
            _ => None,
        };
        Source { text: &text.value, span: text.span.clone(), lead_bytes }
    }

    /// The text.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// The place of the whole value.
    pub(crate) fn whole(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The place of a part of the text; of the whole value where the part is unknown.
    pub(crate) fn place(&self, part: Span) -> Range<usize> {
        let (Some(start), Some(end)) = (self.offset(part.start), self.offset(part.end)) else { return self.whole() };
        match self.lead_bytes {
            Some(lead) if start < end => self.span.start + lead + start..self.span.start + lead + end,
            _ => self.whole(),
        }
    }

    /// The byte offset in the text of a line and column, both 1-based and the column counted in characters.
    fn offset(&self, location: Location) -> Option<usize> {
        let line = usize::try_from(location.line).ok()?.checked_sub(1)?;
        let column = usize::try_from(location.column).ok()?.checked_sub(1)?;
        let start = match line {
            0 => 0,
            _ => self.text.match_indices('\n').nth(line - 1)?.0 + 1,
        };
        let rest = &self.text[start..];
        let within = rest.char_indices().map(|(at, _)| at).chain([rest.len()]).nth(column)?;
        Some(start + within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(file: &str, value: &str, part: Span) -> String {
        let start = file.find(['"', '\'']).expect("a quote");
        let text = Spanned { value: value.to_string(), span: start..file.len() };
        file[Source::new(&text).place(part)].to_string()
    }

    fn part(line: u64, from: u64, to: u64) -> Span {
        Span::new(Location::new(line, from), Location::new(line, to))
    }

    #[test]
    fn maps_every_way_of_quoting() {
        assert_eq!(place("x = \"a + bc\"", "a + bc", part(1, 5, 7)), "bc");
        assert_eq!(place("x = 'a + bc'", "a + bc", part(1, 5, 7)), "bc");
        assert_eq!(place("x = '''a + bc'''", "a + bc", part(1, 5, 7)), "bc");
        assert_eq!(place("x = '''\na +\n bc'''", "a +\n bc", part(2, 2, 4)), "bc");
        assert_eq!(place("x = \"é + bc\"", "é + bc", part(1, 5, 7)), "bc");
    }

    #[test]
    fn points_at_the_whole_value_where_text_was_replaced() {
        assert_eq!(place("x = \"a + '\\t'\"", "a + '\t'", part(1, 5, 6)), "\"a + '\\t'\"");
        assert_eq!(place("x = \"a + '\\u00e9'\"", "a + 'é'", part(1, 5, 6)), "\"a + '\\u00e9'\"");
        let quoted = r#"x = "\"a\" + \"b\"""#;
        assert_eq!(place(quoted, "\"a\" + \"b\"", part(1, 5, 6)), &quoted[4..]);
        assert_eq!(place("x = \"a + bc\"", "a + bc", Span::empty()), "\"a + bc\"");
    }
}
