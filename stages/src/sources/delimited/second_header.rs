//! Tables that were joined by `cat`: the header of the second one is among the records.

use memchr::memmem::Finder;
use vardelta_engine::contract::stage::StageError;

use super::fields::Splitter;
use crate::sources::shared::text::BYTE_ORDER_MARK;

/// What a line between the records is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No header.
    No,
    /// The header again: the columns that are read lie where they did.
    Again,
    /// A header by which the columns that are read lie elsewhere.
    Other,
}

/// Knows the header again.
#[derive(Debug)]
pub(super) struct SecondHeader {
    /// The header's names, in order.
    names: Vec<String>,
    /// Where the columns that are read lie.
    places: Vec<usize>,
    /// Finds the longest name of a column that is read: most records do not hold it.
    longest: Finder<'static>,
}

impl SecondHeader {
    /// Knows a header by its names.
    pub fn new(names: Vec<String>, places: Vec<usize>) -> SecondHeader {
        let longest = places.iter().map(|place| names[*place].as_str()).max_by_key(|name| name.len());
        let longest = Finder::new(longest.unwrap_or_default().as_bytes()).into_owned();
        SecondHeader { names, places, longest }
    }

    /// Looks at a line, of a comment without what makes it one. A line is taken for a header that names every column that is read; where
    /// one column is read, it must also be made of nothing but the header's names, as many as there are, since a value may be one of them.
    pub fn look(&self, line: &[u8], splitter: &mut Splitter) -> Found {
        if self.longest.find(line).is_none() {
            return Found::No;
        }
        let count = splitter.split(line);
        let fields: Vec<&[u8]> = (0..count).map(|at| name(splitter.field(line, at), at)).collect();
        let is_named = |place: &usize| fields.contains(&self.names[*place].as_bytes());
        let is_header = match self.places.as_slice() {
            [_] => {
                let is_name = |field: &&[u8]| self.names.iter().any(|name| name.as_bytes() == *field);
                count == self.names.len() && fields.iter().all(is_name)
            }
            places => places.iter().all(is_named),
        };
        if !is_header {
            return Found::No;
        }
        let is_same = |place: &usize| fields.get(*place) == Some(&self.names[*place].as_bytes());
        match count == self.names.len() && self.places.iter().all(is_same) {
            true => Found::Again,
            false => Found::Other,
        }
    }
}

/// A name as headers are read: without white space around it, and before the first one without a byte order mark and what says
/// that the line is no record.
fn name(field: &[u8], at: usize) -> &[u8] {
    let unmarked = field.strip_prefix(BYTE_ORDER_MARK).filter(|_| at == 0);
    let mut name = unmarked.unwrap_or(field).trim_ascii();
    while at == 0
        && let Some(rest) = name.strip_prefix(b"#")
    {
        name = rest.trim_ascii_start();
    }
    name
}

/// The refusal of what follows another header.
pub(super) fn other(file: &str, line: u64) -> StageError {
    StageError::new(format!("{file}: line {line} is a header again, by which the columns lie elsewhere")).with_hint(
        "Two tables were joined into this file. Deliver each as a file of its own: by the first header the second one's values \
         would go to the wrong columns.",
    )
}

#[cfg(test)]
mod tests {
    use super::{super::dialect::Dialect, *};

    fn look(places: &[usize], line: &str) -> Found {
        let mut splitter = Splitter::new(&Dialect { separator: b'\t', quote: Some(b'"'), comment: Vec::new() });
        let names = ["gene", "drug", "score"].map(str::to_owned).to_vec();
        SecondHeader::new(names, places.to_vec()).look(line.as_bytes(), &mut splitter)
    }

    #[test]
    fn a_header_is_known_again_by_the_columns_that_are_read() {
        for (places, line, expected) in [
            (&[0, 1][..], "gene\tdrug\tscore", Found::Again),
            (&[0, 1], "#gene\t drug \tscore", Found::Again),
            (&[0, 1], "gene\t\"drug\"\tother", Found::Again),
            (&[0, 1], "drug\tgene\tscore", Found::Other),
            (&[0, 1], "gene\tdrug", Found::Other),
            (&[0, 1], "gene\tdrug\tscore\tmore", Found::Other),
            (&[0, 1], "gene\taspirin\tscore", Found::No),
            (&[0, 1], "GENE\tDRUG\tSCORE", Found::No),
            (&[0], "gene\taspirin\t1", Found::No),
            (&[0], "gene\tdrug\tscore", Found::Again),
            (&[0], "drug\tgene\tscore", Found::Other),
            (&[0], "gene", Found::No),
            (&[0], "drug\tgene", Found::No),
            (&[0], "gene\tdrug\tscore\tgene", Found::No),
            (&[0, 1], "\u{feff}gene\tdrug\tscore", Found::Again),
            (&[0, 1], "\u{feff}#gene\tdrug\tscore", Found::Again),
            (&[0], "", Found::No),
        ] {
            assert_eq!(look(places, line), expected, "{places:?} {line}");
        }
    }
}
