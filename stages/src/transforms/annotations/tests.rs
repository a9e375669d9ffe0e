//! Lines by hand. Files from the field are judged by the acceptance tests.

use vardelta_engine::{
    contract::stage::Emit,
    spec::{Entry, Node, Value},
};
use vardelta_schemas::{Column, ColumnType, Schema};

use crate::{
    test_support::{plan, read_vcf, rows, run, shared, text, then, vcf},
    transforms::{annotations::ANNOTATIONS, normalize::NORMALIZE},
};

const ANN: &str = "##INFO=<ID=ANN,Number=.,Type=String,Description=\"Functional annotations: 'Allele | Annotation'\">";
const CSQ: &str = "##INFO=<ID=CSQ,Number=.,Type=String,Description=\"Consequence annotations from Ensembl VEP. Format: \
                   Allele|Consequence|IMPACT|SYMBOL|Gene|Feature_type|Feature|BIOTYPE|HGVSc|HGVSp\">";

fn node(value: Value) -> Node {
    Node { span: 0..0, value }
}

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
    assert_eq!(emit.warnings.count("annotation_allele_unmatched"), 1);
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
    assert_eq!(emit.warnings.count("annotation_format_missing"), 1);
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
    assert_eq!(problem(split.clone(), "EFFECT"), "`input` has no column `info_effect`");
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

#[test]
fn decodes_eff_as_the_header_lays_it_out() {
    let old = "##INFO=<ID=EFF,Number=.,Type=String,Description=\"Predicted effects for this variant.Format: 'Effect ( \
               Effect_Impact | Functional_Class | Codon_Change | Amino_Acid_change | Gene_Name | Gene_BioType | Coding | \
               Transcript | Exon [ | ERRORS | WARNINGS ] )' \">";
    let columns = ["alt", "gene_symbol", "feature_id", "biotype", "consequence", "impact"];
    check(
        old,
        "EFF",
        "worst",
        &[
            "1 10 A C EFF=INTRON(MODIFIER||||A1|lncRNA|CODING|T1|),STOP_GAINED(HIGH|NONSENSE|Cag/Tag|Q7*|B1|protein_coding|CODING|T2|2)",
        ],
        &columns,
        &["C B1 T2 protein_coding stop_gained HIGH"],
    );
    let new = "##INFO=<ID=EFF,Number=.,Type=String,Description=\"Predicted effects for this variant.Format: 'Effect ( \
               Effect_Impact | Functional_Class | Codon_Change | Amino_Acid_change| Amino_Acid_length | Gene_Name | \
               Transcript_BioType | Gene_Coding | Transcript_ID | Exon  | GenotypeNum [ | ERRORS | WARNINGS ] )' \">";
    let emit = check(
        new,
        "EFF",
        "all",
        &[
            "1 10 A C,G EFF=UPSTREAM(MODIFIER||||7|A1|x|CODING|T1||1),EXON(MODIFIER||||7|B1|x|CODING|T2||2),ODD(LOW|||||||||)",
            // Numbers of a record that was split afterwards: whose entries they are cannot be known.
            "1 20 A C EFF=UPSTREAM(MODIFIER||||7|A1|x|CODING|T1||1),UPSTREAM(MODIFIER||||7|B1|x|CODING|T1||2)",
        ],
        &columns,
        &[
            "C A1 T1 x upstream_gene_variant MODIFIER",
            "C NULL NULL NULL ODD LOW",
            "G B1 T2 x non_coding_transcript_exon_variant MODIFIER",
            "G NULL NULL NULL ODD LOW",
            "C NULL NULL NULL NULL NULL",
        ],
    );
    let expected = [("annotation_allele_unmatched", 1), ("consequence_unknown", 2)];
    assert_eq!(emit.warnings.counts(), expected);
}

#[test]
fn any_field_whose_header_lists_its_parts_can_be_decoded() {
    let vep = CSQ.replace("ID=CSQ", "ID=vep");
    let emit = check(
        &vep,
        "vep",
        "worst",
        // Loftee's part has commas of its own in gnomAD's files; what is after one is of no allele.
        &[
            "1 10 A C vep=C|missense_variant|MODERATE|TP53|ENSG1|Transcript|ENST1|protein_coding|c.3A>C|p.X,GERP_DIST:3,x",
        ],
        &["gene_symbol", "hgvs_c"],
        &["TP53 c.3A>C"],
    );
    assert!(emit.warnings.is_empty(), "{:?}", emit.warnings);
    let emit = check(
        &vep,
        "VEP",
        "worst",
        &["1 10 A C VEP=C|x|LOW|A", "1 11 A C VEP=C|intron_variant|LOW|A|||||||x|y"],
        &["gene_symbol"],
        &["A", "A"],
    );
    let expected = [("annotation_parts_mismatch", 2), ("consequence_unknown", 1)];
    assert_eq!(emit.warnings.counts(), expected);
}

#[test]
fn numbers_that_a_record_cannot_have_do_not_count() {
    let header = "##INFO=<ID=CSQ,Number=.,Type=String,Description=\"Format: Allele|SYMBOL|ALLELE_NUM\">";
    check(
        header,
        "CSQ",
        "worst",
        &["1 10 A G CSQ=T|ForT|1,G|ForG|2", "1 20 A T,G CSQ=T|ForT|1,G|ForG|2"],
        &["alt", "gene_symbol"],
        &["G ForG", "T ForT", "G ForG"],
    );
}

#[test]
fn mane_and_canonical_say_when_the_header_lacks_them() {
    let marked =
        "##INFO=<ID=CSQ,Number=.,Type=String,Description=\"Format: Allele|Consequence|SYMBOL|CANONICAL|MANE_SELECT\">";
    let records = ["1 10 A C CSQ=C|stop_gained|A||,C|intron_variant|B|YES|,C|intron_variant|C||NM_1", "1 20 A C ."];
    for (pick, gene) in [("worst", "A"), ("canonical", "B"), ("mane", "C")] {
        let emit = check(marked, "CSQ", pick, &records, &["gene_symbol"], &[gene, "NULL"]);
        assert!(emit.warnings.is_empty());
        let plain = marked.replace("|CANONICAL|MANE_SELECT", "|X|Y");
        let emit = check(&plain, "CSQ", pick, &records, &["gene_symbol"], &["A", "NULL"]);
        assert_eq!(emit.warnings.count("annotation_pick_missing"), u64::from(pick != "worst"));
    }
    let base = read_vcf(&vcf(&[], &[]), &["BCSQ"]).schema;
    let split = plan(&NORMALIZE, &[], &base).expect("plans").schema().clone();
    let problem =
        plan(&ANNOTATIONS, &[("field", text("BCSQ")), ("pick", text("mane"))], &split).err().expect("refused");
    assert_eq!(problem[0].message, "BCSQ does not say which transcripts are mane");
}

#[test]
fn a_variant_of_several_genes_has_a_row_for_each_if_asked() {
    let records = ["1 10 A C CSQ=C|intron_variant||B,C|missense_variant||A,C|synonymous_variant||B,C|TFBS_ablation||"];
    let columns = ["gene_symbol", "consequence"];
    let expected = ["A missense_variant", "B synonymous_variant"];
    check(CSQ, "CSQ", "worst_per_gene", &records, &columns, &expected);
    let geneinfo = "##INFO=<ID=GENEINFO,Number=1,Type=String,Description=\"x\">";
    check(geneinfo, "GENEINFO", "worst", &["1 10 A C GENEINFO=LOC1:1|TTN:2"], &["gene_symbol"], &["TTN"]);
}

#[test]
fn a_pointer_to_another_record_is_null_and_said() {
    let bcsq = "##INFO=<ID=BCSQ,Number=.,Type=String,Description=\"x\">";
    let emit = check(bcsq, "BCSQ", "worst", &["1 20 A C BCSQ=@10"], &["gene_symbol"], &["NULL"]);
    assert_eq!(emit.warnings.count("annotation_elsewhere"), 1);
}

#[test]
fn shortened_alleles_find_what_allele_numbers_find() {
    let Some(input) = shared("data/vcf_annotated/bcftools_split-vep_CSQ.vcf") else { return };
    let columns = ["chrom", "pos", "ref", "alt", "gene_symbol", "feature_id", "consequence"];
    let by_number = rows(&annotate(&input, "CSQ", "all"), &columns);
    let by_allele = rows(&annotate(&input.replacen("|ALLELE_NUM|", "|NOT_KNOWN|", 1), "CSQ", "all"), &columns);
    assert_eq!(by_number, by_allele);
}

/// What `bcftools norm -m- -f` makes of records that VEP or SnpEff annotated before.
#[test]
fn another_alleles_gene_is_never_taken() {
    let frameshift = "frameshift_variant|HIGH|GONE|ENSG1|Transcript|ENST1|protein_coding||";
    let inframe = "inframe_deletion|MODERATE|GTWO|ENSG1|Transcript|ENST1|protein_coding||";
    let vep = format!("CSQ=A|{frameshift},-|{inframe}");
    let columns = ["ref", "orig_ref", "orig_alt", "gene_symbol", "consequence"];
    // As it was annotated.
    let whole = format!("1 100 CAA CA,C {vep}");
    let expected = ["CA CAA CA GONE frameshift_variant", "CAA CAA C GTWO inframe_deletion"];
    let emit = check(CSQ, "CSQ", "worst", &[&whole], &columns, &expected);
    assert!(emit.warnings.is_empty());
    // Split and trimmed: both may be either.
    let split = [format!("1 100 CA C {vep}"), format!("1 100 CAA C {vep}")];
    let split: Vec<&str> = split.iter().map(String::as_str).collect();
    let emit = check(CSQ, "CSQ", "worst", &split, &columns, &["CA CA C NULL NULL", "CAA CAA C NULL NULL"]);
    assert_eq!(emit.warnings.counts(), [("annotation_allele_ambiguous", 2)]);
    // Split and not trimmed: the first can only be itself.
    let emit = check(CSQ, "CSQ", "worst", &[&format!("1 100 CAA CA {vep}")], &columns, &[expected[0]]);
    assert!(emit.warnings.is_empty());
    // The same from SnpEff, which names alleles by their ALT.
    let ann = "ANN=CA|frameshift_variant|HIGH|GONE,C|inframe_deletion|MODERATE|GTWO";
    let emit = check(ANN, "ANN", "worst", &[&format!("1 100 CA C {ann}")], &columns, &["CA CA C NULL NULL"]);
    assert_eq!(emit.warnings.count("annotation_allele_ambiguous"), 1);
    // Substitutions beside others are what most sites with several alleles are.
    let ann = "ANN=G|stop_gained|HIGH|A1,T|missense_variant|MODERATE|B1";
    let emit = check(ANN, "ANN", "worst", &[&format!("1 9 A T {ann}")], &columns, &["A A T B1 missense_variant"]);
    assert!(emit.warnings.count("annotation_allele_ambiguous") == 0);
    // An allele number that the record can have is believed.
    let numbered = CSQ.replace("HGVSp", "HGVSp|ALLELE_NUM");
    let own = format!("1 9 CA C CSQ=-|{inframe}|1");
    check(&numbered, "CSQ", "worst", &[&own], &columns, &["CA CA C GTWO inframe_deletion"]);
}

#[test]
fn further_parts_are_of_the_picked_entry() {
    let header = "##INFO=<ID=CSQ,Number=.,Type=String,Description=\"Format: \
                  Allele|Consequence|IMPACT|SYMBOL|gnomADe_AF|LoF|Protein_position|CLIN_SIG\">";
    let input = read_vcf(
        &vcf(
            &[header],
            &[
                "1 10 A C CSQ=C|intron_variant|MODIFIER|G1|0.5||7|,C|stop_gained|HIGH|G2|0.0001|HC|12|x%3Dy",
                "1 20 A C CSQ=C|intron_variant|MODIFIER|G1|0.1&0.2||7-8|",
                "1 30 A C .",
            ],
        ),
        &["CSQ"],
    );
    let normalize = plan(&NORMALIZE, &[], &input.schema).expect("plans");
    let alleles = run(&*normalize, &input.batch);
    let named = |name: &str, column_type: Option<&str>| {
        let entry = |key: &str, value: &str| Entry { key: key.into(), key_span: 0..0, node: node(text(value)) };
        let typed = column_type.map(|column_type| entry("type", column_type));
        node(Value::Table(std::iter::once(entry("name", name)).chain(typed).collect()))
    };
    let part = |column: &str, node: Node| Entry { key: column.into(), key_span: 0..0, node };
    let parts = Value::Table(vec![
        part("gnomad_af", named("GNOMADE_AF", Some("float64"))),
        part("lof", node(text("LoF"))),
        part("place", named("Protein_position", Some("int64"))),
        part("sig", named("CLIN_SIG", None)),
        part("absent", named("SpliceAI", Some("float64"))),
    ]);
    let options = [("field", text("CSQ")), ("parts", parts)];
    let planned = plan(&ANNOTATIONS, &options, normalize.schema()).expect("plans");
    let shown = planned.schema().to_string();
    let expected = "gnomad_af float64?, lof text?, place int64?, sig text?, absent float64?";
    assert!(shown.ends_with(expected), "{shown}");
    let emit = then(&alleles, &*planned);
    let columns = ["pos", "gene_symbol", "gnomad_af", "lof", "place", "sig", "absent"];
    assert_eq!(
        rows(&emit, &columns),
        ["10 G2 0.0001 HC 12 x=y NULL", "20 G1 NULL NULL NULL NULL NULL", "30 NULL NULL NULL NULL NULL NULL"]
    );
    assert_eq!(emit.warnings.counts(), [("annotation_part_bad", 2), ("annotation_part_missing", 2)]);
}

#[test]
fn parts_that_cannot_be_are_refused() {
    let base = read_vcf(&vcf(&[CSQ], &[]), &["CSQ", "GENEINFO"]).schema;
    let split = plan(&NORMALIZE, &[], &base).expect("plans").schema().clone();
    let problem = |field: &str, column: &str, part: Value| {
        let parts = Value::Table(vec![Entry { key: column.into(), key_span: 0..0, node: node(part) }]);
        let problems = plan(&ANNOTATIONS, &[("field", text(field)), ("parts", parts)], &split);
        problems.err().expect("is refused").swap_remove(0).message
    };
    assert_eq!(problem("CSQ", "impact", text("LoF")), "there already is a column `impact`");
    assert_eq!(problem("CSQ", "a b", text("LoF")), "`a b` cannot be the name of a column");
    assert_eq!(problem("GENEINFO", "x", text("LoF")), "GENEINFO has no parts but symbol and identifier");
    let table =
        |key: &str, value: &str| Value::Table(vec![Entry { key: key.into(), key_span: 0..0, node: node(text(value)) }]);
    assert_eq!(problem("CSQ", "x", table("type", "float64")), "a part needs `name`");
    assert!(problem("CSQ", "x", Value::Bool(true)).starts_with("expected a part's name"));
}

/// Not a test: its instructions are counted, with `VARDELTA_RECORDS` records and without the reading of them as
/// `valgrind --tool=callgrind --toggle-collect='*Annotator*apply*' <this binary> --ignored --exact <this name>`.
#[test]
#[ignore = "counts instructions"]
fn instructions_of_annotations() {
    let records = std::env::var("VARDELTA_RECORDS").ok().and_then(|records| records.parse().ok()).unwrap_or(1_000);
    let entry = |allele: &str, term: &str, gene: usize| {
        format!(
            "{allele}|{term}|MODERATE|GENE{gene}|ENSG{gene:011}|transcript|ENST{gene:011}.4|protein_coding|5/11|\
             c.{gene}G>A|p.Arg{gene}His|714/2579|524/1182|175/393||"
        )
    };
    let terms = ["missense_variant", "intron_variant", "synonymous_variant", "missense_variant&splice_region_variant"];
    let lines: Vec<String> = (0..records)
        .map(|at: usize| {
            let entries =
                (0..1 + at % 3).map(|number| entry("C", terms[(at + number) % terms.len()], at % 500 + number));
            format!("1 {} A C ANN={}", at + 1, entries.collect::<Vec<_>>().join(","))
        })
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let emit = annotate(&vcf(&[ANN], &lines), "ANN", "worst");
    assert_eq!(rows(&emit, &["gene_symbol"]).len(), records);
}
