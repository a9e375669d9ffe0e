//! Damaged and odd files of other projects' test suites.

use super::{
    case,
    cases::{Case, Input},
};

pub fn cases() -> Vec<Case> {
    let file = |name: &'static str, path: &'static str, about: &'static str| case(name, about, Input::Shared(path));
    vec![
        file("cyvcf2_empty", "data/malformed/cyvcf2_empty.vcf", "0 bytes").ends("refused (exit 4): cyvcf2_empty.vcf is empty (0 bytes): it has no VCF header (read by stage `read`)", ""),
        file(
            "gatk_NO_BGZF_TERMINATOR",
            "data/malformed/gatk_NO_BGZF_TERMINATOR.vcf.gz",
            "BGZF without end-of-file block",
        ).ends("refused (exit 4): gatk_NO_BGZF_TERMINATOR.vcf.gz is cut off: its 25135 bytes do not end with the BGZF end-of-file block, so records may be missing (read by stage `read`)", ""),
        Case {
            allow_missing_eof: true,
            ..file(
                "the same with `allow_missing_eof`",
                "data/malformed/gatk_NO_BGZF_TERMINATOR.vcf.gz",
                "BGZF without end-of-file block",
            ).ends("chr6:33414233 GT>G filter=PASS; chr6:33442919 A>C filter=alt_allele_in_normal; chr6:71886972 TC>T filter=PASS; chr6:118314029 TTTCAGGA>T filter=PASS", "")
        },
        file("gatk_complexEvents_spaces", "data/malformed/gatk_complexEvents_spaces.vcf", "spaces in names and values").ends("8 rows of 5 records", "trailing_header_tab 1"),
        file("gcp_invalid-4.0-POS-empty", "data/malformed/gcp_invalid-4.0-POS-empty.vcf", "a record without POS").ends("5 rows of 5 records", "bad_position 1 rejected; 1 filtered"),
        file("hail_bad_flag_number", "data/malformed/hail_bad_flag_number.vcf", "a Flag with Number=1").ends("1:1 A>C; 1:2 A>C; 1:3 A>C", ""),
        file("hail_duplicate_ids", "data/malformed/hail_duplicate_ids.vcf", "sample names that come twice").ends("refused (exit 4): hail_duplicate_ids.vcf: the #CHROM line (line 17) names the sample `10` twice (read by stage `read`)", ""),
        file("hail_invalid_base", "data/malformed/hail_invalid_base.vcf", "REF with a letter that is no base").ends("20:10019093 A>G id=rs575534 qual=1686840 filter=PASS dp=77560 af=0.582 db=1; 20:10026348 M>G qual=7535.22 filter=PASS dp=23697 af=0.005172", "iupac_base 1"),
        file("hail_malformed", "data/malformed/hail_malformed.vcf", "one bad record of three").ends("20:10019093 A>G id=rs575534 qual=1686840 filter=PASS dp=77560 af=0.582 db=1; 20:10030188 T>A id=rs652633 qual=454459 filter=PASS dp=44099 af=0.219 db=1", "sample_columns 1 rejected"),
        file("hail_undeclaredinfo", "data/malformed/hail_undeclaredinfo.vcf", "INFO keys without definition").ends("20:10019093 A>G id=rs575534 qual=1686840 filter=PASS dp=77560 af=0.582 db=1", ""),
        file("happy_import_errors", "data/malformed/happy_import_errors.vcf.gz", "records that stop other importers").ends("chrQ:1 AAAC>A filter=PASS; chrQ:2 AAC>A filter=PASS; chrQ:3 AC>A filter=PASS", "no_final_newline 1"),
        file("nfcore_empty_headeronly", "data/malformed/nfcore_empty_headeronly.vcf.gz", "a header alone").ends("nothing: no records", ""),
        file("opencga_corrupted", "data/malformed/opencga_corrupted.vcf", "broken records").ends("1:1564801 C><DEL> id=esv2659399 qual=0 filter=PASS; 1:1849529 A>C id=rs28640257 qual=100 filter=PASS", "bad_position 1 rejected; sample_columns 1 rejected"),
        file("opencga_duplicated", "data/malformed/opencga_duplicated.vcf", "the same variant several times").ends("5 rows of 8 records", "undeclared_filter 1; 1 filtered; 2 duplicates"),
        file("oxbow_malformed", "data/malformed/oxbow_malformed.bcf", "BCF that went through a text conversion").ends(r#"refused (exit 4): oxbow_malformed.bcf: line 1 is neither a header line nor does a #CHROM line come before it: `\u{1f}�\u{8}\u{4}\u{0}\u{0}\u{0}\u{0}\u{0}�\u{6}\u{0}BC\u{2}\u{0}h\u{12}���n"G\u{10}�W{��,�` (read by stage `read`)"#, ""),
        file(
            "picard_CEUTrio-snps-scrambled",
            "data/malformed/picard_CEUTrio-snps-scrambled.1.vcf",
            "unsorted, odd genotypes",
        ).ends("275 rows of 275 records", "no_final_newline 1"),
        file("polarsbio_wrong_extension", "data/malformed/polarsbio_wrong_extension.vcf.bgz", "text named .bgz").ends("21:26960070 G>A id=rs116645811; 21:26965148 G>A id=rs1135638", ""),
        file("pyvcf_example-4.1-bnd", "data/malformed/pyvcf_example-4.1-bnd.vcf", "breakends").ends("refused (exit 4): pyvcf_example-4.1-bnd.vcf: the #CHROM line (line 24) has spaces where tabs belong (read by stage `read`)", ""),
        file("seqr_1kg_corrupt", "data/malformed/seqr_1kg_corrupt.vcf.gz", "BGZF cut off within a block").ends("refused (exit 4): seqr_1kg_corrupt.vcf.gz: the gzip data are damaged within the first 14872 bytes (corrupt deflate stream) (read by stage `read`)", ""),
        file("seqr_improperly_formatted", "data/malformed/seqr_improperly_formatted.vcf", "lines of another format").ends("1:871269 A>C qual=368.47 filter=PASS dp=351 af=0.031", ""),
        file("snpeff_out_of_order", "data/malformed/snpeff_out_of_order.vcf", "unsorted").ends("812 rows of 782 records", "no_fileformat 1"),
        file("snpeff_test.chr22_nometa", "data/malformed/snpeff_test.chr22_nometa.vcf", "records without header").ends("15526 rows of 15414 records", "no_fileformat 1"),
        file("vep_no_chrom_line", "data/malformed/vep_no_chrom_line.vcf", "no #CHROM line").ends(r#"refused (exit 4): vep_no_chrom_line.vcf: line 5 is neither a header line nor does a #CHROM line come before it: `1\t135\t.\tC\tT\t28\tPASS\tDP=5\tGT:GQ:DP\t1|1:28:5` (read by stage `read`)"#, ""),
    ]
}
