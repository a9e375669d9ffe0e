//! The bytes of an index: tabix (`.tbi`) and CSI (`.csi`), as their specifications lay them out. Every count is held against
//! the bytes that are there, so that a damaged index is refused and costs nothing.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use noodles_bgzf as bgzf;

/// No index is larger once it is decompressed; that of a million contigs takes 200 MB.
const MOST_BYTES: u64 = 1 << 29;

/// VCF among tabix's formats.
const VCF_FORMAT: u32 = 2;

/// Two virtual positions: where records begin, and after the last of them.
pub(super) type Chunk = (u64, u64);

/// A bin: a stretch of a contig, and where the records lie that are in it and in none of the smaller ones.
#[derive(Debug, Default)]
pub(super) struct Bin {
    pub chunks: Vec<Chunk>,
    /// Where the first record lies that overlaps the bin's first window; CSI alone says so.
    pub low: Option<u64>,
}

/// What an index says of one contig.
#[derive(Debug, Default)]
pub(super) struct IndexedContig {
    /// By number.
    pub bins: BTreeMap<u32, Bin>,
    /// For each window of a tabix index where the first record lies that overlaps it.
    pub windows: Vec<u64>,
    /// Where the contig's records lie; not every writer says so.
    pub range: Option<Chunk>,
}

/// An index.
#[derive(Debug)]
pub(super) struct IndexFile {
    /// The contigs' names, where it has them; that of a BCF file has none.
    pub names: Option<Vec<String>>,
    pub contigs: Vec<IndexedContig>,
    /// The width of the smallest bins, as a power of two.
    pub min_shift: u32,
    /// How many levels of bins lie above the smallest.
    pub depth: u32,
}

impl IndexFile {
    /// Reads an index.
    ///
    /// # Errors
    /// When it cannot be read, or is none of a VCF or BCF file.
    pub fn read(path: &Path) -> io::Result<IndexFile> {
        let mut bytes = Vec::new();
        bgzf::io::Reader::new(File::open(path)?).take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
        match bytes.len() as u64 > MOST_BYTES {
            true => Err(damaged("it is too large")),
            false => IndexFile::parse(&bytes),
        }
    }

    /// Parses the decompressed bytes of an index.
    fn parse(bytes: &[u8]) -> io::Result<IndexFile> {
        let mut rest = Rest(bytes);
        match rest.take(4)? {
            b"TBI\x01" => {
                let count = rest.count(8)?;
                let names = rest.tabix_header()?;
                let contigs = (0..count).map(|_| rest.contig(pseudo_bin(5), false)).collect::<io::Result<Vec<_>>>()?;
                IndexFile { names: Some(names), contigs, min_shift: 14, depth: 5 }.checked()
            }
            b"CSI\x01" => {
                let (min_shift, depth) = (rest.word()?, rest.word()?);
                // Positions are 64-bit numbers, and so is what is made of bins.
                if min_shift > 31 || depth > 9 || min_shift + 3 * depth > 56 {
                    return Err(damaged("its bins are out of range"));
                }
                let auxiliary = rest.count(1)?;
                let mut auxiliary = Rest(rest.take(auxiliary)?);
                let names = if auxiliary.0.is_empty() { None } else { Some(auxiliary.tabix_header()?) };
                let count = rest.count(4)?;
                let contigs =
                    (0..count).map(|_| rest.contig(pseudo_bin(depth), true)).collect::<io::Result<Vec<_>>>()?;
                IndexFile { names, contigs, min_shift, depth }.checked()
            }
            _ => Err(damaged("it is no index")),
        }
    }

    fn checked(self) -> io::Result<IndexFile> {
        match &self.names {
            Some(names) if names.len() != self.contigs.len() => {
                Err(damaged("it has more names than contigs, or fewer"))
            }
            _ => Ok(self),
        }
    }

    /// The positions that a bin covers: the first, 0-based, and the one after the last. `None` for a number that no bin has.
    pub fn span(&self, bin: u32) -> Option<(i64, i64)> {
        let level = (0..=self.depth).rev().find(|level| u64::from(bin) >= first_of(*level))?;
        let (first, shift) = (first_of(level), self.min_shift + 3 * (self.depth - level));
        let at = u64::from(bin) - first;
        (at < 1 << (3 * level)).then(|| ((at << shift) as i64, ((at + 1) << shift) as i64))
    }
}

/// The number of the first bin of a level, 0 the one that covers everything.
fn first_of(level: u32) -> u64 {
    ((1 << (3 * level)) - 1) / 7
}

/// The number of the bin that holds what is known of the whole contig.
fn pseudo_bin(depth: u32) -> u32 {
    (first_of(depth + 1) + 1) as u32
}

/// What is left of the bytes.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| damaged("it is cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn word(&mut self) -> io::Result<u32> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn place(&mut self) -> io::Result<u64> {
        let (low, high) = (self.word()?, self.word()?);
        Ok(u64::from(high) << 32 | u64::from(low))
    }

    /// How many things of at least so many bytes follow.
    fn count(&mut self, bytes_each: usize) -> io::Result<usize> {
        let count = self.word()? as usize;
        match count.checked_mul(bytes_each) {
            Some(bytes) if bytes <= self.0.len() => Ok(count),
            _ => Err(damaged("it counts more than it has")),
        }
    }

    /// What tabix keeps of a format, and the names of the contigs.
    fn tabix_header(&mut self) -> io::Result<Vec<String>> {
        let [format, contig, begin, _end, meta, _skip] =
            [self.word()?, self.word()?, self.word()?, self.word()?, self.word()?, self.word()?];
        if format != VCF_FORMAT || (contig, begin) != (1, 2) || meta != u32::from(b'#') {
            return Err(damaged("it is of another format than VCF"));
        }
        let length = self.count(1)?;
        let names = self.take(length)?;
        let names = names.strip_suffix(b"\0").unwrap_or(names);
        if length == 0 {
            return Ok(Vec::new());
        }
        let name = |name: &[u8]| String::from_utf8(name.to_vec()).map_err(|_| damaged("a name is not UTF-8"));
        names.split(|byte| *byte == 0).map(name).collect()
    }

    fn contig(&mut self, pseudo_bin: u32, is_csi: bool) -> io::Result<IndexedContig> {
        let mut contig = IndexedContig::default();
        for _ in 0..self.count(if is_csi { 16 } else { 8 })? {
            let number = self.word()?;
            let low = if is_csi { Some(self.place()?) } else { None };
            let chunks = (0..self.count(16)?).map(|_| Ok((self.place()?, self.place()?)));
            let chunks = chunks.collect::<io::Result<Vec<Chunk>>>()?;
            if number == pseudo_bin {
                contig.range = chunks.first().copied();
            } else if contig.bins.insert(number, Bin { chunks, low }).is_some() {
                return Err(damaged("it has a bin twice"));
            }
        }
        if !is_csi {
            contig.windows = (0..self.count(8)?).map(|_| self.place()).collect::<io::Result<Vec<_>>>()?;
        }
        Ok(contig)
    }
}

pub(super) fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_cover_what_the_specification_says() {
        let tabix = IndexFile { names: None, contigs: Vec::new(), min_shift: 14, depth: 5 };
        assert_eq!(tabix.span(0), Some((0, 1 << 29)));
        assert_eq!(tabix.span(1), Some((0, 1 << 26)));
        assert_eq!(tabix.span(4681), Some((0, 1 << 14)));
        assert_eq!(tabix.span(4682), Some((1 << 14, 2 << 14)));
        assert_eq!(tabix.span(37_448), Some(((1 << 29) - (1 << 14), 1 << 29)));
        assert_eq!(tabix.span(37_449), None);
        assert_eq!(pseudo_bin(5), 37_450);
    }

    #[test]
    fn counts_are_held_against_the_bytes() {
        for bytes in [&b""[..], b"TBI\x01", b"CSI\x01\x0e\0\0\0\x05\0\0\0\xff\xff\xff\xff", b"BAI\x01"] {
            assert!(IndexFile::parse(bytes).is_err());
        }
        let many = [&b"CSI\x01\x0e\0\0\0\x05\0\0\0\0\0\0\0"[..], &u32::MAX.to_le_bytes()].concat();
        assert!(IndexFile::parse(&many).is_err());
        let none = [&b"CSI\x01\x0e\0\0\0\x05\0\0\0\0\0\0\0"[..], &0_u32.to_le_bytes()].concat();
        assert!(IndexFile::parse(&none).is_ok_and(|index| index.names.is_none() && index.contigs.is_empty()));
    }
}
