//! What an ALT says (VCF 4.3, section 1.6.1.5), and trimming a pair of alleles to its shortest form.

/// The kinds of ALT allele.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alternate {
    /// A sequence of bases.
    Bases,
    /// `*`: the base is missing due to a deletion that another record describes.
    Star,
    /// No allele at all: `.`, or `<NON_REF>` and `<*>`, which stand for any allele that was not observed.
    Absent,
    /// A symbolic allele such as `<DEL>`, a breakend, or anything else that is not bases: it is kept as it is.
    Opaque,
}

/// Tells the kinds of ALT apart.
pub(super) fn classify(alternate: &str) -> Alternate {
    match alternate {
        "." | "" => Alternate::Absent,
        _ if is_unobserved(alternate) => Alternate::Absent,
        "*" => Alternate::Star,
        _ if is_bases(alternate) => Alternate::Bases,
        _ => Alternate::Opaque,
    }
}

/// Whether an allele stands for any that was not observed: GATK's `<NON_REF>`, and `<*>` (VCF 4.3, section 5.5).
pub(super) fn is_unobserved(alternate: &str) -> bool {
    matches!(alternate, "<NON_REF>" | "<*>")
}

/// Whether an allele is made of bases alone, IUPAC ambiguity codes included.
pub(super) fn is_bases(allele: &str) -> bool {
    !allele.is_empty() && allele.bytes().all(|base| iupac_set(base) != 0)
}

/// The bases that a code stands for, one bit each (A 1, C 2, G 4, T 8); 0 for what is no code. Case does not matter.
pub(super) fn iupac_set(code: u8) -> u8 {
    match code.to_ascii_uppercase() {
        b'A' => 1,
        b'C' => 2,
        b'M' => 1 | 2,
        b'G' => 4,
        b'R' => 1 | 4,
        b'S' => 2 | 4,
        b'V' => 1 | 2 | 4,
        b'T' | b'U' => 8,
        b'W' => 1 | 8,
        b'Y' => 2 | 8,
        b'H' => 1 | 2 | 8,
        b'K' => 4 | 8,
        b'D' => 1 | 4 | 8,
        b'B' => 2 | 4 | 8,
        b'N' => 1 | 2 | 4 | 8,
        _ => 0,
    }
}

/// Removes the bases that two alleles share at the end, then those they share at the start, never all of an allele.
/// Returns how many were removed at the start, and the two alleles that are left.
pub(super) fn trim<'a>(reference: &'a [u8], alternate: &'a [u8]) -> (usize, &'a [u8], &'a [u8]) {
    let removable = reference.len().min(alternate.len()).saturating_sub(1);
    let suffix = reference.iter().rev().zip(alternate.iter().rev()).take(removable).take_while(|(r, a)| r == a).count();
    let (reference, alternate) = (&reference[..reference.len() - suffix], &alternate[..alternate.len() - suffix]);
    let prefix = trim_start(reference, alternate);
    (prefix, &reference[prefix..], &alternate[prefix..])
}

/// How many bases two alleles share at the start, at most all but one of the shorter.
pub(super) fn trim_start(reference: &[u8], alternate: &[u8]) -> usize {
    let removable = reference.len().min(alternate.len()).saturating_sub(1);
    reference.iter().zip(alternate).take(removable).take_while(|(r, a)| r == a).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trims_the_end_first_and_never_to_nothing() {
        let check = |reference: &str, alternate: &str, prefix: usize, left: (&str, &str)| {
            let (skipped, r, a) = trim(reference.as_bytes(), alternate.as_bytes());
            assert_eq!((skipped, r, a), (prefix, left.0.as_bytes(), left.1.as_bytes()), "{reference}>{alternate}");
        };
        check("A", "C", 0, ("A", "C"));
        check("TAAACCCTAAA", "TAA", 0, ("TAAACCCTA", "T"));
        check("GTT", "GT", 0, ("GT", "G"));
        check("CACAG", "CACAT", 4, ("G", "T"));
        check("TCACCG", "ACACCG", 0, ("T", "A"));
        check("ATG", "ATCG", 1, ("T", "TC"));
        check("TT", "T", 0, ("TT", "T"));
        check("AA", "AAAA", 0, ("A", "AAA"));
        check("AC", "GT", 0, ("AC", "GT"));
    }

    #[test]
    fn tells_alternates_apart() {
        for (alternate, expected) in [
            ("ACGT", Alternate::Bases),
            ("acgtn", Alternate::Bases),
            ("R", Alternate::Bases),
            ("*", Alternate::Star),
            (".", Alternate::Absent),
            ("<NON_REF>", Alternate::Absent),
            ("<*>", Alternate::Absent),
            ("<DEL>", Alternate::Opaque),
            ("<INS:ME>", Alternate::Opaque),
            ("]chr2:321]A", Alternate::Opaque),
            ("A.", Alternate::Opaque),
            ("-", Alternate::Opaque),
        ] {
            assert_eq!(classify(alternate), expected, "{alternate}");
        }
    }
}
