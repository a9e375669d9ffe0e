//! One field's text, taken apart in one pass: where its entries and their parts begin and end. Everything that is asked of an
//! entry afterwards is a look-up.

use crate::{
    marks::Wanted,
    transforms::annotations::layout::{Layout, split_effect},
};

/// The bytes from `start` to `end` of the field's text.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    end: u32,
}

/// One entry.
#[derive(Clone, Copy, Debug)]
struct Entry {
    whole: Span,
    /// The place of its first part.
    first: u32,
    /// How many parts it has.
    parts: u32,
}

/// The entries of one field's text. Its memory is used again for the next text.
#[derive(Debug, Default)]
pub(super) struct Tape {
    entries: Vec<Entry>,
    parts: Vec<Span>,
    /// Whether the text holds a `%`, so that something may have to be decoded.
    has_percent: bool,
}

/// A tape beside the text it is of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    text: &'a str,
    tape: &'a Tape,
}

/// An entry's number in its field.
pub(super) type EntryAt = usize;

impl Tape {
    /// Takes a text apart.
    pub fn read<'a>(&'a mut self, text: &'a str, layout: &Layout) -> Field<'a> {
        self.entries.clear();
        self.parts.clear();
        self.has_percent = memchr::memchr(b'%', text.as_bytes()).is_some();
        if layout.bracketed {
            self.read_bracketed(text, layout);
        } else {
            self.read_plain(text.as_bytes(), layout.entry_separator as u8, layout.part_separator as u8);
        }
        Field { text, tape: self }
    }

    fn read_plain(&mut self, text: &[u8], entry_separator: u8, part_separator: u8) {
        let (mut entry_start, mut part_start, mut first) = (0, 0, 0);
        each_of_two(entry_separator, part_separator, text, |at| {
            self.parts.push(Span { start: part_start, end: at });
            part_start = at + 1;
            if text[at as usize] == entry_separator {
                self.close(Span { start: entry_start, end: at }, first);
                (entry_start, first) = (at + 1, self.parts.len());
            }
        });
        let end = text.len() as u32;
        self.parts.push(Span { start: part_start, end });
        self.close(Span { start: entry_start, end }, first);
    }

    fn close(&mut self, whole: Span, first: usize) {
        self.entries.push(Entry { whole, first: first as u32, parts: (self.parts.len() - first) as u32 });
    }

    /// An entry of EFF has its effect before the brackets that hold the other parts.
    fn read_bracketed(&mut self, text: &str, layout: &Layout) {
        let span = |part: &str| {
            if part.is_empty() {
                return Span { start: 0, end: 0 };
            }
            let start = part.as_ptr().addr() - text.as_ptr().addr();
            Span { start: start as u32, end: (start + part.len()) as u32 }
        };
        for entry in text.split(layout.entry_separator) {
            let first = self.parts.len();
            let (effect, rest) = split_effect(entry);
            self.parts.push(span(effect));
            self.parts.extend(rest.split(layout.part_separator).map(span));
            self.close(span(entry), first);
        }
    }
}

impl<'a> Field<'a> {
    /// How many entries there are, empty ones included.
    pub fn len(&self) -> usize {
        self.tape.entries.len()
    }

    /// The whole text of an entry.
    pub fn entry(&self, at: EntryAt) -> &'a str {
        self.text_of(self.tape.entries[at].whole)
    }

    /// How many parts an entry has.
    pub fn part_count(&self, at: EntryAt) -> usize {
        self.tape.entries[at].parts as usize
    }

    /// One part of an entry, without the blanks around it; empty where the entry has fewer.
    pub fn part(&self, at: EntryAt, part: Option<usize>) -> &'a str {
        let entry = &self.tape.entries[at];
        match part {
            Some(part) if part < entry.parts as usize => {
                trimmed(self.text_of(self.tape.parts[entry.first as usize + part]))
            }
            _ => "",
        }
    }

    /// Whether the text holds a `%` anywhere.
    pub fn has_percent(&self) -> bool {
        self.tape.has_percent
    }

    fn text_of(&self, span: Span) -> &'a str {
        &self.text[span.start as usize..span.end as usize]
    }
}

/// Calls `found` with the place of each byte that is one of two, in order. Eight bytes at a time: parts are too short for
/// a search that begins again after each of them.
fn each_of_two(one: u8, other: u8, text: &[u8], mut found: impl FnMut(u32)) {
    let (ones, others) = (Wanted::new(one), Wanted::new(other));
    let (words, rest) = text.as_chunks();
    let mut start = 0;
    for word in words {
        ones.marks(*word).or(others.marks(*word)).for_each(|at| found(start + at as u32));
        start += 8;
    }
    for (at, byte) in rest.iter().enumerate() {
        if *byte == one || *byte == other {
            found(start + at as u32);
        }
    }
}

/// A text without the blanks around it. Nearly no part has any, and looking at two bytes says so.
fn trimmed(text: &str) -> &str {
    let is_plain = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_graphic);
    if is_plain(text.as_bytes().first()) && is_plain(text.as_bytes().last()) { text } else { text.trim() }
}

#[cfg(test)]
mod tests {
    use vardelta_testrandom::{Random, seed};

    use super::*;
    use crate::transforms::annotations::layout::Family;

    fn entries(text: &str, layout: &Layout) -> Vec<Vec<String>> {
        let mut tape = Tape::default();
        // What was on it before does not matter.
        tape.read("x|y,z", layout);
        let field = tape.read(text, layout);
        (0..field.len())
            .map(|at| (0..field.part_count(at)).map(|part| field.part(at, Some(part)).to_owned()).collect())
            .collect()
    }

    /// The same by splitting again and again.
    fn reference(text: &str, layout: &Layout) -> Vec<Vec<String>> {
        let parts = |entry: &str| entry.split(layout.part_separator).map(|part| part.trim().to_owned()).collect();
        text.split(layout.entry_separator).map(parts).collect()
    }

    #[test]
    fn is_what_splitting_gives() {
        let ann = Family::Ann.default_layout().expect("has one");
        let geneinfo = Family::Geneinfo.default_layout().expect("has one");
        let alphabet = ["|", ",", ":", "a", "bc", " ", "é", "\u{a0}", "\u{7f}", "defghijkl"];
        let mut random = Random::new(seed(20_261_128));
        for _ in 0..2_000 {
            let mut text = String::new();
            for _ in 0..random.below(40) {
                text += *random.pick(&alphabet);
            }
            for layout in [&ann, &geneinfo] {
                assert_eq!(entries(&text, layout), reference(&text, layout), "{text:?}");
            }
        }
    }

    #[test]
    fn finds_bytes_however_they_lie() {
        for length in 0..40 {
            for at in 0..length {
                let mut text = vec![b'{'; length];
                text[at] = b'|';
                let mut found = Vec::new();
                each_of_two(b',', b'|', &text, |place| found.push(place as usize));
                assert_eq!(found, [at], "{length}");
            }
        }
        let mut found = Vec::new();
        each_of_two(b',', b'|', "|,\u{fc}}-|+,||||||||,".as_bytes(), |place| found.push(place));
        assert_eq!(found, [0, 1, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]);
    }

    #[test]
    fn takes_the_brackets_of_eff_apart() {
        let eff = Family::Eff.default_layout().expect("has one");
        let parts = |text| entries(text, &eff);
        assert_eq!(
            parts("INTRON(MODIFIER||| |TP53),INTERGENIC"),
            [vec!["INTRON", "MODIFIER", "", "", "", "TP53"], vec!["INTERGENIC", ""]]
        );
        assert_eq!(parts("MOTIF[MA0099.2:AP1(x)](LOW|)"), [vec!["MOTIF", "LOW", ""]]);
    }
}
