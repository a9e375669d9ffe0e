//! GRCh37 as Ensembl, NCBI and the 1000 Genomes Project (b37) write it: no `chr`, mitochondrion `MT` (rCRS).
//!
//! Lengths, RefSeq and GenBank accessions: NCBI assembly report GCF_000001405.25.

use super::{Chromosomes, RCRS_LENGTH, Table, chromosomes, contig};

pub(super) static TABLE: Table = Table {
    name: "GRCh37",
    aliases: &["b37", "hs37", "hs37d5", "g1k_v37", "human_g1k_v37"],
    prefix: "",
    contigs: || {
        let mut contigs = chromosomes(TABLE.prefix, &CHROMOSOMES);
        contigs.push(contig("MT", RCRS_LENGTH, &["M", "chrM", "chrMT", "NC_012920.1", "J01415.2"]));
        contigs
    },
};

/// Shared with hg19.
pub(super) const CHROMOSOMES: Chromosomes = [
    (249_250_621, "NC_000001.10", "CM000663.1"),
    (243_199_373, "NC_000002.11", "CM000664.1"),
    (198_022_430, "NC_000003.11", "CM000665.1"),
    (191_154_276, "NC_000004.11", "CM000666.1"),
    (180_915_260, "NC_000005.9", "CM000667.1"),
    (171_115_067, "NC_000006.11", "CM000668.1"),
    (159_138_663, "NC_000007.13", "CM000669.1"),
    (146_364_022, "NC_000008.10", "CM000670.1"),
    (141_213_431, "NC_000009.11", "CM000671.1"),
    (135_534_747, "NC_000010.10", "CM000672.1"),
    (135_006_516, "NC_000011.9", "CM000673.1"),
    (133_851_895, "NC_000012.11", "CM000674.1"),
    (115_169_878, "NC_000013.10", "CM000675.1"),
    (107_349_540, "NC_000014.8", "CM000676.1"),
    (102_531_392, "NC_000015.9", "CM000677.1"),
    (90_354_753, "NC_000016.9", "CM000678.1"),
    (81_195_210, "NC_000017.10", "CM000679.1"),
    (78_077_248, "NC_000018.9", "CM000680.1"),
    (59_128_983, "NC_000019.9", "CM000681.1"),
    (63_025_520, "NC_000020.10", "CM000682.1"),
    (48_129_895, "NC_000021.8", "CM000683.1"),
    (51_304_566, "NC_000022.10", "CM000684.1"),
    (155_270_560, "NC_000023.10", "CM000685.1"),
    (59_373_566, "NC_000024.9", "CM000686.1"),
];
