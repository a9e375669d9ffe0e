//! The traps: the small files of the shared folder, and what the tests make themselves.

use super::{case, made};

/// What is loaded.
pub enum Input {
    /// A file below the shared folder.
    Shared(&'static str),
    /// These bytes as a file of this name.
    Made(&'static str, Vec<u8>),
    /// These bytes through a pipe.
    Piped(Vec<u8>),
}

/// A trap.
pub struct Case {
    /// Its name: the shared file's, or what it is about.
    pub name: &'static str,
    /// What is in it.
    pub about: &'static str,
    pub input: Input,
    /// Whether genotypes are read and shown.
    pub samples: bool,
    /// The source's option.
    pub allow_missing_eof: bool,
    /// What must be in the table, and the warnings and rejects: written by hand, from the format's rules.
    pub expected: Option<(&'static str, &'static str)>,
}

impl Case {
    /// What becomes of it: what is in the table, or the refusal; and the warnings and rejects.
    pub fn ends(self, rows: &'static str, counts: &'static str) -> Case {
        Case { expected: Some((rows, counts)), ..self }
    }

    /// Where the shared file lies.
    pub fn shared_path(&self) -> Option<&'static str> {
        match self.input {
            Input::Shared(path) => Some(path),
            _ => None,
        }
    }
}

/// All of them.
pub fn cases() -> Vec<Case> {
    let file = |name, path, about| case(name, about, Input::Shared(path));
    let genotypes = |name, path, about| Case { samples: true, ..file(name, path, about) };
    let mut cases = vec![
        file("00_good", "traps/00_good.vcf", "a plain file").ends("chr1:100 A>C qual=50 filter=PASS dp=5", ""),
        file("01_crlf", "traps/01_crlf.vcf", "CRLF line ends").ends("chr1:100 A>C qual=50 filter=PASS dp=5", ""),
        file("03_no_header_at_all", "traps/03_no_header_at_all.vcf", "no header").ends(r#"refused (exit 4): 03_no_header_at_all.vcf: line 1 is neither a header line nor does a #CHROM line come before it: `chr1\t100\t.\tA\tC\t50\tPASS\tDP=5\tGT:AD:GQ\t0/1:3,4:20\t0/0:5,0:30` (read by stage `read`)"#, ""),
        file("04_empty", "traps/04_empty.vcf", "0 bytes").ends("refused (exit 4): 04_empty.vcf is empty (0 bytes): it has no VCF header (read by stage `read`)", ""),
        file("06_undeclared_info", "traps/06_undeclared_info.vcf", "an INFO key without definition").ends("chr1:100 A>C qual=50 filter=PASS dp=5", ""),
        file("07_undeclared_filter", "traps/07_undeclared_filter.vcf", "a FILTER without definition").ends("chr1:100 A>C qual=50 filter=q10 dp=5", "undeclared_filter 1"),
        genotypes("09_undeclared_format", "traps/09_undeclared_format.vcf", "a FORMAT key without definition").ends("chr1:100 A>C sample=S1 gt=0/1; chr1:100 A>C sample=S2 gt=0/0", ""),
        file("10_dup_info_key", "traps/10_dup_info_key.vcf", "`DP=5;DP=6`").ends("chr1:100 A>C qual=50 filter=PASS dp=5", "duplicate_info_key 1"),
        file("12_int_without_value", "traps/12_int_without_value.vcf", "`DP` without value").ends("chr1:100 A>C qual=50 filter=PASS", "bad_info_value 1"),
        file("13_qual_1e400", "traps/13_qual_1e400.vcf", "QUAL 1e400").ends("chr1:100 A>C filter=PASS dp=5", "qual_not_finite 1"),
        file("15_qual_nan", "traps/15_qual_nan.vcf", "QUAL nan").ends("chr1:100 A>C filter=PASS dp=5", "qual_not_finite 1"),
        file("16_qual_dot", "traps/16_qual_dot.vcf", "QUAL .").ends("chr1:100 A>C filter=PASS dp=5", ""),
        file("18_qual_huge", "traps/18_qual_huge.vcf", "QUAL 1234567890123.5").ends("chr1:100 A>C qual=1234567890123.5 filter=PASS dp=5", ""),
        file("19_pos0", "traps/19_pos0.vcf", "POS 0, the telomere").ends("chr1:0 A>C qual=50 filter=PASS dp=5", ""),
        file("21_star", "traps/21_star.vcf", "ALT `C,*`").ends("chr1:100 A>C qual=50 filter=PASS af=0.1", ""),
        file("22_del_sym", "traps/22_del_sym.vcf", "ALT `<DEL>`").ends("chr1:100 A><DEL> qual=50 filter=PASS end=200", ""),
        file("24_nonref", "traps/24_nonref.vcf", "a gVCF reference block").ends("nothing", "1 filtered"),
        file("25_alt_dot", "traps/25_alt_dot.vcf", "ALT .").ends("nothing", "1 filtered"),
        file("27_iupac_ref", "traps/27_iupac_ref.vcf", "REF R").ends("chr1:100 R>C qual=50 filter=PASS dp=5", "iupac_base 1"),
        file("28_numA_wrong", "traps/28_numA_wrong.vcf", "one AF for two ALTs").ends("chr1:100 A>C qual=50 filter=PASS; chr1:100 A>G qual=50 filter=PASS", "number_mismatch 1"),
        file("30_int_overflow", "traps/30_int_overflow.vcf", "`DP=2147483648`").ends("chr1:100 A>C qual=50 filter=PASS dp=2147483648", ""),
        file("31_int_reserved", "traps/31_int_reserved.vcf", "`DP=-2147483648`, reserved by the specification").ends("chr1:100 A>C qual=50 filter=PASS", "bad_info_value 1"),
        file("33_percent", "traps/33_percent.vcf", "percent-encoding in VCF 4.2").ends("chr1:100 A>C qual=50 filter=PASS s=a%3Bb%2Cc%3Dd%25", ""),
        genotypes("34_gt_missing", "traps/34_gt_missing.vcf", "GT ./. and .").ends("chr1:100 A>C sample=S1 gt=./.; chr1:100 A>C sample=S2", ""),
        genotypes("36_gt_phased", "traps/36_gt_phased.vcf", "phased genotypes").ends("chr1:100 A>C sample=S1 gt=0|1 gq=20 ad=4; chr1:100 A>C sample=S2 gt=1|0 gq=30 ad=0", ""),
        genotypes("37_gt_triploid", "traps/37_gt_triploid.vcf", "triploid genotypes").ends("chr1:100 A>C sample=S1 gt=0/1/1 gq=20 ad=4; chr1:100 A>C sample=S2 gt=0/0/0 gq=30 ad=0", ""),
        genotypes("39_gt_44prefix", "traps/39_gt_44prefix.vcf", "GT with leading phase (4.4)").ends("chr1:100 A>C sample=S1 gt=/0/1 gq=20 ad=4; chr1:100 A>C sample=S2 gt=|0|1 gq=9 ad=1", ""),
        genotypes("40_trailing_fmt_dropped", "traps/40_trailing_fmt_dropped.vcf", "trailing FORMAT values left out").ends("chr1:100 A>C sample=S1 gt=0/1; chr1:100 A>C sample=S2 gt=0/0 ad=0", ""),
        file("42_extra_col", "traps/42_extra_col.vcf", "one sample column too many").ends("nothing", "sample_columns 1 rejected"),
        file("43_missing_col", "traps/43_missing_col.vcf", "one sample column too few").ends("nothing", "sample_columns 1 rejected"),
        file("45_blank_line_mid", "traps/45_blank_line_mid.vcf", "a blank line between records").ends("chr1:100 A>C qual=50 filter=PASS dp=5; chr1:101 A>C qual=50 filter=PASS dp=5", "blank_line 1"),
        file("46_blank_line_end", "traps/46_blank_line_end.vcf", "a blank line at the end").ends("chr1:100 A>C qual=50 filter=PASS dp=5", "blank_line 1"),
        file("48_clinvar_ID_header", "traps/48_clinvar_ID_header.vcf", "`##ID=<Description=…>`").ends("chr1:100 A>C qual=50 filter=PASS dp=5", ""),
        file("49_no_fileformat", "traps/49_no_fileformat.vcf", "no ##fileformat").ends("chr1:100 A>C qual=50 filter=PASS dp=5", "no_fileformat 1"),
        file("51_v45", "traps/51_v45.vcf", "VCF 4.5").ends("chr1:100 A>C qual=50 filter=PASS dp=5", ""),
        file("52_v44_SVLEN_dot", "traps/52_v44_SVLEN_dot.vcf", "SVLEN with Number=. in 4.4").ends("chr1:100 A><DEL> qual=50 filter=PASS end=200 svlen=-100", ""),
        file("54_v43_DP_float", "traps/54_v43_DP_float.vcf", "DP declared Float").ends("chr1:100 A>C qual=50 filter=PASS dp=5", ""),
        file("55_bom", "traps/55_bom.vcf", "a byte order mark").ends("chr1:100 A>C qual=50 filter=PASS dp=5", "byte_order_mark 1"),
        file("57_info_double_semicolon", "traps/57_info_double_semicolon.vcf", "`DP=5;;AF=0.1`").ends("chr1:100 A>C qual=50 filter=PASS dp=5 af=0.1", ""),
        file("58_info_dot", "traps/58_info_dot.vcf", "INFO .").ends("chr1:100 A>C qual=50 filter=PASS", ""),
        file("60_unsorted", "traps/60_unsorted.vcf", "positions out of order").ends("chr1:100 A>C qual=50 filter=PASS dp=5; chr1:200 A>C qual=50 filter=PASS dp=5", ""),
        file("61_noncontig_chrom", "traps/61_noncontig_chrom.vcf", "a contig in two stretches").ends("chr1:100 A>C qual=50 filter=PASS dp=5; chr1:300 A>C qual=50 filter=PASS dp=5; chr2:100 A>C qual=50 filter=PASS dp=5", ""),
        file("63_dup_id", "traps/63_dup_id.vcf", "one rsID on two records").ends("chr1:100 A>C id=rs1 qual=50 filter=PASS dp=5; chr1:101 A>C id=rs1 qual=50 filter=PASS dp=5", ""),
        file("64_id_list", "traps/64_id_list.vcf", "`rs1;rs2`").ends("chr1:100 A>C id=rs1;rs2 qual=50 filter=PASS dp=5", ""),
        file("66_AF_partial_missing", "traps/66_AF_partial_missing.vcf", "`AF=0.1,.`").ends("chr1:100 A>C qual=50 filter=PASS af=0.1; chr1:100 A>G qual=50 filter=PASS", ""),
        file("67_filter_list", "traps/67_filter_list.vcf", "FILTER `a;b`").ends("chr1:100 A>C qual=50 filter=a;b dp=5", ""),
        file("69_contig_colon", "traps/69_contig_colon.vcf", "a contig named HLA-A*01:01").ends("HLA-A*01:01:100 A>C qual=50 filter=PASS dp=5", ""),
        file("70_sites_only", "traps/70_sites_only.vcf", "no samples").ends("chr1:100 A>C qual=50 filter=PASS dp=5", ""),
        file("72_header_gt_in_desc", "traps/72_header_gt_in_desc.vcf", "`>` inside a quoted Description").ends("chr1:100 A>C qual=50 filter=PASS dp=5", ""),
        file("73_comment_mid", "traps/73_comment_mid.vcf", "a comment between records").ends("chr1:100 A>C qual=50 filter=PASS dp=5; chr1:101 A>C qual=50 filter=PASS dp=5", "comment_line 1"),
        file("75_ref_eq_alt", "traps/75_ref_eq_alt.vcf", "ALT equal to REF").ends("nothing", "ref_equals_alt 1 rejected"),
        file("76_empty_alt", "traps/76_empty_alt.vcf", "ALT empty").ends("nothing", "bad_alt 1 rejected"),
        file("78_latin1_info", "traps/78_latin1_info.vcf", "a Latin-1 byte in INFO").ends("chr1:100 A>C qual=50 filter=PASS s=caf�e9", "invalid_utf8 1"),
    ];
    cases.extend(made::cases());
    cases
}
