//! Records whose alleles were split, trimmed or left out after they were annotated: the annotation then lists alleles that the
//! record does not have, and an allele that looks like the row's may be another's.
//!
//! An annotator names an allele by its ALT, or by what is left of it without the first base. Trimming (`bcftools norm`) takes
//! bases off both ends of REF and ALT, so that what was `CAA>CA` becomes `CA>C`, which is what `CAA>C` is called as well.

use crate::transforms::annotations::alleles::{Fit, RowAllele, is_bases};

/// The alleles of a row's record, as its line writes them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    /// REF.
    pub reference: &'a str,
    /// ALT, separated by commas.
    pub alternates: &'a str,
}

impl<'a> Record<'a> {
    /// The alleles of a line; `None` where it has none.
    pub fn of_line(line: &'a [u8]) -> Option<Record<'a>> {
        let mut columns = line.split(|byte| *byte == b'\t').skip(3);
        let text = |column: &'a [u8]| std::str::from_utf8(column).ok();
        Some(Record { reference: text(columns.next()?)?, alternates: text(columns.next()?)? })
    }

    /// How many alternates it has.
    pub fn alternate_count(&self) -> usize {
        self.alternates.split(',').count()
    }

    /// Whether one of its alternates may be called so in an annotation.
    fn has(&self, allele: &str) -> bool {
        self.alternates.split(',').any(|alternate| {
            let row = RowAllele { reference: Some(self.reference), alternate, number: None };
            row.fit(allele) != Fit::Other
        })
    }

    /// Whether the entries of a row's allele may be another's: `others` are the alleles of the entries that do not fit the
    /// row.
    pub fn leaves_open<'o>(&self, row: RowAllele<'_>, mut others: impl Iterator<Item = &'o str>) -> bool {
        let reference = row.reference.unwrap_or(self.reference);
        let may_be_trimmed = is_bases(row.alternate) && is_bases(reference) && is_minimal(reference, row.alternate);
        may_be_trimmed && others.any(|other| !self.has(other) && may_become(other, reference, row.alternate))
    }

    /// Whether it has one alternate.
    pub fn has_one_alternate(&self) -> bool {
        !self.alternates.contains(',')
    }
}

/// Whether nothing can be trimmed from a pair of alleles any more. Where something can, nobody trimmed the record.
fn is_minimal(reference: &str, alternate: &str) -> bool {
    let (r, a) = (reference.as_bytes(), alternate.as_bytes());
    let same = |r: Option<&u8>, a: Option<&u8>| r.zip(a).is_some_and(|(r, a)| r.eq_ignore_ascii_case(a));
    r.len() < 2 || a.len() < 2 || (!same(r.first(), a.first()) && !same(r.last(), a.last()))
}

/// Whether an allele that an annotation names so can have become `reference` and `alternate` by trimming, or, of an insertion,
/// by being moved as well: the ALT, with or without its first base, must hold what is left of it.
fn may_become(named: &str, reference: &str, alternate: &str) -> bool {
    let named = named.split('-').next().unwrap_or_default();
    if !named.is_empty() && !is_bases(named) {
        return false;
    }
    let (named, alternate) = (named.to_ascii_uppercase(), alternate.to_ascii_uppercase());
    let whole = format!("{}{named}", reference[..1].to_ascii_uppercase());
    if (named != alternate && named.contains(&alternate)) || (whole != alternate && whole.contains(&alternate)) {
        return true;
    }
    let inserted = alternate.as_bytes().get(reference.len()..).unwrap_or_default();
    let moved = |turn: usize| [&inserted[turn..], &inserted[..turn]].concat();
    (1..inserted.len()).any(|turn| memchr::memmem::find(named.as_bytes(), &moved(turn)).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the entries of `alternate` are left open in a record that has it alone.
    fn leaves_open(reference: &str, alternate: &str, others: &[&str]) -> bool {
        let row = RowAllele { reference: Some(reference), alternate, number: None };
        Record { reference, alternates: alternate }.leaves_open(row, others.iter().copied())
    }

    #[test]
    fn what_may_be_another_allele_is_left_open() {
        // CAA>CA,C split and trimmed: VEP calls the alleles A and -, SnpEff CA and C.
        assert!(leaves_open("CA", "C", &["A"]));
        assert!(leaves_open("CAA", "C", &["A"]));
        assert!(leaves_open("CA", "C", &["CA"]));
        // Split and not trimmed, CA>C could not be left of CAA>CA.
        assert!(!leaves_open("CAA", "CA", &["-"]));
        // CAT>CTT,CT: the first has become A>T.
        assert!(leaves_open("A", "T", &["TT"]));
        // Insertions, also moved.
        assert!(leaves_open("C", "CA", &["AA"]));
        assert!(leaves_open("C", "CAT", &["TATA"]));
        assert!(!leaves_open("C", "CAT", &["G"]));
        // A substitution beside another, as most sites with several alleles are.
        assert!(!leaves_open("A", "C", &["T", "G"]));
        assert!(!leaves_open("A", "C", &["deletion", "<DEL>"]));
    }

    #[test]
    fn what_the_record_has_leaves_nothing_open() {
        let record = Record { reference: "CAA", alternates: "CA,C" };
        let row = |alternate| RowAllele { reference: Some("CAA"), alternate, number: None };
        assert!(!record.leaves_open(row("C"), ["A"].into_iter()));
        assert!(!record.leaves_open(row("C"), ["CA"].into_iter()));
        assert!(record.leaves_open(row("C"), ["A", "CC"].into_iter()));
        let line = Record::of_line(b"1\t5\t.\tCAA\tCA,C\t.").expect("has alleles");
        assert_eq!((line.reference, line.alternates, line.alternate_count()), ("CAA", "CA,C", 2));
        assert!(Record::of_line(b"1\t5").is_none());
    }
}
