//! hg19 as UCSC writes it: the chromosomes of GRCh37 with `chr`, and two mitochondria.
//!
//! UCSC's `chrM` is NC_001807 (16,571 bp), not the sequence that everybody else numbers by (rCRS, NC_012920.1, 16,569 bp),
//! which UCSC added later as `chrMT`. Files write both by both names; where the header gives a length, it decides.

use super::{RCRS_LENGTH, Table, chromosomes, contig, grch37};

pub(super) static TABLE: Table = Table {
    name: "hg19",
    aliases: &["ucsc_hg19"],
    prefix: "chr",
    contigs: || {
        let mut contigs = chromosomes(TABLE.prefix, &grch37::CHROMOSOMES);
        contigs.push(contig("chrM", 16_571, &["M", "NC_001807.4"]));
        contigs.push(contig("chrMT", RCRS_LENGTH, &["MT", "NC_012920.1", "J01415.2"]));
        contigs
    },
};
