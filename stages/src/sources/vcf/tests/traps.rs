//! The traps of the field, one small file each, with what becomes of them.

use crate::sources::vcf::tests::*;

/// File name without extension; what is rejected; what is warned of. Each has one to three records.
type Trap = (&'static str, &'static [&'static str], &'static [(&'static str, u64)]);

const RECORDS: &[Trap] = &[
    ("00_good", &[], &[]),
    ("01_crlf", &[], &[]),
    ("06_undeclared_info", &[], &[]),
    ("10_dup_info_key", &[], &[("duplicate_info_key", 1)]),
    ("12_int_without_value", &[], &[("bad_info_value", 1)]),
    ("13_qual_1e400", &[], &[("qual_not_finite", 1)]),
    ("15_qual_nan", &[], &[("qual_not_finite", 1)]),
    ("16_qual_dot", &[], &[]),
    ("18_qual_huge", &[], &[]),
    ("19_pos0", &[], &[]),
    ("21_star", &[], &[]),
    ("22_del_sym", &[], &[]),
    ("24_nonref", &[], &[]),
    ("25_alt_dot", &[], &[]),
    ("27_iupac_ref", &[], &[("iupac_base", 1)]),
    ("30_int_overflow", &[], &[]),
    ("39_gt_44prefix", &[], &[]),
    ("40_trailing_fmt_dropped", &[], &[]),
    ("42_extra_col", &["sample_columns"], &[]),
    ("43_missing_col", &["sample_columns"], &[]),
    ("45_blank_line_mid", &[], &[("blank_line", 1)]),
    ("46_blank_line_end", &[], &[("blank_line", 1)]),
    ("48_clinvar_ID_header", &[], &[]),
    ("49_no_fileformat", &[], &[("no_fileformat", 1)]),
    ("51_v45", &[], &[]),
    ("52_v44_SVLEN_dot", &[], &[]),
    ("54_v43_DP_float", &[], &[]),
    ("55_bom", &[], &[("byte_order_mark", 1)]),
    ("57_info_double_semicolon", &[], &[]),
    ("66_AF_partial_missing", &[], &[]),
    ("69_contig_colon", &[], &[]),
    ("70_sites_only", &[], &[]),
    ("73_comment_mid", &[], &[("comment_line", 1)]),
    ("75_ref_eq_alt", &[], &[]),
    ("76_empty_alt", &["bad_alt"], &[]),
];

#[test]
fn outcomes_are_as_stated() {
    let Some(folder) = shared("traps") else { return };
    let source = source(&["DP", "AF", "DB"], Samples::None);
    for (name, rejects, warnings) in RECORDS {
        let outcome = read(&source, &folder.join(format!("{name}.vcf"))).expect(name);
        assert_eq!((outcome.reasons().as_slice(), outcome.warned().as_slice()), (*rejects, *warnings), "{name}");
        assert!((1..=3).contains(&outcome.digest.records), "{name}");
    }
    for (name, expected) in
        [("04_empty", "is empty (0 bytes)"), ("03_no_header_at_all", "line 1 is neither a header line")]
    {
        let message = read(&source, &folder.join(format!("{name}.vcf"))).err().expect(name);
        assert!(message.contains(expected), "{name}: {message}");
    }
}

#[test]
fn no_trap_stops_the_parser() {
    let Some(folder) = shared("traps") else { return };
    let sources = [source(&["DP", "AF", "DB"], Samples::None), source(&["DP"], Samples::Long)];
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        for source in &sources {
            // Errors are stated by the test above; here it is enough that there is an answer.
            let _ = read(source, &path);
        }
        files += 1;
    }
    assert!(files >= RECORDS.len());
}

#[test]
fn latin_1_spoils_its_own_field_only() {
    let source = source(&["DP", "XX"], Samples::None);
    let mut bytes = sites("4.2", &["1 10 . A C . . DP=5;XX=caf?"]);
    let at = bytes.len() - 2;
    bytes[at] = 0xe9;
    let outcome = read_bytes(&source, &bytes).expect("readable");
    assert_eq!(outcome.rows(), ["3: 1 10 NULL A [C] NULL NULL 5 caf\u{fffd}e9"]);
    assert_eq!(outcome.warned(), [("invalid_utf8", 1)]);
}
