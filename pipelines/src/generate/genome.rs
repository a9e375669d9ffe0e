//! The genome that generated files are of: the contigs of GRCh38, made-up genes in even stretches, made-up bases.

use super::random::Random;

/// A contig.
pub struct Contig {
    /// Its name.
    pub name: &'static str,
    /// Its length in bases.
    pub length: u64,
}

const fn contig(name: &'static str, length: u64) -> Contig {
    Contig { name, length }
}

/// The autosomes and X with their lengths in GRCh38.
pub const CONTIGS: [Contig; 23] = [
    contig("chr1", 248_956_422),
    contig("chr2", 242_193_529),
    contig("chr3", 198_295_559),
    contig("chr4", 190_214_555),
    contig("chr5", 181_538_259),
    contig("chr6", 170_805_979),
    contig("chr7", 159_345_973),
    contig("chr8", 145_138_636),
    contig("chr9", 138_394_717),
    contig("chr10", 133_797_422),
    contig("chr11", 135_086_622),
    contig("chr12", 133_275_309),
    contig("chr13", 114_364_328),
    contig("chr14", 107_043_718),
    contig("chr15", 101_991_189),
    contig("chr16", 90_338_345),
    contig("chr17", 83_257_441),
    contig("chr18", 80_373_285),
    contig("chr19", 58_617_616),
    contig("chr20", 64_444_167),
    contig("chr21", 46_709_983),
    contig("chr22", 50_818_468),
    contig("chrX", 156_040_895),
];

/// Bases from the start of one gene to that of the next.
const STRETCH: u64 = 150_000;
/// Bases before a gene in its stretch.
const LEAD: u64 = 20_000;
/// Exons of a gene, each at the start of an equal part of it.
pub const EXONS: u64 = 10;
/// Bases from the start of one exon to that of the next.
const PART: u64 = 10_000;

/// Genes of a contig.
const fn genes_of(contig: &Contig) -> u64 {
    contig.length / STRETCH
}

/// The number of each contig's first gene, and after the last contig the number of all.
const FIRST_GENES: [u64; CONTIGS.len() + 1] = {
    let mut first = [0; CONTIGS.len() + 1];
    let mut at = 0;
    while at < CONTIGS.len() {
        first[at + 1] = first[at] + genes_of(&CONTIGS[at]);
        at += 1;
    }
    first
};

/// Genes of the genome.
pub const fn genes() -> u64 {
    FIRST_GENES[CONTIGS.len()]
}

/// A gene. Coordinates are 1-based and closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gene {
    /// Its number, 0-based, along the genome.
    pub number: u64,
    /// Its contig, an index into [`CONTIGS`].
    pub contig: usize,
    /// Its first base.
    pub start: u64,
    /// Its last base.
    pub end: u64,
}

impl Gene {
    /// The gene of this number.
    pub fn new(number: u64) -> Gene {
        let number = number % genes();
        let contig = FIRST_GENES.partition_point(|first| *first <= number) - 1;
        let start = (number - FIRST_GENES[contig]) * STRETCH + LEAD + 1;
        Gene { number, contig, start, end: start + EXONS * PART - 1 }
    }

    /// Whether it is on the forward strand.
    pub fn is_forward(&self) -> bool {
        Random::of(&[10, self.number]).chance(0.5)
    }

    /// An exon's first and last base.
    pub fn exon(&self, exon: u64) -> (u64, u64) {
        let start = self.start + exon * PART;
        (start, start + 199 + Random::of(&[11, self.number, exon]).below(1_000))
    }

    /// The position of a share, 0 to 1, of the way along the gene as variants see it: six tenths of the way lie in exons,
    /// the rest between them. Grows with the share.
    pub fn position(&self, share: f64) -> u64 {
        let way = share.clamp(0.0, 0.999_999_999) * EXONS as f64;
        let exon = way as u64;
        let within = way - exon as f64;
        let (start, end) = self.exon(exon);
        let (low, high, part) = match within < 0.6 {
            true => (start, end + 1, within / 0.6),
            false => (end + 1, self.start + (exon + 1) * PART, (within - 0.6) / 0.4),
        };
        low + ((high - low) as f64 * part) as u64
    }

    /// Whether a position of the gene lies in one of its exons.
    pub fn is_exonic(&self, position: u64) -> bool {
        let exon = position.saturating_sub(self.start) / PART;
        position <= self.exon(exon.min(EXONS - 1)).1
    }
}

/// The base at a place: the same in every file of every seed.
pub fn base(contig: usize, position: u64) -> u8 {
    b"ACGT"[(Random::of(&[12, contig as u64, position]).bits() >> 62) as usize]
}

/// Another base than this one, by a number from 0 to 2.
pub fn other_base(base: u8, choice: u64) -> u8 {
    let bases = *b"ACGT";
    let at = bases.iter().position(|other| *other == base).unwrap_or_default();
    bases[(at + 1 + choice as usize % 3) % 4]
}

#[cfg(test)]
mod tests {
    use super::{CONTIGS, Gene, genes};

    #[test]
    fn genes_lie_in_order_inside_their_contigs() {
        let all: Vec<Gene> = (0..genes()).map(Gene::new).collect();
        assert!(all.len() > 19_000);
        assert!(all.iter().all(|gene| gene.end <= CONTIGS[gene.contig].length));
        assert!(all.is_sorted_by(|a, b| a.contig < b.contig || (a.contig == b.contig && a.end < b.start)));
    }

    #[test]
    fn positions_grow_along_a_gene_and_six_tenths_are_exonic() {
        let gene = Gene::new(4_321);
        let positions: Vec<u64> = (0..10_000).map(|step| gene.position(f64::from(step) / 10_000.0)).collect();
        assert!(positions.is_sorted());
        assert!(positions.iter().all(|position| (gene.start..=gene.end).contains(position)));
        let exonic = positions.iter().filter(|position| gene.is_exonic(**position)).count();
        assert!((5_900..=6_100).contains(&exonic), "{exonic}");
    }
}
