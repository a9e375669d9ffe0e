//! Decoding one field of one row: its entries, and those that are of the row's allele.

use std::borrow::Cow;

use crate::{
    sources::vcf::percent,
    transforms::annotations::{
        alleles::{Fit, RowAllele},
        consequences::{impact, rank, terms_of_effect},
        layout::{CONSEQUENCE, HGVS_C, HGVS_P, IMPACT, Layout, OUTPUTS},
        tape::{EntryAt, Field},
    },
};

/// The entries of a row, sorted by how their allele fits the row's.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// Entries of the allele as the file writes it, or of any allele.
    pub written: Vec<EntryAt>,
    /// Entries of the shortened allele.
    pub shortened: Vec<EntryAt>,
    /// Entries of other alleles.
    pub others: Vec<EntryAt>,
    /// How many entries only point to another record.
    pub elsewhere: usize,
    /// The greatest allele number that an entry states.
    pub greatest_number: i64,
}

impl Entries {
    /// Sorts the entries of a field's text. Without trust in numbers an allele is known by its bases alone.
    pub(super) fn sort(&mut self, field: Field<'_>, layout: &Layout, row: Option<RowAllele<'_>>, trust_numbers: bool) {
        self.written.clear();
        self.shortened.clear();
        self.others.clear();
        (self.elsewhere, self.greatest_number) = (0, 0);
        for at in 0..field.len() {
            match field.entry(at).as_bytes() {
                [] | b"." => {}
                // `@` and a position: bcftools csq has put the consequence into another record.
                [b'@', ..] => self.elsewhere += 1,
                _ => match row.map_or(Fit::Written, |row| self.fit(field, at, layout, row, trust_numbers)) {
                    Fit::Written => self.written.push(at),
                    Fit::Shortened => self.shortened.push(at),
                    Fit::Other => self.others.push(at),
                },
            }
        }
    }

    fn fit(&mut self, field: Field<'_>, at: EntryAt, layout: &Layout, row: RowAllele<'_>, trust_numbers: bool) -> Fit {
        let number = layout.allele_number.and_then(|part| field.part(at, Some(part)).parse::<i64>().ok());
        self.greatest_number = self.greatest_number.max(number.unwrap_or(0));
        match (number.filter(|_| trust_numbers), row.number) {
            (Some(stated), Some(own)) => return if stated == own { Fit::Written } else { Fit::Other },
            // An entry that has a number alone is of every allele of a row that has none.
            (Some(_), None) if layout.allele.is_none() || layout.allele == layout.allele_number => return Fit::Written,
            _ => {}
        }
        match layout.allele {
            // In EFF the part may be left out.
            Some(part) if layout.bracketed && field.part(at, Some(part)).is_empty() => Fit::Written,
            Some(part) => row.fit(field.part(at, Some(part))),
            None if layout.allele_number.is_some() && row.number.is_some() => Fit::Other,
            None => Fit::Written,
        }
    }
}

/// What an entry says for each output column that `is_wanted`; `None` for what it does not carry.
pub(super) fn decode<'a>(
    field: Field<'a>,
    at: EntryAt,
    layout: &Layout,
    is_wanted: &[bool; OUTPUTS.len()],
) -> [Option<Cow<'a, str>>; OUTPUTS.len()] {
    let part = |at_part: Option<usize>| Some(field.part(at, at_part)).filter(|part| !part.is_empty());
    let mut decoded = std::array::from_fn(|output| {
        let part = if is_wanted[output] { part(layout.outputs[output]) } else { None };
        part.map(|part| unescape(part, field, layout))
    });
    if layout.bracketed {
        decoded[CONSEQUENCE] = part(layout.outputs[CONSEQUENCE]).map(terms_of_effect);
        // `p.Met1Val/c.1A>G`, either alone, or `M1V`, which is not in HGVS notation.
        for change in part(layout.change).into_iter().flat_map(|changes| changes.split('/')) {
            match change.as_bytes() {
                [b'p', b'.', ..] => decoded[HGVS_P] = Some(unescape(change, field, layout)),
                [b'c' | b'n' | b'g' | b'm', b'.', ..] => decoded[HGVS_C] = Some(unescape(change, field, layout)),
                _ => {}
            }
        }
    }
    if is_wanted[IMPACT] && decoded[IMPACT].is_none() {
        let consequence = match &decoded[CONSEQUENCE] {
            Some(consequence) => Some(consequence.as_ref()),
            None => part(layout.outputs[CONSEQUENCE]),
        };
        let severity = consequence.map(|consequence| rank(consequence).severity);
        decoded[IMPACT] = severity.and_then(impact).map(|impact| Cow::Borrowed(impact.as_str()));
    }
    decoded
}

/// Decodes a part, once, after splitting. VEP writes `=` as `%3D` (`p.Leu2%3D`) whatever version of VCF the file has.
pub(super) fn unescape<'a>(value: &'a str, field: Field<'_>, layout: &Layout) -> Cow<'a, str> {
    if !field.has_percent() {
        Cow::Borrowed(value)
    } else if layout.percent_encoded {
        percent::decode(Cow::Borrowed(value))
    } else if value.contains("%3D") {
        Cow::Owned(value.replace("%3D", "="))
    } else {
        Cow::Borrowed(value)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{layout::Family, tape::Tape},
        *,
    };

    fn layout(family: Family) -> Layout {
        family.default_layout().expect("has one")
    }

    fn decoded(entry: &str, layout: &Layout) -> Vec<String> {
        let mut tape = Tape::default();
        // A part of EFF may hold the entries' separator; here the whole text is one entry.
        let field = tape.read(entry, layout);
        decode(field, 0, layout, &[true; OUTPUTS.len()])
            .into_iter()
            .map(|part| part.map_or("NULL".to_owned(), Cow::into_owned))
            .collect()
    }

    #[test]
    fn parts_are_percent_decoded_once_and_after_splitting() {
        let text = "T|missense_variant||A%2CB%7C|||||||p.Leu2%253D";
        let encoded = Layout { percent_encoded: true, ..layout(Family::Ann) };
        let (mut entries, mut tape) = (Entries::default(), Tape::default());
        let field = tape.read(text, &encoded);
        entries.sort(field, &encoded, None, true);
        assert_eq!((entries.written.as_slice(), field.entry(0)), (&[0][..], text), "one entry");
        let shown = decoded(text, &encoded);
        assert_eq!((shown[0].as_str(), shown[HGVS_P].as_str()), ("A,B%7C", "p.Leu2%3D"));
        let shown = decoded(text, &layout(Family::Ann));
        assert_eq!((shown[0].as_str(), shown[HGVS_P].as_str()), ("A%2CB%7C", "p.Leu2%253D"));
    }

    #[test]
    fn decodes_each_field() {
        assert_eq!(
            decoded(
                "T|missense_variant|MODERATE|TP53|ENSG141510|transcript|ENST269305|protein_coding|5/11|c.524G>A|p.Arg175His|714",
                &layout(Family::Ann)
            ),
            [
                "TP53",
                "ENSG141510",
                "ENST269305",
                "protein_coding",
                "missense_variant",
                "MODERATE",
                "c.524G>A",
                "p.Arg175His"
            ]
        );
        assert_eq!(
            decoded("*missense|BRCA1|ENST1|protein_coding|-|175R>175H|100G>A", &layout(Family::Bcsq)),
            ["BRCA1", "NULL", "ENST1", "protein_coding", "*missense", "MODERATE", "NULL", "NULL"]
        );
        assert_eq!(
            decoded("BRCA1:672", &layout(Family::Geneinfo)),
            ["BRCA1", "672", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL"]
        );
    }

    #[test]
    fn decodes_the_old_field_of_snpeff() {
        let eff = layout(Family::Eff);
        assert_eq!(
            decoded(
                "NON_SYNONYMOUS_CODING(MODERATE|MISSENSE|gCa/gTa|A61V|602|PTPRF|protein_coding|CODING|ENST1|4|1)",
                &eff
            ),
            ["PTPRF", "NULL", "ENST1", "protein_coding", "missense_variant", "MODERATE", "NULL", "NULL"]
        );
        assert_eq!(
            decoded(
                "missense_variant+splice_region_variant(MODERATE|MISSENSE|gCa/gTa|p.Ala61Val/c.182C>T|602|PTPRF|\
                 protein_coding|CODING|ENST1|4|T|WARNING_TRANSCRIPT_INCOMPLETE)",
                &eff
            )[4..],
            ["missense_variant&splice_region_variant", "MODERATE", "c.182C>T", "p.Ala61Val"]
        );
        assert_eq!(decoded("INTERGENIC", &eff)[4..6], ["intergenic_region", "MODIFIER"]);
        assert_eq!(decoded("((((", &eff)[4], "NULL");
    }

    #[test]
    fn fewer_and_more_parts_than_declared_are_no_trouble() {
        assert_eq!(
            decoded("T|intergenic_region", &layout(Family::Ann)),
            ["NULL", "NULL", "NULL", "NULL", "intergenic_region", "MODIFIER", "NULL", "NULL"]
        );
        assert_eq!(decoded("A:1:2:3", &layout(Family::Geneinfo))[..2], ["A", "1"]);
    }

    #[test]
    fn sorts_entries_by_allele() {
        let ann = layout(Family::Ann);
        let row = RowAllele { reference: Some("A"), alternate: "AT", number: None };
        let (mut entries, mut tape) = (Entries::default(), Tape::default());
        entries.sort(tape.read("AT|a,T|b,G|c,", &ann), &ann, Some(row), true);
        assert_eq!(
            (entries.written.as_slice(), entries.shortened.as_slice(), entries.others.len()),
            (&[0][..], &[1][..], 1)
        );
        let bcsq = layout(Family::Bcsq);
        entries.sort(tape.read("@100,missense|X", &bcsq), &bcsq, Some(row), true);
        assert_eq!((entries.written.as_slice(), entries.elsewhere), (&[1][..], 1));
    }

    #[test]
    fn eff_tells_alleles_by_number_or_by_bases() {
        let eff = layout(Family::Eff);
        let entry = |allele: &str| format!("INTRON(MODIFIER||||||||||{allele})");
        let text = [entry("1"), entry("2"), entry("G"), entry("")].join(",");
        let row = RowAllele { reference: Some("A"), alternate: "G", number: Some(2) };
        let (mut entries, mut tape) = (Entries::default(), Tape::default());
        let field = tape.read(&text, &eff);
        entries.sort(field, &eff, Some(row), true);
        assert_eq!((entries.written.as_slice(), entries.others.len(), entries.greatest_number), (&[1, 2, 3][..], 1, 2));
        entries.sort(field, &eff, Some(row), false);
        assert_eq!((entries.written.as_slice(), entries.others.len()), (&[2, 3][..], 2));
        entries.sort(field, &eff, Some(RowAllele { number: None, ..row }), true);
        assert_eq!(entries.written, [0, 1, 2, 3]);
    }
}
