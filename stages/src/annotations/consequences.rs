//! How severe a consequence is: the Sequence Ontology terms in Ensembl's order, most severe first, with the terms that
//! only SnpEff writes beside those they resemble, and the short names of bcftools csq.

use std::{collections::HashMap, sync::LazyLock};

/// The class of impact that Ensembl and SnpEff give a consequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Impact {
    High,
    Moderate,
    Low,
    Modifier,
}

impl Impact {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::High => "HIGH",
            Self::Moderate => "MODERATE",
            Self::Low => "LOW",
            Self::Modifier => "MODIFIER",
        }
    }
}

use Impact::{High, Low, Moderate, Modifier};

/// Consequence terms, the most severe first.
const TERMS: &[(&str, Impact)] = &[
    ("chromosome_number_variation", High),
    ("chromosome", High),
    ("transcript_ablation", High),
    ("feature_ablation", High),
    ("gene_fusion", High),
    ("bidirectional_gene_fusion", High),
    ("exon_loss_variant", High),
    ("exon_loss", High),
    ("rearranged_at_DNA_level", High),
    ("splice_acceptor_variant", High),
    ("splice_donor_variant", High),
    ("stop_gained", High),
    ("frameshift_variant", High),
    ("stop_lost", High),
    ("start_lost", High),
    ("transcript_amplification", High),
    ("feature_elongation", High),
    ("feature_truncation", High),
    ("rare_amino_acid_variant", High),
    ("protein_protein_contact", High),
    ("structural_interaction_variant", High),
    ("inframe_insertion", Moderate),
    ("disruptive_inframe_insertion", Moderate),
    ("conservative_inframe_insertion", Moderate),
    ("inframe_deletion", Moderate),
    ("disruptive_inframe_deletion", Moderate),
    ("conservative_inframe_deletion", Moderate),
    ("missense_variant", Moderate),
    ("protein_altering_variant", Moderate),
    ("5_prime_UTR_truncation", Moderate),
    ("3_prime_UTR_truncation", Moderate),
    ("duplication", Moderate),
    ("inversion", Moderate),
    ("splice_donor_5th_base_variant", Low),
    ("splice_region_variant", Low),
    ("splice_donor_region_variant", Low),
    ("splice_polypyrimidine_tract_variant", Low),
    ("splice_branch_variant", Low),
    ("5_prime_UTR_premature_start_codon_gain_variant", Low),
    ("incomplete_terminal_codon_variant", Low),
    ("initiator_codon_variant", Low),
    ("start_retained_variant", Low),
    ("start_retained", Low),
    ("stop_retained_variant", Low),
    ("synonymous_variant", Low),
    ("coding_sequence_variant", Modifier),
    ("mature_miRNA_variant", Modifier),
    ("miRNA", Modifier),
    ("5_prime_UTR_variant", Modifier),
    ("3_prime_UTR_variant", Modifier),
    ("non_coding_transcript_exon_variant", Modifier),
    ("non_coding_exon_variant", Modifier),
    ("exon_variant", Modifier),
    ("intron_variant", Modifier),
    ("conserved_intron_variant", Modifier),
    ("NMD_transcript_variant", Modifier),
    ("non_coding_transcript_variant", Modifier),
    ("nc_transcript_variant", Modifier),
    ("coding_transcript_variant", Modifier),
    ("transcript_variant", Modifier),
    ("intragenic_variant", Modifier),
    ("gene_variant", Modifier),
    ("upstream_gene_variant", Modifier),
    ("downstream_gene_variant", Modifier),
    ("TFBS_ablation", Modifier),
    ("TFBS_amplification", Modifier),
    ("TF_binding_site_variant", Modifier),
    ("regulatory_region_ablation", Modifier),
    ("regulatory_region_amplification", Modifier),
    ("regulatory_region_variant", Modifier),
    ("sequence_feature", Modifier),
    ("conserved_intergenic_variant", Modifier),
    ("intergenic_variant", Modifier),
    ("intergenic_region", Modifier),
    ("sequence_variant", Modifier),
];

/// The names bcftools csq writes, with the terms they stand for.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("splice_acceptor", "splice_acceptor_variant"),
    ("splice_donor", "splice_donor_variant"),
    ("splice_region", "splice_region_variant"),
    ("frameshift", "frameshift_variant"),
    ("missense", "missense_variant"),
    ("synonymous", "synonymous_variant"),
    ("stop_retained", "stop_retained_variant"),
    ("inframe_altering", "protein_altering_variant"),
    ("5_prime_utr", "5_prime_UTR_variant"),
    ("3_prime_utr", "3_prime_UTR_variant"),
    ("non_coding", "non_coding_transcript_variant"),
    ("intron", "intron_variant"),
    ("intergenic", "intergenic_variant"),
    ("coding_sequence", "coding_sequence_variant"),
    ("regulatory", "regulatory_region_variant"),
];

/// Severity of a term that is not known: behind all that are.
pub(super) const UNKNOWN_SEVERITY: usize = TERMS.len();

static SEVERITIES: LazyLock<HashMap<&'static str, usize>> = LazyLock::new(|| {
    let mut severities: HashMap<_, _> = TERMS.iter().enumerate().map(|(at, (term, _))| (*term, at)).collect();
    for (short, term) in SHORT_NAMES {
        let severity = severities[term];
        severities.insert(short, severity);
    }
    severities
});

/// How severe a consequence is, 0 the most; of several joined by `&` (or `+`, as SnpEff writes) the most severe decides.
/// A leading `*`, by which bcftools csq marks what lies behind a stop, does not count.
pub(super) fn severity(consequence: &str) -> usize {
    let of_term = |term: &str| SEVERITIES.get(term.trim()).copied().unwrap_or(UNKNOWN_SEVERITY);
    let consequence = consequence.strip_prefix('*').unwrap_or(consequence);
    consequence.split(['&', '+']).map(of_term).min().unwrap_or(UNKNOWN_SEVERITY)
}

/// The class of impact of a severity, if it is known.
pub(super) fn impact(severity: usize) -> Option<Impact> {
    TERMS.get(severity).map(|(_, impact)| *impact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_listed_once_and_short_names_stand_for_listed_terms() {
        assert_eq!(SEVERITIES.len(), TERMS.len() + SHORT_NAMES.len());
    }

    #[test]
    fn the_most_severe_term_decides() {
        assert!(severity("stop_gained") < severity("missense_variant"));
        assert!(severity("missense_variant") < severity("synonymous_variant"));
        assert_eq!(severity("splice_region_variant&stop_gained"), severity("stop_gained"));
        assert_eq!(severity("5_prime_UTR_truncation+exon_loss_variant"), severity("exon_loss_variant"));
        assert_eq!(severity("*missense"), severity("missense_variant"));
        assert_eq!(severity("intron&non_coding"), severity("intron_variant"));
    }

    #[test]
    fn unknown_terms_rank_last_and_have_no_impact() {
        assert_eq!(severity("something_new"), UNKNOWN_SEVERITY);
        assert_eq!(severity(""), UNKNOWN_SEVERITY);
        assert_eq!(severity("something_new&intron_variant"), severity("intron_variant"));
        assert!(impact(UNKNOWN_SEVERITY).is_none());
        assert_eq!(impact(severity("missense")).map(Impact::as_str), Some("MODERATE"));
    }
}
