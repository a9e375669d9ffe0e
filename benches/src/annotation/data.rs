//! Generated variants, gene models and classifications that belong together. What must come of them follows from how they are made.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
};

use crate::{
    failure::Result,
    genome::{CHROMOSOMES, Genome, Place, Slot},
};

/// Genes that are elsewhere in the second version of a model.
const MOVED: u64 = 100;
/// Variants of each gene's stretch.
const VARIANTS_OF_GENE: u64 = 50;
/// Of a gene's variants, those past its end: every gene ends before the last few of its stretch.
const PAST_END: u64 = 10;

/// A gene model.
pub struct Model {
    /// Genes, one after the other along the genome.
    pub genes: u64,
    /// Genes that are elsewhere in the second version.
    pub moved: u64,
    records: u64,
}

/// A table of classifications.
pub struct Release {
    /// Rows: three for each variant.
    pub rows: u64,
    /// Rows that are of a variant.
    pub hits: u64,
    /// Rows that differ in the next release.
    pub changed: u64,
    /// Of these, those of a variant.
    pub changed_hits: u64,
    records: u64,
}

impl Model {
    /// A model with a gene for every fifty variants.
    pub fn of(records: u64) -> Model {
        let genes = records / VARIANTS_OF_GENE;
        Model { genes, moved: MOVED.min(genes / 4), records }
    }

    /// The first and the last variant of a gene, by index, in a version of the model; `None` where they lie on two chromosomes.
    fn span(&self, gene: u64, version: u32) -> (u64, u64) {
        let first = gene * VARIANTS_OF_GENE;
        let last = first + VARIANTS_OF_GENE - PAST_END - 1;
        // A gene that moved ends five variants later.
        let is_moved =
            version > 0 && gene.is_multiple_of((self.genes / self.moved.max(1)).max(1)) && self.nth(gene) < self.moved;
        (first, if is_moved { last + 5 } else { last })
    }

    fn nth(&self, gene: u64) -> u64 {
        gene / (self.genes / self.moved.max(1)).max(1)
    }
}

impl Release {
    /// A release with three rows for each variant's place, of which one is of the variant, for every second variant.
    pub fn of(records: u64) -> Release {
        let changed = (records / 100).max(2);
        Release { rows: records * 3, hits: records.div_ceil(2), changed, changed_hits: changed, records }
    }

    /// The variants whose rows differ in the next release: every hundredth, which all have one.
    fn is_changed(&self, index: u64) -> bool {
        index.is_multiple_of(100) && index / 100 < self.changed
    }
}

/// The variant of an index.
fn place(genome: &Genome, index: u64) -> Place {
    genome.place(index, Slot::History)
}

fn writer(path: &Path) -> Result<BufWriter<File>> {
    Ok(BufWriter::with_capacity(1 << 20, File::create(path)?))
}

/// Writes a drop of variants.
///
/// # Errors
/// When it cannot be written.
pub fn variants(path: &Path, records: u64) -> Result<()> {
    let genome = Genome::new(records);
    let mut out = writer(path)?;
    writeln!(out, "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")?;
    for index in 0..records {
        let at = place(&genome, index);
        writeln!(out, "{}\t{}\t.\tA\tC\t{}\tPASS\t.", CHROMOSOMES[at.chromosome].0, at.pos, index % 90 + 10)?;
    }
    Ok(out.flush()?)
}

/// Writes a gene model: gene, transcript and two exons for each gene.
///
/// # Errors
/// When it cannot be written.
pub fn model(path: &Path, model: &Model, version: u32) -> Result<()> {
    let genome = Genome::new(model.records);
    let mut out = writer(path)?;
    writeln!(out, "##gff-version 3")?;
    for gene in 0..model.genes {
        let Some((start, end)) = bounds(&genome, model, gene, version) else { continue };
        let (chromosome, middle) = (CHROMOSOMES[start.chromosome].0, start.pos + (end.pos - start.pos) / 2);
        let line = |feature: &str, from: u64, to: u64, attributes: &str| {
            format!("{chromosome}\tbench\t{feature}\t{from}\t{to}\t.\t+\t.\t{attributes}\n")
        };
        let id = format!("ID=gene:G{gene};Name=SYM{gene};biotype=protein_coding");
        out.write_all(line("gene", start.pos, end.pos, &id).as_bytes())?;
        let id = format!("ID=transcript:T{gene};Parent=gene:G{gene};biotype=protein_coding");
        out.write_all(line("mRNA", start.pos, end.pos, &id).as_bytes())?;
        for (nth, (from, to)) in
            [(start.pos, start.pos + (middle - start.pos) / 2), (middle, end.pos)].iter().enumerate()
        {
            let id = format!("ID=exon:E{gene}.{nth};Parent=transcript:T{gene}");
            out.write_all(line("exon", *from, *to, &id).as_bytes())?;
        }
    }
    Ok(out.flush()?)
}

/// Where a gene begins and ends; `None` where that would be on two chromosomes.
fn bounds(genome: &Genome, model: &Model, gene: u64, version: u32) -> Option<(Place, Place)> {
    let (first, last) = model.span(gene, version);
    let (start, end) = (place(genome, first), place(genome, last.min(model.records - 1)));
    (start.chromosome == end.chromosome).then_some((start, end))
}

/// How many variants lie in genes.
pub fn in_genes(records: u64, model: &Model, version: u32) -> u64 {
    let genome = Genome::new(records);
    let of_gene = |gene: u64| {
        let (first, last) = model.span(gene, version);
        bounds(&genome, model, gene, version).map_or(0, |_| last - first + 1)
    };
    (0..model.genes).map(of_gene).sum()
}

fn class_of(index: u64, is_changed: bool, version: u32) -> &'static str {
    match (is_changed, version) {
        (true, 1) => "Benign",
        (true, 2) => "VUS",
        _ if index.is_multiple_of(3) => "Pathogenic",
        _ => "Likely_benign",
    }
}

/// Writes a whole release.
///
/// # Errors
/// When it cannot be written.
pub fn classes(path: &Path, release: &Release, version: u32) -> Result<()> {
    let genome = Genome::new(release.records);
    let mut out = writer(path)?;
    writeln!(out, "chrom\tpos\tref\talt\tclnsig")?;
    for index in 0..release.records {
        let at = place(&genome, index);
        let chromosome = CHROMOSOMES[at.chromosome].0;
        let class = class_of(index, release.is_changed(index), version);
        let alternates = if index.is_multiple_of(2) { ["C", "G", "T"] } else { ["AC", "G", "T"] };
        for alternate in alternates {
            // Only the variant's own row says what changes.
            let class = if alternate == "C" { class } else { "Uncertain_significance" };
            writeln!(out, "{chromosome}\t{}\tA\t{alternate}\t{class}", at.pos)?;
        }
    }
    Ok(out.flush()?)
}

/// Writes the rows alone that change from release to release.
///
/// # Errors
/// When it cannot be written.
pub fn changed_classes(path: &Path, release: &Release, version: u32) -> Result<()> {
    let genome = Genome::new(release.records);
    let mut out = writer(path)?;
    writeln!(out, "chrom\tpos\tref\talt\tclnsig")?;
    for index in (0..release.records).filter(|index| release.is_changed(*index)) {
        let at = place(&genome, index);
        writeln!(out, "{}\t{}\tA\tC\t{}", CHROMOSOMES[at.chromosome].0, at.pos, class_of(index, true, version))?;
    }
    Ok(out.flush()?)
}
