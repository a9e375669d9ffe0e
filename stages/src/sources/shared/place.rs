//! Where a record was, for rejects.

use std::sync::OnceLock;

use vardelta_engine::contract::{batch::Place, source::RawChunk};

/// The most of a record's raw text that a place keeps, in bytes.
pub(crate) const RAW_BYTES: usize = 4096;

/// The beginning of a record's text, at most [`RAW_BYTES`] of it, undecodable bytes replaced.
pub(crate) fn raw_text(record: &[u8]) -> String {
    let raw = String::from_utf8_lossy(&record[..record.len().min(RAW_BYTES)]);
    // Undecodable bytes grow when they are replaced, and a cut may fall within a character.
    let end = (0..=RAW_BYTES.min(raw.len())).rev().find(|at| raw.is_char_boundary(*at)).unwrap_or(0);
    raw[..end].to_string()
}

/// A piece of input for a message: at most 60 characters of it, undecodable bytes as U+FFFD, control characters escaped, as
/// a terminal would obey them.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const SHOWN_CHARACTERS: usize = 60;
    let head = &bytes[..bytes.len().min(4 * SHOWN_CHARACTERS)];
    let text = String::from_utf8_lossy(head);
    let mut shown = String::with_capacity(text.len());
    for (at, character) in text.chars().enumerate() {
        if at == SHOWN_CHARACTERS {
            shown.push('…');
            break;
        }
        match character.is_control() {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    shown
}

/// Where the lines of a chunk begin; found when one of them is first asked for.
#[derive(Debug, Default)]
pub(crate) struct LineStarts(OnceLock<Vec<usize>>);

impl LineStarts {
    /// The line with this origin, without its line end.
    pub fn line<'a>(&self, raw: &'a RawChunk, origin: u64) -> Option<&'a [u8]> {
        let nth = usize::try_from(origin.checked_sub(raw.first_origin)?).ok()?;
        let starts = self.0.get_or_init(|| {
            std::iter::once(0).chain(memchr::memchr_iter(b'\n', &raw.bytes).map(|end| end + 1)).collect()
        });
        let start = *starts.get(nth)?;
        let end = starts.get(nth + 1).map_or(raw.bytes.len(), |next| next - 1);
        let line = raw.bytes.get(start..end)?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// The place of a record whose line this is: its number, where lines have one, and what these columns, counted from 0 and
/// separated by tabs, say of its contig and position.
pub(crate) fn line_place(line: &[u8], number: Option<u64>, contig: usize, position: usize) -> Place {
    let column = |at: usize| line.split(|byte| *byte == b'\t').nth(at);
    let contig = column(contig).filter(|contig| !contig.is_empty() && contig.len() < line.len());
    let digits = column(position).filter(|text| text.iter().all(u8::is_ascii_digit));
    Place {
        line: number,
        contig: contig.map(|contig| String::from_utf8_lossy(&contig[..contig.len().min(RAW_BYTES)]).into_owned()),
        pos: digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()),
        raw: Some(raw_text(line)),
    }
}
