//! The fixed columns of a record: splitting, checking and decoding them.

use vardelta_engine::contract::reason::Reason;

use crate::{
    marks::Wanted,
    sources::{
        shared::place::shown,
        vcf::{
            checks::Checks,
            header::VcfHeader,
            names::undecodable,
            reasons::{
                BAD_CONTIG, BAD_FILTER, BAD_POSITION, BAD_QUAL, MISSING_COLUMNS, NOT_TAB_SEPARATED, SAMPLE_COLUMNS,
                Tally, VALUE_TOO_LONG, Warning,
            },
            values::digits,
        },
    },
};

/// Why a record is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Why.
    pub reason: &'static Reason,
    /// What exactly was wrong.
    pub detail: String,
}

/// Refuses a record.
pub(super) fn refuse<T>(reason: &'static Reason, detail: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { reason, detail: detail.into() })
}

/// No value that becomes a cell is longer. On its way to a table a value is copied a dozen times, and databases refuse longer
/// ones by default; the longest alleles there are take a tenth of it.
pub(super) const MAX_VALUE_BYTES: usize = 1 << 25;

/// Checks that no value is too long to be a cell: of the fixed columns, of the INFO fields that are read (`longest_info`), and
/// of samples.
pub(super) fn check_lengths(columns: &Columns<'_>, longest_info: usize) -> Result<(), Refusal> {
    let too_long = |what: &str, length: usize| {
        refuse(VALUE_TOO_LONG, format!("{what} has {length} bytes, and a cell has at most {MAX_VALUE_BYTES}"))
    };
    let fixed =
        [("ID", columns.id), ("REF", columns.reference), ("ALT", columns.alternates), ("FILTER", columns.filter)];
    if let Some((what, text)) = fixed.iter().find(|(_, text)| text.len() > MAX_VALUE_BYTES) {
        return too_long(what, text.len());
    }
    if longest_info > MAX_VALUE_BYTES {
        return too_long("an INFO field that is read", longest_info);
    }
    if columns.genotypes.len() > MAX_VALUE_BYTES {
        let values = columns.genotypes.split(|byte| matches!(byte, b'\t' | b':'));
        if let Some(length) = values.map(<[u8]>::len).max().filter(|length| *length > MAX_VALUE_BYTES) {
            return too_long("a FORMAT value", length);
        }
    }
    Ok(())
}

/// A record's columns as the line writes them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns<'a> {
    pub chrom: &'a [u8],
    pub pos: &'a [u8],
    pub id: &'a [u8],
    pub reference: &'a [u8],
    pub alternates: &'a [u8],
    pub qual: &'a [u8],
    pub filter: &'a [u8],
    pub info: &'a [u8],
    /// FORMAT and the samples with the tabs between them; empty for a file without.
    pub genotypes: &'a [u8],
}

/// How many columns every record has.
const FIXED: usize = 8;

/// Where the first tabs of a line are, of as many as there are fixed columns, and how many there are of these. Eight bytes are
/// looked at together where the fixed columns of most lines are, and what follows is searched as a long text.
fn tabs(line: &[u8]) -> ([usize; FIXED], usize) {
    /// Alleles may be long.
    const SHORT_BYTES: usize = 96;
    let (mut tabs, mut count) = ([0; FIXED], 0);
    let (words, _) = line[..line.len().min(SHORT_BYTES)].as_chunks();
    let (tab, mut searched) = (Wanted::new(b'\t'), 0);
    for word in words {
        for at in tab.marks(*word) {
            tabs[count] = searched + at;
            count += 1;
            if count == FIXED {
                return (tabs, count);
            }
        }
        searched += word.len();
    }
    for (place, at) in tabs[count..].iter_mut().zip(memchr::memchr_iter(b'\t', &line[searched..])) {
        *place = searched + at;
        count += 1;
    }
    (tabs, count)
}

/// Splits a line and checks its number of columns against the header's.
pub(super) fn split<'a, C: Checks>(line: &'a [u8], header: &VcfHeader) -> Result<Columns<'a>, Refusal> {
    let mut fixed: [&[u8]; FIXED] = [&[]; FIXED];
    let (mut start, (tabs, count)) = (0, tabs(line));
    for (column, tab) in fixed.iter_mut().zip(&tabs[..count]) {
        *column = &line[start..*tab];
        start = tab + 1;
    }
    if C::ON && count < FIXED - 1 {
        let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count();
        if words >= 8 {
            return refuse(NOT_TAB_SEPARATED, format!("{words} columns separated by spaces; VCF separates by tabs"));
        }
        return refuse(MISSING_COLUMNS, format!("{} columns; VCF has at least 8", count + 1));
    }
    let mut genotypes: &[u8] = &[];
    let found;
    if count < FIXED {
        fixed[count] = &line[start..];
        found = 8;
    } else {
        genotypes = &line[start..];
        // A tab at the very end of a sites-only line separates INFO from nothing.
        found = if genotypes.is_empty() || !C::ON { 8 } else { 9 + memchr::memchr_iter(b'\t', genotypes).count() };
    }
    let expected = header.columns();
    if C::ON && found != expected && !(header.samples.is_empty() && found == 8) {
        return refuse(
            SAMPLE_COLUMNS,
            format!("{found} columns, but the header has {expected} ({} samples)", header.samples.len()),
        );
    }
    let [chrom, pos, id, reference, alternates, qual, filter, info] = fixed;
    Ok(Columns { chrom, pos, id, reference, alternates, qual, filter, info, genotypes })
}

/// CHROM: not empty, not `.`, without white space (VCF 4.3, section 1.6.1.1).
pub(super) fn check_contig(chrom: &[u8]) -> Result<(), Refusal> {
    if chrom.is_empty() || chrom == b"." {
        return refuse(BAD_CONTIG, "CHROM is missing");
    }
    if chrom.iter().any(u8::is_ascii_whitespace) {
        return refuse(BAD_CONTIG, format!("CHROM `{}` holds white space", shown(chrom)));
    }
    match undecodable("CHROM", chrom, 0) {
        Some(problem) => refuse(BAD_CONTIG, problem),
        None => Ok(()),
    }
}

/// POS: 1-based; 0 is the telomere (VCF 4.3, section 1.6.1.2).
pub(super) fn position(pos: &[u8]) -> Result<i64, Refusal> {
    match digits(pos) {
        Some(position) if position >= 0 => Ok(position),
        _ => refuse(BAD_POSITION, format!("POS `{}` is not a position", shown(pos))),
    }
}

/// What QUAL says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Quality {
    /// `.`, or nothing.
    Missing,
    /// A number.
    Phred(f64),
    /// NaN, infinite, or too large for a double: no database stores it.
    NotFinite,
}

/// QUAL: a number or `.` (VCF 4.3, section 1.6.1.6).
pub(super) fn quality(qual: &[u8]) -> Result<Quality, Refusal> {
    if qual == b"." || qual.is_empty() {
        return Ok(Quality::Missing);
    }
    if let Some(phred) = short_decimal(qual) {
        return Ok(Quality::Phred(phred));
    }
    match std::str::from_utf8(qual).ok().and_then(|text| text.parse::<f64>().ok()) {
        Some(phred) if phred.is_finite() => Ok(Quality::Phred(super::values::positive_zero(phred))),
        Some(_) => Ok(Quality::NotFinite),
        None => refuse(BAD_QUAL, format!("QUAL `{}` is not a number", shown(qual))),
    }
}

/// The number that up to fifteen digits with or without a point among them write; `None` for anything else. Digits and power of ten
/// are doubles without a rest, so their quotient is the double that is nearest.
fn short_decimal(text: &[u8]) -> Option<f64> {
    const POWERS: [f64; 15] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14];
    let (mut digits, mut point) = (0_u64, None);
    if text.len() > POWERS.len() || !text.first()?.is_ascii_digit() || !text.last()?.is_ascii_digit() {
        return None;
    }
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => digits = 10 * digits + u64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    let decimals = point.map_or(0, |point| text.len() - point - 1);
    Some(digits as f64 / POWERS[decimals])
}

/// FILTER: names, which must be told apart.
pub(super) fn check_filter(columns: &Columns<'_>) -> Result<(), Refusal> {
    let before = [columns.chrom, columns.pos, columns.id, columns.reference, columns.alternates, columns.qual];
    let at = || before.iter().map(|column| column.len() + 1).sum();
    match columns.filter.is_ascii() {
        true => Ok(()),
        false => match undecodable("FILTER", columns.filter, at()) {
            Some(problem) => refuse(BAD_FILTER, problem),
            None => Ok(()),
        },
    }
}

/// FILTER as a set: a filter that occurs twice counts once, in the order of first mention, and blanks around a name are none
/// of it, which is counted. `None` where nothing is to be changed.
pub(super) fn tidy_filters(filter: &[u8], tally: &mut Tally) -> Option<Vec<u8>> {
    let filters: Vec<&[u8]> = filter.split(|byte| *byte == b';').collect();
    let mut kept: Vec<&[u8]> = Vec::with_capacity(filters.len());
    let mut has_blanks = false;
    for name in &filters {
        let trimmed = name.trim_ascii();
        has_blanks |= trimmed.len() < name.len();
        if !trimmed.is_empty() && !kept.contains(&trimmed) {
            kept.push(trimmed);
        }
    }
    tally.add(Warning::BlanksAround, u64::from(has_blanks));
    (has_blanks || kept.len() < filters.len()).then(|| kept.join(&b';'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::vcf::checks::Checked;
    use vardelta_engine::contract::stage::Emit;
    use vardelta_testrandom::{Random, seed};

    #[test]
    fn short_numbers_are_the_doubles_of_the_standard_library() {
        let mut random = Random::new(seed(5));
        for _ in 0..50_000 {
            let length = 1 + random.below(16_usize);
            let mut text: String = (0..length).map(|_| char::from(b'0' + random.below(10_u8))).collect();
            if random.below(3_u8) > 0 {
                text.insert(random.below(length + 1), '.');
            }
            let (read, standard) = (short_decimal(text.as_bytes()), text.parse::<f64>().expect("digits and a point"));
            assert!(read.is_none_or(|read| read.to_bits() == standard.to_bits()), "{text}: {read:?}");
            assert_eq!(read.is_some(), text.len() <= 15 && !text.starts_with('.') && !text.ends_with('.'), "{text}");
        }
        for text in ["", ".", "-1", "+1", "1e3", "1..2", "1.2.3", "inf", "1_0", " 1"] {
            assert_eq!(short_decimal(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn tabs_are_found_wherever_they_are() {
        let mut random = Random::new(seed(6));
        for _ in 0..2_000 {
            let line: Vec<u8> = (0..random.below(300_usize)).map(|_| b"\t\tACGT.;=1"[random.below(10_usize)]).collect();
            let plain: Vec<usize> = (0..line.len()).filter(|at| line[*at] == b'\t').take(FIXED).collect();
            let (tabs, count) = tabs(&line);
            assert_eq!(tabs[..count], plain, "{line:?}");
        }
    }

    fn reason<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
        result.expect_err("should be refused").reason.code()
    }

    #[test]
    fn counts_columns() {
        let header = VcfHeader::for_samples(&["a", "b"]);
        let line = b"1\t5\t.\tA\tC\t.\tPASS\tDP=5\tGT\t0/1\t1/1";
        let columns = split::<Checked>(line, &header).expect("eleven columns");
        assert_eq!((columns.info, columns.genotypes), (&b"DP=5"[..], &b"GT\t0/1\t1/1"[..]));
        assert_eq!(reason(split::<Checked>(b"1\t5\t.\tA\tC\t.\tPASS\tDP=5\tGT\t0/1", &header)), "sample_columns");
        assert_eq!(reason(split::<Checked>(b"1\t5\t.\tA\tC\t.\tPASS\tDP=5", &header)), "sample_columns");
        assert_eq!(reason(split::<Checked>(b"1\t5\t.\tA\tC\t.\tPASS", &header)), "missing_columns");
        assert_eq!(reason(split::<Checked>(b"", &header)), "missing_columns");
        assert_eq!(reason(split::<Checked>(b"1 5 . A C . PASS DP=5 GT 0/1 1/1", &header)), "not_tab_separated");
        let sites = VcfHeader::for_samples(&[]);
        assert_eq!(split::<Checked>(b"1\t5\t.\tA\tC\t.\tPASS\tDP=5", &sites).expect("eight columns").info, b"DP=5");
        assert_eq!(split::<Checked>(b"1\t5\t.\tA\tC\t.\tPASS\tDP=5\t", &sites).expect("a final tab").info, b"DP=5");
        assert_eq!(reason(split::<Checked>(b"1\t5\t.\tA\tC\t.\tPASS\tDP=5\tGT\t0/1", &sites)), "sample_columns");
    }

    #[test]
    fn checks_contig_and_position() {
        assert!(check_contig(b"HLA-A*01:01").is_ok());
        for contig in [&b""[..], b".", b"chr 1"] {
            assert_eq!(reason(check_contig(contig)), "bad_contig");
        }
        assert_eq!(position(b"0"), Ok(0));
        assert_eq!(position(b"3000000000"), Ok(3_000_000_000));
        for pos in ["", ".", "-1", "1.5", "x", "99999999999999999999"] {
            assert_eq!(reason(position(pos.as_bytes())), "bad_position", "{pos}");
        }
    }

    #[test]
    fn reads_quality() {
        let cases = [
            (".", Quality::Missing),
            ("", Quality::Missing),
            ("-1", Quality::Phred(-1.0)),
            ("1234567890123.5", Quality::Phred(1_234_567_890_123.5)),
            ("1e400", Quality::NotFinite),
            ("nan", Quality::NotFinite),
            ("inf", Quality::NotFinite),
        ];
        for (input, expected) in cases {
            assert_eq!(quality(input.as_bytes()), Ok(expected), "{input}");
        }
        assert_eq!(reason(quality(b"high")), "bad_qual");
        assert_eq!(reason(quality(b" ")), "bad_qual");
    }

    #[test]
    fn values_have_a_greatest_length() {
        let header = VcfHeader::for_samples(&["a"]);
        let line = |reference: usize, genotype: usize| {
            let (reference, genotype) = ("A".repeat(reference), "1".repeat(genotype));
            format!("1\t5\t.\t{reference}\tC\t.\tPASS\tDP=5\tGT:X\t0/1:{genotype}").into_bytes()
        };
        let check = |line: &[u8], info| check_lengths(&split::<Checked>(line, &header).expect("ten columns"), info);
        assert_eq!(check(&line(MAX_VALUE_BYTES, MAX_VALUE_BYTES), MAX_VALUE_BYTES), Ok(()));
        assert_eq!(reason(check(&line(MAX_VALUE_BYTES + 1, 1), 0)), "value_too_long");
        assert_eq!(reason(check(&line(1, MAX_VALUE_BYTES + 1), 0)), "value_too_long");
        assert_eq!(reason(check(&line(1, 1), MAX_VALUE_BYTES + 1)), "value_too_long");
    }

    #[test]
    fn filters_are_a_set() {
        let tidy = |filter: &str| {
            let mut tally = Tally::default();
            let tidied = tidy_filters(filter.as_bytes(), &mut tally);
            let mut emit = Emit::default();
            tally.report(&mut emit);
            (tidied.map(|filter| String::from_utf8_lossy(&filter).into_owned()), !emit.warnings.is_empty())
        };
        assert_eq!(tidy("PASS;PASS"), (Some("PASS".into()), false));
        assert_eq!(tidy("q10;s50;q10"), (Some("q10;s50".into()), false));
        assert_eq!(tidy("q10;;s50"), (Some("q10;s50".into()), false));
        assert_eq!(tidy("q10;s50"), (None, false));
        assert_eq!(tidy("PASS "), (Some("PASS".into()), true));
        assert_eq!(tidy(" q10 ; q10"), (Some("q10".into()), true));
        assert_eq!(tidy(" "), (Some(String::new()), true));
    }

    #[test]
    fn messages_stay_short() {
        assert_eq!(shown(b"abc"), "abc");
        assert_eq!(shown(&[b'x'; 100]).chars().count(), 61);
        assert_eq!(shown(b"\xe9"), "\u{fffd}");
        assert_eq!(shown(b"a\tb\x1b[2J\0"), "a\\tb\\u{1b}[2J\\u{0}");
    }
}
