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
}

impl Case {
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
        file("00_good", "traps/00_good.vcf", "a plain file"),
        file("01_crlf", "traps/01_crlf.vcf", "CRLF line ends"),
        file("03_no_header_at_all", "traps/03_no_header_at_all.vcf", "no header"),
        file("04_empty", "traps/04_empty.vcf", "0 bytes"),
        file("06_undeclared_info", "traps/06_undeclared_info.vcf", "an INFO key without definition"),
        file("07_undeclared_filter", "traps/07_undeclared_filter.vcf", "a FILTER without definition"),
        genotypes("09_undeclared_format", "traps/09_undeclared_format.vcf", "a FORMAT key without definition"),
        file("10_dup_info_key", "traps/10_dup_info_key.vcf", "`DP=5;DP=6`"),
        file("12_int_without_value", "traps/12_int_without_value.vcf", "`DP` without value"),
        file("13_qual_1e400", "traps/13_qual_1e400.vcf", "QUAL 1e400"),
        file("15_qual_nan", "traps/15_qual_nan.vcf", "QUAL nan"),
        file("16_qual_dot", "traps/16_qual_dot.vcf", "QUAL ."),
        file("18_qual_huge", "traps/18_qual_huge.vcf", "QUAL 1234567890123.5"),
        file("19_pos0", "traps/19_pos0.vcf", "POS 0, the telomere"),
        file("21_star", "traps/21_star.vcf", "ALT `C,*`"),
        file("22_del_sym", "traps/22_del_sym.vcf", "ALT `<DEL>`"),
        file("24_nonref", "traps/24_nonref.vcf", "a gVCF reference block"),
        file("25_alt_dot", "traps/25_alt_dot.vcf", "ALT ."),
        file("27_iupac_ref", "traps/27_iupac_ref.vcf", "REF R"),
        file("28_numA_wrong", "traps/28_numA_wrong.vcf", "one AF for two ALTs"),
        file("30_int_overflow", "traps/30_int_overflow.vcf", "`DP=2147483648`"),
        file("31_int_reserved", "traps/31_int_reserved.vcf", "`DP=-2147483648`, reserved by the specification"),
        file("33_percent", "traps/33_percent.vcf", "percent-encoding in VCF 4.2"),
        genotypes("34_gt_missing", "traps/34_gt_missing.vcf", "GT ./. and ."),
        genotypes("36_gt_phased", "traps/36_gt_phased.vcf", "phased genotypes"),
        genotypes("37_gt_triploid", "traps/37_gt_triploid.vcf", "triploid genotypes"),
        genotypes("39_gt_44prefix", "traps/39_gt_44prefix.vcf", "GT with leading phase (4.4)"),
        genotypes("40_trailing_fmt_dropped", "traps/40_trailing_fmt_dropped.vcf", "trailing FORMAT values left out"),
        file("42_extra_col", "traps/42_extra_col.vcf", "one sample column too many"),
        file("43_missing_col", "traps/43_missing_col.vcf", "one sample column too few"),
        file("45_blank_line_mid", "traps/45_blank_line_mid.vcf", "a blank line between records"),
        file("46_blank_line_end", "traps/46_blank_line_end.vcf", "a blank line at the end"),
        file("48_clinvar_ID_header", "traps/48_clinvar_ID_header.vcf", "`##ID=<Description=…>`"),
        file("49_no_fileformat", "traps/49_no_fileformat.vcf", "no ##fileformat"),
        file("51_v45", "traps/51_v45.vcf", "VCF 4.5"),
        file("52_v44_SVLEN_dot", "traps/52_v44_SVLEN_dot.vcf", "SVLEN with Number=. in 4.4"),
        file("54_v43_DP_float", "traps/54_v43_DP_float.vcf", "DP declared Float"),
        file("55_bom", "traps/55_bom.vcf", "a byte order mark"),
        file("57_info_double_semicolon", "traps/57_info_double_semicolon.vcf", "`DP=5;;AF=0.1`"),
        file("58_info_dot", "traps/58_info_dot.vcf", "INFO ."),
        file("60_unsorted", "traps/60_unsorted.vcf", "positions out of order"),
        file("61_noncontig_chrom", "traps/61_noncontig_chrom.vcf", "a contig in two stretches"),
        file("63_dup_id", "traps/63_dup_id.vcf", "one rsID on two records"),
        file("64_id_list", "traps/64_id_list.vcf", "`rs1;rs2`"),
        file("66_AF_partial_missing", "traps/66_AF_partial_missing.vcf", "`AF=0.1,.`"),
        file("67_filter_list", "traps/67_filter_list.vcf", "FILTER `a;b`"),
        file("69_contig_colon", "traps/69_contig_colon.vcf", "a contig named HLA-A*01:01"),
        file("70_sites_only", "traps/70_sites_only.vcf", "no samples"),
        file("72_header_gt_in_desc", "traps/72_header_gt_in_desc.vcf", "`>` inside a quoted Description"),
        file("73_comment_mid", "traps/73_comment_mid.vcf", "a comment between records"),
        file("75_ref_eq_alt", "traps/75_ref_eq_alt.vcf", "ALT equal to REF"),
        file("76_empty_alt", "traps/76_empty_alt.vcf", "ALT empty"),
        file("78_latin1_info", "traps/78_latin1_info.vcf", "a Latin-1 byte in INFO"),
    ];
    cases.extend(made::cases());
    cases
}
