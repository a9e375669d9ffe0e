//! Where an annotation field keeps what: which separator, which part is the gene, the consequence, the allele.

use std::ops::RangeInclusive;

/// The columns that annotations adds, in this order.
pub(super) const OUTPUTS: [&str; 8] =
    ["gene_symbol", "gene_id", "feature_id", "biotype", "consequence", "impact", "hgvs_c", "hgvs_p"];

/// Places in [`OUTPUTS`].
pub(super) const GENE_SYMBOL: usize = 0;
pub(super) const GENE_ID: usize = 1;
pub(super) const FEATURE_ID: usize = 2;
pub(super) const BIOTYPE: usize = 3;
pub(super) const CONSEQUENCE: usize = 4;
pub(super) const IMPACT: usize = 5;
pub(super) const HGVS_C: usize = 6;
pub(super) const HGVS_P: usize = 7;

/// The ways in which a field is written. The field's name tells them apart; the header says the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// `ANN`: SnpEff, and every tool that follows the common annotation format of 2015.
    Ann,
    /// `EFF`: SnpEff before that, `Effect(Impact|…)`.
    Eff,
    /// `BCSQ`: bcftools csq.
    Bcsq,
    /// `GENEINFO`: ClinVar's and dbSNP's genes.
    Geneinfo,
    /// `CSQ`, and any other name: laid out as the header says, as Ensembl VEP writes.
    Declared,
}

impl Family {
    pub(super) fn of(field: &str) -> Family {
        match field.to_ascii_uppercase().as_str() {
            "ANN" => Family::Ann,
            "EFF" => Family::Eff,
            "BCSQ" => Family::Bcsq,
            "GENEINFO" => Family::Geneinfo,
            _ => Family::Declared,
        }
    }

    /// Whether entries of it may say which allele of the record they are of.
    pub(super) fn names_alleles(self) -> bool {
        matches!(self, Family::Ann | Family::Eff | Family::Declared)
    }

    /// Whether a header may say how it is laid out.
    pub(super) fn is_declared(self) -> bool {
        self != Family::Geneinfo
    }

    /// Whether it can say which transcripts are MANE or canonical.
    pub(super) fn marks_transcripts(self) -> bool {
        matches!(self, Family::Ann | Family::Declared)
    }

    /// How it is laid out where the header does not say; `None` where only the header can.
    pub(super) fn default_layout(self) -> Option<Layout> {
        match self {
            Family::Ann => Layout::of_names(self, ANN),
            Family::Eff => Layout::of_names(self, EFF),
            Family::Bcsq => Layout::of_names(self, BCSQ),
            Family::Geneinfo => {
                let mut layout = Layout { entry_separator: '|', part_separator: ':', ..Layout::default() };
                layout.outputs[GENE_SYMBOL] = Some(0);
                layout.outputs[GENE_ID] = Some(1);
                Some(layout)
            }
            Family::Declared => None,
        }
    }
}

/// The common annotation format, version 1.0 (January 2015).
const ANN: &str = "Allele | Annotation | Annotation_Impact | Gene_Name | Gene_ID | Feature_Type | Feature_ID | \
                   Transcript_BioType | Rank | HGVS.c | HGVS.p | cDNA.pos / cDNA.length | CDS.pos / CDS.length | \
                   AA.pos / AA.length | Distance | ERRORS / WARNINGS / INFO";
/// What SnpEff 3 and 4 write into EFF.
const EFF: &str = "Effect ( Effect_Impact | Functional_Class | Codon_Change | Amino_Acid_Change | Amino_Acid_length | \
                   Gene_Name | Transcript_BioType | Gene_Coding | Transcript_ID | Exon_Rank | Genotype_Number \
                   [ | ERRORS | WARNINGS ] )";
/// What bcftools csq writes; the parts in brackets where the change is in a protein.
const BCSQ: &str = "[*]consequence|gene|transcript|biotype[|strand|amino_acid_change|dna_change]";

/// How entries of a field are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Between entries.
    pub entry_separator: char,
    /// Between the parts of an entry.
    pub part_separator: char,
    /// Whether the first part is before brackets that hold the others, as in `EFFECT(part|part)`.
    pub bracketed: bool,
    /// The part that names the allele; without one an entry is of every allele.
    pub allele: Option<usize>,
    /// The part that holds the allele's number among the record's alternates, 1-based. SnpEff has used one part for the
    /// number and, later, the allele itself.
    pub allele_number: Option<usize>,
    /// The parts that say which transcript is MANE Select, which MANE Plus Clinical, which is either, and which is the
    /// gene's canonical one.
    pub mane_select: Option<usize>,
    pub mane_plus_clinical: Option<usize>,
    pub mane: Option<usize>,
    pub canonical: Option<usize>,
    /// The part of EFF that holds the change of the protein, of the transcript, or both.
    pub change: Option<usize>,
    /// Whether the parts are percent-encoded (VCF 4.3, section 1.2).
    pub percent_encoded: bool,
    /// The names of the parts, in lower case.
    pub names: Vec<String>,
    /// How many parts an entry has; `None` where they may be left out.
    pub parts: Option<RangeInclusive<usize>>,
    /// For each of [`OUTPUTS`], the part that holds it.
    pub outputs: [Option<usize>; OUTPUTS.len()],
}

impl Default for Layout {
    fn default() -> Layout {
        Layout {
            entry_separator: ',',
            part_separator: '|',
            bracketed: false,
            allele: None,
            allele_number: None,
            mane_select: None,
            mane_plus_clinical: None,
            mane: None,
            canonical: None,
            change: None,
            percent_encoded: false,
            names: Vec::new(),
            parts: None,
            outputs: [None; OUTPUTS.len()],
        }
    }
}

impl Layout {
    /// The layout that a field's description declares: after `Format:`, or between quotes; `None` if it declares none.
    pub(super) fn from_description(family: Family, description: &str) -> Option<Layout> {
        let format = match description.to_ascii_lowercase().find("format:") {
            Some(at) => {
                let format = description[at + "format:".len()..].trim_start();
                // Quotes end the list; what follows is prose.
                match format.strip_prefix('\'') {
                    Some(quoted) => quoted.split('\'').next().unwrap_or(quoted),
                    None => format,
                }
            }
            None => description.split('\'').nth(1)?,
        };
        Layout::of_names(family, format)
    }

    /// The layout of a list of names; `None` where the names that matter most are not among them.
    fn of_names(family: Family, format: &str) -> Option<Layout> {
        let names: Vec<String> = format
            .split(if family == Family::Eff { &['|', '('][..] } else { &['|'] })
            .map(|name| name.trim_matches(|c: char| c.is_whitespace() || "\"'<>[]()*".contains(c)).to_ascii_lowercase())
            .collect();
        let place = |candidates: &[&str]| {
            candidates.iter().find_map(|candidate| names.iter().position(|name| name == candidate))
        };
        let mut layout = Layout {
            allele: place(&["allele"]),
            allele_number: place(&["allele_num"]),
            mane_select: place(&["mane_select"]),
            mane_plus_clinical: place(&["mane_plus_clinical"]),
            mane: place(&["mane"]),
            canonical: place(&["canonical"]),
            parts: Some(names.len()..=names.len()),
            outputs: [
                // Before release 73 VEP called the symbol HGNC.
                place(&["symbol", "hgnc", "gene_name"]),
                place(&["gene", "gene_id"]),
                place(&["feature", "feature_id"]),
                place(&["biotype", "transcript_biotype"]),
                place(&["consequence", "annotation"]),
                place(&["impact", "annotation_impact"]),
                place(&["hgvsc", "hgvs.c"]),
                place(&["hgvsp", "hgvs.p"]),
            ],
            ..Layout::default()
        };
        match family {
            Family::Eff => {
                let genotype = place(&["genotype_number", "genotypenum", "genotype"]);
                layout = Layout {
                    bracketed: true,
                    allele: genotype,
                    allele_number: genotype,
                    change: place(&["amino_acid_change", "aa_change"]),
                    // Errors and warnings are there only if there are any.
                    parts: None,
                    ..layout
                };
                layout.outputs[BIOTYPE] = place(&["transcript_biotype", "gene_biotype", "biotype"]);
                layout.outputs[FEATURE_ID] = place(&["transcript_id", "transcript"]);
                layout.outputs[CONSEQUENCE] = Some(0);
                layout.outputs[IMPACT] = place(&["effect_impact", "impact"]);
            }
            Family::Bcsq => {
                layout.parts = None;
                layout.outputs[GENE_SYMBOL] = place(&["gene"]);
                layout.outputs[GENE_ID] = None;
                layout.outputs[FEATURE_ID] = place(&["transcript"]);
            }
            // A list of some of the names, as an example, is not the layout.
            Family::Ann if layout.outputs[CONSEQUENCE].and(layout.gene()).is_none() => return None,
            Family::Ann | Family::Geneinfo | Family::Declared => {}
        }
        layout.names = names;
        (layout.outputs[CONSEQUENCE].is_some() || layout.gene().is_some()).then_some(layout)
    }

    /// The part with this name, in whatever case.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known.eq_ignore_ascii_case(name))
    }

    /// A part that names the gene.
    fn gene(&self) -> Option<usize> {
        self.outputs[GENE_SYMBOL].or(self.outputs[GENE_ID])
    }

    /// Whether entries say which transcripts are MANE.
    pub(super) fn marks_mane(&self) -> bool {
        self.mane_select.or(self.mane).is_some()
    }

    /// Whether the column at this place of [`OUTPUTS`] can have values.
    pub(super) fn carries(&self, output: usize) -> bool {
        match output {
            IMPACT => self.outputs[IMPACT].or(self.outputs[CONSEQUENCE]).is_some(),
            HGVS_C | HGVS_P => self.outputs[output].or(self.change).is_some(),
            _ => self.outputs[output].is_some(),
        }
    }
}

/// An entry of EFF as its effect and what is in brackets after it. Details of the effect, as in
/// `MOTIF[MA0099.2:AP1](…)`, are left out.
pub(super) fn split_effect(entry: &str) -> (&str, &str) {
    let details_end = match (entry.find('['), entry.find('(')) {
        (Some(details), Some(brackets)) if details < brackets => entry.find(']').unwrap_or(0),
        _ => 0,
    };
    let Some(brackets) = entry[details_end..].find('(').map(|at| details_end + at) else { return (entry, "") };
    let (effect, parts) = (&entry[..brackets], &entry[brackets + 1..]);
    (effect.split('[').next().unwrap_or(effect), parts.strip_suffix(')').unwrap_or(parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_format_that_a_description_declares() {
        let layout = Layout::from_description(
            Family::Declared,
            "Consequence annotations from Ensembl VEP. Format: Allele|Consequence|IMPACT|SYMBOL|Gene|Feature_type|\
             Feature|BIOTYPE|EXON|INTRON|HGVSc|HGVSp|ALLELE_NUM|CANONICAL|MANE_SELECT|MANE_PLUS_CLINICAL",
        )
        .expect("has a format");
        assert_eq!((layout.allele, layout.allele_number), (Some(0), Some(12)));
        assert_eq!(layout.outputs, [Some(3), Some(4), Some(6), Some(7), Some(1), Some(2), Some(10), Some(11)]);
        assert_eq!((layout.canonical, layout.mane_select, layout.mane_plus_clinical), (Some(13), Some(14), Some(15)));
        assert_eq!(layout.parts, Some(16..=16));
        assert_eq!((layout.place("Exon"), layout.place("gnomADe_AF")), (Some(8), None));
    }

    #[test]
    fn tolerates_old_names_spaces_and_missing_fields() {
        let declared = |text| Layout::from_description(Family::Declared, text);
        let layout = declared("Predicted. Format: 'Consequence | Codons | Gene | HGNC | Feature'\">");
        let layout = layout.expect("has a format");
        assert_eq!((layout.allele, layout.outputs[0], layout.outputs[2]), (None, Some(3), Some(4)));
        assert_eq!(declared("Consequence annotations from Ensembl VEP."), None);
        assert_eq!(declared("Format: unknown things"), None);
        assert_eq!(
            declared("Made from 'Allele | Annotation | Gene_Name' entries").expect("quoted").outputs[0],
            Some(2)
        );
    }

    #[test]
    fn the_header_may_lay_out_the_fields_of_snpeff_and_bcftools_otherwise() {
        let ann = |text| Layout::from_description(Family::Ann, text);
        assert_eq!(ann("Functional annotations: 'Allele | Annotation'"), None);
        let other = ann("Functional annotations: 'Gene_Name | Allele | Annotation | Gene_ID'").expect("has a format");
        assert_eq!((other.allele, &other.outputs[..2]), (Some(1), &[Some(0), Some(3)][..]));
        let vep = ann("Consequence annotations from Ensembl VEP. Format: Allele|Consequence|SYMBOL|Gene|CANONICAL");
        assert_eq!(vep.expect("has a format").canonical, Some(4));
        let bcsq = Layout::from_description(
            Family::Bcsq,
            "Local consequence annotation from BCFtools/csq. Format: '[*]consequence|gene|transcript|biotype[|strand|\
             amino_acid_change|dna_change]' or, for others, a pointer '@position'.",
        );
        assert_eq!(bcsq, Family::Bcsq.default_layout());
        assert_eq!(bcsq.expect("has a format").outputs[..5], [Some(1), None, Some(2), Some(3), Some(0)]);
    }

    #[test]
    fn the_header_says_which_layout_of_eff_it_is() {
        let eff = |text| Layout::from_description(Family::Eff, text).expect("has a format");
        let old = eff(
            "Predicted effects for this variant.Format: 'Effect ( Effect_Impact | Functional_Class | Codon_Change | \
                       Amino_Acid_change | Gene_Name | Gene_BioType | Coding | Transcript | Exon [ | ERRORS | WARNINGS ] )' ",
        );
        assert_eq!((old.allele, old.change), (None, Some(4)));
        assert_eq!(old.outputs, [Some(5), None, Some(8), Some(6), Some(0), Some(1), None, None]);
        let new = eff(
            "Predicted effects for this variant.Format: 'Effect ( Effect_Impact | Functional_Class | Codon_Change | \
                       Amino_Acid_change| Amino_Acid_length | Gene_Name | Transcript_BioType | Gene_Coding | Transcript_ID | \
                       Exon  | GenotypeNum [ | ERRORS | WARNINGS ] )' ",
        );
        let usual = Family::Eff.default_layout().expect("has one");
        assert_eq!(new, Layout { names: new.names.clone(), ..usual });
        assert_eq!((new.allele, new.allele_number), (Some(11), Some(11)));
    }

    #[test]
    fn any_name_is_a_field() {
        let families = ["ANN", "eff", "BCSQ", "GENEINFO", "CSQ", "vep"].map(Family::of);
        assert_eq!(
            families,
            [Family::Ann, Family::Eff, Family::Bcsq, Family::Geneinfo, Family::Declared, Family::Declared]
        );
    }
}
