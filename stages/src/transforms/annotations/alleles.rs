//! Which entries of an annotation are of a row's allele.

/// How an entry's allele fits a row's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is the ALT as the file writes it (or its number).
    Written,
    /// It is the ALT without the base that REF and ALT begin with, as VEP writes alleles of records that hold an
    /// insertion or deletion.
    Shortened,
    /// It is another allele.
    Other,
}

/// A row's allele, as the annotator saw it: as the file writes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowAllele<'a> {
    /// REF, where the row has it.
    pub reference: Option<&'a str>,
    /// ALT.
    pub alternate: &'a str,
    /// The allele's place among the record's alternates, 1-based, where the row has it.
    pub number: Option<i64>,
}

impl RowAllele<'_> {
    /// How an entry with this allele fits.
    pub(super) fn fit(&self, allele: &str) -> Fit {
        if allele.eq_ignore_ascii_case(self.alternate) {
            return Fit::Written;
        }
        if !is_bases(self.alternate) {
            // Of a symbolic allele or breakend annotators write names of their own, such as `deletion`.
            return if allele.is_empty() || allele == "-" || is_bases(allele) { Fit::Other } else { Fit::Shortened };
        }
        // Against another sample's allele SnpEff writes `G-C`, and with neighbouring variants `G-chr1:100_A>T`.
        if allele.split_once('-').is_some_and(|(own, _)| own.eq_ignore_ascii_case(self.alternate)) {
            return Fit::Written;
        }
        let Some(reference) = self.reference else { return Fit::Other };
        match shorten(reference, self.alternate) {
            // Old releases of SnpEff write nothing for a deletion.
            _ if allele.is_empty() && self.alternate.len() < reference.len() => Fit::Shortened,
            Some(shortened) if shortened.eq_ignore_ascii_case(allele) => Fit::Shortened,
            _ => Fit::Other,
        }
    }
}

/// ALT without the first base that it shares with REF, `-` if nothing is left; `None` if they begin differently or
/// neither is longer than a base.
fn shorten<'a>(reference: &str, alternate: &'a str) -> Option<&'a str> {
    let shared = reference.as_bytes().first()?.eq_ignore_ascii_case(alternate.as_bytes().first()?);
    if !shared || reference.len().max(alternate.len()) < 2 {
        return None;
    }
    match &alternate[1..] {
        "" => Some("-"),
        rest => Some(rest),
    }
}

/// Whether VEP shortened the alleles of a record: it does where one differs from REF in length and all begin with the
/// same base (`*` apart).
pub(super) fn shortens(reference: &str, alternates: &str) -> bool {
    let first = reference.as_bytes().first();
    let own = || alternates.split(',').filter(|alternate| *alternate != "*");
    own().any(|alternate| alternate.len() != reference.len())
        && own().all(|alternate| alternate.as_bytes().first() == first)
}

/// Whether it is a sequence. Ambiguity codes do not count: annotators do not write them, but they do write `BND`.
pub(super) fn is_bases(allele: &str) -> bool {
    !allele.is_empty() && allele.bytes().all(|base| b"ACGTN".contains(&base.to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reference: &str, alternate: &str, allele: &str, expected: Fit) {
        let row = RowAllele { reference: Some(reference), alternate, number: None };
        assert_eq!(row.fit(allele), expected, "{reference}>{alternate} {allele}");
    }

    #[test]
    fn fits_what_annotators_write() {
        check("A", "G", "G", Fit::Written);
        check("A", "G", "g", Fit::Written);
        check("A", "G", "T", Fit::Other);
        check("A", "AT", "AT", Fit::Written);
        check("A", "AT", "T", Fit::Shortened);
        check("AT", "A", "-", Fit::Shortened);
        check("GTTC", "G", "", Fit::Shortened);
        check("A", "G", "", Fit::Other);
        check("CA", "CG", "G", Fit::Shortened);
        check("A", "G", "G-C", Fit::Written);
        check("A", "G", "C-G", Fit::Other);
        check("A", "G", "G-1:100_A>T", Fit::Written);
        check("N", "<DEL>", "<DEL>", Fit::Written);
        check("N", "<DEL>", "deletion", Fit::Shortened);
        check("N", "N[1:66030268[", "BND", Fit::Shortened);
        check("N", "<DEL>", "A", Fit::Other);
    }

    #[test]
    fn knows_when_vep_shortens() {
        assert!(shortens("A", "AT,AAT"));
        assert!(shortens("CAA", "CA,C,*"));
        assert!(!shortens("A", "T,AT"));
        assert!(!shortens("AC", "AG,AT"));
    }
}
