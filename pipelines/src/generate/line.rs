//! What the lines of every kind of VCF file share: where they lie, and their ALT column.

use super::{sites::Alternates, text::put_all};

/// Where a line lies. Coordinates are 1-based and closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// An index into [`CONTIGS`](super::genome::CONTIGS).
    pub contig: usize,
    /// The first base.
    pub start: u64,
    /// The last base.
    pub end: u64,
    /// Whether no reader can use it.
    pub broken: bool,
}

/// Appends the ALT column.
pub fn alternates(line: &mut Vec<u8>, alternates: &Alternates) {
    match alternates {
        Alternates::Symbolic(kind, _) => put_all(line, &["<", kind, ">"]),
        Alternates::Spelled(alleles) => {
            for (at, allele) in alleles.iter().enumerate() {
                if at > 0 {
                    line.push(b',');
                }
                allele.put(line);
            }
        }
    }
}
