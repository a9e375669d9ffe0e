//! What must come of each case.

/// A case and what must come of it.
pub struct Case {
    /// Its folder.
    pub name: &'static str,
    /// What is said, or is in the rows that the case's query yields.
    pub says: &'static [&'static str],
    /// What must not.
    pub never: &'static [&'static str],
    /// Whether its command becomes somebody else, which the superuser alone may.
    pub as_root: bool,
}

const fn case(name: &'static str, says: &'static [&'static str]) -> Case {
    Case { name, says, never: &[], as_root: false }
}

const fn never(case: Case, never: &'static [&'static str]) -> Case {
    Case { never, ..case }
}

const fn as_root(case: Case) -> Case {
    Case { as_root: true, ..case }
}

/// A text that is in the output when something of vardelta's own went wrong.
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
    never(
        case(
            "15-format-id-qual",
            &["`{ name = \"ID\", as = \"id_2\" }`", "`{ name = \"QUAL\", as = \"qual_2\" }`", "rc=3"],
        ),
        &["Name each field once"],
    ),
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
    as_root(never(
        case(
            "32-read-only-folder",
            &[
                "cannot open ./out.sqlite",
                "rc 6",
                "== sink elsewhere\nt: epoch 1 committed",
                "dry run on top of epoch 0",
            ],
        ),
        DEFECT,
    )),
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
    // What a server on the usual port answers, if there is one, is not ours.
    never(
        case(
            "57-mysql-bad-url",
            &[
                "cannot connect to mysql://root@127.0.0.1:3999/test",
                "cannot connect to mysql://root@nosuchhost.invalid:3306/test",
                "user or password hold a `/`, `?`, `#` or `@`, which are written %2F, %3F, %23 and %40",
                "it names no database",
                "it does not begin with mysql://",
                "rc 6",
                "rc 3",
            ],
        ),
        &["s3cr3tpw", "p@ss", "w:rd", "rc 0", "rc 70", "panicked"],
    ),
    case("59-header-chr-records-without", &["bad_contig", "undeclared_contig"]),
    case("60-wrong-assembly", &["249250621", "248956422", "position_beyond_contig", "chr1|100"]),
    // The columns come with `parts`, which the manual of the stage says; `advised` writes it.
    case("61-csq-other-parts", &["there is no column `gnomade_af`", "parts: a table of parts", "{ lof = \"LoF\""]),
    case("64-beyond-512mb", &["chr1A|540000000"]),
    case("65-sample-names", &["11 inserted", "makes one sample `0012` of `2` and `0012`"]),
    never(case("67-non-utf8-neighbour", &["1 inserted", "100", "rc=0"]), DEFECT),
    never(
        case("68-latin1-one-sample", &["line 11: the sample name `M\\xf", "ller` is not UTF-8", "iconv", "rc=4"]),
        &["committed"],
    ),
    case("69-hgvs-percent-in-42", &["chr1|P1.1:p.Pro288=", "chr2|P1.1:p.Pro288="]),
    case("70-format-column-without-samples", &["2 read = 2 loaded"]),
    case("71-large-header", &["chr1|100|A|C|G1|1"]),
    // The corrected `a` keeps its place in ledger order, so the row of `b` wins.
    case("75-replaced-drop-order", &["a  replaced", "-- rows\n20.0"]),
    // `advised` makes the column, by the source's `drop_column`.
    case("76-drop-name-column", &["there is no column `drop_name`", "rc=3"]),
    case("79-record-level-table", &["chr1|100|A|C,G|1", "one text with list_join(list, ',') in a `select`"]),
    case("80-fasta-bgzipped", &["pos=49", "ref=GAC", "samtools faidx"]),
    case("81-stdin-twice", &["x  unchanged", "the same bytes as drop `x`"]),
    never(
        case("83-cat-two-assemblies", &["line 12 begins another header", "`##fileformat=VCFv4.3`", "rc=4"]),
        &["committed", "comment_line"],
    ),
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
    case(
        "97-which-contigs-were-undeclared",
        &[
            "undeclared_contig  1  a  read  1        first at line 12, 1:1",
            "undeclared_contig  1  a  read  2        first at line 13, 2:2",
            "undeclared_contig  1  a  read  chrUn_x  first at line 14, chrUn_x:3",
            "undeclared_filter  1  a  read  weird    first at line 15, chr1:4",
            "\"reason\":\"undeclared_filter\",\"drop\":\"a\",\"stage\":\"read\",\"field\":\"weird\",\"count\":1",
        ],
    ),
    case(
        "98-csi-names-empty-block",
        &[
            "8 read = 8 loaded",
            "unusable_index",
            "-- rows\nchr11|300\nchr11|301\nchr11|302\nchr11|303\nchr11|304\nchr2|200\nchr2|201\nchr2|202",
        ],
    ),
    case(
        "99-del-beside-reference-band",
        &["-- rows\n100|<DEL>|120|20|500\n1000|<INS>|1000|30|1400\n2000|<DEL>|2040|40|2900\n2000|C|2000|0|2900\n\
             3000|<DEL>|3050|50|NULL\n3000|T|3002|0|NULL"],
    ),
    case("102-ped-oddities", &["fam.ped:2: the sex of `M1`", "1 male, 2 female", "rc=4"]),
    case("103-gvcf-names", &["would both be drop `S1`", "S1.genome  added", "3 drops at epoch 1"]),
    case("105-release-9-and-10", &["100|10.0"]),
    // All of them are functions now; `expressions` runs every one here and in the databases.
    never(
        case("108-manual-lists-the-functions", &["x = \"mod(info_dp, 2)\"", "x = \"truncate(qual, 1)\""]),
        &["error", "help", "The manual lists the functions"],
    ),
    never(
        case(
            "109-aggregate-hints",
            &[
                "x = \"string_agg(info_s, ',')\"\n   = help: Write group_concat(x ORDER BY y SEPARATOR ',').",
                // What there is by now: no help is needed.
                "x = \"group_concat(DISTINCT info_s ORDER BY info_s)\"\nx = \"group_concat(info_s)\"\nx = \"median(info_dp)\"\nx = ",
                "x = \"first_value(info_s)\"\n   = help: Write min_by(x, y).",
            ],
        ),
        &["Write string_agg(", "Available are", "around a text that holds one"],
    ),
    case("112-odd-info-keys", &["chr1|100|A|C|1|0.5|12.5|-3.1|1"]),
    // Split after it was annotated: never another allele's gene. As it was annotated: both.
    never(
        case(
            "113-annotated-before-split-vep",
            &[
                "ref=CA alt=C gene=NULL cons=NULL",
                "ref=CAA alt=C gene=NULL cons=NULL",
                "annotation_allele_ambiguous  2",
                "-- rows\nchr1|100|CA|C|GONE|frameshift_variant|1\nchr1|100|CAA|C|GTWO|inframe_deletion|1",
            ],
        ),
        &["ref=CA alt=C gene=GTWO"],
    ),
];
