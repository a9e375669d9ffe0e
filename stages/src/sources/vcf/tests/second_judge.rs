//! A second judge: where noodles-vcf and this parser both accept a record, they agree on every field of it.

use noodles_vcf::variant::{
    RecordBuf,
    record_buf::info::field::{Value, value::Array},
};

use super::*;
use vardelta_testrandom::{Random, seed};

const RECORDS: u64 = 3_000;

/// The fields that are compared, declared as both read them.
const HEADER: &str = "##fileformat=VCFv4.3\n##contig=<ID=chr1>\n##FILTER=<ID=q10,Description=\"q\">\n\
    ##INFO=<ID=DP,Number=1,Type=Integer,Description=\"d\">\n##INFO=<ID=AF,Number=A,Type=Float,Description=\"f\">\n\
    ##INFO=<ID=XX,Number=1,Type=String,Description=\"x\">\n##INFO=<ID=DB,Number=0,Type=Flag,Description=\"b\">\n\
    #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";

/// What is in each column, sound and not.
const PIECES: [&[&str]; 7] = [
    &["chr1", "1", "chrUn_x", ".", ""],
    &["1", "10", "2147483647", "248956422", "x", "-3", "1e5", ""],
    &[".", "rs1", "rs1;rs2", "a b", ""],
    &["A", "ACGT", "acgtn", "N", "R", "-", "."],
    &["C", "C,G", "<DEL>", "*", ".", "]chr1:5]A", "c", "C,", "N,<INS:ME>", "none?"],
    &["29.5", ".", "0", "1e3", "nan", "-1", "high", "99.999999"],
    &["PASS", ".", "q10", "q10;s50", "q10;q10", "0", ""],
];

/// What is in INFO, sound and not.
const INFO: [&str; 18] = [
    "DP=5",
    "DP=.",
    "DP",
    "DP=x",
    "DP=2147483647",
    "DP=-4",
    "AF=0.25",
    "AF=0.1,.",
    "AF=.",
    "AF=1e-5,1",
    "AF=q",
    "XX=text",
    "XX=a%3Bb",
    "XX=",
    "XX=.",
    "DB",
    "DB=1",
    "UNKNOWN=3",
];

fn pick<'a>(random: &mut Random, pieces: &[&'a str]) -> &'a str {
    // The first of them are sound; they come more often, so that many records are.
    let most = pieces.len().min(2);
    if random.below(4) > 0 { pieces[random.below(most)] } else { pieces[random.below(pieces.len())] }
}

fn record(random: &mut Random) -> String {
    let mut columns: Vec<String> = PIECES.iter().map(|pieces| pick(random, pieces).to_owned()).collect();
    let info: Vec<&str> = (0..random.below(4)).map(|_| INFO[random.below(INFO.len())]).collect();
    columns.push(if info.is_empty() { ".".into() } else { info.join(";") });
    columns.join("\t")
}

/// The record as noodles reads it; `None` where it refuses it.
fn by_noodles(text: &str) -> Option<RecordBuf> {
    let mut reader = noodles_vcf::io::Reader::new(text.as_bytes());
    let header = reader.read_header().expect("the header is sound");
    let mut record = RecordBuf::default();
    match reader.read_record_buf(&header, &mut record) {
        Ok(length) if length > 0 => Some(record),
        _ => None,
    }
}

fn joined<T: ToString>(items: impl Iterator<Item = Option<T>>) -> String {
    let items: Vec<String> = items.map(|item| item.map_or("NULL".into(), |item| item.to_string())).collect();
    format!("[{}]", items.join(","))
}

/// A value of INFO in the words of [`cell`], floats as single ones.
fn shown(value: Option<Option<&Value>>) -> String {
    match value.flatten() {
        None => "NULL".into(),
        Some(Value::Integer(value)) => value.to_string(),
        Some(Value::Float(value)) => value.to_string(),
        Some(Value::Flag) => "true".into(),
        Some(Value::Character(value)) => value.to_string(),
        Some(Value::String(value)) => value.clone(),
        Some(Value::Array(Array::Integer(values))) => joined(values.iter().copied()),
        Some(Value::Array(Array::Float(values))) => joined(values.iter().copied()),
        Some(Value::Array(Array::Character(values))) => joined(values.iter().copied()),
        Some(Value::Array(Array::String(values))) => joined(values.iter().cloned()),
    }
}

/// A number or a list of numbers as single floats, which is all that noodles keeps.
fn single(text: &str) -> String {
    let one = |part: &str| part.parse::<f64>().map_or_else(|_| part.to_owned(), |value| (value as f32).to_string());
    match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some("") => "[]".into(),
        Some(list) => format!("[{}]", list.split(',').map(one).collect::<Vec<_>>().join(",")),
        None => one(text),
    }
}

fn or_null(items: &[String], separator: &str) -> String {
    if items.is_empty() { "NULL".into() } else { items.join(separator) }
}

/// The fields of a record as noodles has them. Bases come upper-case: this parser folds them, as REF and ALT are keys.
fn fields(record: &RecordBuf) -> Vec<String> {
    let is_bases = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let fold = |text: &str| if is_bases(text) { text.to_ascii_uppercase() } else { text.to_owned() };
    let ids: Vec<String> = record.ids().as_ref().iter().cloned().collect();
    let filters: Vec<String> = record.filters().as_ref().iter().cloned().collect();
    let alternates = record.alternate_bases().as_ref().iter().map(|allele| Some(fold(allele)));
    vec![
        record.reference_sequence_name().to_owned(),
        record.variant_start().map_or("0".into(), |start| usize::from(start).to_string()),
        or_null(&ids, ";"),
        fold(record.reference_bases()),
        joined(alternates),
        record.quality_score().map_or("NULL".into(), |quality| quality.to_string()),
        or_null(&filters, ";"),
        shown(record.info().get("DP")),
        shown(record.info().get("AF")),
        shown(record.info().get("XX")),
        (record.info().get("DB").is_some()).to_string(),
    ]
}

#[test]
fn where_both_accept_a_record_they_agree_on_every_field() {
    let mut random = Random::new(seed(20_261_128));
    let source = source(&["DP", "AF", "XX", "DB"], Samples::None);
    let (mut both, mut warned, mut disagreements) = (0, 0, Vec::new());
    for _ in 0..RECORDS {
        let line = record(&mut random);
        let text = format!("{HEADER}{line}\n");
        let Ok(outcome) = read_bytes(&source, text.as_bytes()) else { continue };
        let Some(theirs) = by_noodles(&text) else { continue };
        let Some(batch) = outcome.batches.first() else { continue };
        // What is adapted is counted under a name of its own, and is what the two are known to differ in.
        if !outcome.warned().is_empty() {
            warned += 1;
            continue;
        }
        both += 1;
        let ours: Vec<String> = batch.columns.columns().iter().map(|column| cell(column, 0)).collect();
        let theirs = fields(&theirs);
        assert_eq!(ours.len(), theirs.len(), "as many fields");
        let names = batch.columns.schema();
        for (at, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            let name = names.field(at).name();
            let is_float = name == "qual" || name == "info_af";
            if (if is_float { single(ours) } else { ours.clone() }) != *theirs {
                disagreements.push(format!("{name}: {ours} here, {theirs} there: {line}"));
            }
        }
    }
    disagreements.sort();
    disagreements.dedup();
    assert!(disagreements.is_empty(), "{} of {both}:\n{}", disagreements.len(), disagreements.join("\n"));
    assert!(both > RECORDS / 10, "only {both} records were accepted by both, {warned} of them adapted");
}
