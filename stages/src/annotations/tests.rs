//! Lines by hand, and counts from real files. The counts were made apart from this code, with a short script that reads the
//! same definitions.

use std::collections::BTreeMap;

use vardelta_engine::{spec::Value, stage::Emit};
use vardelta_schemas::{Column, ColumnType, Schema};

use super::ANNOTATIONS;
use crate::{
    normalize::NORMALIZE,
    test_support::{plan, read_vcf, rows, run, shared, text, then, vcf},
};

const ANN: &str = "##INFO=<ID=ANN,Number=.,Type=String,Description=\"Functional annotations: 'Allele | Annotation'\">";
const CSQ: &str = "##INFO=<ID=CSQ,Number=.,Type=String,Description=\"Consequence annotations from Ensembl VEP. Format: \
                   Allele|Consequence|IMPACT|SYMBOL|Gene|Feature_type|Feature|BIOTYPE|HGVSc|HGVSp\">";

/// VCF text through normalize and annotations.
fn annotate(vcf: &str, field: &str, pick: &str) -> Emit {
    let input = read_vcf(vcf, &[field]);
    let normalize = plan(&NORMALIZE, &[], &input.schema).expect("plans");
    let alleles = run(&*normalize, &input.batch);
    let options: [(&str, Value); 2] = [("field", text(field)), ("pick", text(pick))];
    then(&alleles, &*plan(&ANNOTATIONS, &options, normalize.schema()).expect("plans"))
}

fn check(header: &str, field: &str, pick: &str, records: &[&str], columns: &[&str], expected: &[&str]) -> Emit {
    let emit = annotate(&vcf(&[header], records), field, pick);
    assert_eq!(rows(&emit, columns), expected);
    emit
}

#[test]
fn decodes_ann_of_the_own_allele() {
    let records = [
        "1 10 A C,G ANN=G|missense_variant|MODERATE|BRCA1|ENSG1|transcript|ENST1|protein_coding|1/9|c.1A>G|p.Met1Val|||||,\
         C|intron_variant|MODIFIER|BRCA1|ENSG1|transcript|ENST1|protein_coding||c.1A>C||||||,\
         C|stop_gained&splice_region_variant|HIGH|NBR2|ENSG2|transcript|ENST2|lncRNA||||||||",
        "1 20 A T .",
    ];
    let columns =
        ["pos", "alt", "gene_symbol", "gene_id", "feature_id", "biotype", "consequence", "impact", "hgvs_c", "hgvs_p"];
    check(
        ANN,
        "ANN",
        "worst",
        &records,
        &columns,
        &[
            "10 C NBR2 ENSG2 ENST2 lncRNA stop_gained&splice_region_variant HIGH NULL NULL",
            "10 G BRCA1 ENSG1 ENST1 protein_coding missense_variant MODERATE c.1A>G p.Met1Val",
            "20 T NULL NULL NULL NULL NULL NULL NULL NULL",
        ],
    );
    let emit = check(
        ANN,
        "ANN",
        "all",
        &records,
        &["pos", "alt", "gene_symbol", "consequence"],
        &[
            "10 C BRCA1 intron_variant",
            "10 C NBR2 stop_gained&splice_region_variant",
            "10 G BRCA1 missense_variant",
            "20 T NULL NULL",
        ],
    );
    assert_eq!(emit.batches[0].origins.as_deref(), Some(&[1, 1, 1, 2][..]));
    assert!(emit.warnings.is_empty());
}

#[test]
fn finds_the_entries_of_an_allele_that_normalize_changed() {
    // The entry names the ALT as written, which is trimmed to another spelling here.
    check(
        ANN,
        "ANN",
        "worst",
        &["1 10 CAA CA,TAA ANN=CA|frameshift_variant|HIGH|X,TAA|missense_variant|MODERATE|Y"],
        &["pos", "ref", "alt", "gene_symbol"],
        &["10 CA C X", "10 C T Y"],
    );
    let emit = check(
        ANN,
        "ANN",
        "worst",
        &["1 10 A C ANN=G|missense_variant|MODERATE|X", "1 11 A C ANN=C"],
        &["gene_symbol", "consequence"],
        &["NULL NULL", "NULL NULL"],
    );
    assert_eq!(emit.warnings.get("annotation_allele_unmatched"), Some(&1));
}

#[test]
fn decodes_csq_as_the_header_lays_it_out() {
    check(
        CSQ,
        "CSQ",
        "worst",
        &[
            "1 10 A C CSQ=C|synonymous_variant|LOW|TP53|ENSG1|Transcript|ENST1|protein_coding|c.3A>C|p.Leu2%3D",
            "1 20 AT A CSQ=-|frameshift_variant|HIGH|TP53|ENSG1",
            "1 30 A AG CSQ=G|inframe_insertion||TP53",
        ],
        &["pos", "gene_symbol", "gene_id", "feature_id", "consequence", "impact", "hgvs_p"],
        &[
            "10 TP53 ENSG1 ENST1 synonymous_variant LOW p.Leu2=",
            "20 TP53 ENSG1 NULL frameshift_variant HIGH NULL",
            "30 TP53 NULL NULL inframe_insertion MODERATE NULL",
        ],
    );
}

#[test]
fn the_record_decides_between_two_spellings_of_an_allele() {
    // In the first record alleles begin differently and are not shortened, in the second they are.
    check(
        CSQ,
        "CSQ",
        "worst",
        &["1 10 A T,AT CSQ=T|x|x|ForT,AT|x|x|ForAT", "1 20 A AT,AAT CSQ=T|x|x|ForAT,AT|x|x|ForAAT"],
        &["pos", "orig_alt", "gene_symbol"],
        &["10 T ForT", "10 AT ForAT", "20 AT ForAT", "20 AAT ForAAT"],
    );
}

#[test]
fn the_allele_number_decides_where_there_is_one() {
    let header = "##INFO=<ID=CSQ,Number=.,Type=String,Description=\"Format: Consequence|SYMBOL|ALLELE_NUM\">";
    check(
        header,
        "CSQ",
        "all",
        &["1 10 A C,G CSQ=intron_variant|One|1,missense_variant|Two|2,stop_gained|Again|1"],
        &["alt", "gene_symbol"],
        &["C One", "C Again", "G Two"],
    );
}

#[test]
fn a_csq_that_is_not_declared_is_null_and_said() {
    let header = "##INFO=<ID=CSQ,Number=.,Type=String,Description=\"Consequences\">";
    let emit = check(header, "CSQ", "worst", &["1 1 A C CSQ=C|x", "1 2 A C ."], &["gene_symbol"], &["NULL", "NULL"]);
    assert_eq!(emit.warnings.get("annotation_format_missing"), Some(&1));
}

#[test]
fn decodes_bcsq_and_geneinfo() {
    let bcsq = "##INFO=<ID=BCSQ,Number=.,Type=String,Description=\"x\">";
    check(
        bcsq,
        "BCSQ",
        "worst",
        &[
            "1 10 A C,G BCSQ=intron|A1BG|ENST1|protein_coding,missense|A2M|ENST2|protein_coding|+|5R>5H|10A>C",
            "1 20 A C BCSQ=@10",
        ],
        &["pos", "alt", "gene_symbol", "feature_id", "consequence", "impact"],
        &["10 C A2M ENST2 missense MODERATE", "10 G A2M ENST2 missense MODERATE", "20 C NULL NULL NULL NULL"],
    );
    let geneinfo = "##INFO=<ID=GENEINFO,Number=1,Type=String,Description=\"x\">";
    let records = ["1 10 A C GENEINFO=AGRN:375790|LOC126805576:126805576"];
    let columns = ["gene_symbol", "gene_id", "consequence", "impact"];
    check(geneinfo, "GENEINFO", "worst", &records, &columns, &["AGRN 375790 NULL NULL"]);
    check(
        geneinfo,
        "GENEINFO",
        "all",
        &records,
        &columns,
        &["AGRN 375790 NULL NULL", "LOC126805576 126805576 NULL NULL"],
    );
}

#[test]
fn decodes_symbolic_alleles_and_breakends() {
    check(
        CSQ,
        "CSQ",
        "worst",
        &["1 10 N <DEL> CSQ=deletion|transcript_ablation|HIGH|X", "1 20 N N[1:660[ CSQ=BND|intron_variant||Y"],
        &["alt", "gene_symbol"],
        &["<DEL> X", "N[1:660[ Y"],
    );
}

#[test]
fn refuses_inputs_it_cannot_decode() {
    let base = read_vcf(&vcf(&[ANN], &[]), &["ANN"]).schema;
    let problem = |columns: Vec<Column>, field: &str| {
        let schema = Schema::new(columns);
        let problem = plan(&ANNOTATIONS, &[("field", text(field))], &schema).err().expect("is refused").swap_remove(0);
        assert!(problem.hint.is_some(), "{}", problem.message);
        problem.message
    };
    assert_eq!(problem(base.columns().to_vec(), "ANN"), "`alt` of `input` still lists all alleles of a record");
    let split = plan(&NORMALIZE, &[], &base).expect("plans").schema().columns().to_vec();
    assert_eq!(problem(split.clone(), "CSQ"), "`input` has no column `info_csq`");
    assert_eq!(problem(split.clone(), "EFFECT"), "`EFFECT` is not a choice here");
    let list = ColumnType::List(Box::new(ColumnType::Text));
    let listed =
        split.iter().map(|c| if c.name == "info_ann" { Column::nullable("info_ann", list.clone()) } else { c.clone() });
    assert_eq!(problem(listed.collect(), "ANN"), "column `info_ann` of `input` is list<text>, not text");
    let without = split.iter().filter(|column| !column.name.ends_with("alt")).cloned();
    assert_eq!(problem(without.collect(), "ANN"), "`input` has no column `alt` to find an allele's entries by");
    let mut twice = split;
    twice.push(Column::nullable("impact", ColumnType::Text));
    assert_eq!(problem(twice, "ANN"), "`input` already has the column `impact` that annotations adds");
}

#[test]
fn keys_pass_through_where_one_row_stays_one() {
    let base = read_vcf(&vcf(&[ANN], &[]), &["ANN"]).schema;
    let split = plan(&NORMALIZE, &[], &base).expect("plans").schema().clone();
    let passes = |pick: &str| {
        plan(&ANNOTATIONS, &[("field", text("ANN")), ("pick", text(pick))], &split).expect("plans").passes_through(1)
    };
    assert_eq!((passes("worst"), passes("all")), (Some(1), None));
}

/// Rows that `all` yields, rows without an entry, and how often each consequence is the worst.
fn check_file(file: &str, field: &str, all: usize, without: usize, worst: &[(&str, usize)]) {
    let Some(input) = shared(&format!("data/{file}")) else { return };
    assert_eq!(rows(&annotate(&input, field, "all"), &["pos"]).len(), all, "{file}");
    let emit = annotate(&input, field, "worst");
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    rows(&emit, &["consequence"]).into_iter().for_each(|consequence| *counts.entry(consequence).or_default() += 1);
    assert_eq!(counts.get("NULL").copied().unwrap_or(0), without, "{file}");
    for (consequence, count) in worst {
        assert_eq!(counts.get(*consequence), Some(count), "{file} {consequence}");
    }
}

#[test]
fn counts_of_real_files_agree() {
    check_file(
        "vcf_annotated/snpeff_ANN_chr22_subset.vcf",
        "ANN",
        1213,
        0,
        &[("missense_variant", 76), ("synonymous_variant", 48), ("intron_variant", 41)],
    );
    check_file(
        "vcf_annotated/slivar_test_ANN_CSQ.vcf",
        "ANN",
        1055,
        1,
        &[("intron_variant", 43), ("non_coding_exon_variant", 49)],
    );
    check_file("vcf_annotated/snpeff_ANN_EML4-ALK_fusion.vcf", "ANN", 401, 0, &[("intron_variant", 39)]);
    check_file(
        "vcf_annotated/bcftools_split-vep_CSQ.vcf",
        "CSQ",
        2219,
        0,
        &[
            ("non_coding_transcript_exon_variant", 440),
            ("intron_variant&non_coding_transcript_variant", 206),
            ("upstream_gene_variant", 86),
            ("missense_variant", 15),
        ],
    );
    check_file(
        "vcf_annotated/vatools_vep_input.vcf.gz",
        "CSQ",
        1227,
        0,
        &[("intron_variant", 38), ("missense_variant", 7), ("synonymous_variant", 3)],
    );
    check_file("vcf_annotated/vatools_input_multiallelic.vcf.gz", "CSQ", 28, 0, &[("missense_variant", 2)]);
    check_file("vcf_annotated/slivar_test_ANN_CSQ.vcf", "CSQ", 1044, 0, &[("upstream_gene_variant", 20)]);
    check_file(
        "vcf_cohort/ashk_trio_BCSQ.vcf.gz",
        "BCSQ",
        22946,
        139,
        &[("intron", 5016), ("missense", 1642), ("synonymous", 1560), ("3_prime_utr", 437)],
    );
}

#[test]
fn shortened_alleles_find_what_allele_numbers_find() {
    let Some(input) = shared("data/vcf_annotated/bcftools_split-vep_CSQ.vcf") else { return };
    let columns = ["chrom", "pos", "ref", "alt", "gene_symbol", "feature_id", "consequence"];
    let by_number = rows(&annotate(&input, "CSQ", "all"), &columns);
    let by_allele = rows(&annotate(&input.replacen("|ALLELE_NUM|", "|NOT_KNOWN|", 1), "CSQ", "all"), &columns);
    assert_eq!(by_number, by_allele);
}
