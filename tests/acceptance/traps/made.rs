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
        file("zero bytes", "an empty file", "").ends("refused (exit 4): made.vcf is empty (0 bytes): it has no VCF header (read by stage `read`)", ""),
        file("blank lines only", "a file of line ends", "\n\n\n").ends("refused (exit 4): made.vcf: no #CHROM line in its 3 line(s): this is no VCF file, or its header is cut off (read by stage `read`)", ""),
        file("header only", "no records: a drop all the same", sites(&[])).ends("nothing: no records", ""),
        file("header only, no line end", "the #CHROM line ends the file", sites(&[]).trim_end().to_owned()).ends("nothing: no records", ""),
        file("no #CHROM line", "records follow the ## lines", good.replace(&format!("{COLUMNS}\n"), "")).ends(r#"refused (exit 4): made.vcf: line 4 is neither a header line nor does a #CHROM line come before it: `1\t100\t.\tA\tC\t50\tPASS\tDP=5` (read by stage `read`)"#, ""),
        file("no #CHROM line, no records", "the file ends within its header", format!("##fileformat=VCFv4.2\n{META}")).ends("refused (exit 4): made.vcf: no #CHROM line in its 3 line(s): this is no VCF file, or its header is cut off (read by stage `read`)", ""),
        file("spaces in the #CHROM line", "spaces for tabs", good.replace('\t', " ")).ends("refused (exit 4): made.vcf: the #CHROM line (line 4) has spaces where tabs belong (read by stage `read`)", ""),
        file("a column is missing", "#CHROM line without QUAL", good.replacen("\tQUAL", "", 1)).ends(r#"refused (exit 4): made.vcf: the #CHROM line (line 4) lacks the column QUAL: it says `#CHROM\tPOS\tID\tREF\tALT\tFILTER\tINFO` (read by stage `read`)"#, ""),
        file("ninth column is not FORMAT", "a sample without FORMAT", good.replace("\tINFO\n", "\tINFO\tone\n")).ends("refused (exit 4): made.vcf: the ninth column of the #CHROM line (line 4) is `one`, not FORMAT (read by stage `read`)", ""),
        file("duplicate sample", "one name twice", good.replace("\tINFO\n", "\tINFO\tFORMAT\ta\ta\n")).ends("refused (exit 4): made.vcf: the #CHROM line (line 4) names the sample `a` twice (read by stage `read`)", ""),
        file("duplicate definition", "two ##INFO lines for DP", good.replace("##INFO=<ID=AF", "##INFO=<ID=DP")).ends("1:100 A>C qual=50 filter=PASS dp=5", "duplicate_definition 1"),
        file(
            "broken definition",
            "##INFO lines that cannot be read",
            good.replacen("##INFO=<ID=AF", "##INFO=ID=AF", 1),
        ).ends("1:100 A>C qual=50 filter=PASS dp=5", "bad_definition 1"),
        file("##fileformat on line 2", "a comment first", format!("##source=x\n{good}")).ends("1:100 A>C qual=50 filter=PASS dp=5", ""),
        file("joined files", "the same header again between records", format!("{good}{}", sites(&["2 5 . A C . . ."]))).ends("1:100 A>C qual=50 filter=PASS dp=5; 2:5 A>C", "comment_line 4"),
        file(
            "joined files of other samples",
            "another #CHROM line between records",
            format!("{good}{}", calls(&["2 5 . A C . . . GT 0/1"])),
        ).ends("refused (exit 4): stage `read`: made.vcf: line 9 is a second #CHROM line and names other columns than the first: two files were joined into one", ""),
    ]
}

fn lines() -> Vec<Case> {
    let good = sites(&[RECORD]);
    let long = format!("1 100 . A C 50 PASS DP=5;X={}", "x".repeat(1_300_000));
    let long_allele = format!("1 100 . A {} 50 PASS DP=5", "CG".repeat(650_000));
    vec![
        file("no final line end", "the last record may be cut", good.trim_end().to_owned()).ends("1:100 A>C qual=50 filter=PASS dp=5", "no_final_newline 1"),
        file("cut in a record", "the file ends within the eighth column's tab", good[..good.len() - 6].to_owned()).ends("nothing", "missing_columns 1 rejected; no_final_newline 1"),
        file("lone CR", "lines end in carriage returns alone", good.replace('\n', "\r")).ends("refused (exit 4): made.vcf: no #CHROM line in its 1 line(s): this is no VCF file, or its header is cut off (read by stage `read`)", ""),
        file("spaces in a record", "spaces for tabs", format!("{}{RECORD}\n", sites(&[]))).ends("nothing", "not_tab_separated 1 rejected"),
        file("too few columns", "seven columns", sites(&["1 100 . A C 50 PASS"])).ends("nothing", "missing_columns 1 rejected"),
        file("a final tab", "the record ends with a tab", good.replace("DP=5\n", "DP=5\t\n")).ends("1:100 A>C qual=50 filter=PASS dp=5", ""),
        file("NUL bytes", "a block of zeros, as a crash leaves it", [good.as_bytes(), &[0; 64]].concat()).ends("1:100 A>C qual=50 filter=PASS dp=5", "missing_columns 1 rejected; no_final_newline 1"),
        file("1.3 MB of INFO", "one long line", sites(&[&long])).ends("1:100 A>C qual=50 filter=PASS dp=5", ""),
        file("1.3 MB allele", "one long line", sites(&[&long_allele])).ends("1:100 A>CGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCGCG … (1300033 characters)", ""),
        file(
            "mixed line ends",
            "CRLF and LF",
            sites(&[RECORD, "1 200 . A C 50 PASS DP=6"]).replacen("DP=5\n", "DP=5\r\n", 1),
        ).ends("1:100 A>C qual=50 filter=PASS dp=5; 1:200 A>C qual=50 filter=PASS dp=6", ""),
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
        record("POS 3,000,000,000", "beyond 32 bits", "1 3000000000 . A C . . DP=5").ends("1:3000000000 A>C dp=5", ""),
        record("POS beyond 64 bits", "19 nines", "1 99999999999999999999 . A C . . DP=5")
            .ends("nothing", "bad_position 1 rejected"),
        record("POS negative", "-1", "1 -1 . A C . . DP=5").ends("nothing", "bad_position 1 rejected"),
        record("POS .", "missing", "1 . . A C . . DP=5").ends("nothing", "bad_position 1 rejected"),
        record("CHROM .", "missing", ". 100 . A C . . DP=5").ends("nothing", "bad_contig 1 rejected"),
        record("QUAL inf", "infinite", "1 100 . A C inf . DP=5").ends("1:100 A>C dp=5", "qual_not_finite 1"),
        record("QUAL -1", "negative: kept as written", "1 100 . A C -1 . DP=5").ends("1:100 A>C qual=-1 dp=5", ""),
        record("QUAL text", "`high`", "1 100 . A C high . DP=5").ends("nothing", "bad_qual 1 rejected"),
        record("QUAL empty", "nothing between two tabs", "1 100 . A C  . DP=5").ends("1:100 A>C dp=5", "empty_field 1"),
        record("FILTER `PASS;PASS`", "a set", "1 100 . A C . PASS;PASS DP=5").ends("1:100 A>C filter=PASS dp=5", ""),
        record("FILTER empty", "nothing between two tabs", "1 100 . A C .  DP=5")
            .ends("1:100 A>C dp=5", "empty_field 1"),
        record("DB=1", "a flag with a value", "1 100 . A C . . DB=1")
            .ends("1:100 A>C db=1", "flag_with_value 1; undeclared_info 1"),
        record("DP=5.0", "a whole number as a decimal", "1 100 . A C . . DP=5.0")
            .ends("1:100 A>C dp=5", "decimal_integer 1"),
        record("DP=5.5", "no whole number", "1 100 . A C . . DP=5.5").ends("1:100 A>C", "bad_info_value 1"),
        record("DP=x", "no number", "1 100 . A C . . DP=x").ends("1:100 A>C", "bad_info_value 1"),
        record("DP=", "no value", "1 100 . A C . . DP=").ends("1:100 A>C", "bad_info_value 1"),
        record("DP=5,6", "two values for Number=1", "1 100 . A C . . DP=5,6").ends("1:100 A>C", "bad_info_value 1"),
        record("DP=2147483648", "beyond 32 bits: kept", "1 100 . A C . . DP=2147483648")
            .ends("1:100 A>C dp=2147483648", ""),
        record("DP=-2147483641", "the last reserved integer", "1 100 . A C . . DP=-2147483641")
            .ends("1:100 A>C", "bad_info_value 1"),
        record("DP=-2147483640", "the least integer that is not reserved", "1 100 . A C . . DP=-2147483640")
            .ends("1:100 A>C dp=-2147483640", ""),
        record("DP beyond 64 bits", "20 digits", "1 100 . A C . . DP=99999999999999999999")
            .ends("1:100 A>C", "bad_info_value 1"),
        record("DP=5;", "a final semicolon", "1 100 . A C . . DP=5;").ends("1:100 A>C dp=5", ""),
        record("AF nan", "NaN and infinity in a list", "1 100 . A C,G . . AF=nan,inf")
            .ends("1:100 A>C; 1:100 A>G", "bad_info_value 2"),
        record("AF with an empty item", "`AF=0.1,`", "1 100 . A C,G . . AF=0.1,")
            .ends("1:100 A>C af=0.1; 1:100 A>G", "bad_info_value 1"),
        record("AD with two values for three alleles", "Number=R", "1 100 . A C,G . . AD=3,4")
            .ends("1:100 A>C; 1:100 A>G", "number_mismatch 1; undeclared_info 1"),
        record("INFO in another case", "`dp=5` is another key", "1 100 . A C . . dp=5").ends("1:100 A>C", ""),
        file("percent in VCF 4.2", "not decoded before 4.3", text_of("4.2", &["1 100 . A C . . S=a%3Bb"]))
            .ends("1:100 A>C s=a%3Bb", "undeclared_info 1"),
        file("percent in VCF 4.3", "decoded after splitting, once", text_of("4.3", &["1 100 . A C . . S=a%3Bb%253B"]))
            .ends("1:100 A>C s=a;b%3B", "undeclared_info 1"),
        file("percent that encodes nothing", "kept", text_of("4.3", &["1 100 . A C . . S=100%_%zz"]))
            .ends("1:100 A>C s=100%_%zz", "undeclared_info 1"),
        file("Latin-1 in ID", "one byte", latin("rs?"))
            .ends("1:100 A>C id=rs�e91 qual=50 filter=PASS dp=5 s=?", "invalid_utf8 1; undeclared_info 1"),
        file("Latin-1 in INFO", "one byte", latin("S=?"))
            .ends("1:100 A>C id=rs?1 qual=50 filter=PASS dp=5 s=�e9", "invalid_utf8 1; undeclared_info 1"),
    ]
}

fn alleles() -> Vec<Case> {
    vec![
        record("lower-case bases", "REF and ALT", "1 100 . a c . . DP=5").ends("1:100 A>C dp=5", ""),
        record("IUPAC in ALT", "R", "1 100 . A R . . DP=5").ends("1:100 A>R dp=5", "iupac_base 1"),
        record("symbolic allele in mixed case", "kept as written", "1 100 . A <Del:me> . . DP=5")
            .ends("1:100 A><Del:me> dp=5", ""),
        record("breakend in lower case", "the contig keeps its case", "1 100 . A ]chr2:321]A . . DP=5")
            .ends("1:100 A>]chr2:321]A dp=5", ""),
        record("breakend to an assembly", "`C<ctg1>`, section 5.4.3", "1 100 . C C<ctg1>,]<ctg1>:7]C . . DP=5")
            .ends("1:100 C>C<ctg1> dp=5; 1:100 C>]<ctg1>:7]C dp=5", ""),
        record("ALT with an empty item", "`C,`", "1 100 . A C, . . DP=5").ends("nothing", "bad_alt 1 rejected"),
        record("ALT with a foreign letter", "`AXA`", "1 100 . A AXA . . DP=5").ends("nothing", "bad_alt 1 rejected"),
        record("REF with a foreign letter", "`-`", "1 100 . - C . . DP=5").ends("nothing", "bad_ref 1 rejected"),
        record("ALT twice", "`C,C`", "1 100 . A C,C . . AF=0.1,0.2").ends("1:100 A>C af=0.2", ""),
        record("shared bases", "trimmed, never to nothing", "1 100 . CTT CT . . DP=5").ends("1:100 CT>C dp=5", ""),
        file("the same record twice", "counted once", sites(&[RECORD, RECORD]))
            .ends("1:100 A>C qual=50 filter=PASS dp=5", "1 duplicates"),
        file(
            "two spellings of one variant",
            "one row after trimming, the last one wins",
            sites(&["1 100 . A C 50 PASS DP=5", "1 99 . GA GC 60 PASS DP=6"]),
        )
        .ends("1:100 A>C qual=60 filter=PASS dp=6", "1 duplicates"),
        file("mixed contig names", "`chr1` and `1`", sites(&[RECORD, "chr1 100 . A C 50 PASS DP=5"]))
            .ends("1:100 A>C qual=50 filter=PASS dp=5; chr1:100 A>C qual=50 filter=PASS dp=5", ""),
    ]
}

fn genotypes() -> Vec<Case> {
    vec![
        genotype("GT 0/3 with one ALT", "an allele that is not there", "1 100 . A C . . . GT 0/3").ends("1:100 A>C sample=one", "bad_genotype 1"),
        genotype("GT with a huge number", "`0/99999999999999999999`", "1 100 . A C . . . GT 0/99999999999999999999").ends("1:100 A>C sample=one", "bad_genotype 1"),
        genotype("half-call", "`./1`", "1 100 . A C . . . GT ./1").ends("1:100 A>C sample=one gt=./1", "half_call 1"),
        genotype("haploid call", "`1`", "1 100 . A C . . . GT 1").ends("1:100 A>C sample=one gt=1", ""),
        genotype("GT of letters", "`A/C`", "1 100 . A C . . . GT A/C").ends("1:100 A>C sample=one", "bad_genotype 1"),
        genotype("GQ=20.5", "declared Integer by the specification", "1 100 . A C . . . GT:GQ 0/1:20.5").ends("1:100 A>C sample=one gt=0/1", "bad_format_value 1"),
        genotype("more FORMAT values than keys", "`0/1:1:2` for GT:GQ", "1 100 . A C . . . GT:GQ 0/1:1:2").ends("1:100 A>C sample=one gt=0/1 gq=1", "extra_format_value 1"),
        genotype("AD with too few values", "two for three alleles", "1 100 . A C,G . . . GT:AD 1/2:3,4").ends("1:100 A>C sample=one gt=1/0; 1:100 A>G sample=one gt=0/1", "number_mismatch 1"),
        Case { samples: true, ..record("no samples at all", "with `samples = \"long\"`", RECORD).ends(r#"refused (exit 4): made.vcf has no samples, and `samples = "long"` makes a row per sample (read by stage `read`)"#, "") },
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
        made("BGZF", "two blocks", "made.vcf.gz", blocks.clone()).ends("1:100 A>C qual=50 filter=PASS dp=5; 1:200 A>C qual=50 filter=PASS dp=6", ""),
        made("BGZF named .vcf", "wrong extension", "made.vcf", blocks.clone()).ends("1:100 A>C qual=50 filter=PASS dp=5; 1:200 A>C qual=50 filter=PASS dp=6", ""),
        made("text named .vcf.gz", "wrong extension", "made.vcf.gz", text.clone().into_bytes()).ends("1:100 A>C qual=50 filter=PASS dp=5; 1:200 A>C qual=50 filter=PASS dp=6", ""),
        made("BGZF without end block", "its last 28 bytes are missing", "made.vcf.gz", unfinished.clone()).ends("refused (exit 4): made.vcf.gz is cut off: its 236 bytes do not end with the BGZF end-of-file block, so records may be missing (read by stage `read`)", ""),
        Case {
            allow_missing_eof: true,
            ..made("BGZF without end block, allowed", "`allow_missing_eof = true`", "made.vcf.gz", unfinished).ends("1:100 A>C qual=50 filter=PASS dp=5; 1:200 A>C qual=50 filter=PASS dp=6", "")
        },
        made("BGZF cut at a block boundary", "half of it", "made.vcf.gz", at_boundary).ends("refused (exit 4): made.vcf.gz is cut off: its 185 bytes do not end with the BGZF end-of-file block, so records may be missing (read by stage `read`)", ""),
        Case {
            allow_missing_eof: true,
            ..made(
                "BGZF cut within a block, allowed",
                "`allow_missing_eof = true`",
                "made.vcf.gz",
                blocks[..60].to_vec(),
            ).ends("refused (exit 4): made.vcf.gz: the BGZF data are cut off within the first 60 bytes (failed to fill whole buffer) (read by stage `read`)", "")
        },
        made("BGZF with a flipped byte", "in the first block", "made.vcf.gz", flipped).ends("refused (exit 4): made.vcf.gz: the BGZF data are damaged within the first 264 bytes (the data provided to a libdeflater *_decompress function call was invalid in some way (e.g. bad magic numbers, bad checksum)) (read by stage `read`)", ""),
        made("BGZF followed by text", "trailing bytes", "made.vcf.gz", [&blocks[..], b"more"].concat()).ends("refused (exit 4): made.vcf.gz is cut off: its 268 bytes do not end with the BGZF end-of-file block, so records may be missing (read by stage `read`)", ""),
        made("gzip", "one member", "made.vcf.gz", zipped.clone()).ends("1:100 A>C qual=50 filter=PASS dp=5; 1:200 A>C qual=50 filter=PASS dp=6", ""),
        made("gzip of two members", "`cat a.gz b.gz`", "made.vcf.gz", gzip(&[first, second])).ends("1:100 A>C qual=50 filter=PASS dp=5; 1:200 A>C qual=50 filter=PASS dp=6", ""),
        made("gzip cut off", "half of it", "made.vcf.gz", zipped[..zipped.len() / 2].to_vec()).ends("refused (exit 4): made.vcf.gz: the gzip data are cut off within the first 96 bytes (incomplete deflate stream) (read by stage `read`)", ""),
        made(
            "gzip with trailing garbage",
            "bytes after the last member",
            "made.vcf.gz",
            [&zipped[..], b"garbage!"].concat(),
        ).ends("refused (exit 4): made.vcf.gz: the gzip data are cut off within the first 200 bytes (unexpected end of file) (read by stage `read`)", ""),
        made(
            "gzip with trailing zeros",
            "padding, as tapes leave it",
            "made.vcf.gz",
            [&zipped[..], &[0; 512]].concat(),
        ).ends("refused (exit 4): made.vcf.gz: the gzip data are damaged within the first 704 bytes (invalid gzip header) (read by stage `read`)", ""),
        made("bzip2", "not a format of VCF", "made.vcf.bz2", b"BZh91AY&SY\x00\x00".to_vec()).ends("refused (exit 4): made.vcf.bz2 is a bzip2 file, not VCF (read by stage `read`)", ""),
        made("BCF cut off", "the magic number alone", "made.bcf", b"BCF\x02\x02".to_vec()).ends("refused (exit 4): made.bcf is not a whole BCF file: its header is cut off (read by stage `read`)", ""),
        made("BCF 1", "an older version", "made.bcf", b"BCF\x04\x00\x00\x00\x00\x00".to_vec()).ends(r#"refused (exit 4): made.bcf: line 1 is neither a header line nor does a #CHROM line come before it: `BCF\u{4}\u{0}\u{0}\u{0}\u{0}\u{0}` (read by stage `read`)"#, ""),
        made(
            "BCF with a header of 4 GiB",
            "a length that lies",
            "made.bcf",
            b"BCF\x02\x02\xff\xff\xff\xff##fileformat".to_vec(),
        ).ends("refused (exit 4): made.bcf is not a whole BCF file: it declares a header of 4294967295 bytes (read by stage `read`)", ""),
        case("text through a pipe", "standard input", Input::Piped(text.clone().into_bytes())).ends("1:100 A>C qual=50 filter=PASS dp=5; 1:200 A>C qual=50 filter=PASS dp=6", ""),
        case("BGZF through a pipe", "standard input", Input::Piped(blocks.clone())).ends("1:100 A>C qual=50 filter=PASS dp=5; 1:200 A>C qual=50 filter=PASS dp=6", ""),
        case(
            "cut BGZF through a pipe",
            "standard input",
            Input::Piped(first_block[..first_block.len() - END_BLOCK_BYTES].to_vec()),
        ).ends("refused (exit 4): standard input is cut off: its 185 bytes do not end with the BGZF end-of-file block, so records may be missing (read by stage `read`); nothing was written", ""),
        case("nothing through a pipe", "standard input", Input::Piped(Vec::new())).ends("refused (exit 4): standard input is empty (0 bytes): it has no VCF header (read by stage `read`); nothing was written", ""),
    ]
}
