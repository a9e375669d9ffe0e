//! Indexes that lie, against reading the file whole. What comes of the regions must not depend on what an index says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::Path,
    time::{Duration, SystemTime},
};

use noodles_bgzf as bgzf;
use vardelta_testrandom::{Random, seed};

use crate::sources::vcf::{planned_regions::PlannedRegions, regions::Region, source::VcfSource, tests::*};

/// Names of contigs, one the beginning of another.
const CONTIGS: [&str; 4] = ["chr2", "chr1", "chr10", "chrX"];

/// A random file of sorted records in small blocks, and where each record lies.
struct Made {
    file: Vec<u8>,
    records: Vec<Record>,
}

/// A record: the number of its contig, its first and last position, and where it begins and ends in the file.
#[derive(Clone, Copy)]
struct Record {
    contig: usize,
    first: i64,
    last: i64,
    start: u64,
    end: u64,
}

fn made(random: &mut Random) -> Made {
    let mut writer = bgzf::io::Writer::new(Vec::new());
    let mut header = String::from("##fileformat=VCFv4.2\n");
    for contig in CONTIGS {
        header.push_str(&format!("##contig=<ID={contig},length=400000000>\n"));
    }
    header.push_str("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n");
    writer.write_all(header.as_bytes()).expect("memory");
    let mut records = Vec::new();
    for (at, contig) in CONTIGS.iter().enumerate() {
        let mut position = 1 + random.below(50_000) as i64;
        for _ in 0..random.below(60) {
            let end = if random.below(12) == 0 { position + random.below(40_000_000) as i64 } else { position };
            let info = if end > position { format!("SVTYPE=DEL;END={end}") } else { ".".into() };
            let alternate = if end > position { "<DEL>" } else { "C" };
            let start = u64::from(writer.virtual_position());
            let line = format!("{contig}\t{position}\t.\tA\t{alternate}\t9\tPASS\t{info}\n");
            writer.write_all(line.as_bytes()).expect("memory");
            if random.below(5) == 0 {
                writer.flush().expect("memory");
            }
            let place = u64::from(writer.virtual_position());
            records.push(Record { contig: at, first: position, last: end, start, end: place });
            let step = [1, 100, 20_000, 3_000_000][random.below(4) as usize];
            position += random.below(step) as i64;
        }
    }
    Made { file: writer.finish().expect("memory"), records }
}

impl Made {
    /// The decompressed bytes of an index of the file, as htslib makes it but for small bins, which it puts into larger ones.
    fn index(&self, kind: &str) -> Vec<u8> {
        let (min_shift, depth) = if kind == "tbi" { (14_u32, 5_u32) } else { (14, 6) };
        let mut numbers: Vec<usize> = self.records.iter().map(|record| record.contig).collect();
        numbers.dedup();
        let names: Vec<u8> = numbers.iter().flat_map(|number| [CONTIGS[*number].as_bytes(), b"\0"].concat()).collect();
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        let tabix = [words(&[2, 1, 2, 0, u32::from(b'#'), 0, names.len() as u32]), names].concat();
        let count = words(&[numbers.len() as u32]);
        let mut bytes = if kind == "tbi" {
            [b"TBI\x01".to_vec(), count, tabix].concat()
        } else {
            [b"CSI\x01".to_vec(), words(&[min_shift, depth, tabix.len() as u32]), tabix, count].concat()
        };
        for number in numbers {
            let records: Vec<Record> = self.records.iter().filter(|record| record.contig == number).copied().collect();
            bytes.extend(contig_index(&records, kind == "csi", min_shift, depth));
        }
        bytes
    }
}

/// What an index says of one contig.
fn contig_index(records: &[Record], is_csi: bool, min_shift: u32, depth: u32) -> Vec<u8> {
    let mut bins: BTreeMap<u32, Vec<(u64, u64)>> = BTreeMap::new();
    let mut windows: Vec<u64> = Vec::new();
    let mut before = None;
    for record in records {
        let bin = bin_of(record.first - 1, record.last, min_shift, depth);
        let chunks = bins.entry(bin).or_default();
        match chunks.last_mut() {
            Some(chunk) if before == Some(bin) => chunk.1 = record.end,
            _ => chunks.push((record.start, record.end)),
        }
        before = Some(bin);
        let last = ((record.last - 1) >> min_shift) as usize;
        if windows.len() <= last {
            windows.resize(last + 1, record.start);
        }
    }
    let mut bytes = Vec::new();
    let mut put =
        |words: &[u64], width: usize| words.iter().for_each(|word| bytes.extend(&word.to_le_bytes()[..width]));
    put(&[bins.len() as u64 + 1], 4);
    for (bin, chunks) in &bins {
        put(&[u64::from(*bin)], 4);
        if is_csi {
            put(&[windows[first_window(*bin, depth)]], 8);
        }
        put(&[chunks.len() as u64], 4);
        chunks.iter().for_each(|chunk| put(&[chunk.0, chunk.1], 8));
    }
    // The bin that holds what is known of the contig.
    put(&[((1 << (3 * (depth + 1))) - 1) / 7 + 1], 4);
    if is_csi {
        put(&[0], 8);
    }
    put(&[2], 4);
    let (first, last) = (records[0], records[records.len() - 1]);
    put(&[first.start, last.end, records.len() as u64, 0], 8);
    if !is_csi {
        put(&[windows.len() as u64], 4);
        windows.iter().for_each(|window| put(&[*window], 8));
    }
    bytes
}

/// The smallest bin that holds these positions, 0-based and without the last (SAM 1.6, section 5.3).
fn bin_of(first: i64, behind: i64, min_shift: u32, depth: u32) -> u32 {
    let (mut shift, mut level) = (min_shift, depth);
    while level > 0 {
        if first >> shift == (behind - 1) >> shift {
            return (((1_i64 << (3 * level)) - 1) / 7 + (first >> shift)) as u32;
        }
        (shift, level) = (shift + 3, level - 1);
    }
    0
}

/// The first window of a bin.
fn first_window(bin: u32, depth: u32) -> usize {
    let first = |level: u32| ((1_u64 << (3 * level)) - 1) / 7;
    let level = (0..=depth).rev().find(|level| u64::from(bin) >= first(*level)).unwrap_or_default();
    ((u64::from(bin) - first(level)) << (3 * (depth - level))) as usize
}

#[expect(clippy::disallowed_methods, reason = "an index is younger than its file, or it is not believed")]
fn write_index(path: &Path, bytes: &[u8]) {
    let mut writer = bgzf::io::Writer::new(Vec::new());
    writer.write_all(bytes).expect("memory");
    fs::write(path, writer.finish().expect("memory")).expect("a file");
    let file = fs::File::options().append(true).open(path).expect("a file");
    file.set_modified(SystemTime::now() + Duration::from_secs(60)).expect("the time is set");
}

fn regional(regions: Vec<Region>) -> VcfSource {
    VcfSource { regions: Some(PlannedRegions::new(regions, None)), ..source(&[], Samples::None) }
}

/// What the regions hold, without origins, and whether the index was used.
fn inside(regions: &[Region], path: &Path) -> (Vec<String>, bool) {
    let outcome = read(&regional(regions.to_vec()), path).unwrap_or_else(|error| panic!("{error}"));
    let rows = outcome.rows().iter().map(|row| row.split_once(": ").expect("an origin").1.to_owned()).collect();
    (rows, outcome.warnings.count("unusable_index") == 0)
}

fn random_regions(random: &mut Random) -> Vec<Region> {
    (0..1 + random.below(3))
        .map(|_| {
            let start = random.below(60_000_000) as i64;
            let width = [1, 10_000, 5_000_000][random.below(3) as usize];
            let end = start + random.below(width) as i64;
            let (start, end) = if random.below(4) == 0 { (0, i64::MAX) } else { (start, end) };
            Region { contig: CONTIGS[random.below(4) as usize].into(), start, end }
        })
        .collect()
}

/// A lie: some bytes of an index are others.
fn lie(index: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(3) {
        let at = random.below(index.len() as u64) as usize;
        match random.below(5) {
            0 => index[at] ^= 1 << random.below(8),
            1 => index[at] = 0,
            2 => index[at] = random.below(256) as u8,
            // Another number or place of the same index is given here.
            3 => {
                let from = random.below(index.len() as u64) as usize;
                let length = [4, 8, 16][random.below(3) as usize].min(index.len() - at.max(from));
                index.copy_within(from..from + length, at);
            }
            _ => index.truncate(at.max(index.len() - random.below(40))),
        }
    }
}

#[test]
fn an_index_never_loses_a_record() {
    let mut random = Random::new(seed(20_261_128));
    let folder = tempfile::tempdir().expect("a folder");
    let (mut used, mut lies) = (0, 0);
    for round in 0..20 {
        let made = made(&mut random);
        let path = folder.path().join(format!("{round}.vcf.gz"));
        fs::write(&path, &made.file).expect("a file");
        for kind in ["tbi", "csi"] {
            let sound = made.index(kind);
            let index_path = folder.path().join(format!("{round}.vcf.gz.{kind}"));
            for turn in 0..12 {
                let regions = random_regions(&mut random);
                let _ = fs::remove_file(&index_path);
                let (whole, _) = inside(&regions, &path);
                let mut index = sound.clone();
                if turn > 1 {
                    lie(&mut index, &mut random);
                }
                write_index(&index_path, &index);
                let (found, was_used) = inside(&regions, &path);
                assert_eq!(found, whole, "round {round}, {kind}, turn {turn}, {regions:?}");
                assert!(
                    turn > 1 || was_used || made.records.is_empty(),
                    "round {round}, {kind}: a sound index is used"
                );
                used += usize::from(turn > 1 && was_used);
                lies += usize::from(turn > 1);
            }
            fs::remove_file(&index_path).expect("a file");
        }
    }
    println!("of {lies} indexes that lie {used} were used all the same");
    assert!(used > 0 && used < lies, "{used} of {lies}");
}

#[test]
fn a_chunk_that_names_an_empty_block_loses_nothing() {
    // Contigs of few records each, as a file of one block has them; chunks all over the index are made empty in turn.
    let mut random = Random::new(seed(7));
    let made = made(&mut random);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.vcf.gz");
    fs::write(&path, &made.file).expect("a file");
    let regions: Vec<Region> =
        CONTIGS.iter().map(|contig| Region { contig: (*contig).into(), start: 1, end: 200_000_000 }).collect();
    let (whole, _) = inside(&regions, &path);
    let starts: BTreeSet<u64> = made.records.iter().map(|record| record.start).collect();
    for kind in ["tbi", "csi"] {
        let sound = made.index(kind);
        let index_path = folder.path().join(format!("a.vcf.gz.{kind}"));
        let place = |at: usize| u64::from_le_bytes(sound[at..at + 8].try_into().expect("eight bytes"));
        let is_chunk = |at: &usize| starts.contains(&place(*at)) && place(at + 8) >= place(*at);
        let chunks: Vec<usize> = (0..sound.len().saturating_sub(16)).filter(is_chunk).collect();
        assert!(!chunks.is_empty());
        for at in chunks.iter().copied().step_by(chunks.len().div_ceil(24)) {
            let mut index = sound.clone();
            index.copy_within(at..at + 8, at + 8);
            write_index(&index_path, &index);
            assert_eq!(inside(&regions, &path).0, whole, "{kind}, byte {at}");
        }
        fs::remove_file(&index_path).expect("a file");
    }
}
