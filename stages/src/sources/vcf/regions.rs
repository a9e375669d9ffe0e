//! Regions: which records a source reads.
//!
//! A record lies in a region when the stretch it covers overlaps it: POS to the last base of REF, or to INFO/END where that
//! is given, as `bcftools view --regions-overlap record` judges (its default for `-r` and `-R`).

use std::collections::BTreeMap;

use crate::{
    assembly::Assembly,
    sources::vcf::{contig_names::ContigNames, values::digits},
};

/// A stretch of a contig as an option or a BED file writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    /// The contig, as written.
    pub contig: String,
    /// The first position, 1-based.
    pub start: i64,
    /// The last position, 1-based and inclusive.
    pub end: i64,
}

impl Region {
    /// Reads `contig`, `contig:start`, `contig:start-` or `contig:start-end`, 1-based and inclusive, thousands separated
    /// by commas or not. A contig whose name holds colons is in braces, as htslib writes it
    /// (`{HLA-A*01:01}:1-100`); otherwise the last colon separates.
    pub fn parse(text: &str) -> Result<Region, String> {
        let whole = |contig: &str| Region { contig: contig.to_owned(), start: 0, end: i64::MAX };
        let (contig, range) = match text.strip_prefix('{') {
            Some(rest) => match rest.split_once('}') {
                Some((contig, "")) => (contig, None),
                Some((contig, rest)) => match rest.strip_prefix(':') {
                    Some(range) => (contig, Some(range)),
                    None => return Err("after `}` comes `:` or nothing".to_owned()),
                },
                None => return Err("the brace does not close".to_owned()),
            },
            None => match text.rsplit_once(':') {
                Some((contig, range)) => (contig, Some(range)),
                None => (text, None),
            },
        };
        if contig.is_empty() || contig.contains(char::is_whitespace) {
            return Err("it names no contig".to_owned());
        }
        let Some(range) = range else { return Ok(whole(contig)) };
        let position = |text: &str| match digits(text.replace(',', "").as_bytes()) {
            Some(position) if position >= 1 => Ok(position),
            _ => Err(format!("`{text}` is no position from 1 on")),
        };
        let (start, end) = match range.split_once('-') {
            // As in bcftools, one position alone is that position.
            None => (position(range)?, position(range)?),
            Some((start, "")) => (position(start)?, i64::MAX),
            Some((start, end)) => (position(start)?, position(end)?),
        };
        match start <= end {
            true => Ok(Region { contig: contig.to_owned(), start, end }),
            false => Err(format!("it ends at {end} before it starts at {start}")),
        }
    }
}

/// Regions by contig, in order, none touching another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Regions {
    contigs: BTreeMap<String, Vec<(i64, i64)>>,
}

impl Regions {
    /// Merges regions; contigs get their canonical names where there is an assembly.
    pub fn new(regions: impl IntoIterator<Item = Region>, assembly: Option<&Assembly>) -> Regions {
        let mut contigs: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
        for region in regions {
            let found = assembly.and_then(|assembly| Some(assembly.contig_name(assembly.contig(&region.contig)?)));
            let name = found.map_or(region.contig.clone(), str::to_owned);
            contigs.entry(name).or_default().push((region.start, region.end));
        }
        for stretches in contigs.values_mut() {
            stretches.sort_unstable();
            stretches.dedup_by(|next, before| {
                let touches = next.0 <= before.1.saturating_add(1);
                if touches {
                    before.1 = before.1.max(next.1);
                }
                touches
            });
        }
        Regions { contigs }
    }

    /// The stretches of a contig by its canonical name, 1-based and inclusive, in order.
    pub fn of(&self, contig: &str) -> &[(i64, i64)] {
        self.contigs.get(contig).map_or(&[], Vec::as_slice)
    }

    /// Whether a record lies in one of them. A line whose place cannot be read does: it is rejected with its reason.
    pub fn contain(&self, line: &[u8], names: &ContigNames) -> bool {
        let Some(place) = Covered::of(line) else { return true };
        let contig = String::from_utf8_lossy(place.contig);
        let stretches = self.of(names.canonical(&contig));
        let next = stretches.partition_point(|(_, end)| *end < place.start);
        stretches.get(next).is_some_and(|(start, _)| *start <= place.end)
    }
}

/// The stretch of the reference that a record covers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Covered<'a> {
    /// The contig, as written.
    pub contig: &'a [u8],
    /// POS, 1-based.
    pub start: i64,
    /// The last position, inclusive.
    pub end: i64,
}

impl<'a> Covered<'a> {
    /// Where a record lies; `None` where the line does not say.
    pub fn of(line: &'a [u8]) -> Option<Covered<'a>> {
        let mut columns = line.splitn(9, |byte| *byte == b'\t');
        let (contig, start) = (columns.next()?, digits(columns.next()?).filter(|pos| *pos >= 0)?);
        let reference = columns.nth(1)?;
        let info = columns.nth(3)?;
        let by_reference = start.saturating_add((reference.len() as i64 - 1).max(0));
        // An END before POS is no end: htslib warns and goes by REF.
        let end = end_of(info).filter(|end| *end >= start).unwrap_or(by_reference);
        Some(Covered { contig, start, end })
    }
}

/// The value of INFO/END.
fn end_of(info: &[u8]) -> Option<i64> {
    let field = info.split(|byte| *byte == b';').find_map(|field| field.strip_prefix(b"END="))?;
    digits(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(contig: &str, start: i64, end: i64) -> Region {
        Region { contig: contig.into(), start, end }
    }

    #[test]
    fn reads_regions_as_htslib_writes_them() {
        for (text, expected) in [
            ("chr7", region("chr7", 0, i64::MAX)),
            ("chr7:55", region("chr7", 55, 55)),
            ("chr7:55-", region("chr7", 55, i64::MAX)),
            ("chr7:1,055-2,000", region("chr7", 1055, 2000)),
            ("{HLA-A*01:01}:1-100", region("HLA-A*01:01", 1, 100)),
            ("{HLA-A*01:01}", region("HLA-A*01:01", 0, i64::MAX)),
            ("HLA-A*01:01:1-100", region("HLA-A*01:01", 1, 100)),
        ] {
            assert_eq!(Region::parse(text), Ok(expected), "{text}");
        }
        for text in ["", ":5", "chr7:0-5", "chr7:9-5", "chr7:x", "chr7:-5", "{chr7:5", "{chr7}5", "chr7:", "a b"] {
            assert!(Region::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn merges_what_overlaps_or_touches() {
        let assembly = Assembly::known("GRCh38");
        let regions = [region("1", 5, 9), region("chr1", 10, 12), region("chr1", 1, 2), region("chr1", 11, 11)];
        let regions = Regions::new(regions, assembly.as_ref());
        assert_eq!(regions.of("chr1"), [(1, 2), (5, 12)]);
        assert_eq!(regions.of("1"), []);
    }

    #[test]
    fn records_lie_where_they_cover_something() {
        let regions = Regions::new([region("1", 10, 20), region("1", 40, i64::MAX), region("2", 0, i64::MAX)], None);
        let contain = |line: &str| regions.contain(line.replace(' ', "\t").as_bytes(), &ContigNames::default());
        for (line, expected) in [
            ("1 9 . A C . . .", false),
            ("1 9 . AT C . . .", true),
            ("1 20 . A C . . .", true),
            ("1 21 . A C . . .", false),
            ("1 5 . A <DEL> . . SVTYPE=DEL;END=10", true),
            ("1 5 . A <DEL> . . SVTYPE=DEL;END=9", false),
            ("1 9 . AT C . . END=9", false),
            ("1 9 . AT C . . END=3", true),
            ("1 9 . A C . . XEND=30", false),
            ("1 999 . A C . . .", true),
            ("2 0 . A C . . .", true),
            ("3 10 . A C . . .", false),
            ("1 x . A C . . .", true),
            ("1", true),
        ] {
            assert_eq!(contain(line), expected, "{line}");
        }
    }
}
