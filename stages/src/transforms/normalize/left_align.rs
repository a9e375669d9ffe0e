//! Left-alignment of a pair of alleles against the reference (Tan, Abecasis and Kang, 2015, algorithm 1): while both
//! end in the same base, drop it, and take in the reference's bases before them when one would be empty.

use vardelta_engine::contract::stage::StageError;

use crate::transforms::normalize::{
    allele::trim_start,
    reference::{Contig, Reference},
};

/// Bases taken in from the reference at a time.
const STEP_BASES: u64 = 64;

/// A pair of alleles with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Aligned {
    /// Place of the first base, 0-based.
    pub start: u64,
    /// The reference allele.
    pub reference: Vec<u8>,
    /// The alternate allele.
    pub alternate: Vec<u8>,
}

/// Moves a trimmed pair as far to the left as the reference allows, and trims what that brought in.
pub(super) fn left_align(pair: Aligned, contig: Contig, fasta: &mut Reference) -> Result<Aligned, StageError> {
    let Aligned { mut start, mut reference, mut alternate } = pair;
    while reference.last() == alternate.last() {
        let shorter = reference.len().min(alternate.len());
        if shorter <= 1 && start == 0 {
            break; // Nothing lies before the contig's first base.
        }
        reference.pop();
        alternate.pop();
        if shorter <= 1 {
            let step = start.min(STEP_BASES);
            start -= step;
            let Some(before) = fasta.bases(contig, start, step)? else { break };
            reference.splice(0..0, before.iter().copied().map(plain_base));
            alternate.splice(0..0, before.iter().copied().map(plain_base));
        }
    }
    let prefix = trim_start(&reference, &alternate);
    start += prefix as u64;
    reference.drain(..prefix);
    alternate.drain(..prefix);
    Ok(Aligned { start, reference, alternate })
}

/// A reference base as an allele may hold it: `N` for an ambiguity code, as the specification asks for A, C, G, T and N
/// (VCF 4.3, section 1.6.1.4).
fn plain_base(base: u8) -> u8 {
    if matches!(base, b'A' | b'C' | b'G' | b'T') { base } else { b'N' }
}
