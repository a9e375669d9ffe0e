//! Traps that are made here: what no small file of a collection shows, or what has to be packed.

use std::io::Write as _;

use vardelta_tests::drop_file::Packing;

use super::{
    case,
    cases::{Case, Input},
};

const META: &str = "##INFO=<ID=DP,Number=1,Type=Integer,Description=\"Depth\">\n\
    ##INFO=<ID=AF,Number=A,Type=Float,Description=\"Frequency\">\n";
const COLUMNS: &str = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";
const RECORD: &str = "1 100 . A C 50 PASS DP=5";

/// A file of this version with these records; blanks stand for tabs.
fn text_of(version: &str, records: &[&str]) -> String {
    let mut text = format!("##fileformat=VCFv{version}\n{META}{COLUMNS}\n");
    for record in records {
        text += &record.replace(' ', "\t");
        text.push('\n');
    }
    text
}

fn sites(records: &[&str]) -> String {
    text_of("4.2", records)
}

/// A file with one sample; each record ends with FORMAT and the sample.
fn calls(records: &[&str]) -> String {
    sites(records).replace("\tINFO\n", "\tINFO\tFORMAT\tone\n")
}

fn file(name: &'static str, about: &'static str, text: impl Into<Vec<u8>>) -> Case {
    case(name, about, Input::Made("made.vcf", text.into()))
}

fn record(name: &'static str, about: &'static str, record: &str) -> Case {
    file(name, about, sites(&[record]))
}

fn genotype(name: &'static str, about: &'static str, record: &str) -> Case {
    Case { samples: true, ..file(name, about, calls(&[record])) }
}

pub fn cases() -> Vec<Case> {
    [header(), lines(), values(), alleles(), genotypes(), containers()].into_iter().flatten().collect()
}

fn header() -> Vec<Case> {
    let good = sites(&[RECORD]);
    vec![
        file("zero bytes", "an empty file", ""),
        file("blank lines only", "a file of line ends", "\n\n\n"),
        file("header only", "no records: a drop all the same", sites(&[])),
        file("header only, no line end", "the #CHROM line ends the file", sites(&[]).trim_end().to_owned()),
        file("no #CHROM line", "records follow the ## lines", good.replace(&format!("{COLUMNS}\n"), "")),
        file("no #CHROM line, no records", "the file ends within its header", format!("##fileformat=VCFv4.2\n{META}")),
        file("spaces in the #CHROM line", "spaces for tabs", good.replace('\t', " ")),
        file("a column is missing", "#CHROM line without QUAL", good.replacen("\tQUAL", "", 1)),
        file("ninth column is not FORMAT", "a sample without FORMAT", good.replace("\tINFO\n", "\tINFO\tone\n")),
        file("duplicate sample", "one name twice", good.replace("\tINFO\n", "\tINFO\tFORMAT\ta\ta\n")),
        file("duplicate definition", "two ##INFO lines for DP", good.replace("##INFO=<ID=AF", "##INFO=<ID=DP")),
        file(
            "broken definition",
            "##INFO lines that cannot be read",
            good.replacen("##INFO=<ID=AF", "##INFO=ID=AF", 1),
        ),
        file("##fileformat on line 2", "a comment first", format!("##source=x\n{good}")),
        file("joined files", "the same header again between records", format!("{good}{}", sites(&["2 5 . A C . . ."]))),
        file(
            "joined files of other samples",
            "another #CHROM line between records",
            format!("{good}{}", calls(&["2 5 . A C . . . GT 0/1"])),
        ),
    ]
}

fn lines() -> Vec<Case> {
    let good = sites(&[RECORD]);
    let long = format!("1 100 . A C 50 PASS DP=5;X={}", "x".repeat(1_300_000));
    let long_allele = format!("1 100 . A {} 50 PASS DP=5", "CG".repeat(650_000));
    vec![
        file("no final line end", "the last record may be cut", good.trim_end().to_owned()),
        file("cut in a record", "the file ends within the eighth column's tab", good[..good.len() - 6].to_owned()),
        file("lone CR", "lines end in carriage returns alone", good.replace('\n', "\r")),
        file("spaces in a record", "spaces for tabs", format!("{}{RECORD}\n", sites(&[]))),
        file("too few columns", "seven columns", sites(&["1 100 . A C 50 PASS"])),
        file("a final tab", "the record ends with a tab", good.replace("DP=5\n", "DP=5\t\n")),
        file("NUL bytes", "a block of zeros, as a crash leaves it", [good.as_bytes(), &[0; 64]].concat()),
        file("1.3 MB of INFO", "one long line", sites(&[&long])),
        file("1.3 MB allele", "one long line", sites(&[&long_allele])),
        file(
            "mixed line ends",
            "CRLF and LF",
            sites(&[RECORD, "1 200 . A C 50 PASS DP=6"]).replacen("DP=5\n", "DP=5\r\n", 1),
        ),
    ]
}

fn values() -> Vec<Case> {
    let latin = |at: &str| {
        let mut bytes = sites(&["1 100 rs?1 A C 50 PASS DP=5;S=?"]).into_bytes();
        let place = bytes.windows(at.len()).position(|window| window == at.as_bytes()).expect("the text is there");
        bytes[place + at.len() - 1] = 0xe9;
        bytes
    };
    vec![
        record("POS 3,000,000,000", "beyond 32 bits", "1 3000000000 . A C . . DP=5"),
        record("POS beyond 64 bits", "19 nines", "1 99999999999999999999 . A C . . DP=5"),
        record("POS negative", "-1", "1 -1 . A C . . DP=5"),
        record("POS .", "missing", "1 . . A C . . DP=5"),
        record("CHROM .", "missing", ". 100 . A C . . DP=5"),
        record("QUAL inf", "infinite", "1 100 . A C inf . DP=5"),
        record("QUAL -1", "negative: kept as written", "1 100 . A C -1 . DP=5"),
        record("QUAL text", "`high`", "1 100 . A C high . DP=5"),
        record("QUAL empty", "nothing between two tabs", "1 100 . A C  . DP=5"),
        record("FILTER `PASS;PASS`", "a set", "1 100 . A C . PASS;PASS DP=5"),
        record("FILTER empty", "nothing between two tabs", "1 100 . A C .  DP=5"),
        record("DB=1", "a flag with a value", "1 100 . A C . . DB=1"),
        record("DP=5.0", "a whole number as a decimal", "1 100 . A C . . DP=5.0"),
        record("DP=5.5", "no whole number", "1 100 . A C . . DP=5.5"),
        record("DP=x", "no number", "1 100 . A C . . DP=x"),
        record("DP=", "no value", "1 100 . A C . . DP="),
        record("DP=5,6", "two values for Number=1", "1 100 . A C . . DP=5,6"),
        record("DP=2147483648", "beyond 32 bits: kept", "1 100 . A C . . DP=2147483648"),
        record("DP=-2147483641", "the last reserved integer", "1 100 . A C . . DP=-2147483641"),
        record("DP=-2147483640", "the least integer that is not reserved", "1 100 . A C . . DP=-2147483640"),
        record("DP beyond 64 bits", "20 digits", "1 100 . A C . . DP=99999999999999999999"),
        record("DP=5;", "a final semicolon", "1 100 . A C . . DP=5;"),
        record("AF nan", "NaN and infinity in a list", "1 100 . A C,G . . AF=nan,inf"),
        record("AF with an empty item", "`AF=0.1,`", "1 100 . A C,G . . AF=0.1,"),
        record("AD with two values for three alleles", "Number=R", "1 100 . A C,G . . AD=3,4"),
        record("INFO in another case", "`dp=5` is another key", "1 100 . A C . . dp=5"),
        file("percent in VCF 4.2", "not decoded before 4.3", text_of("4.2", &["1 100 . A C . . S=a%3Bb"])),
        file("percent in VCF 4.3", "decoded after splitting, once", text_of("4.3", &["1 100 . A C . . S=a%3Bb%253B"])),
        file("percent that encodes nothing", "kept", text_of("4.3", &["1 100 . A C . . S=100%_%zz"])),
        file("Latin-1 in ID", "one byte", latin("rs?")),
        file("Latin-1 in INFO", "one byte", latin("S=?")),
    ]
}

fn alleles() -> Vec<Case> {
    vec![
        record("lower-case bases", "REF and ALT", "1 100 . a c . . DP=5"),
        record("IUPAC in ALT", "R", "1 100 . A R . . DP=5"),
        record("symbolic allele in mixed case", "kept as written", "1 100 . A <Del:me> . . DP=5"),
        record("breakend in lower case", "the contig keeps its case", "1 100 . A ]chr2:321]A . . DP=5"),
        record("ALT with an empty item", "`C,`", "1 100 . A C, . . DP=5"),
        record("ALT with a foreign letter", "`AXA`", "1 100 . A AXA . . DP=5"),
        record("REF with a foreign letter", "`-`", "1 100 . - C . . DP=5"),
        record("ALT twice", "`C,C`", "1 100 . A C,C . . AF=0.1,0.2"),
        record("shared bases", "trimmed, never to nothing", "1 100 . CTT CT . . DP=5"),
        file("the same record twice", "counted once", sites(&[RECORD, RECORD])),
        file(
            "two spellings of one variant",
            "one row after trimming, the last stands",
            sites(&["1 100 . A C 50 PASS DP=5", "1 99 . GA GC 60 PASS DP=6"]),
        ),
        file("mixed contig names", "`chr1` and `1`", sites(&[RECORD, "chr1 100 . A C 50 PASS DP=5"])),
    ]
}

fn genotypes() -> Vec<Case> {
    vec![
        genotype("GT 0/3 with one ALT", "an allele that is not there", "1 100 . A C . . . GT 0/3"),
        genotype("GT with a huge number", "`0/99999999999999999999`", "1 100 . A C . . . GT 0/99999999999999999999"),
        genotype("half-call", "`./1`", "1 100 . A C . . . GT ./1"),
        genotype("haploid call", "`1`", "1 100 . A C . . . GT 1"),
        genotype("GT of letters", "`A/C`", "1 100 . A C . . . GT A/C"),
        genotype("GQ=20.5", "declared Integer by the specification", "1 100 . A C . . . GT:GQ 0/1:20.5"),
        genotype("more FORMAT values than keys", "`0/1:1:2` for GT:GQ", "1 100 . A C . . . GT:GQ 0/1:1:2"),
        genotype("AD with too few values", "two for three alleles", "1 100 . A C,G . . . GT:AD 1/2:3,4"),
        Case { samples: true, ..record("no samples at all", "with `samples = \"long\"`", RECORD) },
    ]
}

fn gzip(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().flat_map(|part| Packing::Gzip.pack(part)).collect()
}

/// A BGZF file, each part in a block of its own.
fn bgzf(parts: &[&[u8]]) -> Vec<u8> {
    let mut writer = noodles_bgzf::io::Writer::new(Vec::new());
    for part in parts {
        writer.write_all(part).and_then(|()| writer.flush()).expect("memory takes every byte");
    }
    writer.finish().expect("memory takes every byte")
}

fn containers() -> Vec<Case> {
    let text = sites(&[RECORD, "1 200 . A C 50 PASS DP=6"]);
    let (first, second) = text.as_bytes().split_at(text.len() - 20);
    let made = |name, about, file, bytes| case(name, about, Input::Made(file, bytes));
    /// The length of the empty block at the end.
    const END_BLOCK_BYTES: usize = 28;
    let blocks = bgzf(&[first, second]);
    let unfinished = blocks[..blocks.len() - END_BLOCK_BYTES].to_vec();
    let first_block = bgzf(&[first]);
    let at_boundary = first_block[..first_block.len() - END_BLOCK_BYTES].to_vec();
    let mut flipped = blocks.clone();
    flipped[40] ^= 0xff;
    let zipped = gzip(&[text.as_bytes()]);
    vec![
        made("BGZF", "two blocks", "made.vcf.gz", blocks.clone()),
        made("BGZF named .vcf", "wrong extension", "made.vcf", blocks.clone()),
        made("text named .vcf.gz", "wrong extension", "made.vcf.gz", text.clone().into_bytes()),
        made("BGZF without end block", "its last 28 bytes are missing", "made.vcf.gz", unfinished.clone()),
        Case {
            allow_missing_eof: true,
            ..made("BGZF without end block, allowed", "`allow_missing_eof = true`", "made.vcf.gz", unfinished)
        },
        made("BGZF cut at a block boundary", "half of it", "made.vcf.gz", at_boundary),
        Case {
            allow_missing_eof: true,
            ..made(
                "BGZF cut within a block, allowed",
                "`allow_missing_eof = true`",
                "made.vcf.gz",
                blocks[..60].to_vec(),
            )
        },
        made("BGZF with a flipped byte", "in the first block", "made.vcf.gz", flipped),
        made("BGZF followed by text", "trailing bytes", "made.vcf.gz", [&blocks[..], b"more"].concat()),
        made("gzip", "one member", "made.vcf.gz", zipped.clone()),
        made("gzip of two members", "`cat a.gz b.gz`", "made.vcf.gz", gzip(&[first, second])),
        made("gzip cut off", "half of it", "made.vcf.gz", zipped[..zipped.len() / 2].to_vec()),
        made(
            "gzip with trailing garbage",
            "bytes behind the last member",
            "made.vcf.gz",
            [&zipped[..], b"garbage!"].concat(),
        ),
        made(
            "gzip with trailing zeros",
            "padding, as tapes leave it",
            "made.vcf.gz",
            [&zipped[..], &[0; 512]].concat(),
        ),
        made("bzip2", "not a format of VCF", "made.vcf.bz2", b"BZh91AY&SY\x00\x00".to_vec()),
        made("BCF cut off", "the magic number alone", "made.bcf", b"BCF\x02\x02".to_vec()),
        made("BCF 1", "an older version", "made.bcf", b"BCF\x04\x00\x00\x00\x00\x00".to_vec()),
        made(
            "BCF with a header of 4 GiB",
            "a length that lies",
            "made.bcf",
            b"BCF\x02\x02\xff\xff\xff\xff##fileformat".to_vec(),
        ),
        case("text through a pipe", "standard input", Input::Piped(text.clone().into_bytes())),
        case("BGZF through a pipe", "standard input", Input::Piped(blocks.clone())),
        case(
            "cut BGZF through a pipe",
            "standard input",
            Input::Piped(first_block[..first_block.len() - END_BLOCK_BYTES].to_vec()),
        ),
        case("nothing through a pipe", "standard input", Input::Piped(Vec::new())),
    ]
}
