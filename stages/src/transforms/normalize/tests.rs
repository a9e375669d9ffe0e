//! Cases by hand.

mod bcftools;
mod files;

use std::{fs, path::Path};

use vardelta_engine::{
    contract::{batch::Batch, stage::Emit},
    spec::Value,
};
use vardelta_schemas::{Column, ColumnType};

use crate::{
    test_support::{TestVcf, output_of, plan, read_vcf, request, rows, run, settings, text, vcf},
    transforms::normalize::NORMALIZE,
};

fn normalize(input: &TestVcf, options: &[(&str, Value)]) -> Emit {
    run(&*plan(&NORMALIZE, options, &input.schema).expect("plans"), &input.batch)
}

/// Records as `chrom pos ref alt`, and the rows they become.
fn check(records: &[&str], expected: &[&str]) -> Emit {
    let emit = normalize(&read_vcf(&vcf(&[], records), &[]), &[]);
    assert_eq!(rows(&emit, &["chrom", "pos", "ref", "alt"]), expected);
    emit
}

fn reasons(emit: &Emit) -> Vec<(u64, &'static str)> {
    emit.rejects.iter().map(|reject| (reject.origin.expect("before a table"), reject.reason.code())).collect()
}

#[test]
fn splits_and_trims() {
    let emit = check(
        &["1 10 A C,G", "1 20 TAAACCCTAAA TAA,TAACCCTAAA", "1 30 acg aTg", "1 40 TT T"],
        &["1 10 A C", "1 10 A G", "1 20 TAAACCCTA T", "1 20 TA T", "1 31 C T", "1 40 TT T"],
    );
    assert_eq!(
        rows(&emit, &["orig_pos", "orig_ref", "orig_alt", "allele_number"]),
        ["10 A C 1", "10 A G 2", "20 TAAACCCTAAA TAA 1", "20 TAAACCCTAAA TAACCCTAAA 2", "30 acg aTg 1", "40 TT T 1"]
    );
    assert_eq!(emit.batches[0].origins.as_deref(), Some(&[1, 1, 2, 2, 3, 4][..]));
}

#[test]
fn batches_of_single_bases_pass_with_their_columns_added() {
    let emit = check(&["1 10 A C", "1 11 G T"], &["1 10 A C", "1 11 G T"]);
    assert_eq!(rows(&emit, &["orig_pos", "orig_ref", "orig_alt", "allele_number"]), ["10 A C 1", "11 G T 1"]);
    let part = read_vcf(&vcf(&[], &["1 9 AC T", "1 10 A C", "1 11 G T", "1 12 C A"]), &[]);
    // A slice of a larger batch: its offsets do not start at 0.
    let middle = Batch::asserted(
        part.batch.columns.slice(1, 2),
        vec![2, 3],
        part.batch.provenance.clone().expect("has provenance"),
    );
    let emit = run(&*plan(&NORMALIZE, &[], &part.schema).expect("plans"), &middle);
    assert_eq!(rows(&emit, &["pos", "ref", "alt", "orig_alt"]), ["10 A C C", "11 G T T"]);
}

#[test]
fn records_without_alternate_are_said_apart() {
    let emit = check(&["1 1 A .", "1 2 A <NON_REF>", "1 3 A <*>", "1 4 A C,<NON_REF>"], &["1 4 A C"]);
    assert_eq!((emit.no_alternate, emit.reference_blocks), (vec![1], vec![2, 3]));
    assert!(emit.filtered.is_empty() && emit.rejects.is_empty());
}

#[test]
fn star_alleles_are_filtered_unless_kept() {
    let records = ["1 1 AC A,*", "1 2 A *"];
    let emit = check(&records, &["1 1 AC A"]);
    assert_eq!(emit.filtered, [1, 2]);
    let emit = normalize(&read_vcf(&vcf(&[], &records), &[]), &[("keep_star", Value::Bool(true))]);
    assert_eq!(rows(&emit, &["pos", "ref", "alt"]), ["1 AC A", "1 AC *", "2 A *"]);
}

#[test]
fn symbolic_alleles_and_breakends_stay_as_they_are() {
    let records = ["1 1 N <DEL>", "1 2 AT <INS:me>,A", "1 3 t t[chr2:321[", "1 4 T .TA"];
    check(&records, &["1 1 N <DEL>", "1 2 AT <INS:me>", "1 2 AT A", "1 3 T t[chr2:321[", "1 4 T .TA"]);
}

#[test]
fn an_alternate_equal_to_ref_is_rejected() {
    let emit = check(&["1 1 A a", "1 2 AC AC,A"], &["1 2 AC A"]);
    assert_eq!(reasons(&emit), [(1, "ref_equals_alt"), (2, "ref_equals_alt")]);
}

#[test]
fn fields_per_allele_are_split() {
    let header = [
        "##INFO=<ID=AC,Number=A,Type=Integer,Description=\"x\">",
        "##INFO=<ID=AD,Number=R,Type=Integer,Description=\"x\">",
        "##INFO=<ID=PL,Number=G,Type=Integer,Description=\"x\">",
        "##INFO=<ID=NOTE,Number=.,Type=String,Description=\"x\">",
    ];
    let records = [
        "1 1 A C,G AC=7,8;AD=1,2,3;PL=0,1,2,3,4,5;NOTE=a,b",
        "1 2 A C AC=9;AD=4,5;PL=6,7,8",
        "1 3 A C,G AC=9;AD=4,5;PL=6,7",
        "1 4 A C,* AC=9,1",
    ];
    let input = read_vcf(&vcf(&header, &records), &["AC", "AD", "PL", "NOTE"]);
    let emit = normalize(&input, &[]);
    assert_eq!(
        rows(&emit, &["pos", "alt", "info_ac", "info_ad", "info_pl", "info_note"]),
        [
            "1 C 7 2 0,1,2 a,b",
            "1 G 8 3 0,3,5 a,b",
            "2 C 9 5 6,7,8 NULL",
            "3 C NULL NULL NULL NULL",
            "3 G NULL NULL NULL NULL",
            "4 C 9 NULL NULL NULL"
        ]
    );
    assert_eq!(emit.warnings.count("number_mismatch"), 3);
    let schema = plan(&NORMALIZE, &[], &input.schema).expect("plans").schema().to_string();
    assert!(
        schema.contains("alt text, ") && schema.contains("info_ac int64?, info_ad int64?, info_pl text?"),
        "{schema}"
    );

    // The same where every record has one allele: the values are the column.
    let emit = normalize(&read_vcf(&vcf(&header, &records[1..2]), &["AC", "AD", "PL"]), &[]);
    assert_eq!(rows(&emit, &["pos", "alt", "info_ac", "info_ad", "info_pl"]), ["2 C 9 5 6,7,8"]);
}

#[test]
fn the_rows_of_one_record_say_once_that_it_has_no_alternate() {
    let mut input = read_vcf(&vcf(&[], &["1 1 A .", "1 1 A .", "1 2 A ."]), &[]);
    input.batch.origins = Some(vec![1, 1, 3]);
    assert_eq!(normalize(&input, &[]).no_alternate, [1, 3]);
}

#[test]
fn refuses_inputs_that_are_not_records() {
    let input = read_vcf(&vcf(&[], &[]), &[]).schema;
    let problems = |columns: Vec<Column>| {
        let schema = vardelta_schemas::Schema::new(columns);
        let problems = plan(&NORMALIZE, &[], &schema).err().expect("is refused");
        problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>()
    };
    let changed = |name: &str, column: Column| {
        input.columns().iter().map(|c| if c.name == name { column.clone() } else { c.clone() }).collect::<Vec<_>>()
    };
    assert_eq!(
        problems(changed("alt", Column::required("alt", ColumnType::Text))),
        ["column `alt` of `input` is text, not list<text>"]
    );
    assert_eq!(
        problems(changed("pos", Column::nullable("pos", ColumnType::Int64))),
        ["column `pos` of `input` may be NULL"]
    );
    assert_eq!(problems(input.columns()[1..].to_vec()), ["`input` has no column `chrom`"]);
    let mut twice = input.columns().to_vec();
    twice.push(Column::required("orig_pos", ColumnType::Int64));
    assert_eq!(problems(twice), ["`input` already has the column `orig_pos` that normalize adds"]);
}

#[test]
fn a_fasta_that_is_not_there_is_an_error_with_a_hint() {
    let input = read_vcf(&vcf(&[], &[]), &[]).schema;
    let planned = plan(&NORMALIZE, &[("fasta", text("no/such.fa"))], &input).expect("opens nothing");
    let error = planned.start().err().expect("cannot start");
    assert!(error.message.contains("/no/such.fa"), "{}", error.message);
    assert!(error.hint.is_some_and(|hint| hint.contains("samtools faidx")));
    assert_eq!(request(&[], &input, |request| request.pipeline.base_dir.clone()), settings().base_dir);
}

/// Writes a FASTA and its index.
fn write_fasta(directory: &Path, contigs: &[(&str, &str)]) -> String {
    const LINE_BASES: usize = 60;
    let (mut fasta, mut index) = (String::new(), String::new());
    for (name, bases) in contigs {
        fasta.push_str(&format!(">{name} a description\n"));
        index.push_str(&format!("{name}\t{}\t{}\t{LINE_BASES}\t{}\n", bases.len(), fasta.len(), LINE_BASES + 1));
        for line in bases.as_bytes().chunks(LINE_BASES) {
            fasta.push_str(&format!("{}\n", String::from_utf8_lossy(line)));
        }
    }
    let path = directory.join("reference.fa");
    fs::write(&path, fasta).expect("writes");
    fs::write(directory.join("reference.fa.fai"), index).expect("writes");
    path.display().to_string()
}

#[test]
fn left_aligns_and_checks_ref_against_the_fasta() {
    let directory = tempfile::tempdir().expect("has a place for files");
    let repeat = format!("GC{}G", "TA".repeat(200));
    let fasta = write_fasta(directory.path(), &[("1", "GATTTTTTTTC"), ("2", &repeat), ("3", "ARNTTTC")]);
    let check = |records: &[&str], expected: &[&str]| {
        let emit = normalize(&read_vcf(&vcf(&[], records), &[]), &[("fasta", text(&fasta))]);
        assert_eq!(rows(&emit, &["chrom", "pos", "ref", "alt"]), expected, "{records:?}");
        emit
    };
    check(&["1 9 TT T", "1 4 TT T"], &["1 2 AT A", "1 2 AT A"]);
    check(&["1 10 T TTT"], &["1 2 A ATT"]);
    // Across several steps, to the start of the repeat.
    check(&["2 400 ATA A"], &["2 2 CTA C"]);
    // To the start of the contig and no further.
    check(&["1 1 GA A", "1 1 G GG"], &["1 1 GA A", "1 1 G GG"]);
    // Ambiguity codes agree with each of their bases, on either side.
    let emit = check(&["3 2 A G", "3 2 R T", "3 2 C T", "3 4 N A"], &["3 2 A G", "3 2 R T", "3 4 N A"]);
    assert_eq!(reasons(&emit), [(3, "ref_mismatch")]);
    let emit = check(&["1 1 C A", "1 2 A C", "1 10 TCA T", "1 11 C G"], &["1 2 A C", "1 11 C G"]);
    assert_eq!(reasons(&emit), [(1, "ref_mismatch"), (3, "ref_mismatch")]);
    assert_eq!(emit.rejects[0].detail, "REF is C, the FASTA has G");
    // The contig is not there: trimmed only, and said.
    let emit = check(&["MT 9 CTT CT", "1 0 N A"], &["MT 9 CT C", "1 0 N A"]);
    assert_eq!(emit.warnings.count("contig_not_in_fasta"), 1);
}

#[test]
fn reads_a_compressed_fasta_and_says_when_its_index_does_not_fit() {
    let directory = tempfile::tempdir().expect("has a place for files");
    let bases = format!("G{}C", "T".repeat(200));
    let plain = write_fasta(directory.path(), &[("1", &bases)]);
    let compressed = format!("{plain}.gz");
    // bgzip with `-i` also writes the .gzi; the .fai counts uncompressed bytes and is the same.
    if output_of("bgzip", &["-k", "-i", "-I", &format!("{compressed}.gzi"), &plain]).is_none() {
        return;
    }
    fs::copy(format!("{plain}.fai"), format!("{compressed}.fai")).expect("copies");
    let input = read_vcf(&vcf(&[], &["1 150 TT T"]), &[]);
    let emit = normalize(&input, &[("fasta", text(&compressed))]);
    assert_eq!(rows(&emit, &["pos", "ref", "alt"]), ["1 GT G"]);

    fs::write(&plain, ">1 a description\nGTTC\n").expect("writes");
    let mut run = plan(&NORMALIZE, &[("fasta", text(&plain))], &input.schema).expect("plans").start().expect("starts");
    let error = run.apply(&input.batch, &mut Emit::default()).expect_err("the file is too short");
    assert!(error.hint.is_some_and(|hint| hint.contains("samtools faidx")), "{}", error.message);
}

#[test]
fn symbolic_alleles_say_how_far_they_reach() {
    let records = [
        "1 10 N <DEL> SVTYPE=DEL;END=59;SVLEN=-49",
        "1 10 N <DEL> END=99",
        "1 10 N <DEL>,<DUP>,AC END=110;SVLEN=50,100,.",
        "1 10 N <INS> SVLEN=300",
        "1 20 ACGT A END=99;SVLEN=-3",
        "1 30 T T[2:5[ END=99;SVLEN=7",
        "1 40 A <DEL> END=7",
    ];
    let emit = normalize(&read_vcf(&vcf(&[], &records), &[]), &[]);
    assert_eq!(
        rows(&emit, &["pos", "alt", "end_pos", "sv_len"]),
        [
            "10 <DEL> 59 49",
            "10 <DEL> 99 89",
            "10 <DEL> 60 50",
            "10 <DUP> 110 100",
            "10 AC 10 0",
            "10 <INS> 10 300",
            "20 A 23 0",
            "30 T[2:5[ 30 0",
            "40 <DEL> 40 0",
        ]
    );
    assert_eq!(emit.warnings.count("bad_end"), 1);
    // Single bases take the fast way; trimmed alleles end where the trimmed REF ends.
    let emit = normalize(&read_vcf(&vcf(&[], &["1 5 A C", "1 6 G T"]), &[]), &[]);
    assert_eq!(rows(&emit, &["end_pos", "sv_len"]), ["5 0", "6 0"]);
    let emit = normalize(&read_vcf(&vcf(&[], &["1 5 AACC AC"]), &[]), &[]);
    assert_eq!(rows(&emit, &["pos", "ref", "alt", "end_pos"]), ["5 AAC A 7"]);
}
