//! Whole files through `open` and `parse`.

use std::{io::Write as _, path::Path, sync::Arc};

use vardelta_engine::contract::source::Source;
use vardelta_testrandom::{Random, seed};

use super::DELIMITED;
use crate::sources::shared::testing::{self, Outcome, read_bytes};

const COLUMNS: &str = "[columns]\ngene = \"text\"\nscore = { from = \"the score\", type = \"float64\" }\n\
    count = \"int64\"\n";

fn source(options: &str) -> Arc<dyn Source> {
    testing::plan(&DELIMITED, options, Path::new("/")).expect("sound options")
}

fn read(options: &str, name: &str, text: &str) -> Outcome {
    read_bytes(source(options).as_ref(), name, text.as_bytes()).expect("readable")
}

fn refusal(options: &str, name: &str, bytes: &[u8]) -> String {
    read_bytes(source(options).as_ref(), name, bytes).err().expect("should be refused")
}

#[test]
fn columns_are_found_by_their_names() {
    let outcome = read(COLUMNS, "a.tsv", "count\tother\tgene\tthe score\n5\tx\tTP53\t0.25\n\t\tKRAS\t\n");
    assert_eq!(outcome.rows(), ["2: TP53 0.25 5", "3: KRAS NULL NULL"]);
    assert_eq!(outcome.digest.records, 2);
    assert!(outcome.warned().is_empty());
    // A column that is not read changes nothing, another order of columns does.
    let renamed = read(COLUMNS, "a.tsv", "count\tanother\tgene\tthe score\n");
    assert_eq!(outcome.header_digest, renamed.header_digest);
    let moved = read(COLUMNS, "a.tsv", "gene\tanother\tcount\tthe score\n");
    assert_ne!(outcome.header_digest, moved.header_digest);
}

#[test]
fn separators_come_from_the_name_or_the_option() {
    let expected = ["2: TP53 0.25 5"];
    for (options, name, separator) in [
        ("", "a.csv", ','),
        ("", "a.TSV", '\t'),
        ("", "a.psv", '|'),
        ("separator = \"semicolon\"\n", "a.csv", ';'),
        ("separator = \"pipe\"\n", "a", '|'),
        ("separator = \"^\"\n", "a.txt", '^'),
    ] {
        let text = "gene,the score,count\nTP53,0.25,5\n".replace(',', &separator.to_string());
        assert_eq!(read(&format!("{options}{COLUMNS}"), name, &text).rows(), expected, "{name} {options}");
    }
    assert!(refusal(COLUMNS, "a.data", b"gene\n").contains("its name does not say what separates its fields"));
}

#[test]
fn quoted_fields_hold_what_separates() {
    let text = "gene,the score,count\r\n\"A,\"\"b\"\"\nc\",1,2\r\nD\"e,3,\"4\"\r\n\"x\"y,1,2\r\nF,5,6";
    let outcome = read(COLUMNS, "a.csv", text);
    assert_eq!(outcome.rows(), ["2: A,\"b\"\nc 1 2", "4: D\"e 3 4", "6: F 5 6"]);
    assert_eq!(outcome.rejected(), ["5 bad_quoting"]);
    assert_eq!(outcome.warned(), [("no_final_newline", 1)]);
    let literal = read(&format!("quote = \"none\"\n{COLUMNS}"), "a.csv", "gene,the score,count\n\"5' end,1,2\n");
    assert_eq!(literal.rows(), ["2: \"5' end 1 2"]);
    let message = refusal(COLUMNS, "a.csv", b"gene,the score,count\nA,1,2\n\"B,1,2\nC,1,2\n");
    assert!(
        message.contains("a.csv: the record that begins in line 3 opens a quote that is never closed"),
        "{message}"
    );
}

#[test]
fn ragged_records_are_rejected_with_their_line() {
    let text = "gene\tthe score\tcount\nA\t1\nB\t1\t2\t3\nC\t1\t2\n\"D\nE\"\t1\n\nF\t1\t2\n";
    let outcome = read(COLUMNS, "a.tsv", text);
    assert_eq!(outcome.rows(), ["4: C 1 2", "8: F 1 2"]);
    assert_eq!(outcome.rejected(), ["2 ragged_record", "3 ragged_record", "5 ragged_record"]);
    assert_eq!(outcome.rejects[0].detail, "2 fields, and the header names 3 columns");
    assert!(outcome.rejects[2].detail.ends_with("a quoted field takes the record to line 6"));
    assert_eq!(outcome.warned(), [("blank_line", 1)]);
}

#[test]
fn values_are_typed_or_null_and_counted() {
    let options = "null_values = [\"\", \"NA\", \"-\"]\n[columns]\nt = \"text\"\ni = \"int64\"\nf = \"float64\"\n\
                   d = \"decimal(5,2)\"\nb = \"bool\"\nday = \"date\"\n";
    let text = "t,i,f,d,b,day\n\
                a, 5 ,1e3,12.5,Yes,2024-02-29\n\
                -,NA,,-,NA,\n\
                b,5.0,inf,0.125,maybe,2023-02-29\n\
                c,99999999999999999999,x,1000,1,\"May 17, 2024\"\n";
    let outcome = read(options, "a.csv", text);
    let expected = [
        "2: a 5 1000 12.50 true 2024-02-29",
        "3: NULL NULL NULL NULL NULL NULL",
        "4: b 5 NULL NULL NULL NULL",
        "5: c NULL NULL NULL true 2024-05-17",
    ];
    assert_eq!(outcome.rows(), expected);
    assert_eq!(outcome.warned(), [("bad_value", 7), ("decimal_integer", 1)]);
}

#[test]
fn required_columns_reject_records_without_a_value() {
    let options = "[columns]\ngene = { type = \"text\", required = true }\n\
                   n = { from = \"count\", type = \"int64\", required = true }\n";
    let source = source(options);
    assert!(source.schema().columns().iter().all(|column| !column.nullable));
    let text = b"gene,count\nA,1\n,2\nB,x\nC,3\n";
    let outcome = read_bytes(source.as_ref(), "a.csv", text).expect("readable");
    assert_eq!(outcome.rows(), ["2: A 1", "5: C 3"]);
    assert_eq!(outcome.rejected(), ["3 missing_required_value", "4 bad_required_value"]);
    assert_eq!(outcome.rejects[1].detail, "column `n` is int64, and the value is `x`");
}

#[test]
fn headers_are_found_among_comments() {
    let options = format!("comment = \"#\"\n{COLUMNS}");
    let plain = "# made by hand\n\n#\"\ngene\tthe score\tcount\n#no row\nA\t1\t2\n";
    assert_eq!(read(&options, "a.tsv", plain).rows(), ["6: A 1 2"]);
    // As ClinVar's and NCBI's tables have it.
    let marked = "#Overview\n#gene\tthe score\tcount\nA\t1\t2\n";
    assert_eq!(read(&options, "a.tsv", marked).rows(), ["3: A 1 2"]);
    assert_eq!(read(COLUMNS, "a.tsv", "#gene\tthe score\tcount\nA\t1\t2\n").rows(), ["2: A 1 2"]);
    let header_alone = read(&options, "a.tsv", "#gene\tthe score\tcount\n");
    assert_eq!((header_alone.row_count(), header_alone.digest.records), (0, 0));
    let wanted = "comment = \"#\"\n[columns]\ngene = { from = \"#gene\", type = \"text\" }\n";
    assert_eq!(read(wanted, "a.tsv", "#gene\tx\nA\t1\n").rows(), ["2: A"]);
}

#[test]
fn a_header_that_lacks_a_column_is_refused_with_what_was_meant() {
    for (text, parts) in [
        (
            "gene\tThe Score\tcount\n",
            &["line 1 names no column `the score`", "`The Score` for `the score`", "from ="][..],
        ),
        ("a\tb\n", &["names no columns `gene`, `the score`, `count`", "Its columns are: a, b."]),
        ("gene\tcount\tthe score\tgene\n", &["names the column `gene` twice: as column 1 and 4"]),
        ("gene,the score,count\n", &["its header holds commas", "separator = \"comma\""]),
        ("1 2\n", &["it has one column, `1 2`"]),
        ("", &["a.tsv is empty (0 bytes): it has no header line"]),
        ("\n\n", &["a.tsv has no header line"]),
    ] {
        let message = refusal(COLUMNS, "a.tsv", text.as_bytes());
        for part in parts {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
}

#[test]
fn encodings_are_read_or_refused_in_words() {
    let with_mark = read(COLUMNS, "a.tsv", "\u{feff}gene\tthe score\tcount\nA\t1\t2\n");
    assert_eq!(with_mark.rows(), ["2: A 1 2"]);
    assert_eq!(with_mark.warned(), [("byte_order_mark", 1)]);
    let latin1 = b"gene\tthe score\tcount\ncaf\xe9\t1\t2\nA\t1\t2\n";
    let outcome = read_bytes(source(COLUMNS).as_ref(), "a.tsv", latin1).expect("readable");
    assert_eq!(outcome.rows(), ["2: caf\u{fffd}e9 1 2", "3: A 1 2"]);
    assert_eq!(outcome.warned(), [("invalid_utf8", 1)]);
    for (mark, big) in [(true, true), (true, false), (false, true), (false, false)] {
        let text = if mark { "\u{feff}gene\tcount\n" } else { "gene\tcount\n" };
        let units = text.encode_utf16();
        let bytes: Vec<u8> = units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect();
        assert!(refusal(COLUMNS, "a.tsv", &bytes).contains("UTF-16"), "mark {mark}, big {big}");
    }
    assert!(refusal(COLUMNS, "a.tsv", b"PK\x03\x04xlsx").contains("is a ZIP file, not CSV or TSV"));
}

#[test]
fn containers_do_not_matter() {
    let mut text = String::from("gene\tthe score\tcount\n");
    // Records of two lines, over several chunks.
    for at in 0..60_000 {
        text.push_str(&format!("\"gene\n{at}\"\t0.5\t{at}\n"));
    }
    let plain = read(COLUMNS, "a.tsv", &text);
    assert_eq!(plain.row_count(), 60_000);
    assert_eq!(plain.rows()[59_999], "120000: gene\n59999 0.5 59999");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).expect("memory");
    let gzip = gzip.finish().expect("memory");
    let mut bgzf = noodles_bgzf::io::Writer::new(Vec::new());
    bgzf.write_all(text.as_bytes()).expect("memory");
    let bgzf = bgzf.finish().expect("memory");
    for packed in [&gzip, &bgzf] {
        let outcome = read_bytes(source(COLUMNS).as_ref(), "a.tsv.gz", packed).expect("readable");
        assert_eq!((outcome.digest, outcome.header_digest), (plain.digest, plain.header_digest));
        assert_eq!(outcome.rows(), plain.rows());
        assert!(refusal(COLUMNS, "a.tsv.gz", &packed[..packed.len() / 2]).contains("cut off"));
    }
    assert!(refusal(COLUMNS, "a.tsv.gz", &bgzf[..bgzf.len() - 28]).contains("end-of-file block"));
}

#[test]
fn what_is_wrong_with_options_is_told() {
    for (options, expected) in [
        ("", "needs `columns`"),
        ("[columns]\n", "no column is read"),
        ("[columns]\na = \"txt\"\n", "`txt` is no type of a column"),
        ("[columns]\na = { from = \"b\" }\n", "needs `type`"),
        ("[columns]\na = { type = \"text\", form = \"b\" }\n", "no option `form`"),
        ("[columns]\na = \"text\"\nA = \"text\"\n", "differ in case alone"),
        ("[columns]\n\"a b\" = \"text\"\n", "cannot be the name of a column"),
        ("separator = \"tabs\"\n[columns]\na = \"text\"\n", "`tabs` is no separator"),
        ("separator = \"\\\"\"\n[columns]\na = \"text\"\n", "is no separator"),
        ("comment = \"\\r\"\n[columns]\na = \"text\"\n", "no comment line begins with a line end"),
        ("quote = \"single\"\n[columns]\na = \"text\"\n", "`single` is not a choice"),
    ] {
        let problems = testing::plan(&DELIMITED, options, Path::new("/")).err().unwrap_or_default();
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{options}: {problems:?}");
    }
}

/// Random bytes of what tables are made of: never a panic, and every record is accounted for ([`testing::read`] checks it),
/// however the text is cut into chunks and whatever the dialect.
#[test]
fn random_bytes_are_read_or_refused() {
    let mut random = Random::new(seed(0x5eed));
    let pieces: [&[u8]; 16] = [
        b"\"",
        b"\"\"",
        b",",
        b"\n",
        b"\r\n",
        b"\r",
        b"#",
        b"gene",
        b"1",
        b"2.50",
        b"\xff",
        b"\0",
        b" ",
        b"NA",
        b"\xef\xbb\xbf",
        b"2024-02-30",
    ];
    let options = ["", "quote = \"none\"\n", "comment = \"#\"\n", "null_values = [\"NA\"]\ncomment = \"#g\"\n"];
    let columns = "[columns]\na = \"text\"\nb = \"int64\"\nc = \"decimal(3,1)\"\nd = \"date\"\n";
    let sources: Vec<_> = options.iter().map(|options| source(&format!("{options}{columns}"))).collect();
    let (mut read, mut rows) = (0, 0);
    for _ in 0..2000 {
        let mut bytes = if random.below(5) == 0 { Vec::new() } else { b"a,b,c,d\n".to_vec() };
        for _ in 0..random.below(60) {
            match random.below(4) {
                0 => bytes.extend_from_slice(b"x,1,2.5,20240229\n"),
                _ => bytes.extend_from_slice(pieces[random.below(pieces.len())]),
            }
        }
        let source = &sources[random.below(sources.len())];
        if let Ok(outcome) = read_bytes(source.as_ref(), "a.csv", &bytes) {
            read += 1;
            rows += outcome.row_count();
        }
    }
    assert!(read > 500 && rows > 500, "the random tables are too bad to try anything: {read} read, {rows} rows");
}

#[test]
fn a_header_among_the_records_is_skipped_or_ends_the_file() {
    let header = "gene\tthe score\tcount\n";
    let again = read(COLUMNS, "a.tsv", &format!("{header}A\t1\t2\n{header}B\t3\t4\n"));
    assert_eq!(again.rows(), ["2: A 1 2", "4: B 3 4"]);
    assert_eq!(again.warned(), [("header_again", 1)]);
    for other in ["the score\tgene\tcount\n", "gene\tthe score\tcount\tmore\n", "count\tgene\tthe score\n"] {
        let text = format!("{header}A\t1\t2\n{other}B\t3\t4\n");
        let error = read_bytes(source(COLUMNS).as_ref(), "a.tsv", text.as_bytes()).err().expect("refused");
        assert!(error.contains("line 3 is a header again"), "{error}");
    }
}

#[test]
fn warnings_name_their_column_and_zero_has_no_sign() {
    let outcome = read(COLUMNS, "a.tsv", "gene\tthe score\tcount\nA\tx\ty\nB\t-0.0\tz\n");
    assert_eq!(outcome.rows(), ["2: A NULL NULL", "3: B 0 NULL"]);
    assert_eq!(outcome.warned_of(), [("bad_value", "count".into(), 2), ("bad_value", "score".into(), 1)]);
}
