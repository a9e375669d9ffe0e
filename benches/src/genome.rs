//! Where generated records lie: a place in the genome for each index, without reading any other.

use vardelta_testrandom::Random;

/// Chromosomes and their lengths in bases (GRCh38).
pub const CHROMOSOMES: [(&str, u64); 23] = [
    ("chr1", 248_956_422),
    ("chr2", 242_193_529),
    ("chr3", 198_295_559),
    ("chr4", 190_214_555),
    ("chr5", 181_538_259),
    ("chr6", 170_805_979),
    ("chr7", 159_345_973),
    ("chr8", 145_138_636),
    ("chr9", 138_394_717),
    ("chr10", 133_797_422),
    ("chr11", 135_086_622),
    ("chr12", 133_275_309),
    ("chr13", 114_364_328),
    ("chr14", 107_043_718),
    ("chr15", 101_991_189),
    ("chr16", 90_338_345),
    ("chr17", 83_257_441),
    ("chr18", 80_373_285),
    ("chr19", 58_617_616),
    ("chr20", 64_444_167),
    ("chr21", 46_709_983),
    ("chr22", 50_818_468),
    ("chrX", 156_040_895),
];

/// Genes at the most; each has a stretch of the genome, as genes do.
const GENES: u64 = 20_000;

/// Which of the two places that each index has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The place that the history's records take.
    History,
    /// A place after it, which the history leaves free.
    Free,
}

/// A place in the genome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The chromosome, an index into [`CHROMOSOMES`].
    pub chromosome: usize,
    /// The position, 1-based.
    pub pos: u64,
    /// The gene, 1-based; grows along the genome.
    pub gene: u64,
}

/// A history of sites spread evenly over the genome, in order.
pub struct Genome {
    /// Number of sites.
    pub sites: u64,
    /// The first site of each chromosome, and, at the end, the number of sites.
    firsts: Vec<u64>,
}

impl Genome {
    /// A genome with this many sites.
    pub fn new(sites: u64) -> Genome {
        let all: u64 = CHROMOSOMES.iter().map(|(_, length)| length).sum();
        let mut before = 0;
        let mut firsts = vec![0];
        for (_, length) in CHROMOSOMES {
            before += length;
            firsts.push((u128::from(sites) * u128::from(before) / u128::from(all)) as u64);
        }
        Genome { sites, firsts }
    }

    /// The place of an index: places grow with index and slot, and no two are the same.
    pub fn place(&self, index: u64, slot: Slot) -> Place {
        let chromosome = self.firsts.partition_point(|first| *first <= index) - 1;
        let (first, end) = (self.firsts[chromosome], self.firsts[chromosome + 1]);
        // A stretch of the chromosome per site: its first half is the history's, its second half is free.
        let stretch = CHROMOSOMES[chromosome].1 / (end - first);
        let half = stretch / 2;
        let start = 1 + (index - first) * stretch + if slot == Slot::Free { half } else { 0 };
        let pos = start + Random::of(&[index, slot as u64]).below(half);
        let genes = GENES.min(self.sites);
        Place { chromosome, pos, gene: 1 + (u128::from(index) * u128::from(genes) / u128::from(self.sites)) as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::{CHROMOSOMES, Genome, Slot};

    #[test]
    fn places_are_in_order_and_within_their_chromosomes() {
        for sites in [30, 1_000, 12_345] {
            let genome = Genome::new(sites);
            let places: Vec<_> = (0..sites)
                .flat_map(|index| [Slot::History, Slot::Free].map(|slot| genome.place(index, slot)))
                .collect();
            assert!(places.is_sorted_by(|a, b| (a.chromosome, a.pos) < (b.chromosome, b.pos)), "{sites}");
            assert!(places.iter().all(|place| (1..=CHROMOSOMES[place.chromosome].1).contains(&place.pos)));
            assert_eq!(places.last().map(|place| (place.chromosome, place.gene)), Some((22, sites)));
        }
    }
}
