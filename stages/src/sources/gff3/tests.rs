//! Whole files through `open` and `parse`. The genes are those of GRCh38; the models of them are made for these tests.

mod habits;
mod samples;

use std::{path::Path, sync::Arc};

use vardelta_engine::contract::source::Source;
use vardelta_testrandom::{Random, seed};

use super::GFF3;
use crate::sources::shared::testing::{self, Outcome, read_bytes};

fn source(options: &str) -> Arc<dyn Source> {
    testing::plan(&GFF3, options, Path::new("/")).expect("sound options")
}

/// Reads lines whose columns are separated by blanks, up to the ninth.
fn read(options: &str, lines: &[&str]) -> Outcome {
    read_bytes(source(options).as_ref(), "a.gff3", text(lines).as_bytes()).expect("readable")
}

fn text(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines {
        match line.starts_with('#') {
            true => text.push_str(line),
            false => text.push_str(&line.splitn(9, ' ').collect::<Vec<_>>().join("\t")),
        }
        text.push('\n');
    }
    text
}

const WHAT: [&str; 5] = ["feature", "gene_id", "gene_symbol", "transcript_id", "biotype"];

#[test]
fn parts_take_over_from_their_gene_wherever_it_stands() {
    let gene = "17 e gene 7661779 7687538 . - . ID=gene:ENSG00000141510;Name=TP53;biotype=protein_coding";
    let transcript = "17 e mRNA 7668421 7687490 . - . ID=transcript:ENST00000269305;Parent=gene:ENSG00000141510;Name=TP53-201;biotype=nonsense_mediated_decay";
    let exon = "17 e exon 7687377 7687490 . - . Parent=transcript:ENST00000269305;Name=ENSE00003753508";
    for (order, lines) in
        [[gene, transcript, exon], [exon, transcript, gene], [transcript, exon, gene]].iter().enumerate()
    {
        let outcome = read("", lines);
        let mut cells: Vec<String> =
            outcome.cells(&WHAT).iter().map(|row| row.split_once(": ").expect("origin").1.to_owned()).collect();
        cells.sort_unstable();
        let expected = [
            "exon ENSG00000141510 TP53 ENST00000269305 nonsense_mediated_decay",
            "gene ENSG00000141510 TP53 NULL protein_coding",
            "mRNA ENSG00000141510 TP53 ENST00000269305 nonsense_mediated_decay",
        ];
        assert_eq!(cells, expected, "order {order}");
    }
    let outcome = read("", &[gene, transcript, exon]);
    let keys = outcome.cells(&["feature_key", "chrom", "start", "end", "strand", "id", "parent"]);
    assert_eq!(
        keys,
        [
            "1: gene:ENSG00000141510 chr17 7661779 7687538 - gene:ENSG00000141510 NULL",
            "2: transcript:ENST00000269305 chr17 7668421 7687490 - transcript:ENST00000269305 gene:ENSG00000141510",
            "3: exon|transcript:ENST00000269305|chr17:7687377-7687490:- chr17 7687377 7687490 - NULL transcript:ENST00000269305",
        ]
    );
}

#[test]
fn features_and_attributes_are_chosen() {
    let lines = [
        "##gff-version 3",
        "1 x gene 100 900 . + . ID=g;Name=A;HGNC=HGNC:5;tag=basic,MANE;tag=CCDS",
        "1 x mRNA 100 900 . + . ID=t;Parent=g",
        "1 x exon 100 900 . + . Parent=t;tag=x%2Cy",
    ];
    let outcome = read("features = [\"exon\", \"gene\"]\nattributes = [\"HGNC\", \"tag\"]\n", &lines);
    let cells = outcome.cells(&["feature", "gene_symbol", "transcript_id", "hgnc", "tag"]);
    assert_eq!(cells, ["2: gene A NULL HGNC:5 basic,MANE,CCDS", "4: exon A t NULL x,y"]);
    assert_eq!((outcome.filtered, outcome.digest.records), (1, 3));
    for (options, expected) in [
        ("attributes = [\"gene_id\"]", "`gene_id` is a column of every gene model"),
        ("attributes = [\"a\", \"A\"]", "differ in case alone"),
        ("attributes = [\"a-b\"]", "cannot be the name of a column"),
        ("feature = [\"gene\"]", "no option `feature`"),
    ] {
        let problems = testing::plan(&GFF3, options, Path::new("/")).err().unwrap_or_default();
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{options}: {problems:?}");
    }
}

#[test]
fn what_cannot_be_read_is_rejected_with_its_line() {
    let outcome = read(
        "",
        &[
            "1 x gene 100 900 . + . ID=a",
            "1 x gene 0 900 . + . ID=b",
            "1 x gene 900 100 . + . ID=c",
            "1 x gene x 900 . + . ID=d",
            "1 x gene 1",
            ". x gene 1 2 . + . ID=e",
            "1 x . 1 2 . + . ID=f",
            "1 x gene 248956423 248956430 . + . ID=g",
            "odd x gene 1 2 . / . ID=h",
        ],
    );
    assert_eq!(outcome.cells(&["id", "chrom", "strand"]), ["1: a chr1 +", "9: h odd NULL"]);
    assert_eq!(
        outcome.rejected(),
        [
            "2 bad_position",
            "3 bad_position",
            "4 bad_position",
            "5 missing_columns",
            "6 bad_contig",
            "7 bad_feature",
            "8 position_beyond_contig",
        ]
    );
    assert_eq!(outcome.warned(), [("bad_strand", 1), ("unknown_contig_kept", 1)]);
    let place = outcome.rejects[6].place.clone().expect("a place");
    assert_eq!((place.contig.as_deref(), place.pos), (Some("1"), Some(248_956_423)));
    let gtf = read_bytes(
        source("").as_ref(),
        "a.gtf",
        b"1\tx\tgene\t1\t9\t.\t+\t.\tgene_id \"A\";\n1\tx\tgene\t1\t9\t.\t+\t.\tgene_id \"B\n",
    )
    .expect("readable");
    assert_eq!(gtf.rejected(), ["2 bad_attributes"]);
}

#[test]
fn another_assembly_is_refused() {
    let lines = text(&["##gff-version 3", "##sequence-region 17 1 81195210", "17 x gene 1 2 . + . ID=a"]);
    let message = read_bytes(source("").as_ref(), "a.gff3", lines.as_bytes()).err().expect("refused");
    for part in ["a.gff3: line 2", "contig 17 has 81195210 bp", "chr17 of GRCh38 has 83257441", "GRCh37 or hg19"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(
        read("", &["##sequence-region NC_000017.11 1 83257441", "NC_000017.11 x gene 1 2 . + . ID=a"]).row_count(),
        1
    );
}

#[test]
fn a_file_in_another_order_is_the_same_drop() {
    let mut lines = vec![
        "1 x gene 100 900 . + . ID=g;Name=A",
        "2 x gene 100 900 . + . ID=g;Name=B",
        "1 x exon 100 200 . + . Parent=g",
        "2 x exon 700 800 . + . Parent=g",
        "3 x exon 1 2 . + . Parent=g",
    ];
    let sorted = |outcome: &Outcome| {
        let mut cells: Vec<String> = outcome
            .cells(&["feature_key", "gene_symbol"])
            .iter()
            .map(|row| row.split_once(": ").expect("origin").1.to_owned())
            .collect();
        cells.sort_unstable();
        cells
    };
    let first = read("", &lines);
    lines.reverse();
    let second = read("", &lines);
    // No key comes twice, so the order is no part of what is compared.
    let text = |read: &Outcome| read.digest.text(read.header_digest, false);
    assert_eq!(text(&first), text(&second));
    assert_eq!(sorted(&first), sorted(&second));
    let expected = [
        "exon|g|chr1:100-200:+ A",
        "exon|g|chr2:700-800:+ B",
        "exon|g|chr3:1-2:+ A",
        "gene||chr1:100-900:+|g A",
        "gene||chr2:100-900:+|g B",
    ];
    assert_eq!(sorted(&first), expected);
}

/// Random lines of what gene models are made of: never a panic, and every record is accounted for ([`testing::read`]
/// checks it).
#[test]
fn random_bytes_are_read_or_refused() {
    let mut random = Random::new(seed(0x5eed));
    let columns =
        ["1", "chr2", "gene", "exon", "mRNA", "10", "900", ".", "+", "-", "\u{fffd}", "", "0", "99999999999999999999"];
    let attributes = [
        "ID=a",
        "ID=b",
        "Parent=a",
        "Parent=b,a",
        "Name=%41",
        "gene_id \"x\"",
        "transcript_id \"y\"",
        "=",
        ";",
        "; ",
        "%",
        "\"",
        "tag=,",
        "Dbxref=GeneID:7157",
        "ENSG00000141510.1",
        "\\",
        " ",
    ];
    let sources = ["", "features = [\"gene\", \"exon\"]\nattributes = [\"tag\", \"Name\"]\n"].map(source);
    let mut rows = 0;
    for _ in 0..2000 {
        let mut bytes = Vec::new();
        for _ in 0..random.below(12) {
            match random.below(12) {
                0 => bytes.extend_from_slice(b"##FASTA"),
                1 => bytes.extend_from_slice(b"\xff\xfe\0"),
                2 => bytes.extend_from_slice(b"##sequence-region 1 1 7"),
                3 | 4 => {
                    let picked: Vec<&str> = (0..9).map(|_| columns[random.below(columns.len())]).collect();
                    bytes.extend_from_slice(picked.join("\t").as_bytes());
                }
                _ => {
                    let kind = ["gene", "exon", "mRNA", "CDS"][random.below(4)];
                    bytes.extend_from_slice(
                        format!("{}\tx\t{kind}\t{}\t900\t.\t+\t.\t", 1 + random.below(3), 1 + random.below(900))
                            .as_bytes(),
                    );
                    for _ in 0..random.below(6) {
                        bytes.extend_from_slice(attributes[random.below(attributes.len())].as_bytes());
                        if random.below(3) > 0 {
                            bytes.push(b';');
                        }
                    }
                }
            }
            bytes.extend_from_slice(if random.below(8) == 0 { b"\r\n" } else { b"\n" });
        }
        if let Ok(outcome) = read_bytes(sources[random.below(sources.len())].as_ref(), "a.gff3", &bytes) {
            rows += outcome.row_count();
        }
    }
    assert!(rows > 1000, "the random models are too bad to try anything: {rows} rows");
}
