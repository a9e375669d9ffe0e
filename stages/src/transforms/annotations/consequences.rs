//! How severe a consequence is: the Sequence Ontology terms in Ensembl's order, most severe first, with the terms that
//! other annotators write beside those they resemble, the short names of bcftools csq, and the effects of SnpEff before
//! it wrote terms of the ontology. `docs/consequences.md` is made from these tables.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

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

/// Who ranks a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listed {
    /// Ensembl, in its list of calculated variant consequences.
    Ensembl,
    /// Nobody: SnpEff or an older VEP writes it, and it is beside the term that it resembles.
    Others,
}

use Impact::{High, Low, Moderate, Modifier};
use Listed::{Ensembl, Others};

/// Consequence terms, the most severe first.
const TERMS: &[(&str, Impact, Listed)] = &[
    ("chromosome_number_variation", High, Others),
    ("chromosome", High, Others),
    ("transcript_ablation", High, Ensembl),
    ("feature_ablation", High, Others),
    ("gene_fusion", High, Others),
    ("bidirectional_gene_fusion", High, Others),
    ("feature_fusion", High, Others),
    ("exon_loss_variant", High, Others),
    ("exon_loss", High, Others),
    ("rearranged_at_DNA_level", High, Others),
    ("splice_acceptor_variant", High, Ensembl),
    ("splice_donor_variant", High, Ensembl),
    ("stop_gained", High, Ensembl),
    ("frameshift_variant", High, Ensembl),
    ("stop_lost", High, Ensembl),
    ("start_lost", High, Ensembl),
    ("transcript_amplification", High, Ensembl),
    ("feature_elongation", High, Ensembl),
    ("feature_truncation", High, Ensembl),
    ("rare_amino_acid_variant", High, Others),
    ("protein_protein_contact", High, Others),
    ("structural_interaction_variant", High, Others),
    ("inframe_insertion", Moderate, Ensembl),
    ("disruptive_inframe_insertion", Moderate, Others),
    ("conservative_inframe_insertion", Moderate, Others),
    ("inframe_deletion", Moderate, Ensembl),
    ("disruptive_inframe_deletion", Moderate, Others),
    ("conservative_inframe_deletion", Moderate, Others),
    ("missense_variant", Moderate, Ensembl),
    ("protein_altering_variant", Moderate, Ensembl),
    ("5_prime_UTR_truncation", Moderate, Others),
    ("3_prime_UTR_truncation", Moderate, Others),
    ("duplication", Moderate, Others),
    ("inversion", Moderate, Others),
    ("splice_donor_5th_base_variant", Low, Ensembl),
    ("splice_region_variant", Low, Ensembl),
    ("splice_donor_region_variant", Low, Ensembl),
    ("splice_polypyrimidine_tract_variant", Low, Ensembl),
    ("splice_branch_variant", Low, Others),
    ("5_prime_UTR_premature_start_codon_gain_variant", Low, Others),
    ("incomplete_terminal_codon_variant", Low, Ensembl),
    ("initiator_codon_variant", Low, Others),
    ("start_retained_variant", Low, Ensembl),
    ("start_retained", Low, Others),
    ("stop_retained_variant", Low, Ensembl),
    ("synonymous_variant", Low, Ensembl),
    ("coding_sequence_variant", Modifier, Ensembl),
    ("mature_miRNA_variant", Modifier, Ensembl),
    ("miRNA", Modifier, Others),
    ("5_prime_UTR_variant", Modifier, Ensembl),
    ("3_prime_UTR_variant", Modifier, Ensembl),
    ("non_coding_transcript_exon_variant", Modifier, Ensembl),
    ("non_coding_exon_variant", Modifier, Others),
    ("exon_variant", Modifier, Others),
    ("intron_variant", Modifier, Ensembl),
    ("conserved_intron_variant", Modifier, Others),
    ("NMD_transcript_variant", Modifier, Ensembl),
    ("non_coding_transcript_variant", Modifier, Ensembl),
    ("nc_transcript_variant", Modifier, Others),
    ("coding_transcript_variant", Modifier, Ensembl),
    ("transcript_variant", Modifier, Others),
    ("intragenic_variant", Modifier, Others),
    ("gene_variant", Modifier, Others),
    ("upstream_gene_variant", Modifier, Ensembl),
    ("downstream_gene_variant", Modifier, Ensembl),
    ("TFBS_ablation", Modifier, Ensembl),
    ("TFBS_amplification", Modifier, Ensembl),
    ("TF_binding_site_variant", Modifier, Ensembl),
    ("regulatory_region_ablation", Modifier, Ensembl),
    ("regulatory_region_amplification", Modifier, Ensembl),
    ("regulatory_region_variant", Modifier, Ensembl),
    ("sequence_feature", Modifier, Others),
    ("conserved_intergenic_variant", Modifier, Others),
    ("intergenic_variant", Modifier, Ensembl),
    ("intergenic_region", Modifier, Others),
    ("sequence_variant", Modifier, Ensembl),
    ("custom", Modifier, Others),
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

/// The effects of SnpEff's field EFF before version 4 (its option `-classic`), with the terms that stand for them.
const OLD_EFFECTS: &[(&str, &str)] = &[
    ("CDS", "coding_sequence_variant"),
    ("CHROMOSOME", "chromosome"),
    ("CHROMOSOME_LARGE_DELETION", "chromosome_number_variation"),
    ("CHROMOSOME_LARGE_DUPLICATION", "duplication"),
    ("CHROMOSOME_LARGE_INVERSION", "inversion"),
    ("CODON_CHANGE", "coding_sequence_variant"),
    ("CODON_CHANGE_PLUS_CODON_DELETION", "disruptive_inframe_deletion"),
    ("CODON_CHANGE_PLUS_CODON_INSERTION", "disruptive_inframe_insertion"),
    ("CODON_DELETION", "conservative_inframe_deletion"),
    ("CODON_INSERTION", "conservative_inframe_insertion"),
    ("CUSTOM", "custom"),
    ("DOWNSTREAM", "downstream_gene_variant"),
    ("EXON", "non_coding_transcript_exon_variant"),
    ("EXON_DELETED", "exon_loss_variant"),
    ("FRAME_SHIFT", "frameshift_variant"),
    ("FRAME_SHIFT_AFTER_CDS_END", "stop_retained_variant"),
    ("FRAME_SHIFT_BEFORE_CDS_START", "start_retained_variant"),
    ("GENE", "gene_variant"),
    ("GENE_DELETED", "feature_ablation"),
    ("GENE_FUSION", "gene_fusion"),
    ("INTERGENIC", "intergenic_region"),
    ("INTERGENIC_CONSERVED", "conserved_intergenic_variant"),
    ("INTRAGENIC", "intragenic_variant"),
    ("INTRON", "intron_variant"),
    ("INTRON_CONSERVED", "conserved_intron_variant"),
    ("MICRO_RNA", "miRNA"),
    ("MOTIF", "TF_binding_site_variant"),
    ("MOTIF_DELETED", "TFBS_ablation"),
    ("NEXT_PROT", "sequence_feature"),
    ("NON_CODING_EXON", "non_coding_transcript_exon_variant"),
    ("NON_SYNONYMOUS_CODING", "missense_variant"),
    ("NON_SYNONYMOUS_START", "initiator_codon_variant"),
    ("NON_SYNONYMOUS_STOP", "stop_retained_variant"),
    ("PROTEIN_PROTEIN_INTERACTION_LOCUS", "protein_protein_contact"),
    ("PROTEIN_STRUCTURAL_INTERACTION_LOCUS", "structural_interaction_variant"),
    ("RARE_AMINO_ACID", "rare_amino_acid_variant"),
    ("REGULATION", "regulatory_region_variant"),
    ("SPLICE_SITE_ACCEPTOR", "splice_acceptor_variant"),
    ("SPLICE_SITE_BRANCH", "splice_branch_variant"),
    ("SPLICE_SITE_BRANCH_U12", "splice_branch_variant"),
    ("SPLICE_SITE_DONOR", "splice_donor_variant"),
    ("SPLICE_SITE_REGION", "splice_region_variant"),
    ("START_GAINED", "5_prime_UTR_premature_start_codon_gain_variant"),
    ("START_LOST", "start_lost"),
    ("STOP_GAINED", "stop_gained"),
    ("STOP_LOST", "stop_lost"),
    ("SYNONYMOUS_CODING", "synonymous_variant"),
    ("SYNONYMOUS_START", "start_retained_variant"),
    ("SYNONYMOUS_STOP", "stop_retained_variant"),
    ("TRANSCRIPT", "transcript_variant"),
    ("TRANSCRIPT_DELETED", "transcript_ablation"),
    ("UPSTREAM", "upstream_gene_variant"),
    ("UTR_3_DELETED", "3_prime_UTR_truncation&exon_loss_variant"),
    ("UTR_3_PRIME", "3_prime_UTR_variant"),
    ("UTR_5_DELETED", "5_prime_UTR_truncation&exon_loss_variant"),
    ("UTR_5_PRIME", "5_prime_UTR_variant"),
    ("WITHIN_NON_CODING_GENE", "non_coding_transcript_variant"),
];

/// Severity of a term that is not known: after all that are.
const UNKNOWN_SEVERITY: usize = TERMS.len();

static SEVERITIES: LazyLock<HashMap<&'static str, usize>> = LazyLock::new(|| {
    let mut severities: HashMap<_, _> = TERMS.iter().enumerate().map(|(at, (term, ..))| (*term, at)).collect();
    for (name, terms) in SHORT_NAMES.iter().chain(OLD_EFFECTS) {
        let severity = terms.split('&').map(|term| severities[term]).min();
        severities.insert(name, severity.unwrap_or(UNKNOWN_SEVERITY));
    }
    severities
});

static TERMS_OF_OLD_EFFECTS: LazyLock<HashMap<&'static str, &'static str>> =
    LazyLock::new(|| OLD_EFFECTS.iter().copied().collect());

/// How severe a consequence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rank {
    /// The place of its most severe term, 0 the most severe of all.
    pub severity: usize,
    /// Whether it has a term that is not known.
    pub has_unknown: bool,
}

/// How severe a consequence is; of several terms joined by `&` (or `+`, as SnpEff writes) the most severe decides.
/// A leading `*`, by which bcftools csq marks what lies after a stop, does not count.
pub(super) fn rank(consequence: &str) -> Rank {
    let mut rank = Rank { severity: UNKNOWN_SEVERITY, has_unknown: false };
    let consequence = consequence.strip_prefix('*').unwrap_or(consequence);
    for term in consequence.split(['&', '+']).map(str::trim).filter(|term| !term.is_empty()) {
        match SEVERITIES.get(term) {
            Some(severity) => rank.severity = rank.severity.min(*severity),
            None => rank.has_unknown = true,
        }
    }
    rank
}

/// Ranks that were asked for lately, by the consequence's text: a file has few of them, over and over.
#[derive(Debug)]
pub(super) struct Ranks(Vec<(String, Rank)>);

/// How many texts are remembered; one that falls on another's place takes it.
const REMEMBERED: usize = 64;

impl Default for Ranks {
    fn default() -> Ranks {
        Ranks(vec![(String::new(), rank("")); REMEMBERED])
    }
}

impl Ranks {
    /// What [`rank`] says.
    pub fn rank(&mut self, consequence: &str) -> Rank {
        let bytes = consequence.as_bytes();
        let byte = |at: usize| usize::from(bytes.get(at).copied().unwrap_or_default());
        let place = (bytes.len() ^ byte(0) ^ (byte(bytes.len() / 2) << 2) ^ (byte(4) << 1)) % REMEMBERED;
        let (text, known) = &mut self.0[place];
        if text != consequence {
            consequence.clone_into(text);
            *known = rank(consequence);
        }
        *known
    }
}

/// The class of impact of a severity, if it is known.
pub(super) fn impact(severity: usize) -> Option<Impact> {
    TERMS.get(severity).map(|(_, impact, _)| *impact)
}

/// What an effect of EFF is in terms of the Sequence Ontology, joined by `&`. A name that is not known stays.
pub(super) fn terms_of_effect(effect: &str) -> Cow<'_, str> {
    if !effect.contains(['+', '&']) {
        return Cow::Borrowed(TERMS_OF_OLD_EFFECTS.get(effect).copied().unwrap_or(effect));
    }
    let terms = effect.split(['&', '+']).map(str::trim).filter(|term| !term.is_empty());
    let terms: Vec<&str> = terms.map(|term| TERMS_OF_OLD_EFFECTS.get(term).copied().unwrap_or(term)).collect();
    Cow::Owned(terms.join("&"))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn remembers_ranks_and_mixes_none_up() {
        let mut ranks = Ranks::default();
        let terms: Vec<&str> =
            TERMS.iter().map(|(term, ..)| *term).chain(["", "stop_gained&intron_variant", "x"]).collect();
        for _ in 0..2 {
            for term in &terms {
                assert_eq!(ranks.rank(term), rank(term), "{term}");
            }
        }
    }

    /// The tables as a page of the documentation, in Markdown.
    fn page() -> String {
        let mut page = String::from(PAGE_START);
        for (place, (term, impact, listed)) in TERMS.iter().enumerate() {
            let listed = if *listed == Ensembl { "Ensembl" } else { "" };
            let _ = writeln!(page, "| {} | `{term}` | {} | {listed} |", place + 1, impact.as_str());
        }
        page.push_str(PAGE_SHORT_NAMES);
        for (name, term) in SHORT_NAMES {
            let _ = writeln!(page, "| `{name}` | `{term}` |");
        }
        page.push_str(PAGE_OLD_EFFECTS);
        for (name, terms) in OLD_EFFECTS {
            let _ = writeln!(page, "| `{name}` | `{terms}` |");
        }
        page
    }

    const PAGE_START: &str = "\
# Consequences, the most severe first

<!-- Made from stages/src/annotations/consequences.rs; `VARDELTA_UPDATE=1 cargo test -p vardelta-stages consequences` \
writes it. -->

The stage `annotations` ranks consequences by this table. The terms marked Ensembl are those of Ensembl's list of calculated \
variant consequences, in its order and with its impacts; the others, which SnpEff and older releases of VEP write, are beside \
the terms that they resemble. Of several terms joined by `&` the most severe decides. A term that is not in the table ranks \
below all that are, and is counted (`consequence_unknown`). The impact is used where the annotation carries none.

| rank | term | impact | listed by |
|---|---|---|---|
";

    const PAGE_SHORT_NAMES: &str = "
## What bcftools csq writes

The column `consequence` keeps the name as it is written; it ranks as the term.

| name in BCSQ | term |
|---|---|
";

    const PAGE_OLD_EFFECTS: &str = "
## What SnpEff wrote before it used the ontology

In EFF these names become the terms, in the column `consequence` too. Names that are terms already stay.

| name in EFF | term |
|---|---|
";

    fn severity(consequence: &str) -> usize {
        rank(consequence).severity
    }

    #[test]
    fn terms_are_listed_once_and_names_stand_for_listed_terms() {
        assert_eq!(SEVERITIES.len(), TERMS.len() + SHORT_NAMES.len() + OLD_EFFECTS.len());
    }

    #[test]
    fn the_page_of_the_documentation_is_these_tables() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/consequences.md");
        if std::env::var_os("VARDELTA_UPDATE").is_some() {
            std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs")).expect("makes the directory");
            std::fs::write(path, page()).expect("writes");
        }
        let found = std::fs::read_to_string(path).expect("docs/consequences.md is there");
        assert!(found == page(), "docs/consequences.md is stale: run this test with VARDELTA_UPDATE=1");
    }

    #[test]
    fn the_most_severe_term_decides() {
        assert!(severity("stop_gained") < severity("missense_variant"));
        assert!(severity("missense_variant") < severity("synonymous_variant"));
        assert_eq!(severity("splice_region_variant&stop_gained"), severity("stop_gained"));
        assert_eq!(severity("5_prime_UTR_truncation+exon_loss_variant"), severity("exon_loss_variant"));
        assert_eq!(severity("*missense"), severity("missense_variant"));
        assert_eq!(severity("intron&non_coding"), severity("intron_variant"));
        assert_eq!(severity("UTR_5_DELETED"), severity("exon_loss_variant"));
    }

    #[test]
    fn unknown_terms_rank_last_and_have_no_impact() {
        assert_eq!(rank("something_new"), Rank { severity: UNKNOWN_SEVERITY, has_unknown: true });
        assert_eq!(rank(""), Rank { severity: UNKNOWN_SEVERITY, has_unknown: false });
        let intron = severity("intron_variant");
        assert_eq!(rank("something_new&intron_variant"), Rank { severity: intron, has_unknown: true });
        assert!(impact(UNKNOWN_SEVERITY).is_none());
        assert_eq!(impact(severity("missense")).map(Impact::as_str), Some("MODERATE"));
    }

    #[test]
    fn old_effects_become_terms() {
        assert_eq!(terms_of_effect("NON_SYNONYMOUS_CODING"), "missense_variant");
        assert_eq!(terms_of_effect("SPLICE_SITE_REGION+INTRON"), "splice_region_variant&intron_variant");
        assert_eq!(terms_of_effect("splice_region_variant+intron_variant"), "splice_region_variant&intron_variant");
        assert_eq!(terms_of_effect("SOMETHING_NEW"), "SOMETHING_NEW");
    }
}
