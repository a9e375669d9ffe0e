//! The gene model as GFF3: gene, transcript, exons, coding parts.

use super::{
    CONTIGS,
    annotation::{biotype, gene_id, symbol, transcript_id},
    genome::{EXONS, Gene},
    text::{number, put, put_all},
};

/// Bases at either end of a coding transcript that are not translated.
const UNTRANSLATED: u64 = 100;

/// Appends the lines of a gene.
pub fn write(lines: &mut Vec<u8>, number: u64) {
    let gene = Gene::new(number);
    let biotype = biotype(&gene);
    feature(lines, &gene, "gene", gene.start, gene.end, None);
    put(lines, "ID=gene:");
    gene_id(lines, number);
    put(lines, ";Name=");
    symbol(lines, number);
    put_all(lines, &[";biotype=", biotype, ";gene_id="]);
    gene_id(lines, number);
    lines.push(b'\n');

    let last = gene.exon(EXONS - 1).1;
    let kind = if biotype == "protein_coding" { "mRNA" } else { "lnc_RNA" };
    feature(lines, &gene, kind, gene.start, last, None);
    put(lines, "ID=transcript:");
    transcript_id(lines, number, 1);
    put(lines, ";Parent=gene:");
    gene_id(lines, number);
    put_all(lines, &[";biotype=", biotype, ";transcript_id="]);
    transcript_id(lines, number, 1);
    put(lines, ";tag=Ensembl_canonical\n");

    let mut coding_before = 0;
    // Exons are numbered, and phases counted, in the direction of transcription.
    for at in 0..EXONS {
        let exon = if gene.is_forward() { at } else { EXONS - 1 - at };
        let (start, end) = gene.exon(exon);
        feature(lines, &gene, "exon", start, end, None);
        parent(lines, number);
        put(lines, ";rank=");
        super::text::number(lines, at + 1);
        lines.push(b'\n');
        if kind != "mRNA" {
            continue;
        }
        let start = if exon == 0 { start + UNTRANSLATED } else { start };
        let end = if exon == EXONS - 1 { end - UNTRANSLATED } else { end };
        let phase = (3 - coding_before % 3) % 3;
        coding_before += end - start + 1;
        feature(lines, &gene, "CDS", start, end, Some(phase));
        put(lines, "ID=CDS:P");
        super::text::padded(lines, number + 1, 11);
        lines.push(b';');
        parent(lines, number);
        lines.push(b'\n');
    }
}

fn parent(lines: &mut Vec<u8>, number: u64) {
    put(lines, "Parent=transcript:");
    transcript_id(lines, number, 1);
}

/// The first eight columns. Coordinates are 1-based and closed.
fn feature(lines: &mut Vec<u8>, gene: &Gene, kind: &str, start: u64, end: u64, phase: Option<u64>) {
    put_all(lines, &[CONTIGS[gene.contig].name, "\tvardelta\t", kind, "\t"]);
    number(lines, start);
    lines.push(b'\t');
    number(lines, end);
    put_all(lines, &["\t.\t", if gene.is_forward() { "+" } else { "-" }, "\t"]);
    match phase {
        Some(phase) => number(lines, phase),
        None => lines.push(b'.'),
    }
    lines.push(b'\t');
}
