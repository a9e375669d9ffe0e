//! Records to rows, rejects and warnings.

use crate::sources::vcf::tests::*;

#[test]
fn fixed_columns_and_info() -> Result<(), String> {
    let source = source(&["DP", "AF", "ANN", "DB", "XX"], Samples::None);
    let outcome = read_bytes(
        &source,
        &sites(
            "4.3",
            &[
                "1 10 rs1;rs2 a C,<DEL:me> 29.5 PASS DP=5;AF=0.1,.;ANN=T|p.%3D,x;DB",
                "chrM 0 . ACGTN . . . .",
                "1 3000000000 . R * nan q10;s50;q10 DP=x;XX=a%2Cb",
                "2 7 . G ]2:5]a,A[<x>:1[ -1 . AF=.",
            ],
        ),
    )?;
    assert_eq!(
        outcome.rows(),
        [
            "3: 1 10 rs1;rs2 A [C,<DEL:me>] 29.5 PASS 5 [0.1,NULL] T|p.=,x true NULL",
            "4: chrM 0 NULL ACGTN [] NULL NULL NULL NULL NULL false NULL",
            "5: 1 3000000000 NULL R [*] NULL q10;s50 NULL NULL NULL false a,b",
            "6: 2 7 NULL G []2:5]a,A[<x>:1[] -1 NULL NULL NULL NULL false NULL",
        ]
    );
    assert_eq!(outcome.warned(), [("bad_info_value", 1), ("iupac_base", 1), ("qual_not_finite", 1)]);
    assert_eq!(outcome.digest.records, 4);
    Ok(())
}

#[test]
fn percent_encoding_came_with_4_3() -> Result<(), String> {
    let source = source(&["XX"], Samples::None);
    let record = ["1 10 . A C . . XX=a%3Bb"];
    assert_eq!(read_bytes(&source, &sites("4.2", &record))?.rows(), ["3: 1 10 NULL A [C] NULL NULL a%3Bb"]);
    assert_eq!(read_bytes(&source, &sites("4.4", &record))?.rows(), ["3: 1 10 NULL A [C] NULL NULL a;b"]);
    Ok(())
}

#[test]
fn a_field_of_parts_is_left_encoded() -> Result<(), String> {
    let text = "##fileformat=VCFv4.3\n##INFO=<ID=CSQ,Number=.,Type=String,Description=\"Format: Allele|HGVSp\">\n\
                ##INFO=<ID=XX,Number=.,Type=String,Description=\"text\">\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n\
                1\t1\t.\tA\tC\t.\t.\tCSQ=C|a%2Cb,C|c;XX=a%2Cb\n";
    let rows = read_bytes(&source(&["CSQ", "XX"], Samples::None), text.as_bytes())?.rows();
    assert_eq!(rows, ["5: 1 1 NULL A [C] NULL NULL C|a%2Cb,C|c a,b"]);
    Ok(())
}

#[test]
fn rejects_say_where_and_why() -> Result<(), String> {
    let mut bytes = sites(
        "4.2",
        &[
            "1 10 . A C . . .",
            "1 x . A C . . .",
            "1 12 . - C . . .",
            "1 13 . A C, . . .",
            "1 14 . A C high . .",
            "1 15 . A",
            "1 16 . A C . . . GT 0/1",
            ". 17 . A C . . .",
            "1 18 . A C . . .",
        ],
    );
    bytes.extend_from_slice(b"1 19 . A C . . .\n");
    let outcome = read_bytes(&source(&[], Samples::None), &bytes)?;
    assert_eq!(
        outcome.reasons(),
        [
            "bad_position",
            "bad_ref",
            "bad_alt",
            "bad_qual",
            "missing_columns",
            "sample_columns",
            "bad_contig",
            "not_tab_separated"
        ]
    );
    let place = outcome.rejects[2].place.clone().expect("a place");
    assert_eq!((place.line, place.contig.as_deref(), place.pos), (Some(6), Some("1"), Some(13)));
    assert_eq!(place.raw.as_deref(), Some("1\t13\t.\tA\tC,\t.\t.\t."));
    assert_eq!(outcome.rows().len(), 2);
    assert_eq!(outcome.digest.records, 10);
    Ok(())
}

#[test]
fn blank_and_comment_lines_are_skipped_aloud() -> Result<(), String> {
    let bytes = sites("4.2", &["1 10 . A C . . .", "", "#note", "1 11 . A C . . .", ""]);
    let outcome = read_bytes(&source(&[], Samples::None), &bytes)?;
    assert_eq!(outcome.warned(), [("blank_line", 2), ("comment_line", 1)]);
    assert_eq!(outcome.rows(), ["3: 1 10 NULL A [C] NULL NULL", "6: 1 11 NULL A [C] NULL NULL"]);
    assert_eq!(outcome.digest.records, 2);
    Ok(())
}

#[test]
fn joined_files_are_refused_unless_their_columns_agree() -> Result<(), String> {
    let source = source(&[], Samples::None);
    let once = sites("4.2", &["1 10 . A C . . ."]);
    let twice = [once.clone(), once.clone()].concat();
    assert_eq!(read_bytes(&source, &twice)?.digest.records, 2);
    let other = String::from_utf8_lossy(&once).replace("INFO", "INFO\tFORMAT\ta");
    let message = read_bytes(&source, &[once, other.into_bytes()].concat()).err().unwrap_or_default();
    assert!(message.contains(": line 5 is a second #CHROM line"), "{message}");
    Ok(())
}

#[test]
fn long_form_has_a_row_per_sample() -> Result<(), String> {
    let text = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\n\
                1\t10\t.\tA\tC\t.\t.\tDP=9\tGT:AD:DP:GQ:PL\t0/1:3,4:7:20:1,2,3\t./.\t0/2:.:.:20.5\n\
                1\t11\t.\tA\tC\t.\t.\tDP=8\tDP:GT\t5:1|1\t:\t.\n\
                1\t12\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/1\n\
                1\t13\t.\tA\tC\t.\t.\t.\t.\t.\t.\t.\n";
    let outcome = read_bytes(&source(&["DP"], Samples::Long), text.as_bytes())?;
    assert_eq!(
        outcome.rows(),
        [
            "3: 1 10 NULL A [C] NULL NULL 9 a het 2 false [1] 0/1 7 20 [3,4] [1,2,3]",
            "3: 1 10 NULL A [C] NULL NULL 9 b missing 2 false NULL ./. NULL NULL NULL NULL",
            "3: 1 10 NULL A [C] NULL NULL 9 c NULL NULL NULL NULL NULL NULL NULL NULL NULL",
            "4: 1 11 NULL A [C] NULL NULL 8 a hom_alt 2 true [2] 1|1 5 NULL NULL NULL",
            "4: 1 11 NULL A [C] NULL NULL 8 b missing NULL NULL NULL NULL NULL NULL NULL NULL",
            "4: 1 11 NULL A [C] NULL NULL 8 c missing NULL NULL NULL NULL NULL NULL NULL NULL",
            "6: 1 13 NULL A [C] NULL NULL NULL a NULL NULL NULL NULL NULL NULL NULL NULL NULL",
            "6: 1 13 NULL A [C] NULL NULL NULL b NULL NULL NULL NULL NULL NULL NULL NULL NULL",
            "6: 1 13 NULL A [C] NULL NULL NULL c NULL NULL NULL NULL NULL NULL NULL NULL NULL",
        ]
    );
    assert_eq!(outcome.reasons(), ["sample_columns"]);
    assert_eq!(outcome.warned(), [("bad_format_value", 1), ("bad_genotype", 1)]);
    let message = read_bytes(&source(&[], Samples::Long), &sites("4.2", &[])).err().unwrap_or_default();
    assert!(message.contains("has no samples"), "{message}");
    Ok(())
}

#[test]
fn digest_depends_neither_on_order_nor_on_line_ends() -> Result<(), String> {
    let source = source(&[], Samples::None);
    let text = |bytes: &[u8], is_ordered: bool| {
        read_bytes(&source, bytes).map(|outcome| outcome.digest.text(outcome.header_digest, is_ordered))
    };
    let digest = |bytes: &[u8]| text(bytes, false);
    let (one, two) = ("1 10 . A C . . .", "1 11 . A C . . .");
    let base = digest(&sites("4.2", &[one, two]))?;
    assert_eq!(base, digest(&sites("4.1", &[two, one]))?);
    let crlf = String::from_utf8_lossy(&sites("4.2", &[one, two])).replace('\n', "\r\n");
    assert_eq!(base, digest(crlf.as_bytes())?);
    assert_eq!(base, digest(crlf.trim_end().as_bytes())?);
    assert_ne!(base, digest(&sites("4.2", &[one, one]))?);
    // Where it is asked for, order counts, and nothing else does.
    let ordered = text(&sites("4.2", &[one, two]), true)?;
    assert_ne!(ordered, text(&sites("4.2", &[two, one]), true)?);
    assert_eq!(ordered, text(&sites("4.2", &[one, "# a remark", "", two]), true)?);
    Ok(())
}

#[test]
fn chunks_hold_whole_lines_of_any_length() -> Result<(), String> {
    let source = source(&["XX"], Samples::None);
    let long = format!("1 10 . A C . . XX={}", "x".repeat(3_000_000));
    let mut records = vec!["1 9 . A C . . XX=y"; 90_000];
    records.insert(40_000, &long);
    let outcome = read_bytes(&source, &sites("4.2", &records))?;
    assert_eq!((outcome.digest.records, outcome.reasons().len()), (90_001, 0));
    assert!(outcome.batches.len() >= 3, "{} chunks", outcome.batches.len());
    let rows: u64 = outcome.batches.iter().map(|batch| batch.rows() as u64).sum();
    assert_eq!(rows, 90_001);
    let last = outcome.batches.last().and_then(|batch| batch.origins.as_ref()?.last().copied());
    assert_eq!(last, Some(90_003));
    Ok(())
}

#[test]
fn undeclared_names_are_counted_once_and_read() -> Result<(), String> {
    let header = "##fileformat=VCFv4.2\n##contig=<ID=1>\n##FILTER=<ID=q10,Description=\"d\">\n\
                  ##INFO=<ID=AC,Number=A,Type=Integer,Description=\"d\">\n\
                  ##FORMAT=<ID=GT,Number=1,Type=String,Description=\"d\">\n\
                  #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n";
    let records = "1\t1\t.\tA\tC\t.\tPASS\tDP=1\tGT:DP:XX\t0/1:3:4\n\
                   2\t1\t.\tA\tC\t.\tq10;s50\tDP=2;YY=1\tGT:DP\t0/1:3\n\
                   1\t2\t.\tA\tC\t.\ts50\tDP=3\tGT:DP:XX\t0/1:3:4\n\
                   2\t2\t.\tA\tC\t.\tq20\t.\tGT\t0/1\n";
    let outcome = read_bytes(&source(&["DP", "AC"], Samples::Long), [header, records].concat().as_bytes())?;
    assert_eq!(
        outcome.warned(),
        [("undeclared_contig", 1), ("undeclared_filter", 2), ("undeclared_format", 1), ("undeclared_info", 1)]
    );
    assert_eq!(outcome.rows().len(), 4);
    // A header without lines of a kind has nothing to compare with.
    let bare = ["##fileformat=VCFv4.2", header.lines().last().unwrap_or_default(), records].join("\n");
    assert_eq!(read_bytes(&source(&["DP"], Samples::Long), bare.as_bytes())?.warned(), []);
    Ok(())
}
