//! The header of a table: which of a file's columns are read.

use std::sync::Arc;

use vardelta_engine::{
    contract::{source::InputFile, stage::StageError},
    suggest::nearest,
};

use super::{
    columns::Columns,
    dialect::{Dialect, separator_name},
    fields::Splitter,
    options::NAMED_SEPARATORS,
    reasons::{Tally, Warning},
    records::{Found, Kind, Scan},
    second_header::SecondHeader,
};
use crate::sources::shared::{
    container::Container,
    lines::MAX_LINE_BYTES,
    place::shown,
    text::{BYTE_ORDER_MARK, decode, refuse_utf16, utf16},
};

/// What parsing records needs to know of a file.
#[derive(Debug)]
pub(super) struct Header {
    /// The file, as messages name it.
    pub file: String,
    /// How it writes its table.
    pub dialect: Arc<Dialect>,
    /// Where each column of the rows lies in a record.
    pub places: Vec<usize>,
    /// How many columns it names.
    pub width: usize,
    /// The line after the header, 1-based.
    pub first_origin: u64,
    /// Knows it again where it is among the records.
    pub second: SecondHeader,
    /// What of the header was adapted.
    pub tally: Tally,
}

impl Header {
    /// A digest of what of the header changes how records are decoded.
    pub fn digest(&self) -> u128 {
        let numbers = [self.width].into_iter().chain(self.places.iter().copied());
        let bytes: Vec<u8> = numbers.flat_map(|number| (number as u64).to_le_bytes()).collect();
        xxhash_rust::xxh3::xxh3_128(&bytes)
    }
}

/// The beginning of a file: its header, and the bytes after it that have been read already.
pub(super) struct Start {
    /// The header.
    pub header: Header,
    /// What follows it.
    pub rest: Vec<u8>,
    /// Whether that is all.
    pub ended: bool,
}

/// Reads until the header is whole.
///
/// # Errors
/// When there is none, or it lacks a column, or names one twice.
pub(super) fn read(container: &mut Container, dialect: Dialect, columns: &Columns) -> Result<Start, StageError> {
    /// Headers are read in pieces of this size.
    const PIECE_BYTES: usize = 64 * 1024;
    let file = container.file().to_owned();
    let (mut text, mut ended, mut tally) = (Vec::new(), false, Tally::default());
    let mut lines = Lines::default();
    let mut scan = Scan::default();
    while lines.first.is_none() && !ended {
        let before = text.len();
        ended = container.read_into(&mut text, PIECE_BYTES)? < PIECE_BYTES;
        if before == 0 {
            refuse_utf16(&text, &file)?;
            if text.starts_with(BYTE_ORDER_MARK) {
                text.drain(..BYTE_ORDER_MARK.len());
                tally.count(Warning::ByteOrderMark);
            }
        }
        lines.look(&mut scan, &text, &dialect, ended, &mut tally);
        if text.len() > MAX_LINE_BYTES {
            return Err(StageError::new(format!("{file}: no header line in its first {MAX_LINE_BYTES} bytes"))
                .with_hint("Its line ends are lost, or a quote is never closed."));
        }
    }
    if let Some((Found { start, end, .. }, _)) = lines.first.or(lines.comment) {
        refuse_nul(&text[start..end], &file)?;
    }
    let choice = lines.choose(&text, &dialect, columns, &file)?;
    let places = choice.names.places(columns, &dialect, &file, choice.line)?;
    let header = Header {
        file,
        width: choice.names.0.len(),
        second: SecondHeader::new(choice.names.0, places.clone()),
        places,
        first_origin: choice.next_line,
        dialect: Arc::new(dialect),
        tally,
    };
    let rest = text.split_off(choice.next.min(text.len()));
    Ok(Start { header, rest, ended })
}

/// The lines that a header can be.
#[derive(Default)]
struct Lines {
    /// The first record, with its line, 1-based.
    first: Option<(Found, u64)>,
    /// The last comment line before it.
    comment: Option<(Found, u64)>,
    /// The line after what has been looked at, counted from 0.
    line: u64,
}

/// The line that is the header.
struct Choice {
    names: Names,
    /// Its line, 1-based.
    line: u64,
    /// Where the first record begins, and its line.
    next: usize,
    next_line: u64,
}

impl Lines {
    fn look(&mut self, scan: &mut Scan, text: &[u8], dialect: &Dialect, ended: bool, tally: &mut Tally) {
        while self.first.is_none()
            && let Some(found) = scan.next(text, dialect, ended)
        {
            let line = self.line + 1;
            self.line += 1 + memchr::memchr_iter(b'\n', &text[found.start..found.end]).count() as u64;
            match found.kind {
                Kind::Comment => self.comment = Some((found, line)),
                Kind::Blank => tally.count(Warning::BlankLine),
                Kind::Record | Kind::Misquoted => self.first = Some((found, line)),
            }
        }
    }

    /// The first record, unless it lacks columns that the comment line before it has: then that one.
    fn choose(&self, text: &[u8], dialect: &Dialect, columns: &Columns, file: &str) -> Result<Choice, StageError> {
        let names = |found: Found, skipped: usize| {
            Names::split(text.get(found.start + skipped..found.end).unwrap_or_default(), dialect)
        };
        let of_comment = self.comment.map(|(found, line)| (names(found, dialect.comment.len()), found, line));
        let of_comment = of_comment.filter(|(names, ..)| names.have_all(columns));
        match (self.first, of_comment) {
            (Some((first, first_line)), comment) => {
                let own = names(first, 0);
                match comment {
                    Some((names, _, line)) if !own.have_all(columns) => {
                        Ok(Choice { names, line, next: first.start, next_line: first_line })
                    }
                    _ => Ok(Choice { names: own, line: first_line, next: first.next, next_line: self.line + 1 }),
                }
            }
            (None, Some((names, found, line))) => Ok(Choice { names, line, next: found.next, next_line: line + 1 }),
            (None, None) => Err(StageError::new(format!("{file} has no header line that names its columns"))
                .with_hint("A drop without records is a file of a header alone.")),
        }
    }
}

/// The names of a header, in order.
struct Names(Vec<String>);

impl Names {
    fn split(line: &[u8], dialect: &Dialect) -> Names {
        let mut splitter = Splitter::new(dialect);
        let count = splitter.split(line);
        let name = |at| decode(splitter.field(line, at)).trim().to_owned();
        let mut names: Vec<String> = (0..count).map(name).collect();
        // `#chrom` is how many a table says that this line is no data.
        if let Some(first) = names.first_mut() {
            *first = first.trim_start_matches('#').trim_start().to_owned();
        }
        Names(names)
    }

    fn have_all(&self, columns: &Columns) -> bool {
        columns.from.iter().all(|from| self.0.iter().any(|name| is(from, name)))
    }

    /// Where each wanted column lies.
    fn places(&self, columns: &Columns, dialect: &Dialect, file: &str, line: u64) -> Result<Vec<usize>, StageError> {
        let (mut places, mut missing) = (Vec::new(), Vec::new());
        for from in &columns.from {
            let mut at = self.0.iter().enumerate().filter(|(_, name)| is(from, name)).map(|(at, _)| at);
            match (at.next(), at.next()) {
                (Some(first), None) => places.push(first),
                (Some(first), Some(second)) => {
                    return Err(StageError::new(format!(
                        "{file}: line {line} names the column `{from}` twice: as column {} and {}",
                        first + 1,
                        second + 1
                    ))
                    .with_hint("Rename one of them in the file; which one is meant cannot be known."));
                }
                (None, _) => missing.push(from.as_str()),
            }
        }
        if missing.is_empty() { Ok(places) } else { Err(self.lacks(&missing, dialect, file, line)) }
    }

    fn lacks(&self, missing: &[&str], dialect: &Dialect, file: &str, line: u64) -> StageError {
        let listed = missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let columns = if missing.len() == 1 { "column" } else { "columns" };
        let error = StageError::new(format!("{file}: line {line} names no {columns} {listed}"));
        let [only] = self.0.as_slice() else {
            let near: Vec<String> = missing
                .iter()
                .filter_map(|name| {
                    let near = nearest(name, self.0.iter().map(String::as_str))?;
                    Some(format!("`{}` for `{name}`", shown(near.as_bytes())))
                })
                .collect();
            const LISTED: usize = 30;
            let more = if self.0.len() > LISTED { ", …" } else { "" };
            let known: Vec<_> = self.0.iter().take(LISTED).map(|name| shown(name.as_bytes())).collect();
            let known = format!("Its columns are: {}{more}.", known.join(", "));
            let meant =
                format!("Did you mean {}? Say so with `from = \"…\"` in the pipeline file. {known}", near.join(", "));
            return error.with_hint(if near.is_empty() { known } else { meant });
        };
        // A header of one column is mostly one that is separated otherwise.
        let others = NAMED_SEPARATORS.iter().filter(|(_, byte)| *byte != dialect.separator);
        let likely = others.max_by_key(|(_, byte)| only.bytes().filter(|found| found == byte).count());
        match likely.filter(|(_, byte)| only.as_bytes().contains(byte)) {
            Some((name, byte)) => error.with_hint(format!(
                "Read with {} between fields it has one column; its header holds {}: write `separator = \"{name}\"`.",
                separator_name(dialect.separator),
                separator_name(*byte)
            )),
            None => error.with_hint(format!(
                "Read with {} between fields it has one column, `{}`. The first line that is no comment must name the columns.",
                separator_name(dialect.separator),
                shown(only.as_bytes())
            )),
        }
    }
}

/// Whether a header's name is the wanted one; what is before the first name is left out of both.
fn is(wanted: &str, name: &str) -> bool {
    wanted == name || wanted.strip_prefix('#').is_some_and(|wanted| wanted == name)
}

/// UTF-16 without its mark holds a NUL in every character of a header.
fn refuse_nul(header: &[u8], file: &str) -> Result<(), StageError> {
    match memchr::memchr(0, header) {
        Some(_) => Err(utf16(file)),
        None => Ok(()),
    }
}

/// The refusal of a file whose name does not say its separator.
pub(super) fn unknown_separator(file: &InputFile) -> StageError {
    StageError::new(format!("{}: its name does not say what separates its fields", file.shown))
        .with_hint("Write `separator = \"tab\"`, or whatever it is, in the source.")
}
