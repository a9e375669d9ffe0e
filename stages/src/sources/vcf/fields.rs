//! The fixed columns of a record: splitting, checking and decoding them.

use vardelta_engine::contract::reason::Reason;

use crate::sources::vcf::{
    checks::Checks,
    header::VcfHeader,
    reasons::{BAD_CONTIG, BAD_POSITION, BAD_QUAL, MISSING_COLUMNS, NOT_TAB_SEPARATED, SAMPLE_COLUMNS},
    values::digits,
};

pub(super) use crate::sources::shared::place::shown;

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

/// Splits a line and checks its number of columns against the header's.
pub(super) fn split<'a, C: Checks>(line: &'a [u8], header: &VcfHeader) -> Result<Columns<'a>, Refusal> {
    let mut fixed: [&[u8]; 8] = [&[]; 8];
    let (mut start, mut count) = (0, 0);
    for tab in memchr::memchr_iter(b'\t', line) {
        fixed[count] = &line[start..tab];
        start = tab + 1;
        count += 1;
        if count == 8 {
            break;
        }
    }
    if C::ON && count < 7 {
        let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count();
        if words >= 8 {
            return refuse(NOT_TAB_SEPARATED, format!("{words} columns separated by spaces; VCF separates by tabs"));
        }
        return refuse(MISSING_COLUMNS, format!("{} columns; VCF has at least 8", count + 1));
    }
    let mut genotypes: &[u8] = &[];
    let found;
    if count < 8 {
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
    Ok(())
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
    /// `.`
    Missing,
    /// A number.
    Phred(f64),
    /// NaN, infinite, or too large for a double: no database stores it.
    NotFinite,
}

/// QUAL: a number or `.` (VCF 4.3, section 1.6.1.6).
pub(super) fn quality(qual: &[u8]) -> Result<Quality, Refusal> {
    if qual == b"." {
        return Ok(Quality::Missing);
    }
    match std::str::from_utf8(qual).ok().and_then(|text| text.parse::<f64>().ok()) {
        Some(phred) if phred.is_finite() => Ok(Quality::Phred(super::values::positive_zero(phred))),
        Some(_) => Ok(Quality::NotFinite),
        None => refuse(BAD_QUAL, format!("QUAL `{}` is not a number", shown(qual))),
    }
}

/// FILTER as a set: a filter that stands twice counts once, in the order of first mention. `None` where nothing repeats.
pub(super) fn without_repeats(filter: &[u8]) -> Option<Vec<u8>> {
    let filters: Vec<&[u8]> = filter.split(|byte| *byte == b';').collect();
    let mut kept: Vec<&[u8]> = Vec::with_capacity(filters.len());
    for name in &filters {
        if !name.is_empty() && !kept.contains(name) {
            kept.push(name);
        }
    }
    (kept.len() < filters.len()).then(|| kept.join(&b';'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::vcf::checks::Checked;

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
        assert_eq!(reason(quality(b"")), "bad_qual");
    }

    #[test]
    fn filters_are_a_set() {
        assert_eq!(without_repeats(b"PASS;PASS").as_deref(), Some(&b"PASS"[..]));
        assert_eq!(without_repeats(b"q10;s50;q10").as_deref(), Some(&b"q10;s50"[..]));
        assert_eq!(without_repeats(b"q10;;s50").as_deref(), Some(&b"q10;s50"[..]));
        assert_eq!(without_repeats(b"q10;s50"), None);
    }

    #[test]
    fn messages_stay_short() {
        assert_eq!(shown(b"abc"), "abc");
        assert_eq!(shown(&[b'x'; 100]).chars().count(), 61);
        assert_eq!(shown(b"\xe9"), "\u{fffd}");
        assert_eq!(shown(b"a\tb\x1b[2J\0"), "a\\tb\\u{1b}[2J\\u{0}");
    }
}
