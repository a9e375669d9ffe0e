//! The regions of a gene.

/// A region, the most severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Region {
    /// The ends of an intron.
    Splice,
    /// Coding sequence.
    Cds,
    /// Before the coding sequence, in an exon.
    Utr5,
    /// After the coding sequence, in an exon.
    Utr3,
    /// Any other part of an exon.
    Exon,
    /// Between exons.
    Intron,
    /// Before the gene.
    Upstream,
    /// After the gene.
    Downstream,
}

impl Region {
    /// The names, in order of severity.
    pub const NAMES: [&'static str; 8] = ["splice", "CDS", "utr5", "utr3", "exon", "intron", "upstream", "downstream"];

    /// The name.
    pub fn name(self) -> &'static str {
        Region::NAMES[self as usize]
    }
}
