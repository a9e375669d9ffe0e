//! What a genotype says: zygosity, ploidy, phase, and how many copies of each alternate allele the sample carries.
//!
//! GT is a list of allele numbers joined by `/` or `|` (VCF 4.3, section 1.6.2); since 4.4 a first `/` or `|` may give the
//! phase of the first allele. All of it is read from the whole record, before anything is split by allele.

use vardelta_engine::choices;

choices! {
    /// What a sample carries at a record.
    pub enum Zygosity {
        /// Every allele is the reference.
        HomRef = "hom_ref",
        /// More than one allele.
        Het = "het",
        /// Every allele is the same alternate.
        HomAlt = "hom_alt",
        /// An alternate where the sample has one copy of the contig.
        Hemi = "hemi",
        /// Nothing was called.
        Missing = "missing",
    }
}

/// How many copies of a contig a sample has, as far as that changes what its genotype says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Copies {
    /// As many as the genotype has alleles.
    #[default]
    AsWritten,
    /// One, however the genotype is written: X and Y of a male outside the pseudo-autosomal regions.
    One,
    /// A mitochondrion's: many, of one kind or of several.
    Mitochondrial,
    /// None: Y of a female. What is called there is none of hers.
    Absent,
}

/// What one genotype says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Genotype {
    /// What the sample carries.
    pub zygosity: Zygosity,
    /// How many alleles are written; `None` for the missing value `.`.
    pub ploidy: Option<usize>,
    /// Whether every allele is phased; `None` for the missing value `.`.
    pub phased: Option<bool>,
    /// Whether some alleles were called and some not.
    pub half_call: bool,
    /// Whether alleles were called where the sample has no such contig.
    pub misplaced: bool,
}

impl Genotype {
    /// The missing value.
    pub fn missing() -> Genotype {
        Genotype { zygosity: Zygosity::Missing, ploidy: None, phased: None, half_call: false, misplaced: false }
    }

    /// Whether the sample's alleles are known: otherwise copies of an allele are NULL, never 0.
    pub fn is_called(&self) -> bool {
        self.zygosity != Zygosity::Missing
    }
}

/// Reads a genotype of a record with `alternates.len()` alternate alleles, and counts in `alternates` the copies of each.
/// `None` for what is no genotype of this record: a number beyond its alleles, or other text.
pub(super) fn read(text: &[u8], copies: Copies, alternates: &mut [i64]) -> Option<Genotype> {
    alternates.fill(0);
    if text == b"." || text.is_empty() {
        return Some(Genotype::missing());
    }
    let (first_phase, rest) = match text {
        [phase @ (b'/' | b'|'), rest @ ..] => (Some(*phase), rest),
        rest => (None, rest),
    };
    let (mut ploidy, mut unknown, mut reference) = (0, 0, 0);
    let mut joined = None;
    let mut all_phased = true;
    for part in rest.split_inclusive(|byte| matches!(byte, b'/' | b'|')) {
        let (digits, joint) = match part {
            [digits @ .., joint @ (b'/' | b'|')] => (digits, Some(*joint)),
            digits => (digits, None),
        };
        match digits {
            b"." => unknown += 1,
            b"0" => reference += 1,
            digits => *alternates.get_mut(number(digits)?.checked_sub(1)?)? += 1,
        }
        ploidy += 1;
        all_phased &= joint != Some(b'/');
        joined = joint;
    }
    if ploidy == 0 || joined.is_some() {
        return None;
    }
    let half_call = unknown > 0 && unknown < ploidy;
    let carried = alternates.iter().filter(|count| **count > 0).count();
    let zygosity = match (carried, unknown, reference) {
        (0, 0, _) => Zygosity::HomRef,
        // A reference allele beside an unknown one leaves open whether the sample carries an alternate.
        (0, _, _) => Zygosity::Missing,
        (1, 0, 0) if ploidy == 1 => Zygosity::Hemi,
        (1, 0, 0) => Zygosity::HomAlt,
        _ => Zygosity::Het,
    };
    let mut genotype = Genotype {
        zygosity,
        ploidy: Some(ploidy),
        // Where the first phase is not written it is that of the others; alone, an allele is phased (VCF 4.4, 1.6.2).
        phased: Some(all_phased && first_phase != Some(b'/')),
        half_call,
        misplaced: false,
    };
    apply(copies, &mut genotype, alternates);
    Some(genotype)
}

/// What is known of the sample's copies overrules how many alleles are written.
fn apply(copies: Copies, genotype: &mut Genotype, alternates: &mut [i64]) {
    let carries = matches!(genotype.zygosity, Zygosity::Het | Zygosity::HomAlt | Zygosity::Hemi);
    let one_copy = match copies {
        Copies::AsWritten => false,
        Copies::One => carries,
        Copies::Mitochondrial => carries && genotype.zygosity != Zygosity::Het,
        Copies::Absent => {
            genotype.misplaced = genotype.is_called();
            genotype.zygosity = Zygosity::Missing;
            false
        }
    };
    if one_copy {
        genotype.zygosity = Zygosity::Hemi;
        alternates.iter_mut().for_each(|count| *count = (*count).min(1));
    }
}

/// An allele number.
fn number(digits: &[u8]) -> Option<usize> {
    // No record has so many alleles; more digits would overflow.
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + usize::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Zygosity, ploidy, phased, copies of each alternate; `+half` and `+misplaced` where it is so.
    fn read_as(text: &str, alternates: usize, copies: Copies) -> String {
        let mut counts = vec![9; alternates];
        match read(text.as_bytes(), copies, &mut counts) {
            None => "none".into(),
            Some(genotype) => {
                let shown = |value: Option<String>| value.unwrap_or_else(|| "-".into());
                let counts = if genotype.is_called() { format!("{counts:?}") } else { "-".into() };
                format!(
                    "{} {} {} {counts}{}{}",
                    genotype.zygosity.as_str(),
                    shown(genotype.ploidy.map(|ploidy| ploidy.to_string())),
                    shown(genotype.phased.map(|phased| if phased { "|".into() } else { "/".into() })),
                    if genotype.half_call { " +half" } else { "" },
                    if genotype.misplaced { " +misplaced" } else { "" },
                )
            }
        }
    }

    #[test]
    fn says_what_a_sample_carries() {
        for (text, expected) in [
            ("0/0", "hom_ref 2 / [0, 0]"),
            ("0/1", "het 2 / [1, 0]"),
            ("1|0", "het 2 | [1, 0]"),
            ("1/1", "hom_alt 2 / [2, 0]"),
            ("1/2", "het 2 / [1, 1]"),
            ("2|2", "hom_alt 2 | [0, 2]"),
            ("./.", "missing 2 / -"),
            (".|.", "missing 2 | -"),
            (".", "missing - - -"),
            ("./1", "het 2 / [1, 0] +half"),
            ("1/.", "het 2 / [1, 0] +half"),
            ("./0", "missing 2 / - +half"),
            ("1", "hemi 1 | [1, 0]"),
            ("0", "hom_ref 1 | [0, 0]"),
            ("0/0/1", "het 3 / [1, 0]"),
            ("1/1/1", "hom_alt 3 / [3, 0]"),
            ("0/1/2/2", "het 4 / [1, 2]"),
            ("./1/1", "het 3 / [2, 0] +half"),
            ("0/0|1", "het 3 / [1, 0]"),
            // The leading phase of VCF 4.4.
            ("/0/1", "het 2 / [1, 0]"),
            ("|0|1", "het 2 | [1, 0]"),
            ("/0|1", "het 2 / [1, 0]"),
            ("|1", "hemi 1 | [1, 0]"),
            ("/1", "hemi 1 / [1, 0]"),
            ("/.", "missing 1 / -"),
        ] {
            assert_eq!(read_as(text, 2, Copies::AsWritten), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_genotype_of_the_record_is_none() {
        for text in ["0/3", "0/x", "+1", "0//1", "0/1/", "/", "|", "//1", "0/ 1", "1-1", "99999999999999999999"] {
            assert_eq!(read_as(text, 2, Copies::AsWritten), "none", "{text}");
        }
        assert_eq!(read_as("0/1", 0, Copies::AsWritten), "none");
        assert_eq!(read_as("0/0", 0, Copies::AsWritten), "hom_ref 2 / []");
        assert_eq!(read_as("0/12", 12, Copies::AsWritten), "het 2 / [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]");
    }

    #[test]
    fn copies_overrule_what_is_written() {
        for (text, one, mitochondrial, absent) in [
            ("1/1", "hemi 2 / [1]", "hemi 2 / [1]", "missing 2 / - +misplaced"),
            ("0/1", "hemi 2 / [1]", "het 2 / [1]", "missing 2 / - +misplaced"),
            ("1", "hemi 1 | [1]", "hemi 1 | [1]", "missing 1 | - +misplaced"),
            ("0/0", "hom_ref 2 / [0]", "hom_ref 2 / [0]", "missing 2 / - +misplaced"),
            ("./1", "hemi 2 / [1] +half", "het 2 / [1] +half", "missing 2 / - +half +misplaced"),
            ("./.", "missing 2 / -", "missing 2 / -", "missing 2 / -"),
        ] {
            assert_eq!(read_as(text, 1, Copies::One), one, "{text}");
            assert_eq!(read_as(text, 1, Copies::Mitochondrial), mitochondrial, "{text}");
            assert_eq!(read_as(text, 1, Copies::Absent), absent, "{text}");
        }
    }
}
