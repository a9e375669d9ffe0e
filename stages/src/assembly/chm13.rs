//! T2T-CHM13v2.0 as its consortium and UCSC (hs1) write it: with `chr`, mitochondrion `chrM` of its own.
//!
//! The mitochondrion (CP068254.1) is as long as rCRS but another sequence, so NC_012920.1 is no spelling of it.
//! Lengths, RefSeq and GenBank accessions: NCBI assembly report GCA_009914755.4.

use super::{Chromosomes, Table, chromosomes, contig};

pub(super) static TABLE: Table = Table {
    name: "T2T-CHM13v2.0",
    aliases: &["hs1", "chm13v2.0", "chm13v2", "t2t-chm13v2"],
    prefix: "chr",
    contigs: || {
        let mut contigs = chromosomes(TABLE.prefix, &CHROMOSOMES);
        contigs.push(contig("chrM", 16_569, &["M", "MT", "chrMT", "CP068254.1"]));
        contigs
    },
};

const CHROMOSOMES: Chromosomes = [
    (248_387_328, "NC_060925.1", "CP068277.2"),
    (242_696_752, "NC_060926.1", "CP068276.2"),
    (201_105_948, "NC_060927.1", "CP068275.2"),
    (193_574_945, "NC_060928.1", "CP068274.2"),
    (182_045_439, "NC_060929.1", "CP068273.2"),
    (172_126_628, "NC_060930.1", "CP068272.2"),
    (160_567_428, "NC_060931.1", "CP068271.2"),
    (146_259_331, "NC_060932.1", "CP068270.2"),
    (150_617_247, "NC_060933.1", "CP068269.2"),
    (134_758_134, "NC_060934.1", "CP068268.2"),
    (135_127_769, "NC_060935.1", "CP068267.2"),
    (133_324_548, "NC_060936.1", "CP068266.2"),
    (113_566_686, "NC_060937.1", "CP068265.2"),
    (101_161_492, "NC_060938.1", "CP068264.2"),
    (99_753_195, "NC_060939.1", "CP068263.2"),
    (96_330_374, "NC_060940.1", "CP068262.2"),
    (84_276_897, "NC_060941.1", "CP068261.2"),
    (80_542_538, "NC_060942.1", "CP068260.2"),
    (61_707_364, "NC_060943.1", "CP068259.2"),
    (66_210_255, "NC_060944.1", "CP068258.2"),
    (45_090_682, "NC_060945.1", "CP068257.2"),
    (51_324_926, "NC_060946.1", "CP068256.2"),
    (154_259_566, "NC_060947.1", "CP068255.2"),
    (62_460_029, "NC_060948.1", "CP086569.2"),
];
