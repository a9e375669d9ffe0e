//! Where an annotation field keeps what: which separator, which part is the gene, the consequence, the allele.

use super::Field;

/// The columns that annotations adds, in this order.
pub(super) const OUTPUTS: [&str; 8] =
    ["gene_symbol", "gene_id", "feature_id", "biotype", "consequence", "impact", "hgvs_c", "hgvs_p"];

/// The place of `consequence` in [`OUTPUTS`].
pub(super) const CONSEQUENCE: usize = 4;
/// The place of `impact` in [`OUTPUTS`].
pub(super) const IMPACT: usize = 5;

/// How entries of a field are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Between entries.
    pub entry_separator: char,
    /// Between the parts of an entry.
    pub part_separator: char,
    /// The part that names the allele; without one an entry is of every allele.
    pub allele: Option<usize>,
    /// The part that holds the allele's number among the record's alternates, 1-based.
    pub allele_number: Option<usize>,
    /// For each of [`OUTPUTS`], the part that holds it.
    pub outputs: [Option<usize>; OUTPUTS.len()],
}

impl Layout {
    /// The layout that the field always has; `None` for `CSQ`, whose header says it.
    pub(super) fn fixed(field: Field) -> Option<Layout> {
        let layout =
            |outputs| Layout { entry_separator: ',', part_separator: '|', allele: None, allele_number: None, outputs };
        match field {
            // Allele | Annotation | Annotation_Impact | Gene_Name | Gene_ID | Feature_Type | Feature_ID |
            // Transcript_BioType | Rank | HGVS.c | HGVS.p | …
            Field::Ann => Some(Layout {
                allele: Some(0),
                ..layout([Some(3), Some(4), Some(6), Some(7), Some(1), Some(2), Some(9), Some(10)])
            }),
            // Consequence | gene | transcript | biotype | strand | amino acid change | dna change
            Field::Bcsq => Some(layout([Some(1), None, Some(2), Some(3), Some(0), None, None, None])),
            // Symbol : gene id, separated by bars.
            Field::Geneinfo => Some(Layout {
                entry_separator: '|',
                part_separator: ':',
                ..layout([Some(0), Some(1), None, None, None, None, None, None])
            }),
            Field::Csq => None,
        }
    }

    /// The layout that the description of a `CSQ` field declares behind `Format:`; `None` if it declares none.
    pub(super) fn from_description(description: &str) -> Option<Layout> {
        let at = description.to_ascii_lowercase().find("format:")? + "format:".len();
        let format = description[at..].trim().trim_matches(['"', '\'', '>', ' ']);
        let names: Vec<String> = format.split('|').map(|name| name.trim().to_ascii_lowercase()).collect();
        let place = |candidates: &[&str]| {
            candidates.iter().find_map(|candidate| names.iter().position(|name| name == candidate))
        };
        let layout = Layout {
            entry_separator: ',',
            part_separator: '|',
            allele: place(&["allele"]),
            allele_number: place(&["allele_num"]),
            outputs: [
                // Before release 73 VEP called the symbol HGNC.
                place(&["symbol", "hgnc"]),
                place(&["gene"]),
                place(&["feature"]),
                place(&["biotype"]),
                place(&["consequence"]),
                place(&["impact"]),
                place(&["hgvsc"]),
                place(&["hgvsp"]),
            ],
        };
        layout.outputs.iter().any(Option::is_some).then_some(layout)
    }

    /// How many parts of an entry have to be looked at.
    pub(super) fn parts_needed(&self) -> usize {
        self.outputs.iter().flatten().chain(&self.allele).chain(&self.allele_number).max().map_or(0, |last| last + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_format_that_a_description_declares() {
        let layout = Layout::from_description(
            "Consequence annotations from Ensembl VEP. Format: Allele|Consequence|IMPACT|SYMBOL|Gene|Feature_type|\
             Feature|BIOTYPE|EXON|INTRON|HGVSc|HGVSp|ALLELE_NUM",
        )
        .expect("has a format");
        assert_eq!((layout.allele, layout.allele_number), (Some(0), Some(12)));
        assert_eq!(layout.outputs, [Some(3), Some(4), Some(6), Some(7), Some(1), Some(2), Some(10), Some(11)]);
        assert_eq!(layout.parts_needed(), 13);
    }

    #[test]
    fn tolerates_old_names_spaces_and_missing_fields() {
        let layout = Layout::from_description("Predicted. Format: 'Consequence | Codons | Gene | HGNC | Feature'\">");
        let layout = layout.expect("has a format");
        assert_eq!((layout.allele, layout.outputs[0], layout.outputs[2]), (None, Some(3), Some(4)));
        assert_eq!(Layout::from_description("Consequence annotations from Ensembl VEP."), None);
        assert_eq!(Layout::from_description("Format: unknown things"), None);
    }
}
