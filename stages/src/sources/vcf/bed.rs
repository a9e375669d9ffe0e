//! BED: intervals, 0-based and half-open (the GA4GH BED specification 1.0).

use std::{io::Read as _, path::Path};

use flate2::read::MultiGzDecoder;
use vardelta_engine::contract::side_input;

use crate::sources::{
    shared::place::shown,
    vcf::{regions::Region, values::digits},
};

/// Reads a BED file, compressed with gzip or not. What is wrong with it is said with its line.
pub(super) fn read(path: &Path) -> Result<Vec<Region>, String> {
    let file = path.display().to_string();
    let unreadable = |error: std::io::Error| format!("cannot read the regions of {file}: {error}");
    let mut bytes = side_input::read(path).map_err(unreadable)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut text = Vec::new();
        MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut text).map_err(unreadable)?;
        bytes = text;
    }
    parse(&bytes, &file)
}

fn parse(text: &[u8], file: &str) -> Result<Vec<Region>, String> {
    let mut regions = Vec::new();
    for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let first = line.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        let is_heading = matches!(first, b"track" | b"browser");
        if line.starts_with(b"#") || is_heading || line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        regions.push(interval(line).map_err(|what| format!("{file}:{}: {what}: `{}`", at + 1, shown(line)))?);
    }
    Ok(regions)
}

/// One line. Columns are separated by tabs, or by blanks where there is none.
fn interval(line: &[u8]) -> Result<Region, &'static str> {
    let tabs = line.contains(&b'\t');
    let mut columns = line
        .split(|byte| if tabs { *byte == b'\t' } else { byte.is_ascii_whitespace() })
        .filter(|column| tabs || !column.is_empty());
    let contig = columns.next().filter(|contig| !contig.is_empty()).ok_or("no contig")?;
    let mut place = || columns.next().and_then(digits).filter(|place| *place >= 0);
    let (start, end) = (place().ok_or("start is no number")?, place().ok_or("end is no number")?);
    let contig = std::str::from_utf8(contig).map_err(|_| "the contig's name is not UTF-8; it may be Latin-1")?;
    match start < end {
        true => Ok(Region { contig: contig.to_owned(), start: start + 1, end }),
        false => Err("it ends before it starts, or is empty"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_intervals_and_skips_headings() {
        let text =
            b"# made by hand\nbrowser position chr1\ntrack name=x\nchr1\t0\t5\tgene\r\n\nchr2 7  9\ntracked\t1\t2";
        let regions = parse(text, "x.bed").expect("sound lines");
        let shown: Vec<String> = regions.iter().map(|r| format!("{}:{}-{}", r.contig, r.start, r.end)).collect();
        assert_eq!(shown, ["chr1:1-5", "chr2:8-9", "tracked:2-2"]);
    }

    #[test]
    fn says_where_a_line_is_wrong() {
        for (text, expected) in [
            ("chr1\t0\t5\nchr1\t5", "x.bed:2: end is no number: `chr1\\t5`"),
            ("chr1\t-1\t5", "x.bed:1: start is no number"),
            ("chr1\t5\t5", "x.bed:1: it ends before it starts, or is empty"),
            ("chr1:1-5", "x.bed:1: start is no number"),
        ] {
            let message = parse(text.as_bytes(), "x.bed").expect_err("a wrong line");
            assert!(message.starts_with(expected), "{message}");
        }
    }
}
