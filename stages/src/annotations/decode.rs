//! Decoding one field of one row: its entries, those that are of the row's allele, and the one that is picked.

use super::{
    alleles::{Fit, RowAllele},
    consequences::{UNKNOWN_SEVERITY, impact, severity},
    layout::{CONSEQUENCE, IMPACT, Layout, OUTPUTS},
};

/// The entries of a row, sorted by how their allele fits the row's. Each is a slice of the field's text.
#[derive(Default)]
pub(super) struct Entries<'a> {
    /// Entries of the allele as the file writes it, or of any allele.
    pub written: Vec<&'a str>,
    /// Entries of the shortened allele.
    pub shortened: Vec<&'a str>,
    /// How many entries are of other alleles.
    pub others: usize,
}

impl<'a> Entries<'a> {
    /// Sorts the entries of a field's text.
    pub(super) fn sort(&mut self, text: &'a str, layout: &Layout, row: Option<RowAllele<'_>>) {
        self.written.clear();
        self.shortened.clear();
        self.others = 0;
        for entry in text.split(layout.entry_separator) {
            // `@` and a position: bcftools csq has put the consequence into another record.
            if entry.is_empty() || entry == "." || entry.starts_with('@') {
                continue;
            }
            match (row, layout.allele, layout.allele_number) {
                (Some(row), allele @ Some(_), number) | (Some(row), allele, number @ Some(_)) => {
                    let number = number.map(|number| part(entry, layout, number));
                    let fit = match allele {
                        Some(allele) => row.fit(part(entry, layout, allele), number),
                        // An entry that has a number alone is of every allele of a row that has none.
                        None if row.number.is_some() => row.fit("", number),
                        None => Fit::Written,
                    };
                    match fit {
                        Fit::Written => self.written.push(entry),
                        Fit::Shortened => self.shortened.push(entry),
                        Fit::Other => self.others += 1,
                    }
                }
                _ => self.written.push(entry),
            }
        }
    }
}

/// The entry with the most severe consequence; of equals the first.
pub(super) fn worst<'a>(entries: &[&'a str], layout: &Layout) -> Option<&'a str> {
    let severity_of = |entry: &&str| layout.outputs[CONSEQUENCE].map_or(0, |at| severity(part(entry, layout, at)));
    entries.iter().copied().min_by_key(severity_of)
}

/// What an entry says for each output column; `None` for what it does not carry.
pub(super) fn decode<'a>(
    entry: &'a str,
    layout: &Layout,
    parts: &mut Vec<&'a str>,
) -> [Option<&'a str>; OUTPUTS.len()] {
    parts.clear();
    parts.extend(entry.split(layout.part_separator).take(layout.parts_needed()).map(str::trim));
    let mut decoded = layout.outputs.map(|at| at.and_then(|at| parts.get(at).copied()).filter(|part| !part.is_empty()));
    if decoded[IMPACT].is_none() {
        let severity = decoded[CONSEQUENCE].map_or(UNKNOWN_SEVERITY, severity);
        decoded[IMPACT] = impact(severity).map(|impact| impact.as_str());
    }
    decoded
}

/// One part of an entry; empty where the entry has fewer.
fn part<'a>(entry: &'a str, layout: &Layout, at: usize) -> &'a str {
    entry.split(layout.part_separator).nth(at).unwrap_or("").trim()
}

#[cfg(test)]
mod tests {
    use super::{super::Field, *};

    fn decoded<'a>(entry: &'a str, layout: &Layout) -> Vec<&'a str> {
        decode(entry, layout, &mut Vec::new()).into_iter().map(|part| part.unwrap_or("NULL")).collect()
    }

    #[test]
    fn decodes_each_field() {
        let ann = Layout::fixed(Field::Ann).expect("fixed");
        assert_eq!(
            decoded(
                "T|missense_variant|MODERATE|TP53|ENSG141510|transcript|ENST269305|protein_coding|5/11|c.524G>A|p.Arg175His|714",
                &ann
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
        let bcsq = Layout::fixed(Field::Bcsq).expect("fixed");
        assert_eq!(
            decoded("*missense|BRCA1|ENST1|protein_coding|-|175R>175H|100G>A", &bcsq),
            ["BRCA1", "NULL", "ENST1", "protein_coding", "*missense", "MODERATE", "NULL", "NULL"]
        );
        let geneinfo = Layout::fixed(Field::Geneinfo).expect("fixed");
        assert_eq!(decoded("BRCA1:672", &geneinfo), ["BRCA1", "672", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL"]);
    }

    #[test]
    fn fewer_parts_than_declared_are_null() {
        let ann = Layout::fixed(Field::Ann).expect("fixed");
        assert_eq!(
            decoded("T|intergenic_region", &ann),
            ["NULL", "NULL", "NULL", "NULL", "intergenic_region", "MODIFIER", "NULL", "NULL"]
        );
    }

    #[test]
    fn the_worst_is_the_most_severe_and_of_equals_the_first() {
        let ann = Layout::fixed(Field::Ann).expect("fixed");
        let entries = ["T|intron_variant|x|A", "T|missense_variant|x|B", "T|new_term|x|C", "T|missense_variant|x|D"];
        assert_eq!(worst(&entries, &ann), Some(entries[1]));
        assert_eq!(worst(&entries[2..3], &ann), Some(entries[2]));
        assert_eq!(worst(&[], &ann), None);
        let geneinfo = Layout::fixed(Field::Geneinfo).expect("fixed");
        assert_eq!(worst(&["B:1", "A:2"], &geneinfo), Some("B:1"));
    }

    #[test]
    fn sorts_entries_by_allele() {
        let ann = Layout::fixed(Field::Ann).expect("fixed");
        let row = RowAllele { reference: Some("A"), alternate: "AT", number: None };
        let mut entries = Entries::default();
        entries.sort("AT|a,T|b,G|c,,@17", &ann, Some(row));
        assert_eq!(
            (entries.written.as_slice(), entries.shortened.as_slice(), entries.others),
            (&["AT|a"][..], &["T|b"][..], 1)
        );
        let bcsq = Layout::fixed(Field::Bcsq).expect("fixed");
        entries.sort("@100,missense|X", &bcsq, Some(row));
        assert_eq!(entries.written, ["missense|X"]);
    }
}
