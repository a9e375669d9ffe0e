//! Drops as files: VCF text that looks like SnpEff's, the same in every run, and what its loading must lead to.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use vardelta_testrandom::Random;

use crate::genome::{CHROMOSOMES, Genome, Place, Slot};

const BASES: [u8; 4] = *b"ACGT";
/// Consequences that are all worse than that of the second entry, so that the first decides the row's gene.
const CONSEQUENCES: [(&str, &str); 6] = [
    ("missense_variant", "MODERATE"),
    ("synonymous_variant", "LOW"),
    ("stop_gained", "HIGH"),
    ("splice_region_variant&intron_variant", "LOW"),
    ("intron_variant", "MODIFIER"),
    ("frameshift_variant", "HIGH"),
];
const SIGNIFICANCES: [&str; 5] =
    ["Pathogenic", "Likely_pathogenic", "Uncertain_significance", "Likely_benign", "Benign"];
const ANNOTATION_PARTS: &str = "Allele | Annotation | Annotation_Impact | Gene_Name | Gene_ID | Feature_Type | \
    Feature_ID | Transcript_BioType | Rank | HGVS.c | HGVS.p | cDNA.pos / cDNA.length | CDS.pos / CDS.length | \
    AA.pos / AA.length | Distance | ERRORS / WARNINGS / INFO";

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Text.
    Plain,
    /// Blocked gzip.
    Bgzf,
}

/// What loading a drop must lead to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Records of the drop.
    pub records: u64,
    /// Of these, the ones that pass no filter.
    pub filtered: u64,
    /// Rows (alternate alleles) that are new to the history's table.
    pub inserted: u64,
    /// Rows of the history's table that get other values.
    pub updated: u64,
    /// Of a drop that is loaded first: genes with at least one row.
    pub genes: u64,
}

/// Writes the history: one record per site.
///
/// # Errors
/// When the file cannot be written.
pub fn history(path: &Path, packing: Packing, records: u64) -> io::Result<Expected> {
    let genome = Genome::new(records);
    let mut expected = Expected { records, ..Expected::default() };
    let mut last_gene = 0;
    write(path, packing, (0..records).map(|index| genome.record(index, Slot::History, 0)), |record| {
        if record.passes {
            expected.inserted += record.alternates();
            expected.genes += u64::from(record.place.gene != last_gene);
            last_gene = record.place.gene;
        } else {
            expected.filtered += 1;
        }
    })?;
    Ok(expected)
}

/// Where the records of a drop lie in the genome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// Evenly over the whole of it, as those of one more genome.
    Genome,
    /// In stretches without gaps, as those of a panel of genes.
    Panel,
}

/// Stretches of a [`Spread::Panel`].
const STRETCHES: u64 = 25;

/// Writes a drop that comes on top of a history: half of its records have keys of the history and other values, half have
/// new keys. It has at most twice as many records as the history; in stretches, at most as many.
///
/// # Errors
/// When the file cannot be written.
pub fn change(
    path: &Path,
    packing: Packing,
    spread: Spread,
    records: u64,
    history_records: u64,
) -> io::Result<Expected> {
    let genome = Genome::new(history_records);
    let mut expected = Expected { records, ..Expected::default() };
    let stretch_records = records.div_ceil(STRETCHES);
    let index = |at: u64| match spread {
        Spread::Genome => (u128::from(at) * u128::from(history_records) / u128::from(records)) as u64,
        Spread::Panel => at / stretch_records * (history_records / STRETCHES) + at % stretch_records,
    };
    let slot = |at: u64| if at.is_multiple_of(2) { Slot::History } else { Slot::Free };
    write(path, packing, (0..records).map(|at| genome.record(index(at), slot(at), 1)), |record| {
        let rows = record.alternates();
        if !record.passes {
            expected.filtered += 1;
        } else if record.slot == Slot::History && genome.record(record.index, Slot::History, 0).passes {
            expected.updated += rows;
        } else {
            expected.inserted += rows;
        }
    })?;
    Ok(expected)
}

/// A record before it is written.
struct Record {
    index: u64,
    slot: Slot,
    place: Place,
    reference: &'static [u8],
    alternate: Vec<u8>,
    /// Hundredths.
    quality: u64,
    passes: bool,
    depth: u64,
    significance: Option<&'static str>,
    /// Whether it has an annotation of a neighbouring gene, too.
    has_neighbour: bool,
    consequence: (&'static str, &'static str),
}

impl Genome {
    /// The record of an index. Key and genes are the same in every edition, quality is another one in each.
    fn record(&self, index: u64, slot: Slot, edition: u64) -> Record {
        let place = self.place(index, slot);
        let mut key = Random::of(&[1, index, slot as u64]);
        let first = key.below(4) as usize;
        let base = |offset: usize| std::slice::from_ref(&BASES[(first + offset) % 4]);
        let (one, two, three) = (base(0), base(1), base(2));
        let (reference, alternate): (&'static [u8], Vec<u8>) = match key.below(100) {
            0..85 => (one_of(one), two.to_vec()),
            85..90 => (one_of(one), [two, b",", three].concat()),
            90..95 => (one_of(one), [one, two, three].concat()),
            95..99 => (PAIRS[first], one.to_vec()),
            // An SNV and a deletion in one record: the SNV has to be trimmed.
            _ => (PAIRS[first], [one, b",", three, two].concat()),
        };
        let has_neighbour = key.percent(40);
        let consequence = *key.pick(&CONSEQUENCES);
        let base_quality = key.below(7_999);
        let mut values = Random::of(&[2, index, slot as u64, edition]);
        let passes = !values.percent(5);
        let quality = if passes { 2_000 + (base_quality + edition * 137) % 7_999 } else { values.below(2_000) };
        let depth = 5 + values.below(300);
        let significance = values.percent(20).then(|| *values.pick(&SIGNIFICANCES));
        let mut record = Record {
            index,
            slot,
            place,
            reference,
            alternate,
            quality,
            passes,
            depth,
            significance,
            has_neighbour,
            consequence,
        };
        record.has_neighbour &= record.alternates() == 1;
        record
    }
}

/// Each base followed by the next one.
const PAIRS: [&[u8]; 4] = [b"AC", b"CG", b"GT", b"TA"];

/// A base as text that lives as long as the program.
fn one_of(base: &[u8]) -> &'static [u8] {
    PAIRS.iter().find(|pair| pair[0] == base[0]).map_or(b"N", |pair| &pair[..1])
}

impl Record {
    fn alternates(&self) -> u64 {
        1 + self.alternate.iter().filter(|byte| **byte == b',').count() as u64
    }

    fn write(&self, line: &mut Vec<u8>) {
        line.extend_from_slice(CHROMOSOMES[self.place.chromosome].0.as_bytes());
        line.push(b'\t');
        number(line, self.place.pos);
        line.extend_from_slice(b"\trs");
        number(line, 2 * self.index + self.slot as u64);
        line.push(b'\t');
        line.extend_from_slice(self.reference);
        line.push(b'\t');
        line.extend_from_slice(&self.alternate);
        line.push(b'\t');
        number(line, self.quality / 100);
        line.push(b'.');
        padded(line, self.quality % 100, 2);
        line.extend_from_slice(if self.passes { b"\tPASS\tDP=" } else { b"\tq10\tDP=" });
        number(line, self.depth);
        line.extend_from_slice(b";ANN=");
        for (at, allele) in self.alternate.split(|byte| *byte == b',').enumerate() {
            if at > 0 {
                line.push(b',');
            }
            self.entry(line, allele, self.place.gene, self.consequence);
        }
        if self.has_neighbour {
            line.push(b',');
            self.entry(line, &self.alternate, self.place.gene + 1, ("upstream_gene_variant", "MODIFIER"));
        }
        if let Some(significance) = self.significance {
            line.extend_from_slice(b";CLNSIG=");
            line.extend_from_slice(significance.as_bytes());
        }
        line.push(b'\n');
    }

    /// One entry of ANN, as SnpEff lays it out.
    fn entry(&self, line: &mut Vec<u8>, allele: &[u8], gene: u64, (consequence, impact): (&str, &str)) {
        line.extend_from_slice(allele);
        for part in ["|", consequence, "|", impact, "|GENE"] {
            line.extend_from_slice(part.as_bytes());
        }
        padded(line, gene, 5);
        line.extend_from_slice(b"|G");
        padded(line, gene, 5);
        line.extend_from_slice(b"|transcript|T");
        padded(line, gene, 5);
        line.extend_from_slice(b".1|protein_coding|2/9|c.");
        number(line, 1 + self.place.pos % 3_000);
        line.extend_from_slice(self.reference);
        line.push(b'>');
        line.extend_from_slice(allele);
        line.extend_from_slice(b"||||||");
    }
}

/// Writes a header and these records, telling of each.
fn write(
    path: &Path,
    packing: Packing,
    records: impl Iterator<Item = Record>,
    mut each: impl FnMut(&Record),
) -> io::Result<()> {
    let file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut lines = header();
    let body = |output: &mut dyn Write| {
        for record in records {
            each(&record);
            record.write(&mut lines);
            if lines.len() > 60_000 {
                output.write_all(&lines)?;
                lines.clear();
            }
        }
        output.write_all(&lines)
    };
    match packing {
        Packing::Plain => {
            let mut file = file;
            body(&mut file)?;
            file.flush()
        }
        Packing::Bgzf => {
            let mut writer = noodles_bgzf::io::Writer::new(file);
            body(&mut writer)?;
            writer.finish()?.flush()
        }
    }
}

fn header() -> Vec<u8> {
    let mut text = String::from(
        "##fileformat=VCFv4.3\n\
         ##FILTER=<ID=q10,Description=\"Quality below 20\">\n\
         ##INFO=<ID=DP,Number=1,Type=Integer,Description=\"Depth\">\n\
         ##INFO=<ID=CLNSIG,Number=.,Type=String,Description=\"Clinical significance\">\n",
    );
    text +=
        &format!("##INFO=<ID=ANN,Number=.,Type=String,Description=\"Functional annotations: '{ANNOTATION_PARTS}'\">\n");
    for (name, length) in CHROMOSOMES {
        text += &format!("##contig=<ID={name},length={length}>\n");
    }
    text += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    text.into_bytes()
}

fn number(line: &mut Vec<u8>, value: u64) {
    padded(line, value, 1);
}

/// A number with zeros before it, up to this many digits. Ten times as fast as formatting, which would be most of the work.
fn padded(line: &mut Vec<u8>, mut value: u64, digits_min: usize) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    while value > 0 || digits.len() - start < digits_min {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    line.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests;
