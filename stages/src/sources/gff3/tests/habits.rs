//! What Ensembl, GENCODE, RefSeq and MANE write, each in its own way, and the traps of both formats.

use super::*;

#[test]
fn gencode_counts_versions_and_names_genes_on_every_line() {
    let outcome = read(
        "",
        &[
            "chrX HAVANA gene 1187549 1212750 . - . ID=ENSG00000205755.12;gene_id=ENSG00000205755.12;gene_type=protein_coding;gene_name=CRLF2",
            "chrX HAVANA transcript 1187549 1212750 . - . ID=ENST00000400841.8;Parent=ENSG00000205755.12;gene_id=ENSG00000205755.12;transcript_id=ENST00000400841.8;gene_type=protein_coding;gene_name=CRLF2;transcript_type=protein_coding;transcript_name=CRLF2-202",
            "chrX HAVANA exon 1212555 1212750 . - . ID=exon:ENST00000400841.8:1;Parent=ENST00000400841.8;gene_id=ENSG00000205755.12;transcript_id=ENST00000400841.8;gene_name=CRLF2",
            "chrX HAVANA CDS 1212555 1212635 . - 0 ID=CDS:ENST00000400841.8;Parent=ENST00000400841.8;gene_id=ENSG00000205755.12;transcript_id=ENST00000400841.8;gene_name=CRLF2",
            "chrX HAVANA CDS 1206433 1206591 . - 0 ID=CDS:ENST00000400841.8;Parent=ENST00000400841.8;gene_id=ENSG00000205755.12;transcript_id=ENST00000400841.8;gene_name=CRLF2",
            "chrY HAVANA gene 1187549 1212750 . - . ID=ENSG00000205755.12_PAR_Y;gene_id=ENSG00000205755.12_PAR_Y;gene_type=protein_coding;gene_name=CRLF2;tag=PAR",
        ],
    );
    assert_eq!(
        outcome.cells(&["feature_key", "id", "gene_id", "transcript_id", "gene_symbol", "biotype"]),
        [
            "1: ENSG00000205755 ENSG00000205755.12 ENSG00000205755 NULL CRLF2 protein_coding",
            "2: ENST00000400841 ENST00000400841.8 ENSG00000205755 ENST00000400841 CRLF2 protein_coding",
            "3: exon:ENST00000400841:1 exon:ENST00000400841.8:1 ENSG00000205755 ENST00000400841 CRLF2 protein_coding",
            "4: CDS|ENST00000400841|chrX:1212555-1212635:-|CDS:ENST00000400841 CDS:ENST00000400841.8 ENSG00000205755 ENST00000400841 CRLF2 protein_coding",
            "5: CDS|ENST00000400841|chrX:1206433-1206591:-|CDS:ENST00000400841 CDS:ENST00000400841.8 ENSG00000205755 ENST00000400841 CRLF2 protein_coding",
            "6: ENSG00000205755_PAR_Y ENSG00000205755.12_PAR_Y ENSG00000205755_PAR_Y NULL CRLF2 protein_coding",
        ]
    );
    assert!(outcome.warned().is_empty());
}

#[test]
fn refseq_names_contigs_by_accession_and_genes_by_cross_reference() {
    let outcome = read(
        "attributes = [\"product\"]",
        &[
            "##gff-version 3",
            "NC_000023.11 BestRefSeq gene 1190490 1212723 . - . ID=gene-CRLF2;Dbxref=GeneID:64109,HGNC:HGNC:14281;Name=CRLF2;gene=CRLF2;gene_biotype=protein_coding",
            "NC_000023.11 BestRefSeq mRNA 1190490 1212723 . - . ID=rna-NM_022148.4;Parent=gene-CRLF2;Dbxref=GeneID:64109,GenBank:NM_022148.4;gene=CRLF2;product=a%2C b; transcript_id=NM_022148.4; ",
            "NC_000023.11 BestRefSeq exon 1212556 1212723 . - . ID=exon-NM_022148.4-1;Parent=rna-NM_022148.4;gene=CRLF2",
            "NC_000024.10 BestRefSeq gene 1190490 1212723 . - . ID=gene-CRLF2-2;Dbxref=GeneID:64109;Name=CRLF2;gene=CRLF2;gene_biotype=protein_coding",
            "NC_012920.1 RefSeq gene 3307 4262 . + . ID=gene-ND1;Name=ND1;partial;gene_biotype=protein_coding",
        ],
    );
    assert_eq!(
        outcome.cells(&["feature_key", "chrom", "gene_id", "gene_symbol", "transcript_id", "biotype", "product"]),
        [
            "2: gene-CRLF2 chrX 64109 CRLF2 NULL protein_coding NULL",
            "3: rna-NM_022148 chrX 64109 CRLF2 NM_022148 protein_coding a, b",
            "4: exon-NM_022148-1 chrX 64109 CRLF2 NM_022148 protein_coding NULL",
            "5: gene-CRLF2-2 chrY 64109 CRLF2 NULL protein_coding NULL",
            "6: gene-ND1 chrM ND1 ND1 NULL protein_coding NULL",
        ]
    );
    assert_eq!(outcome.warned(), [("odd_attributes", 1)]);
}

#[test]
fn gtf_names_gene_and_transcript_on_every_line() {
    let lines = [
        r#"#!genome-build GRCh38"#,
        r#"17 havana exon 7687377 7687490 . - . gene_id "ENSG00000141510"; gene_version "18"; transcript_id "ENST00000269305"; exon_number "1"; tag "basic"; tag "CCDS"; note "a; b""#,
        r#"17 havana gene 7661779 7687538 . - . gene_id "ENSG00000141510"; gene_version "18"; gene_name "TP53"; gene_biotype "protein_coding";"#,
        r#"17 havana transcript 7668421 7687490 . - . gene_id "ENSG00000141510"; transcript_id "ENST00000269305"; transcript_biotype "protein_coding"; "#,
        r#"MT insdc gene 3307 4262 . + . gene_id "ENSG00000198888.2"; transcript_id "ENSG00000198888.2"; gene_type "protein_coding"; gene_name "MT-ND1"; level 3;"#,
    ];
    let options = "attributes = [\"tag\", \"note\", \"level\"]";
    let outcome = read(options, &lines);
    assert_eq!(
        outcome.cells(&["feature_key", "gene_id", "gene_symbol", "transcript_id", "biotype", "tag", "note", "level"]),
        [
            "2: exon|ENST00000269305|chr17:7687377-7687490:- ENSG00000141510 TP53 ENST00000269305 protein_coding basic,CCDS a; b NULL",
            "3: ENSG00000141510 ENSG00000141510 TP53 NULL protein_coding NULL NULL NULL",
            "4: ENST00000269305 ENSG00000141510 TP53 ENST00000269305 protein_coding NULL NULL NULL",
            "5: ENSG00000198888 ENSG00000198888 MT-ND1 NULL protein_coding NULL NULL 3",
        ]
    );
    assert_eq!(outcome.cells(&["chrom", "id", "parent"])[3], "5: chrM ENSG00000198888.2 NULL");
    // The line of the transcript is missing: the gene is found all the same.
    let without: Vec<&str> = lines.iter().copied().filter(|line| !line.contains("transcript 766")).collect();
    let outcome = read(options, &without);
    assert_eq!(outcome.cells(&WHAT)[0], "2: exon ENSG00000141510 TP53 ENST00000269305 protein_coding");
    assert_eq!(outcome.warned(), [("unknown_parent", 1)]);
    // UCSC's tables give gene and transcript one name, and have no lines of either.
    let ucsc = r#"chr17 refGene exon 1 9 . - . gene_id "NM_000546"; transcript_id "NM_000546";"#;
    assert_eq!(read("", &[ucsc]).cells(&WHAT), ["1: exon NM_000546 NULL NM_000546 NULL"]);
}

#[test]
fn a_feature_of_several_parents_makes_a_row_for_each() {
    let outcome = read(
        "",
        &[
            "1 x gene 1 900 . + . ID=g;Name=A",
            "1 x mRNA 1 900 . + . ID=t1;Parent=g",
            "1 x mRNA 1 900 . + . ID=t2;Parent=g",
            "1 x exon 1 90 . + . ID=e;Parent=t1,t2",
        ],
    );
    assert_eq!(
        outcome.cells(&["feature_key", "transcript_id", "gene_symbol"])[3..],
        ["4: exon|t1|chr1:1-90:+|e t1 A", "4: exon|t2|chr1:1-90:+|e t2 A"]
    );
    assert_eq!(outcome.digest.records, 4);
}

#[test]
fn what_is_no_record_is_skipped() {
    let text = "\u{feff}##gff-version 3\r\n\r\n#a comment\r\ntrack name=x\r\n1\tx\tgene\t1\t9\t.\t+\t.\tID=a\r\n###\r\n\
                ##FASTA\r\n>1\r\nACGT\r\n1\tx\tgene\t1\t9\t.\t+\t.\tID=b\r\n";
    let outcome = read_bytes(source("").as_ref(), "a.gff3", text.as_bytes()).expect("readable");
    assert_eq!(outcome.cells(&["id"]), ["5: a"]);
    assert_eq!(outcome.warned(), [("blank_line", 1), ("byte_order_mark", 1), ("record_after_sequences", 1)]);
    let sequences_at_once = "1\tx\tgene\t1\t9\t.\t+\t.\tID=a\n>1\nACGT\n";
    assert_eq!(
        read_bytes(source("").as_ref(), "a.gff", sequences_at_once.as_bytes()).expect("readable").row_count(),
        1
    );
    let utf16: Vec<u8> = "\u{feff}##gff".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(read_bytes(source("").as_ref(), "a.gff", &utf16).err().expect("refused").contains("UTF-16"));
}

#[test]
fn joined_models_are_not_half_read_without_a_word() {
    let first = "##gff-version 3\n1\tx\tgene\t1\t9\t.\t+\t.\tID=a\n";
    let second = "##gff-version 3\n2\tx\tgene\t1\t9\t.\t+\t.\tID=b\n";
    let read = |text: &str| read_bytes(source("").as_ref(), "a.gff3", text.as_bytes());
    assert_eq!(read(&format!("{first}{second}")).expect("readable").cells(&["id"]), ["2: a", "4: b"]);
    for sequences in ["##FASTA\n>1\nACGT\n", ">1\nACGT\n"] {
        let error = read(&format!("{first}{sequences}{second}")).err().expect("refused");
        assert!(error.contains("begins another model after the sequences of the first"), "{error}");
    }
}

#[test]
fn attributes_of_the_other_format_are_counted() {
    let outcome = read("", &["1 x gene 1 9 . + . ID=a", "1 x gene 11 19 . + . gene_id_\"G2\";"]);
    assert_eq!(outcome.warned(), [("odd_attributes", 1)]);
}

#[test]
fn names_that_differ_in_undecodable_bytes_stay_apart() {
    for (first, second) in [(&b"M\xfcller"[..], &b"M\xf6ller"[..]), (b"M%FCller", b"M%F6ller")] {
        let mut text = Vec::new();
        for name in [first, second] {
            text.extend([b"1\tx\tgene\t1\t9\t.\t+\t.\tID=", name, b"\n"].concat());
        }
        let outcome = read_bytes(source("").as_ref(), "a.gff3", &text).expect("readable");
        assert_eq!(outcome.cells(&["id"]), ["1: M\u{fffd}fcller", "2: M\u{fffd}f6ller"]);
        assert_eq!(outcome.warned(), [("invalid_utf8", 2)]);
    }
}

#[test]
fn circles_of_parents_end() {
    let outcome = read(
        "",
        &[
            "1 x mRNA 1 9 . + . ID=a;Parent=b",
            "1 x mRNA 1 9 . + . ID=b;Parent=a",
            "1 x exon 1 9 . + . Parent=a",
            "1 x mRNA 1 9 . + . ID=c;Parent=c",
        ],
    );
    assert_eq!(outcome.row_count(), 4);
}

#[test]
fn parts_know_their_gene_by_its_id_where_its_line_is_rejected_or_of_another_kind() {
    let outcome = read(
        "",
        &[
            "6 e gene -15 900 . + . ID=gene:ENSG00000112304;Name=ACOT13",
            "6 e mRNA 21 900 . + . ID=transcript:ENST00000230048;Parent=gene:ENSG00000112304",
            "6 e CDS 21 90 . + 0 ID=CDS:P;Parent=transcript:ENST00000230048",
            "14 h J_gene_segment 21 83 . + . ID=gene:ENSG00000211872;Name=TRAJ17",
            "14 h J_gene_segment 21 83 . + . ID=transcript:ENST00000390520;Parent=gene:ENSG00000211872",
            "14 h CDS 21 83 . + 2 ID=CDS:Q;Parent=transcript:ENST00000390520",
        ],
    );
    assert_eq!(
        outcome.cells(&["gene_id", "gene_symbol", "transcript_id"]),
        [
            "2: ENSG00000112304 NULL ENST00000230048",
            "3: ENSG00000112304 NULL ENST00000230048",
            "4: ENSG00000211872 TRAJ17 NULL",
            "5: ENSG00000211872 TRAJ17 ENST00000390520",
            "6: ENSG00000211872 TRAJ17 ENST00000390520",
        ]
    );
    assert_eq!(outcome.rejected(), ["1 bad_position"]);
}
