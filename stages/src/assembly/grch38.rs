//! GRCh38 as UCSC, GATK and most pipelines write it: with `chr`, mitochondrion `chrM` (rCRS).
//!
//! Lengths, RefSeq and GenBank accessions: NCBI assembly report GCF_000001405.40.

use super::{Chromosomes, RCRS_LENGTH, Table, chromosomes, contig};

pub(super) static TABLE: Table = Table {
    name: "GRCh38",
    aliases: &["hg38", "b38", "hs38", "hs38dh"],
    prefix: "chr",
    contigs: || {
        let mut contigs = chromosomes(TABLE.prefix, &CHROMOSOMES);
        contigs.push(contig("chrM", RCRS_LENGTH, &["M", "MT", "chrMT", "NC_012920.1", "J01415.2"]));
        contigs
    },
};

const CHROMOSOMES: Chromosomes = [
    (248_956_422, "NC_000001.11", "CM000663.2"),
    (242_193_529, "NC_000002.12", "CM000664.2"),
    (198_295_559, "NC_000003.12", "CM000665.2"),
    (190_214_555, "NC_000004.12", "CM000666.2"),
    (181_538_259, "NC_000005.10", "CM000667.2"),
    (170_805_979, "NC_000006.12", "CM000668.2"),
    (159_345_973, "NC_000007.14", "CM000669.2"),
    (145_138_636, "NC_000008.11", "CM000670.2"),
    (138_394_717, "NC_000009.12", "CM000671.2"),
    (133_797_422, "NC_000010.11", "CM000672.2"),
    (135_086_622, "NC_000011.10", "CM000673.2"),
    (133_275_309, "NC_000012.12", "CM000674.2"),
    (114_364_328, "NC_000013.11", "CM000675.2"),
    (107_043_718, "NC_000014.9", "CM000676.2"),
    (101_991_189, "NC_000015.10", "CM000677.2"),
    (90_338_345, "NC_000016.10", "CM000678.2"),
    (83_257_441, "NC_000017.11", "CM000679.2"),
    (80_373_285, "NC_000018.10", "CM000680.2"),
    (58_617_616, "NC_000019.10", "CM000681.2"),
    (64_444_167, "NC_000020.11", "CM000682.2"),
    (46_709_983, "NC_000021.9", "CM000683.2"),
    (50_818_468, "NC_000022.11", "CM000684.2"),
    (156_040_895, "NC_000023.11", "CM000685.2"),
    (57_227_415, "NC_000024.10", "CM000686.2"),
];
