//! Where a sample's sex decides how many copies of a contig it has: X and Y outside the pseudo-autosomal regions. The
//! mitochondrion is here too, for it has no two copies in anybody.

use std::ops::RangeInclusive;

use vardelta_engine::choices;

use crate::sources::vcf::genotype::Copies;

choices! {
    /// A sample's sex, as a PED file gives it.
    pub enum Sex {
        /// PED's 1.
        Male = "male",
        /// PED's 2.
        Female = "female",
    }
}

/// Positions, 1-based and inclusive.
type Regions = [RangeInclusive<i64>; 2];

/// The pseudo-autosomal regions of an assembly (Genome Reference Consortium: the human assemblies' PAR tables).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PseudoAutosomal {
    assembly: &'static str,
    x: Regions,
    y: Regions,
}

static GRCH37: PseudoAutosomal = PseudoAutosomal {
    assembly: "GRCh37",
    x: [60_001..=2_699_520, 154_931_044..=155_260_560],
    y: [10_001..=2_649_520, 59_034_050..=59_363_566],
};
static GRCH38: PseudoAutosomal = PseudoAutosomal {
    assembly: "GRCh38",
    x: [10_001..=2_781_479, 155_701_383..=156_030_895],
    y: [10_001..=2_781_479, 56_887_903..=57_217_415],
};

impl PseudoAutosomal {
    /// The assembly.
    pub fn assembly(&self) -> &'static str {
        self.assembly
    }

    /// The regions of the assembly that a pipeline names; `None` for an assembly that is not known here.
    pub fn of(assembly: &str) -> Option<&'static PseudoAutosomal> {
        let name = assembly.to_ascii_lowercase();
        let is = |names: &[&str]| names.iter().any(|known| name == *known || name.starts_with(&format!("{known}.")));
        if is(&["grch37", "hg19", "b37", "hs37d5"]) {
            Some(&GRCH37)
        } else if is(&["grch38", "hg38"]) {
            Some(&GRCH38)
        } else {
            None
        }
    }
}

/// What a record's place says of copies, sex by sex.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CopiesBySex {
    /// Of a male.
    pub male: Copies,
    /// Of a female.
    pub female: Copies,
    /// Of a sample whose sex nobody has given.
    pub unknown: Copies,
}

impl CopiesBySex {
    /// The copies of a sample.
    pub fn of(self, sex: Option<Sex>) -> Copies {
        match sex {
            Some(Sex::Male) => self.male,
            Some(Sex::Female) => self.female,
            None => self.unknown,
        }
    }
}

/// What is known of copies at a place. Contigs go by the names that are in use, with and without `chr`, and their RefSeq
/// accessions.
pub(super) fn copies_at(contig: &[u8], pos: i64, regions: Option<&PseudoAutosomal>) -> CopiesBySex {
    let in_regions =
        |regions: Option<&Regions>| regions.is_some_and(|regions| regions.iter().any(|region| region.contains(&pos)));
    match contig_kind(contig) {
        ContigKind::X if !in_regions(regions.map(|regions| &regions.x)) => {
            CopiesBySex { male: Copies::One, ..CopiesBySex::default() }
        }
        ContigKind::Y => {
            let pseudo_autosomal = in_regions(regions.map(|regions| &regions.y));
            let male = if pseudo_autosomal { Copies::AsWritten } else { Copies::One };
            CopiesBySex { male, female: Copies::Absent, unknown: Copies::AsWritten }
        }
        ContigKind::Mitochondrion => {
            CopiesBySex { male: Copies::Mitochondrial, female: Copies::Mitochondrial, unknown: Copies::Mitochondrial }
        }
        ContigKind::X | ContigKind::Other => CopiesBySex::default(),
    }
}

enum ContigKind {
    X,
    Y,
    Mitochondrion,
    Other,
}

fn contig_kind(contig: &[u8]) -> ContigKind {
    let name = match contig {
        [b'c' | b'C', b'h' | b'H', b'r' | b'R', name @ ..] => name,
        name => name,
    };
    match name {
        b"X" | b"x" => ContigKind::X,
        b"Y" | b"y" => ContigKind::Y,
        b"M" | b"MT" | b"m" | b"mt" => ContigKind::Mitochondrion,
        _ if contig.starts_with(b"NC_000023.") => ContigKind::X,
        _ if contig.starts_with(b"NC_000024.") => ContigKind::Y,
        _ if contig.starts_with(b"NC_012920.") || contig.starts_with(b"NC_001807.") => ContigKind::Mitochondrion,
        _ => ContigKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(contig: &str, pos: i64, assembly: &str) -> [Copies; 3] {
        let copies = copies_at(contig.as_bytes(), pos, PseudoAutosomal::of(assembly));
        [copies.of(Some(Sex::Male)), copies.of(Some(Sex::Female)), copies.of(None)]
    }

    #[test]
    fn copies_follow_contig_position_and_sex() {
        use Copies::{Absent, AsWritten, Mitochondrial, One};
        let (plain, x, y) = ([AsWritten; 3], [One, AsWritten, AsWritten], [One, Absent, AsWritten]);
        for (contig, pos, assembly, expected) in [
            ("X", 60_000, "GRCh37", x),
            ("chrX", 60_001, "hg19", plain),
            ("X", 2_699_520, "GRCh37.p13", plain),
            ("X", 2_699_521, "b37", x),
            ("chrX", 2_699_521, "GRCh38", plain),
            ("chrX", 2_781_480, "GRCh38", x),
            ("chrX", 2_781_479, "hg38", plain),
            ("chrX", 155_701_383, "GRCh38.p14", plain),
            ("NC_000023.11", 5_000_000, "GRCh38", x),
            ("chrX", 60_001, "", x),
            ("X", 60_001, "T2T-CHM13", x),
            ("chrY", 5_000_000, "GRCh38", y),
            ("Y", 10_001, "GRCh38", [AsWritten, Absent, AsWritten]),
            ("Y", 59_363_566, "hs37d5", [AsWritten, Absent, AsWritten]),
            ("MT", 1, "GRCh38", [Mitochondrial; 3]),
            ("chrM", 1, "", [Mitochondrial; 3]),
            ("NC_012920.1", 1, "", [Mitochondrial; 3]),
            ("chr1", 60_001, "GRCh38", plain),
            ("chrX_KI270880v1_alt", 1, "GRCh38", plain),
            ("HLA-A*01:01", 1, "GRCh38", plain),
        ] {
            assert_eq!(at(contig, pos, assembly), expected, "{contig}:{pos} of {assembly}");
        }
    }
}
