//! What must come of each case.

/// A case and what must come of it.
pub struct Case {
    /// Its folder.
    pub name: &'static str,
    /// What is said, or stands in the rows that the case's query yields.
    pub says: &'static [&'static str],
    /// What must not.
    pub never: &'static [&'static str],
}

const fn case(name: &'static str, says: &'static [&'static str]) -> Case {
    Case { name, says, never: &[] }
}

const fn never(case: Case, never: &'static [&'static str]) -> Case {
    Case { never, ..case }
}

/// A text that stands in the output when something of vardelta's own went wrong.
const DEFECT: &[&str] = &["internal error", "panicked"];

/// The cases, by number.
pub const CASES: &[Case] = &[
    case("01-ann-bnd-uppercase", &["|LOC1&MLLTX|gene_fusion&frameshift_variant|HIGH|", "|GENEB&GENEA|", "rc=0"]),
    case("02-ann-bnd-renamed-mate", &["|A[chr11:49715543[|AAA&BBB|gene_fusion|HIGH|"]),
    case("04-two-drops-two-csq-formats", &["|GENE1|missense_variant|MODERATE|", "|GENE2|stop_gained|HIGH|"]),
    case("05-csq-twice", &["|NEWGENE|stop_gained|HIGH|", "duplicate_info_key"]),
    case("06-csq-gene-with-spaces", &["|CA10 (1 of many)|intron_variant|", "2 inserted"]),
    never(case("07-equals-in-info", &["NC_000001.11:g.930248=,NC_000001.11:g.930248G>A|7"]), &["rejects\n"]),
    case("08-semicolon-in-rnames", &["|DEL|-500|0.5|1500|1000|N|<DEL>|1|1500|500|"]),
    case("10-end-before-pos", &["5 read", "bad_end", "|INS5|", "|INS.8M0|"]),
    never(case("12-as-filterstatus", &["16189|A|SITE|weak_evidence,base_qual,strand_bias,possible_numt"]), DEFECT),
    case("13-numberA-too-many", &["13404|G|A|1|10|NULL|0.1|", "13404|G|T|2|10|NULL|0.2|", "number_mismatch"]),
    never(case("17-latin1-header", &["chr1|100|5"]), &["rejects\n"]),
    never(case("18-double-double-quotes", &["HARD|1.5|7"]), &["undeclared_filter"]),
    never(case("19-excel-saved", &["rc=4", "error:"]), DEFECT),
    never(case("20-utf16", &["rc=4", "error:"]), DEFECT),
    never(case("21-not-vcf", &["contacts.vcf", "xz", "ZIP"]), &["committed", "panicked"]),
    case(
        "22-nonref-genotype",
        &["|A|AT|S1|0/0|hom_alt|0|", "16955900|A|C|S1|0/1|het|1|", "16956000|A|C|S1|0/1|het|1|"],
    ),
    case("23-same-name-two-dirs", &["would both be drop `snps`", "drop_name = \"{parent}_{stem}\"", "rc=4"]),
    case("24-vcf-beside-vcfgz", &["would both be drop `a`", "the same records in other bytes"]),
    never(case("25-strange-file-names", &["16 inserted"]), DEFECT),
    case("27-symlinks", &["dangling.vcf cannot be read"]),
    never(
        case("29-upload-in-progress", &["left alone", "big.vcf.part", "still being copied", "1 drop at epoch 1"]),
        &["big.vcf.part  ", "error:"],
    ),
    never(case("30-zero-byte-among-good", &["b.vcf is empty", "rc=4"]), &["committed"]),
    case("31-directory-in-glob", &["1 inserted", "drops cannot be read: it is a directory"]),
    case("33-gzip-plain-with-index-and-regions", &["chr1|5000", "1 inserted"]),
    case("34-cat-bgzf", &["2 read = 2 loaded", "chr1|100", "chr1|200"]),
    case("35-renamed-file-prune", &["drop `b` has the same bytes as drop `a`", "a  withdrawn", "chr1|2|1"]),
    never(
        case(
            "37-redelivery-lacks-chromosome",
            &["max_shrink_share", "drop `cohort` had ", "--accept-smaller", "nothing was written"],
        ),
        DEFECT,
    ),
    case("38-same-sample-two-files", &["chr1|100|2|2|6|", "chr1|200|1|1|4|0.25|1", "chr1|200|2|3|4|0.75|2"]),
    case("40-hla-contigs", &["HLA-DRB1*04:03:01|50|G[HLA-DRB1*15:01:01:01:77[", "2 inserted", "4 inserted"]),
    never(case("41-qual-inf", &["100|NULL", "102|1000.0", "qual_not_finite"]), &["rejects\n"]),
    case("42-crlf-samples", &["100|5331|302F31|1", "300|5332|312F31|2"]),
    case("43-varscan-freq", &["100|0.2738|3.9712e-15|NULL", "200|1.0|", "|1.5", "300|NULL|1.0|NULL"]),
    case("45-numbers-in-odd-notation", &["19 inserted", "bad_info_value"]),
    case("46-glued-lines", &["303 read = 301 loaded + 0 filtered + 2 rejected", "missing_columns"]),
    never(case("49-vcf45-numbers", &["100|G|/0|1|het|1|2|5,6|a,b|NULL", "4 inserted"]), &["bad_definition"]),
    never(case("50-filter-spellings", &["100|PASS", "102|NULL", "undeclared_filter"]), &["rejects\n"]),
    case("52-many-genes-of-a-deletion", &["GENE5|2|1"]),
    case("56-reserved-and-odd-names", &["a column `changed_epoch`", "differ in case alone"]),
    case("59-header-chr-records-without", &["bad_contig", "undeclared_contig"]),
    case("60-wrong-assembly", &["249250621", "248956422", "position_beyond_contig", "chr1|100"]),
    case("64-beyond-512mb", &["chr1A|540000000"]),
    case("65-sample-names", &["11 inserted", "makes one sample `0012` of `2` and `0012`"]),
    never(case("67-non-utf8-neighbour", &["1 inserted", "100", "rc=0"]), DEFECT),
    case("69-hgvs-percent-in-42", &["chr1|P1.1:p.Pro288=", "chr2|P1.1:p.Pro288="]),
    case("70-format-column-without-samples", &["2 read = 2 loaded"]),
    case("71-large-header", &["chr1|100|A|C|G1|1"]),
    // The corrected `a` keeps its place in ledger order, so the row of `b` stands.
    case("75-replaced-drop-order", &["a  replaced", "-- rows\n20.0"]),
    case("80-fasta-bgzipped", &["pos=49", "ref=GAC", "samtools faidx"]),
    case("81-stdin-twice", &["x  unchanged", "the same bytes as drop `x`"]),
    case("84-duplicate-contig-lines", &["249250621", "248956422", "rc=4"]),
    never(case("86-too-many-rejects", &["max_reject_share = 0.01", "line 62: bad_position"]), &["committed"]),
    never(
        case(
            "88-globs-people-write",
            &[
                "g0: epoch 1 committed",
                "g1: epoch 1 committed",
                "Write `${HOME}/drops/*.vcf`.",
                "it is a directory",
                "a `[` is not closed",
                "Write the path alone: `/tmp/x/*.vcf`.",
                "objects in S3 are not read",
                "files are not fetched from the network",
                "`path` is one glob, not a list",
                "holds 3 of other names",
            ],
        ),
        DEFECT,
    ),
    case("89-state-or-file-lost", &["rc 6", "vardelta rebuild", "rc 7"]),
    case("90-pandas-written", &["400|NULL|50.0|PASS|NULL", "bad_position"]),
    case("92-two-sources-same-file", &["several sources have a drop `a`", "--into STAGE", "chr1|1|1"]),
    case("93-ann-from-vep-csq-from-snpeff", &["|GVEP|ENSG1|stop_gained|HIGH|", "|GSNP|GSNP|missense_variant|"]),
    // Both drops lie where they lay, seen from the pipeline file.
    never(case("94-project-folder-moved", &["nothing to do, still at epoch 2", "100\n200"]), &["withdrawn"]),
    case("102-ped-oddities", &["fam.ped:2: the sex of `M1`", "1 male, 2 female", "rc=4"]),
    case("103-gvcf-names", &["would both be drop `S1`", "S1.genome  added", "3 drops at epoch 1"]),
    case("105-release-9-and-10", &["100|10.0"]),
    case("112-odd-info-keys", &["chr1|100|A|C|1|0.5|12.5|-3.1|1"]),
];
