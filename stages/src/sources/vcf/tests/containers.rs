//! Containers, complete, cut off and damaged.

use std::io::Write as _;

use vardelta_testrandom::{Random, seed};

use crate::sources::{bgzf::END_BLOCK, vcf::tests::*};

fn text(records: usize) -> Vec<u8> {
    let mut text = sites("4.2", &[]);
    for record in 0..records {
        // Something that does not compress away.
        let noise = record.wrapping_mul(2_654_435_761) % 1_000_003;
        text.extend(format!("chr1\t{}\t.\tA\tC\t{noise}\tPASS\tDP={noise};AF=0.{noise}\n", record + 1).bytes());
    }
    text
}

fn bgzf(text: &[u8]) -> Vec<u8> {
    let mut writer = noodles_bgzf::io::Writer::new(Vec::new());
    writer.write_all(text).expect("memory");
    writer.finish().expect("memory")
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(text).expect("memory");
    writer.finish().expect("memory")
}

/// Where the blocks of a BGZF file begin, and where the file ends.
fn block_starts(file: &[u8]) -> Vec<usize> {
    let mut starts = vec![0];
    let mut at = 0;
    while at < file.len() {
        at += usize::from(u16::from_le_bytes([file[at + 16], file[at + 17]])) + 1;
        starts.push(at);
    }
    starts
}

#[test]
fn every_container_gives_the_same_drop() -> Result<(), String> {
    let source = source(&["DP", "AF"], Samples::None);
    let text = text(5000);
    let plain = read_bytes(&source, &text)?;
    let (head, tail) = text.split_at(70_001);
    let members = [gzip(head), gzip(tail)].concat();
    for (kind, bytes) in [("BGZF", bgzf(&text)), ("gzip", gzip(&text)), ("members", members)] {
        let outcome = read_bytes(&source, &bytes)?;
        assert_eq!((outcome.digest, outcome.rows()), (plain.digest, plain.rows()), "{kind}");
    }
    assert_eq!(plain.digest.records, 5000);
    Ok(())
}

#[test]
fn a_truncated_bgzf_file_is_an_error_wherever_the_cut_falls() {
    let strict = source(&[], Samples::None);
    let lenient = source_allowing(&[], Samples::None, true);
    let file = bgzf(&text(6000));
    let starts = block_starts(&file);
    assert!(starts.len() > 4, "several blocks and the last");
    assert_eq!(&file[starts[starts.len() - 2]..], END_BLOCK);
    let mut cuts: Vec<usize> = (0..file.len()).step_by(997).collect();
    for start in &starts {
        cuts.extend((start.saturating_sub(20)..start + 20).filter(|cut| *cut < file.len()));
    }
    for cut in cuts {
        assert!(read_bytes(&strict, &file[..cut]).is_err(), "cut at {cut}");
        let outcome = read_bytes(&lenient, &file[..cut]);
        // Without the check of the last block a cut between blocks goes unseen; within one it does not.
        let between = starts.contains(&cut) && cut > 0;
        assert_eq!(outcome.is_ok(), between, "cut at {cut}: {:?}", outcome.err());
    }
    let message = read_bytes(&strict, &file[..starts[2]]).err().unwrap_or_default();
    assert!(message.contains(&format!("its {} bytes do not end", starts[2])), "{message}");
}

#[test]
fn what_follows_the_last_block_is_an_error() {
    let lenient = source_allowing(&[], Samples::None, true);
    let file = [bgzf(&text(10)), b"garbage".to_vec()].concat();
    let message = read_bytes(&lenient, &file).err().unwrap_or_default();
    assert!(message.contains("cut off or damaged"), "{message}");
}

#[test]
fn a_truncated_gzip_file_is_an_error() {
    let source = source(&[], Samples::None);
    let file = gzip(&text(3000));
    for cut in (1..file.len()).step_by(499).chain([file.len() - 1, file.len() - 8]) {
        assert!(read_bytes(&source, &file[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn a_header_alone_is_a_drop_without_records() -> Result<(), String> {
    let source = source(&[], Samples::None);
    for bytes in [text(0), bgzf(&text(0)), gzip(&text(0)), text(0).trim_ascii_end().to_vec()] {
        let outcome = read_bytes(&source, &bytes)?;
        assert_eq!((outcome.digest.records, outcome.batches.len()), (0, 0));
    }
    for bytes in [bgzf(b""), gzip(b"")] {
        let message = read_bytes(&source, &bytes).err().unwrap_or_default();
        assert!(message.contains("holds no text"), "{message}");
    }
    Ok(())
}

#[test]
fn flipped_bytes_never_panic() {
    let sources = [source(&["DP", "AF"], Samples::None), source_allowing(&["DP"], Samples::Long, true)];
    let mut noise = Random::new(seed(20_261_128));
    let mut genotypes = b"##fileformat=VCFv4.3\n##contig=<ID=1>\n##INFO=<ID=DP,Number=1,Type=Integer,Description=\"d\">\n\
        ##FORMAT=<ID=GT,Number=1,Type=String,Description=\"g\">\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n"
        .to_vec();
    for pos in 1..300 {
        genotypes
            .extend(format!("1\t{pos}\t.\tA\tC,<DEL>\t1.5\tPASS\tDP=7;AF=0.5,.\tGT:DP:AD\t0/1:3:1,2\t./.\n").bytes());
    }
    let mut files = vec![genotypes.clone(), bgzf(&genotypes), gzip(&genotypes), raw_bcf()];
    if let Some(folder) = shared("data") {
        files.extend(std::fs::read(folder.join("conformance/htslib/tabix__vcf_file.bcf")).ok());
    }
    for file in &files {
        for _ in 0..150 {
            let mut damaged = file.clone();
            for _ in 0..1 + noise.below(4) {
                let at = noise.below(damaged.len());
                damaged[at] = noise.below(256) as u8;
            }
            if noise.below(4) == 0 {
                damaged.truncate(noise.below(damaged.len()));
            }
            for source in &sources {
                let _ = read_bytes(source, &damaged);
            }
        }
    }
}

/// A BCF file of one record with two samples, made by hand and not compressed.
fn raw_bcf() -> Vec<u8> {
    let header = "##fileformat=VCFv4.2\n##FILTER=<ID=q10,Description=\"x\">\n##contig=<ID=chr1>\n\
        ##INFO=<ID=DP,Number=1,Type=Integer,Description=\"x\">\n##INFO=<ID=DB,Number=0,Type=Flag,Description=\"x\">\n\
        ##FORMAT=<ID=GT,Number=1,Type=String,Description=\"x\">\n\
        #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n\0";
    let mut shared = Vec::new();
    shared.extend(0i32.to_le_bytes());
    shared.extend(9i32.to_le_bytes());
    shared.extend(1i32.to_le_bytes());
    shared.extend(29.5f32.to_le_bytes());
    shared.extend((3u32 << 16 | 2).to_le_bytes());
    shared.extend((1u32 << 24 | 2).to_le_bytes());
    shared.extend([
        0x07, 0x17, b'A', 0x17, b'C', 0x37, b'<', b'*', b'>', 0x21, 0, 1, 0x11, 2, 0x12, 0x2c, 0x01, 0x11, 3, 0x00,
    ]);
    let individual = [0x11, 4, 0x21, 2, 5, 0, 0x81];
    let mut file = b"BCF\x02\x02".to_vec();
    file.extend((header.len() as u32).to_le_bytes());
    file.extend(header.bytes());
    file.extend((shared.len() as u32).to_le_bytes());
    file.extend((individual.len() as u32).to_le_bytes());
    file.extend(shared);
    file.extend(individual);
    file
}

#[test]
fn bcf_records_become_text() -> Result<(), String> {
    let source = source(&["DP", "DB"], Samples::Long);
    let outcome = read_bytes(&source, &raw_bcf())?;
    assert_eq!(
        outcome.rows(),
        [
            "1: chr1 10 NULL A [C,<*>] 29.5 PASS;q10 300 true a het 2 true [1,0] 0|1 NULL NULL NULL NULL",
            "1: chr1 10 NULL A [C,<*>] 29.5 PASS;q10 300 true b missing NULL NULL NULL NULL NULL NULL NULL NULL",
        ]
    );
    let whole = raw_bcf();
    for cut in 1..whole.len() {
        let outcome = read_bytes(&source, &whole[..cut]);
        // Nothing ends an uncompressed BCF file, so that a header alone is a whole one.
        let header_alone = cut + 8 + 24 + 20 + 7 == whole.len();
        assert_eq!(outcome.is_ok(), header_alone, "cut at {cut}: {:?}", outcome.err());
    }
    Ok(())
}
