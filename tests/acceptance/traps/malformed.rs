//! Damaged and odd files of other projects' test suites.

use super::{
    case,
    cases::{Case, Input},
};

pub fn cases() -> Vec<Case> {
    let file = |name: &'static str, path: &'static str, about: &'static str| case(name, about, Input::Shared(path));
    vec![
        file("cyvcf2_empty", "data/malformed/cyvcf2_empty.vcf", "0 bytes"),
        file(
            "gatk_NO_BGZF_TERMINATOR",
            "data/malformed/gatk_NO_BGZF_TERMINATOR.vcf.gz",
            "BGZF without end-of-file block",
        ),
        Case {
            allow_missing_eof: true,
            ..file(
                "the same with `allow_missing_eof`",
                "data/malformed/gatk_NO_BGZF_TERMINATOR.vcf.gz",
                "BGZF without end-of-file block",
            )
        },
        file("gatk_complexEvents_spaces", "data/malformed/gatk_complexEvents_spaces.vcf", "spaces in names and values"),
        file("gcp_invalid-4.0-POS-empty", "data/malformed/gcp_invalid-4.0-POS-empty.vcf", "a record without POS"),
        file("hail_bad_flag_number", "data/malformed/hail_bad_flag_number.vcf", "a Flag with Number=1"),
        file("hail_duplicate_ids", "data/malformed/hail_duplicate_ids.vcf", "sample names that stand twice"),
        file("hail_invalid_base", "data/malformed/hail_invalid_base.vcf", "REF with a letter that is no base"),
        file("hail_malformed", "data/malformed/hail_malformed.vcf", "one bad record of three"),
        file("hail_undeclaredinfo", "data/malformed/hail_undeclaredinfo.vcf", "INFO keys without definition"),
        file("happy_import_errors", "data/malformed/happy_import_errors.vcf.gz", "records that stop other importers"),
        file("nfcore_empty_headeronly", "data/malformed/nfcore_empty_headeronly.vcf.gz", "a header alone"),
        file("opencga_corrupted", "data/malformed/opencga_corrupted.vcf", "broken records"),
        file("opencga_duplicated", "data/malformed/opencga_duplicated.vcf", "the same variant several times"),
        file("oxbow_malformed", "data/malformed/oxbow_malformed.bcf", "BCF that went through a text conversion"),
        file(
            "picard_CEUTrio-snps-scrambled",
            "data/malformed/picard_CEUTrio-snps-scrambled.1.vcf",
            "unsorted, odd genotypes",
        ),
        file("polarsbio_wrong_extension", "data/malformed/polarsbio_wrong_extension.vcf.bgz", "text named .bgz"),
        file("pyvcf_example-4.1-bnd", "data/malformed/pyvcf_example-4.1-bnd.vcf", "breakends"),
        file("seqr_1kg_corrupt", "data/malformed/seqr_1kg_corrupt.vcf.gz", "BGZF cut off within a block"),
        file("seqr_improperly_formatted", "data/malformed/seqr_improperly_formatted.vcf", "lines of another format"),
        file("snpeff_out_of_order", "data/malformed/snpeff_out_of_order.vcf", "unsorted"),
        file("snpeff_test.chr22_nometa", "data/malformed/snpeff_test.chr22_nometa.vcf", "records without header"),
        file("vep_no_chrom_line", "data/malformed/vep_no_chrom_line.vcf", "no #CHROM line"),
    ]
}
